"""`held_open`: a door that stands open for too long."""

from typing import Any, ClassVar

from pydantic import Field

from devices.durations import NANOSECONDS, write_duration
from devices.reading import Reading, Value
from devices.register import Device, Duration, Text
from rules.alerts import Evidence
from rules.conditions.logic import any_device
from rules.conditions.momentary import AtDoor, Momentary
from rules.conditions.node import Node, Scope

_FOR = 30 * NANOSECONDS["s"]


class HeldOpen(Momentary):
    """A door that was opened and not closed in time, or whose controller says so.

    Openings come as the event `opened` or as `door: open`, closings likewise; `held_open` is the controller's own word,
    and counts at once. It is over when the door closes.
    """

    summary: ClassVar[str] = "a door stands open for too long, or its controller says so"

    for_: Duration = Field(_FOR, alias="for", description="How long a door may stand open.")

    def build(self, scope: Scope) -> Node:
        """See the base."""

        def make(device: Device) -> Node:
            node = _HeldOpen(device.id, self.for_, self.hold)
            scope.listen(device.id, "event", node.take_event)
            scope.listen(device.id, "door", node.take_door)
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        limit = write_duration(self.for_)
        return Text(en=f"the door stands open for {limit}", zh=f"门持续开启达 {limit}")


class _HeldOpen(AtDoor):
    """One door. Until it is open for too long, `due` is when it will be; from then on, when that is over."""

    __slots__ = ("_device", "_limit", "_opened")

    def __init__(self, device: str, limit: int, hold: int) -> None:
        super().__init__(hold)
        self._device, self._limit = device, limit
        self._opened: int | None = None

    def take_event(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        match value:
            case "opened":
                return self._open(reading.time)
            case "closed":
                return self._close(reading.time)
            case "held_open":
                if self._opened is None:
                    self._opened = reading.time
                return self.show(reading.time, self._make_evidence(reading.time))
        return False

    def take_door(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        return self._open(reading.time) if value == "open" else self._close(reading.time)

    def _open(self, time: int) -> bool:
        self._tells = True
        if self._opened is not None:
            return False  # told again, or a closing was lost: it is still open for all we know
        self._opened, self.due = time, time + self._limit
        return True

    def _close(self, time: int) -> bool:
        self._tells = True
        if self.truth:
            self._shown = self._make_evidence(time)
        self._opened = None
        return self.end()

    def advance(self, time: int) -> None:
        """See the base."""
        if self.truth:
            self._opened = None  # nobody will tell when it closes
            self.end()
        else:
            self.show(time, self._make_evidence(time))

    def _make_evidence(self, time: int) -> Evidence:
        open_s = (time - (self._opened or time)) / NANOSECONDS["s"]
        return Evidence(self._device, "held_open", open_s, self._limit / NANOSECONDS["s"], "s")

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [super().snapshot(), self._opened]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        at_door, self._opened = state
        super().restore(at_door)
