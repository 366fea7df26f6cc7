"""What in a desk's plan names something that is not there."""

from collections.abc import Collection, Iterator
from typing import NamedTuple, TypeAlias

from devices.places import Places
from devices.values import suggest
from rules.calendars import Calendars
from tickets.deskplan import OTHER, ROLES, DeskPlan

Path: TypeAlias = tuple[str | int, ...]
"""Where something stands in desk.yaml, such as ("teams", "plumbing", "lead")."""


class Gap(NamedTuple):
    """A name without what it names.

    Attributes:
        path: where it stands.
        message: what is missing.
        hint: what may have been meant; may be "".
    """

    path: Path
    message: str
    hint: str


class _Name(NamedTuple):
    path: Path
    name: str
    what: str


def find_gaps(plan: DeskPlan, calendars: Calendars, places: Places) -> Iterator[Gap]:
    """Every name in desk.yaml that nothing has.

    Args:
        plan: what it says.
        calendars: of calendars.yaml.
        places: of places.yaml; where that lists none, any will do.
    """
    known: dict[str, Collection[str]] = {
        "person": plan.people,
        "team": plan.teams,
        "category": {OTHER, *plan.categories},
        "calendar": calendars.calendars,
        "building": {building.id for building in places.buildings},
    }
    for path, name, what in _list_names(plan):
        if name and name not in known[what] and not (what == "building" and not places.buildings):
            yield Gap(path, f"there is no {what} {name!r}", suggest(name, known[what]))


def _list_names(plan: DeskPlan) -> Iterator[_Name]:
    for name, team in plan.teams.items():
        yield from _each(("teams", name, "members"), team.members, "person")
        yield _Name(("teams", name, "lead"), team.lead, "person")
        yield _Name(("teams", name, "calendar"), team.calendar, "calendar")
    for name, category in plan.categories.items():
        yield _Name(("categories", name, "team"), category.team, "team")
    for number, route in enumerate(plan.routing):
        yield from _each(("routing", number, "category"), route.category, "category")
        yield from _each(("routing", number, "building"), route.building, "building")
        yield _Name(("routing", number, "team"), route.team, "team")
    for number, step in enumerate(plan.escalation):
        people = [name if name not in ROLES else "" for name in step.notify]
        yield from _each(("escalation", number, "notify"), people, "person")
    for number, shift in enumerate(plan.duty):
        yield _Name(("duty", number, "team"), shift.team, "team")
        yield from _each(("duty", number, "people"), shift.people, "person")
    for number, substitute in enumerate(plan.substitutes):
        yield _Name(("substitutes", number, "absent"), substitute.absent, "person")
        yield _Name(("substitutes", number, "by"), substitute.by, "person")


def _each(path: Path, names: list[str] | None, what: str) -> Iterator[_Name]:
    for number, name in enumerate(names or ()):
        yield _Name((*path, number), name, what)
