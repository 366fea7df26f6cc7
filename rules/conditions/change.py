"""`change`: a quantity that rises or falls by so much within so long."""

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from devices.durations import NANOSECONDS, write_duration
from devices.points import POINTS
from devices.reading import Reading, Value
from devices.register import Device, Duration, Text
from rules.alerts import Evidence
from rules.bounds import BoundField, GaugeName, check_step, miss_rating
from rules.conditions.logic import any_device
from rules.conditions.node import Condition, Node, Scope

SLOTS = 512
"""A value that comes less than one slot of the window after a more extreme one is not kept: memory is bounded, and a
rise may be missed that takes between 511/512 of the window and all of it."""


class Change(Condition):
    """A quantity that rises or falls by so much within so long; true as long as the window shows it."""

    summary: ClassVar[str] = "a quantity that rises or falls by so much within so long"

    point: GaugeName = Field(description="What is watched.")
    rises_by: BoundField | None = Field(None, description="Least rise above the lowest value of the window.")
    falls_by: BoundField | None = Field(None, description="Least fall below the highest value of the window.")
    within: Duration = Field(description="The window.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.rises_by is None) == (self.falls_by is None):
            got = "none" if self.rises_by is None else "both"
            raise ValueError(f"expected one of rises_by and falls_by, got {got}")
        bound = self.rises_by or self.falls_by
        if bound is not None:
            check_step(bound, POINTS[self.point].unit)
        return self

    def fits(self, device: Device) -> str:
        """The rating that is missing."""
        return miss_rating([self.rises_by, self.falls_by], device)

    def build(self, scope: Scope) -> Node:
        """A node that remembers the extremes of the window."""
        unit = POINTS[self.point].unit

        def make(device: Device) -> Node:
            bound = self.rises_by or self.falls_by
            step = bound.resolve_step(unit, device) if bound is not None else 0.0
            node = _Change(self.point, device.id, step, self.within, 1.0 if self.rises_by is not None else -1.0)
            scope.listen(device.id, self.point, node.take)
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        within = write_duration(self.within)
        if self.rises_by is not None:
            by = self.rises_by.describe()
            return Text(
                en=f"{self.point} rises by {by.en} within {within}", zh=f"{self.point} 在 {within} 内上升 {by.zh}"
            )
        by = self.falls_by.describe() if self.falls_by is not None else Text()
        return Text(en=f"{self.point} falls by {by.en} within {within}", zh=f"{self.point} 在 {within} 内下降 {by.zh}")


class _Change(Node):
    """The latest value against the lowest of the window; of a fall, all values have the opposite sign.

    The two lists hold the values that may yet become the lowest, and their times: both rise from left to right.
    """

    __slots__ = ("_device", "_least", "_point", "_sign", "_slot", "_step", "_times", "_value", "_values", "_within")

    def __init__(self, point: str, device: str, step: float, within: int, sign: float) -> None:
        super().__init__()
        self._point, self._device = point, device
        self._step, self._within, self._sign = step, within, sign
        self._least = step * (1 - 1e-9)  # 0.7 - 0.4 is a little less than 0.3
        self._slot = max(within // SLOTS, 1)
        self._times: list[int] = []
        self._values: list[float] = []
        self._value = 0.0

    def take(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        if value != value:  # noqa: PLR0124 - what is no number says nothing
            return False
        number: float = self._sign * value  # type: ignore[operator] # a gauge is a number
        time, times, values = reading.time, self._times, self._values
        self._value = number
        while values and values[-1] >= number:
            values.pop()
            times.pop()
        if not times or time - times[-1] >= self._slot:
            values.append(number)
            times.append(time)
        return self._look(time)

    def advance(self, time: int) -> None:
        """See the base: the lowest value leaves the window."""
        self._look(time)

    def _look(self, time: int) -> bool:
        times, values = self._times, self._values
        oldest = time - self._within
        while times[0] < oldest and len(times) > 1:
            del times[0], values[0]
        truth = self._value - values[0] >= self._least and times[0] >= oldest
        self.due = times[0] + self._within + 1 if truth else None
        if truth is self.truth:
            return False
        self.truth = truth
        return True

    def evidence(self) -> Evidence:
        """The change, and between which values."""
        if not self._values:
            return Evidence(self._device, self._point)
        sign, low = self._sign, self._values[0]
        details: dict[str, Value] = {
            "from": sign * low,
            "to": sign * self._value,
            "within_s": self._within / NANOSECONDS["s"],
        }
        change = sign * (self._value - low)
        return Evidence(self._device, self._point, change, sign * self._step, POINTS[self._point].unit, details)

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [self.truth, self.due, self._value, list(self._times), list(self._values)]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self.due, self._value, times, values = state
        self._times, self._values = list(times), list(values)
