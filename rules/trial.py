"""Trials: the tests of rules as people write them beside the rules: what devices say, and what must follow."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from devices.durations import NANOSECONDS
from devices.misfits import Misfit, refuse
from devices.places import Places
from devices.points import POINTS
from devices.reading import Value
from devices.register import Device, Duration, Identifier, Line, Model
from devices.values import suggest
from rules.alerts import Severity
from rules.calendars import CalendarPlan
from rules.notation import MomentField, OffsetField, StartField, read_series
from rules.selection import OneOrMore

_MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001 - as the site's clocks show it
_EVERY = 15 * NANOSECONDS["m"]

Subject: TypeAlias = Annotated[str, Field(min_length=1, description="A device, a place such as A/1F, or the site.")]
"""What an alert is about, as people write it."""


class Series(Model):
    """What devices say, value by value; each further key is a point.

    Values that stand at the same place of several points are one reading.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, str | int | float | bool]

    device: OneOrMore[Identifier] = Field(description="Which devices say it.")
    from_: MomentField | None = Field(None, alias="from", description="When the first reading is; left out: the start.")
    every: Duration | None = Field(None, description="How far apart they are; left out: as the test says.")
    arrives: MomentField | None = Field(
        None, description="When all of them arrive, such as a backlog after an outage; left out: each at its own time."
    )
    clock: OffsetField = Field(0, description="How far the devices' clocks are off, such as +10m or -2h.")

    @model_validator(mode="after")
    def _check(self) -> "Series":
        refuse(self._find_misfits())
        return self

    def _find_misfits(self) -> Iterator[Misfit]:
        written = self.__pydantic_extra__
        if not written:
            yield Misfit((), "expected a point with its values, such as voltage_v: 230x4 260x10")
        for point, text in written.items():
            if point not in POINTS:
                hint = (
                    suggest(point, [*POINTS, "from", "every", "arrives", "clock"])
                    or "docs/reference/points.md lists them"
                )
                yield Misfit((point,), f"{point!r} is no point; {hint}")
                continue
            try:
                _expand(text, point)
            except ValueError as error:
                yield Misfit((point,), str(error))

    @cached_property
    def points(self) -> Mapping[str, list[Value | None]]:
        """The values of each point; None where a reading lacks it."""
        return {point: _expand(text, point) for point, text in self.__pydantic_extra__.items()}


def _expand(written: str | float | bool, point: str) -> list[Value | None]:  # noqa: FBT001 - a value of YAML
    text = str(written).lower() if isinstance(written, bool) else str(written)
    return read_series(text, point)


def _read_subject(value: object) -> object:
    return {"subject": value} if isinstance(value, str) else value


class _SubjectAlone:
    """Tells editors that a subject may stand without its keys."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), {"type": "string"}]}


class ExpectedAlert(Model):
    """An alert that there must be; what is left out may be anything."""

    subject: Subject
    rule: Identifier | None = Field(None, description="Left out: any of the test's rules.")
    severity: Severity | None = None
    since: MomentField | None = Field(None, description="When its condition came true.")
    value: str | float | bool | None = Field(None, description="What showed it, such as 260 V; to one part in 1,000.")
    limit: str | float | None = Field(None, description="What that was compared with.")
    details: dict[str, str | float | bool] = Field(default_factory=dict, description="What else it must tell.")


class ExpectedTicket(Model):
    """A ticket that there must be."""

    subject: Subject
    rule: Identifier | None = Field(None, description="Left out: any of the test's rules.")
    joined: OneOrMore[Subject] | None = Field(None, description="The subjects of all other alerts in it.")


def _read_list(value: object) -> object:
    return [] if value == "none" else value if isinstance(value, list) else [value]


class _NoneAlone:
    """Tells editors that `none` or one entry may stand in the place of the list."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        several = handler(schema)
        return {"anyOf": [several, several["items"], {"const": "none"}]}


_Alert: TypeAlias = Annotated[ExpectedAlert, BeforeValidator(_read_subject), _SubjectAlone()]
_Ticket: TypeAlias = Annotated[ExpectedTicket, BeforeValidator(_read_subject), _SubjectAlone()]


class Expectation(Model):
    """What there must be at a moment: these, and no others."""

    at: MomentField
    alerts: Annotated[list[_Alert], BeforeValidator(_read_list), _NoneAlone()] | None = Field(
        None, description="All that were told and are not over, or none."
    )
    tickets: Annotated[list[_Ticket], BeforeValidator(_read_list), _NoneAlone()] | None = Field(
        None, description="All whose alerts are not over, or none."
    )

    @model_validator(mode="after")
    def _check(self) -> "Expectation":
        if self.alerts is None and self.tickets is None:
            raise ValueError("expected alerts or tickets, such as alerts: none")
        return self


class MutePlan(Model):
    """A maintenance window, or an alert that is shelved."""

    kind: Literal["maintenance", "shelf"] = "maintenance"
    from_: MomentField = Field(alias="from")
    to: MomentField
    subjects: OneOrMore[Subject]
    rules: OneOrMore[Identifier] | None = Field(None, description="Left out: all.")


class RuleTest(Model):
    """One test: what devices say, and what must follow from it."""

    name: Line = Field(min_length=1, description="What it shows.")
    rules: OneOrMore[Identifier] = Field(description="Rules that are in force; the others are left out.")
    start: StartField = Field(_MONDAY, description="When it begins, by the site's clocks; left out: a Monday.")
    every: Duration = Field(_EVERY, description="How far apart readings are.")
    devices: list[Identifier | Device] | None = Field(
        None, description="Ids of the site's, or devices as in devices.yaml; left out: those of the series."
    )
    places: Places | None = Field(None, description="In the place of places.yaml.")
    calendars: dict[Identifier, CalendarPlan] = Field(
        default_factory=dict, description="Beside those of calendars.yaml, or in their place."
    )
    series: list[Series] = Field(default_factory=list)
    mutes: list[MutePlan] = Field(default_factory=list)
    expect: Annotated[list[Expectation], BeforeValidator(_read_list), _NoneAlone()] = Field(
        description="What there must be at each of these moments; none: nothing is ever told."
    )

    def named_devices(self) -> Sequence[Identifier | Device]:
        """The devices that take part: those listed, else those that say something."""
        if self.devices is not None:
            return self.devices
        return list(dict.fromkeys(device for series in self.series for device in series.device))


class RuleTestFile(Model):
    """config/rules/*.test.yaml."""

    tests: list[RuleTest] = Field(default_factory=list)
