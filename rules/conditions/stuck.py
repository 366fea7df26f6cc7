"""`stuck`: a value that stays exactly the same while readings do come."""

from typing import Any, ClassVar

from pydantic import Field

from devices.durations import NANOSECONDS, write_duration
from devices.points import POINTS
from devices.reading import Reading, Value
from devices.register import Device, Duration, Text
from devices.timestamps import format_rfc3339
from rules.alerts import Evidence
from rules.bounds import NumberName
from rules.conditions.logic import any_device
from rules.conditions.node import Condition, Node, Scope


class Stuck(Condition):
    """A value that stays exactly the same for so long while readings do come.

    Silence is no value: a pause of more than half of `for` begins anew. Zero is never stuck, it is off. Choose `for`
    longer than what is measured may rest; a meter's register rests as long as nobody uses anything, so say beside it
    what shows that somebody does: `all: [stuck: {…}, threshold: {point: power_kw, above: 1 kW}]`.
    """

    summary: ClassVar[str] = "a value that stays exactly the same while readings do come"

    point: NumberName = Field(description="What should move.")
    for_: Duration = Field(alias="for", description="How long it has not.")

    def build(self, scope: Scope) -> Node:
        """A node that remembers since when the value is the same."""

        def make(device: Device) -> Node:
            node = _Stuck(self.point, device.id, self.for_)
            scope.listen(device.id, self.point, node.take)
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        duration = write_duration(self.for_)
        return Text(
            en=f"{self.point} stays exactly the same, and not 0, for {duration} while readings come",
            zh=f"{self.point} 在持续上报的情况下 {duration} 内数值完全不变（0 除外）",
        )


class _Stuck(Node):
    """One value of one device, and since when."""

    __slots__ = ("_device", "_for", "_last", "_point", "_since", "_value")

    def __init__(self, point: str, device: str, duration: int) -> None:
        super().__init__()
        self._point, self._device, self._for = point, device, duration
        self._value: Value | None = None
        self._since = self._last = 0

    def take(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        time = reading.time
        if value != self._value or not value or 2 * (time - self._last) > self._for:
            self._value, self._since = value, time
        self._last = time
        truth = time - self._since >= self._for
        if truth is self.truth:
            return False
        self.truth = truth
        return True

    def recall(self, device: str, point: str, value: Value, before: bool | None) -> bool | None:  # noqa: FBT001 - a truth
        """False where it is another value; the same one may come from any time."""
        if device != self._device:
            return None
        if point != self._point:
            return before
        return False if value != self._value else None

    def evidence(self) -> Evidence:
        """The value, and since when."""
        if self._value is None:
            return Evidence(self._device, self._point)
        second = NANOSECONDS["s"]
        details: dict[str, Value] = {
            "since": format_rfc3339(self._since),
            "unchanged_s": (self._last - self._since) / second,
        }
        return Evidence(self._device, self._point, self._value, None, POINTS[self._point].unit, details)

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [self.truth, self._value, self._since, self._last]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self._value, self._since, self._last = state
