"""The desk's plan: config/desk.yaml as a model. Its fields are the only definition of what may stand there."""

import re
from datetime import date
from typing import Annotated, Literal, Self, TypeAlias, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from devices.durations import NANOSECONDS
from devices.register import Duration, Identifier, Line, Model, Place, Text
from rules.calendars import DatesField, Hours, HoursField, Weekday
from rules.selection import OneOrMore
from tickets.priority import IMPACTS, MATRIX, URGENCIES, Impact, Priority, Urgency

_SHARE = re.compile(r"(\d{1,3}) ?%", re.ASCII)


def _read_share(value: object) -> object:
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError(f"expected a share of the time such as 50 % or 100 %, got {value!r}")
    return int(match[1])


Share: TypeAlias = Annotated[
    int,
    BeforeValidator(_read_share),
    PlainSerializer(lambda share: f"{share} %", when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["50 %", "100 %"]}),
]
"""Per cent of a time that is promised."""


class Person(Model):
    """Somebody who works on tickets."""

    name: Text = Field(Text(), description="What people call them.")
    contacts: dict[Identifier, Line] = Field(
        default_factory=dict, description="Address by the name of a channel of siteward.yaml's `notify`."
    )


class Team(Model):
    """People who share work."""

    name: Text = Field(Text(), description="What people call it.")
    members: list[Identifier] = Field(default_factory=list, description="Ids of people.")
    lead: Identifier | Literal[""] = Field("", description="Id of who leads it; told where nobody is on duty.")
    calendar: Identifier | Literal[""] = Field(
        "", description="When it works: a calendar of calendars.yaml; left out: always."
    )


class Category(Model):
    """One kind of work."""

    name: Text = Field(Text(), description="What people call it.")
    team: Identifier | Literal[""] = Field("", description="Id of the team that does it.")
    impact: Impact = Field("medium", description="How much of the site suffers.")


class Route(Model):
    """Work of some categories or places that goes to another team, or matters more."""

    category: OneOrMore[Identifier] | None = Field(None, description="Left out: every category.")
    building: OneOrMore[Place] | None = Field(None, description="Left out: every building.")
    floor: OneOrMore[Place] | None = Field(None, description="Left out: every floor.")
    area: OneOrMore[Place] | None = Field(None, description="Left out: every area.")
    team: Identifier | Literal[""] = Field("", description="Whose work it is then; left out: the category's team.")
    raise_impact: Annotated[int, Field(ge=0, le=2)] = Field(0, description="By how many steps the impact is higher.")

    def fits(self, category: str, place: str) -> bool:
        """Whether work of a category at a place (ids from the building down, joined with `/`) is meant."""
        if self.category is not None and category not in self.category:
            return False
        ids = [*place.split("/"), "", "", ""] if place else ["", "", ""]
        wanted = (self.building, self.floor, self.area)
        return all(names is None or ids[level] in names for level, names in enumerate(wanted))


class ServiceLevel(Model):
    """What is promised for a priority."""

    respond_within: Duration | None = Field(None, description="Until somebody answers; left out: nothing is promised.")
    resolve_within: Duration | None = Field(None, description="Until the work is done; likewise.")
    hours: Literal["team", "always"] = Field("team", description="Whether only the team's hours count.")


class Escalation(Model):
    """Who else is told when time runs out."""

    clock: Literal["response", "resolution"] = Field(description="Which of the two times.")
    at: Share = Field(description="How much of it has passed.")
    notify: list[Literal["assignee", "owner", "team", "lead"] | Identifier] = Field(
        min_length=1, description="assignee: who is on duty; owner, team, lead: of the ticket; else the id of a person."
    )
    priority: OneOrMore[Priority] | None = Field(None, description="Left out: for every priority.")


class Shift(Model):
    """Hours in which somebody is on duty."""

    team: Identifier = Field(description="Id of the team.")
    days: OneOrMore[Weekday] = Field(list(get_args(Weekday)), description="On which it begins; left out: all.")
    hours: HoursField = Field(Hours(0, 24 * 60), description="Local time; may pass midnight; left out: all day.")
    people: OneOrMore[Identifier] = Field(description="Ids of people; several take turns, a week each from Monday.")
    since: date = Field(date(2024, 1, 1), description="A day of the week in which the first of them has the turn.")


class Substitute(Model):
    """Somebody who stands in for another."""

    absent: Identifier = Field(description="Id of who is away.")
    by: Identifier = Field(description="Id of who stands in.")
    dates: OneOrMore[DatesField] = Field(description="When; the last day counts.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.by == self.absent:
            raise ValueError("by: nobody stands in for themselves")
        return self


_LEVELS: dict[Priority, ServiceLevel] = {
    "P1": ServiceLevel(respond_within="15m", resolve_within="4h", hours="always"),
    "P2": ServiceLevel(respond_within="1h", resolve_within="8h"),
    "P3": ServiceLevel(respond_within="4h", resolve_within="24h"),
    "P4": ServiceLevel(respond_within="8h", resolve_within="5d"),
}
_ESCALATION = [
    Escalation(clock="response", at="50 %", notify=["assignee"]),
    Escalation(clock="response", at="100 %", notify=["assignee", "lead"]),
    Escalation(clock="resolution", at="80 %", notify=["owner"]),
    Escalation(clock="resolution", at="100 %", notify=["owner", "lead"]),
]

ROLES = ("assignee", "owner", "team", "lead")
"""Whom a step of escalation may name beside people."""

OTHER = "other"
"""The category of what has none."""


def _check_matrix(matrix: dict[Impact, dict[Urgency, Priority]]) -> dict[Impact, dict[Urgency, Priority]]:
    for impact in IMPACTS:
        missing = [urgency for urgency in URGENCIES if urgency not in matrix.get(impact, {})]
        if missing:
            raise ValueError(f"impact {impact}: no priority for urgency {', '.join(missing)}")
    return matrix


class DeskPlan(Model):
    """config/desk.yaml. Without the file: one category `other`, no teams, and the defaults below."""

    people: dict[Identifier, Person] = Field(default_factory=dict, description="By their ids.")
    teams: dict[Identifier, Team] = Field(default_factory=dict, description="By their ids.")
    categories: dict[Identifier, Category] = Field(default_factory=dict, description="By their ids; `other` exists.")
    routing: list[Route] = Field(
        default_factory=list, description="Exceptions by category and place; the first that names a team decides."
    )
    matrix: Annotated[dict[Impact, dict[Urgency, Priority]], AfterValidator(_check_matrix)] = Field(
        {impact: dict(row) for impact, row in MATRIX.items()}, description="Priority by impact and urgency."
    )
    service_levels: dict[Priority, ServiceLevel] = Field(
        default_factory=dict, description="By priority; what is left out keeps its default."
    )
    escalation: list[Escalation] = Field(_ESCALATION, description="Who is told when.")
    duty: list[Shift] = Field(default_factory=list, description="The weekly rota; the first shift that fits decides.")
    substitutes: list[Substitute] = Field(default_factory=list, description="Who stands in for whom.")
    close_after: Duration = Field(
        3 * NANOSECONDS["d"], description="How long a resolved ticket can be reopened before it is closed by itself."
    )

    def category(self, name: str) -> Category:
        """The category of a name; one without team where there is none."""
        return self.categories.get(name) or self.categories.get(OTHER) or Category()

    def service_level(self, priority: Priority) -> ServiceLevel:
        """What is promised for a priority."""
        return self.service_levels.get(priority) or _LEVELS[priority]
