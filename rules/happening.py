"""Happenings: what conditions count or put in order: an event, or the moment at which a comparison comes true."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from devices.points import EVENTS
from devices.reading import Reading, Value
from devices.register import Device, Line, Text
from devices.values import suggest
from rules.bounds import PointName
from rules.comparison import Beyond, Comparison, Equal
from rules.conditions.node import Scope
from rules.occupancy import credential_of
from rules.selection import OneOrMore
from rules.site import area_of

Tell: TypeAlias = Callable[[Reading], bool]
"""Takes the reading in which it happened; True where the tree must be weighed."""


def _check_event(name: object) -> object:
    if name not in EVENTS:
        hint = suggest(str(name), EVENTS) or f"expected one of {', '.join(sorted(EVENTS))}"
        raise ValueError(f"there is no event {name!r}; {hint}")
    return name


_EventName: TypeAlias = Annotated[str, BeforeValidator(_check_event), Field(json_schema_extra={"enum": sorted(EVENTS)})]


class Happening(Comparison):
    """An event, or a value that passes a bound or becomes a word."""

    point: PointName = Field("event", description="What is compared; instead of `event`.")
    event: OneOrMore[_EventName] | None = Field(None, description="What happened; of a list, any.")
    reason: OneOrMore[Line] | None = Field(None, description="With `event`: why, as the controller says; any of these.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = self.model_fields_set & (Comparison.model_fields.keys() | {"event"})
        if self.event is not None:
            others = sorted(given - {"event", "point"} | ({"point"} if self.point != "event" else set()))
            if others:
                raise ValueError(f"expected event or point, got event and {' and '.join(others)}")
            return self
        if "point" not in given:
            raise ValueError("expected event or point, got none")
        if self.point == "event":
            raise ValueError(
                f"point: write `event: {self.equals or 'denied'}`; every event counts, also the same again"
            )
        if self.reason is not None:
            raise ValueError("reason goes with event, which is missing here")
        self.check_comparison()
        return self

    def fits(self, device: Device) -> str:
        """See `Comparison`."""
        return "" if self.event is not None else super().fits(device)

    def follow(self, scope: Scope, tell: Tell) -> "Onsets":
        """Has `tell` called whenever it happens on a device of the subject."""
        onsets = []
        for device in scope.devices:
            if self.event is not None:
                take = _Event(frozenset(self.event), frozenset(self.reason or ()), tell).take
                scope.listen(device.id, "event", take)
            else:
                onset = _Onset(self.compare(device), tell)
                scope.listen(device.id, self.point, onset.take)
                onsets.append(onset)
        return Onsets(onsets)

    def describe(self) -> Text:
        """In words: `event denied`, or `power_kw is above 5 kW`."""
        if self.event is None:
            return super().describe()
        en, zh = f"event {' or '.join(self.event)}", f"事件 {' 或 '.join(self.event)}"
        if self.reason is not None:
            en, zh = f"{en} for {' or '.join(self.reason)}", f"{zh}（原因 {' 或 '.join(self.reason)}）"
        return Text(en=en, zh=zh)


class _Event:
    """Some of the events of a device."""

    __slots__ = ("_events", "_reasons", "_tell")

    def __init__(self, events: frozenset[str], reasons: frozenset[str], tell: Tell) -> None:
        self._events, self._reasons, self._tell = events, reasons, tell

    def take(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        if value not in self._events or (self._reasons and reading.values.get("reason") not in self._reasons):
            return False
        return self._tell(reading)


class _Onset:
    """The moments at which a comparison comes true; what is true from the first value on has no such moment."""

    __slots__ = ("_tell", "node")

    def __init__(self, node: Beyond | Equal, tell: Tell) -> None:
        self.node, self._tell = node, tell

    def take(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        was = self.node.truth
        self.node.take(value, reading)
        return bool(was is False and self.node.truth and self._tell(reading))


class Onsets:
    """The state of the comparisons that stand behind a happening; of an event, none."""

    __slots__ = ("_onsets",)

    def __init__(self, onsets: Sequence[_Onset]) -> None:
        self._onsets = tuple(onsets)

    def snapshot(self) -> list[Any]:
        """Their state, in plain values."""
        return [onset.node.snapshot() for onset in self._onsets]

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot."""
        for onset, part in zip(self._onsets, state, strict=True):
            onset.node.restore(part)


Per: TypeAlias = Literal["device", "credential", "area"]
"""By what happenings belong together."""


def find_key(per: Per | None, scope: Scope) -> Callable[[Reading], str]:
    """What gives the key of a happening's reading; "" where it has none, and then it does not count.

    Args:
        per: None: everything of the subject belongs together.
        scope: the subject.
    """
    match per:
        case None:
            return lambda _reading: "all"
        case "device":
            return lambda reading: reading.device
        case "credential":
            return credential_of
    areas = {device.id: area_of(device) for device in scope.devices}
    return lambda reading: areas[reading.device]


def describe_key(per: Per | None) -> Text:
    """In words: `of one credential`; "" where everything belongs together."""
    match per:
        case None:
            return Text()
        case "device":
            return Text(en="of one device", zh="同一设备")
        case "credential":
            return Text(en="of one credential", zh="同一凭证")
    return Text(en="in one area", zh="同一区域")
