"""Rules: what one alert rule says."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from devices.durations import NANOSECONDS
from devices.register import Duration, Identifier, Line, Model, Text
from rules.alerts import Severity, SubjectKind
from rules.selection import OneOrMore, Selection
from rules.when import When


def _read_title(value: object) -> object:
    return {"en": value} if isinstance(value, str) else value


class _TextAlone:
    """Tells editors that a text may stand without its language."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), {"type": "string"}]}


class Verify(Model):
    """What must have happened before a ticket that somebody calls done is closed."""

    quiet_for: Duration = Field(description="The condition must stay false for so long.")


class Group(Model):
    """Which alerts of the rule share a ticket."""

    by: Literal["parent", "area", "floor", "building", "site"] = Field(
        "parent", description="What they must have in common; parent: the gateway, controller or main meter above them."
    )
    within: Duration = Field(description="How long after the first one others still join.")


class TicketPlan(Model):
    """The ticket that an alert of the rule opens."""

    category: Identifier = Field("other", description="One of desk.yaml's categories; it decides on team and priority.")
    title: Annotated[Text, BeforeValidator(_read_title), _TextAlone()] = Field(
        Text(), description="One line; {device.name} {place} {value} {limit} {since} stand for what the alert says."
    )
    runbook: Line = Field("", description="What to do: a file below docs/runbooks or an address.")
    clears: Literal["resolve", "wait"] = Field(
        "resolve", description="When the alert is over: resolve the ticket, or wait for somebody to say so."
    )
    verify: Verify | None = Field(None, description="What telemetry must show before the ticket is closed.")
    group: Group | None = Field(None, description="Left out: `silent` by parent within 15m, others not at all.")


_OUTAGE = 15 * NANOSECONDS["m"]
"""Devices that fall silent so soon after each other have one cause."""


class Rule(Model):
    """One alert rule."""

    id: Identifier = Field(description="Stable: it keys the rule's state and tickets.")
    name: Text = Field(Text(), description="What people call it.")
    select: Selection = Field(Selection(), description="Which devices it is about.")
    per: SubjectKind = Field("device", description="What an alert is about: each device, or each place of them.")
    when: When = Field(description="One condition, or several that `all`, `any` and `not` combine.")
    for_: Duration | None = Field(None, alias="for", description="On-delay: how long it must be true.")
    keep_firing_for: Duration | None = Field(None, description="Off-delay: how long it must be false again.")
    active: OneOrMore[Identifier] | None = Field(None, description="Calendars in which it holds; left out: always.")
    mute: OneOrMore[Identifier] | None = Field(None, description="Calendars in which it does not.")
    severity: Severity = Field("minor", description="How bad it is; it decides on the ticket's urgency.")
    ticket: TicketPlan | None = Field(TicketPlan(), description="Write `ticket: null` for an alert without a ticket.")
    inhibits: bool | None = Field(
        None,
        description="Whether its alerts hold back those of rules that yield, on what hangs below. Left out: silent.",
    )
    yields: bool | None = Field(
        None, description="Whether its alerts are held back while something above has failed. Left out: silent does."
    )
    enabled: bool = Field(default=True, description="`false`: the rule is checked, and judges nothing.")

    @property
    def tells_failure(self) -> bool:
        """Whether it says that a device has failed as a whole, so that nothing can be expected of what hangs below."""
        return self.inhibits if self.inhibits is not None else self.when.is_silence

    @property
    def is_consequence(self) -> bool:
        """Whether its alerts may be no more than the consequence of a failure above."""
        return self.yields if self.yields is not None else self.when.is_silence

    @property
    def group(self) -> Group | None:
        """Which of its alerts share a ticket."""
        if self.ticket is not None and self.ticket.group is not None:
            return self.ticket.group
        return Group.model_construct(within=_OUTAGE) if self.when.is_silence else None

    @property
    def condition_text(self) -> str:
        """What a change of makes the rule start anew; everything else may change while timers run."""
        return self.when.model_dump_json(by_alias=True, exclude_none=True)


class RuleFile(Model):
    """config/rules/*.yaml."""

    rules: list[Rule] = Field(default_factory=list)
