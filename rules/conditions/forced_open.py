"""`forced_open`: a door that opens although nobody was let through."""

from typing import Any, ClassVar

from pydantic import Field

from devices.durations import NANOSECONDS, write_duration
from devices.reading import Reading, Value
from devices.register import Device, Duration, Text
from rules.alerts import Evidence
from rules.conditions.logic import any_device
from rules.conditions.momentary import AtDoor, Momentary
from rules.conditions.node import Node, Scope

_WITHIN = 10 * NANOSECONDS["s"]
_AFTERWARDS = 2 * NANOSECONDS["s"]
"""How much later a device may tell that it let somebody through than that the door opened."""
_EMERGENCY = NANOSECONDS["h"]
"""How long doors may open freely after an emergency release."""


class ForcedOpen(Momentary):
    """A door that opens although nobody was let through.

    `forced_open` is the controller's own word, and counts at once. Beside that it is inferred where a locked door opens
    and nobody was granted access, asked to leave or released the doors shortly before. Many doors open from within by
    their handle, and nothing tells of it; so it is inferred only at doors that have told of somebody who left, by an
    `exit_request` or by a reader on the way out. It is over when the door closes.
    """

    summary: ClassVar[str] = "a door opens although nobody was let through, or its controller says so"

    within: Duration = Field(_WITHIN, description="How long after somebody was let through the door may open.")

    def build(self, scope: Scope) -> Node:
        """See the base."""

        def make(device: Device) -> Node:
            node = _ForcedOpen(device.id, self.within, self.hold)
            scope.listen(device.id, "lock", node.take_lock)
            scope.listen(device.id, "event", node.take_event)
            scope.listen(device.id, "door", node.take_door)
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        within = write_duration(self.within)
        return Text(
            en=f"the door opens and nobody was let through in the {within} before, or its controller says forced open",
            zh=f"门被打开，而此前 {within} 内无人获准通行，或控制器报告强行开门",
        )


class _ForcedOpen(AtDoor):
    """One door. While an opening waits for its explanation, `due` is when it was forced."""

    __slots__ = ("_device", "_free_until", "_open", "_tells_exits", "_unexplained", "_unlocked", "_within")

    def __init__(self, device: str, within: int, hold: int) -> None:
        super().__init__(hold)
        self._device, self._within = device, within
        self._open = False
        self._tells_exits = False
        self._unlocked = False
        self._free_until = 0
        self._unexplained: int | None = None

    def take_event(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        time = reading.time
        match value:
            case "forced_open":
                self._unexplained = None
                return self.show(time, Evidence(self._device, "event", "forced_open"))
            case "granted" | "duress" | "exit_request":
                self._tells_exits |= value == "exit_request" or reading.values.get("direction") == "out"
                self._free(time + self._within)
            case "emergency_release":
                self._free(time + _EMERGENCY)
            case "opened" | "closed":
                return self._move(time, is_open=value == "opened")
            case "locked" | "unlocked":
                self._turn_lock(time, unlocked=value == "unlocked")
        return False

    def take_door(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        return self._move(reading.time, is_open=value == "open")

    def take_lock(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        self._turn_lock(reading.time, unlocked=value == "unlocked")
        return False

    def _turn_lock(self, time: int, *, unlocked: bool) -> None:
        if self._unlocked or unlocked:  # until now, or from now on
            self._free(time + self._within)
        self._unlocked = unlocked

    def _free(self, until: int) -> None:
        """Somebody may come through."""
        self._free_until = max(self._free_until, until)
        if self._unexplained is not None:
            self._unexplained = self.due = None

    def _move(self, time: int, *, is_open: bool) -> bool:
        self._tells = True
        was_open, self._open = self._open, is_open
        if not is_open:
            return self._unexplained is None and self.end()  # a short opening wants its explanation as well
        if was_open or self.truth or self._unlocked or not self._tells_exits or time <= self._free_until:
            return False
        self._unexplained, self.due = time, time + _AFTERWARDS
        return True

    def advance(self, time: int) -> None:
        """See the base."""
        if self._unexplained is None:
            self.end()
            return
        self._unexplained = None
        self.show(time, Evidence(self._device, "event", "opened", details={"let_through": False}))
        if not self._open:
            self.due = time + self._hold

    def snapshot(self) -> list[Any]:
        """See the base."""
        own = [self._open, self._tells_exits, self._unlocked, self._free_until, self._unexplained]
        return [super().snapshot(), own]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        at_door, own = state
        super().restore(at_door)
        self._open, self._tells_exits, self._unlocked, self._free_until, self._unexplained = own
