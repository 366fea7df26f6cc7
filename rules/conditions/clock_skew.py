"""`clock_skew`: a device whose clock is off."""

from typing import Any, ClassVar

from pydantic import Field

from devices.durations import NANOSECONDS, write_duration
from devices.reading import Reading, Value
from devices.register import Device, Duration, Text
from rules.alerts import Evidence
from rules.conditions.logic import any_device
from rules.conditions.node import Condition, Node, Scope

_HOUR, _SECOND = NANOSECONDS["h"], NANOSECONDS["s"]

_STEADY = 5
"""Offsets of two hours are the same clock's where they differ by no more than one part in so many of the bound."""


class ClockSkew(Condition):
    """A device whose clock is off, by the times in its readings and their arrivals.

    One that is ahead shows at once, and so does a time that was not believed (`time.past`, `time.future`). One that is
    behind shows after two hours: a reading may as well have been held back, so the freshest of each of two hours in
    which there are any must be behind by the same, to a fifth of the bound. A backlog that drains is no clock. Where
    the register names the device's `interval`, it may be behind by that much more, for many meters write the
    beginning of the interval. It is over with the first reading that is off by half of the bound or less.

    A logger that holds everything back for always the same time looks as if its clock were behind.
    """

    summary: ClassVar[str] = "a device whose clock is off"

    above: Duration = Field(description="How far it is off, either way.")

    def build(self, scope: Scope) -> Node:
        """A node that compares times with arrivals."""

        def make(device: Device) -> Node:
            node = _Skewed(device.id, self.above, device.interval or 0)
            scope.listen_arrivals(device.id, node.take)
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        above = write_duration(self.above)
        return Text(
            en=f"the device's clock is off by more than {above}, until it is off by half of that",
            zh=f"设备时钟偏差大于 {above}，直到偏差回到一半以内",
        )


class _Skewed(Node):
    """Offsets are arrival minus the payload's time, in ns: more than 0 is slow."""

    __slots__ = ("_allowed", "_bound", "_device", "_earlier", "_hour", "_least", "_offset")

    def __init__(self, device: str, bound: int, allowed: int) -> None:
        super().__init__()
        self._device, self._bound, self._allowed = device, bound, allowed
        self._hour = 0  # of arrivals, since 1970
        self._least = 0  # the smallest offset of that hour …
        self._earlier: int | None = None  # … and of the last hour before it in which anything arrived
        self._offset = 0  # what was last shown

    def take(self, reading: Reading) -> bool:
        """See `TakeArrival`."""
        claimed = reading.claimed
        offset = reading.received - (reading.time if claimed is None else claimed)
        hour = reading.received // _HOUR
        steady = None
        if hour != self._hour:
            steady = self._turn(hour, offset)
        elif offset < self._least:
            self._least = offset
        bound = self._bound
        if offset < -bound or (claimed is not None and offset > bound):
            return self._say(offset)
        limit = bound // 2 if self.truth else bound
        if -limit <= offset <= limit + self._allowed:
            changed, self.truth = self.truth is not False, False
            return changed
        return steady is not None and self._say(steady)

    def _turn(self, hour: int, offset: int) -> int | None:
        """An hour is over: by how much the clock was behind in it and in the one before; None where it was not."""
        last, before = self._least, self._earlier
        self._earlier = last if self._hour else None
        self._hour, self._least = hour, offset
        if before is None or abs(last - before) > self._bound // _STEADY:
            return None
        least = min(last, before)
        return least if least > self._bound + self._allowed else None

    def _say(self, offset: int) -> bool:
        self._offset = offset
        changed, self.truth = not self.truth, True
        return changed

    def evidence(self) -> Evidence:
        """By how much it is off, and whether the clock is slow or fast."""
        details: dict[str, Value] = {"clock": "slow" if self._offset > 0 else "fast"}
        value, limit = abs(self._offset) / _SECOND, self._bound / _SECOND
        return Evidence(self._device, "clock_skew", value, limit, "s", details)

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [self.truth, self._hour, self._least, self._earlier, self._offset]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self._hour, self._least, self._earlier, self._offset = state
