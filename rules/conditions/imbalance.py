"""`imbalance`: phases that differ from their mean."""

from functools import partial
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.reading import Reading, Value
from devices.register import Device, Text
from rules.alerts import Evidence
from rules.bounds import BoundField, GaugeName, check_bound, miss_rating
from rules.conditions.logic import any_device
from rules.conditions.node import Condition, Node, Scope

TOGETHER = 10 * NANOSECONDS["s"]
"""Values whose times lie no further apart are of the same moment, whether one message brings them or several. One of
each is judged, and then one of each again, so that a new value never stands beside the old ones of other phases."""


class Imbalance(Condition):
    """The greatest difference of a phase from the mean of all, as a share of that mean.

    That is the unbalance of NEMA MG 1 (part 14, section 14.36): 100 times the greatest deviation from the average,
    divided by the average. There a motor is derated from 1 % of voltage on, and not run at all above 5 %. Amounts
    count, not signs. Where the mean is below `least`, a difference says nothing, and it is false.
    """

    summary: ClassVar[str] = "phases that differ from their mean"

    points: list[GaugeName] = Field(
        min_length=2, description="Of each phase, in one unit: [voltage_l1_v, voltage_l2_v, voltage_l3_v]."
    )
    above: BoundField = Field(description="Greatest difference that is good, in % of the mean.")
    least: BoundField | None = Field(None, description="Mean below which it is not looked at, such as 5 A.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        units = sorted({POINTS[point].unit for point in self.points})
        if len(units) != 1:
            raise ValueError(f"points: expected all in one unit, got {' and '.join(unit or 'none' for unit in units)}")
        if len(set(self.points)) < len(self.points):
            raise ValueError(f"points: each once, got {', '.join(self.points)}")
        check_bound(self.above, "%")
        if self.least is not None:
            check_bound(self.least, units[0])
        return self

    def fits(self, device: Device) -> str:
        """The rating that is missing."""
        return miss_rating([self.least], device)

    def build(self, scope: Scope) -> Node:
        """A node that remembers the latest value of each point."""

        def make(device: Device) -> Node:
            unit = POINTS[self.points[0]].unit
            least = self.least.resolve(unit, device) if self.least is not None else 0.0
            node = _Imbalance(self.points, device.id, self.above.resolve("%", None), least)
            for index, point in enumerate(self.points):
                scope.listen(device.id, point, partial(node.take, index))
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        least = self.least.describe() if self.least is not None else Text()
        points, above = self.points, self.above.describe()
        en = f"{', '.join(points[:-1])} and {points[-1]} differ from their mean by more than {above.en}"
        zh = f"{'、'.join(points)} 偏离其平均值超过 {above.zh}"
        if least.en:
            en, zh = f"{en}, while the mean is at least {least.en}", f"{zh}，且平均值不低于 {least.zh}"
        return Text(en=en, zh=zh)


class _Imbalance(Node):
    """Collects one value of each point, and judges them once they are complete."""

    __slots__ = ("_above", "_begin", "_device", "_everything", "_judged", "_least", "_missing", "_points", "_values")

    def __init__(self, points: list[str], device: str, above: float, least: float) -> None:
        super().__init__()
        self._points, self._device, self._above, self._least = tuple(points), device, above, least
        self._begin = 0  # time of the first that was collected
        self._missing = self._everything = 2 ** len(points) - 1  # a bit for each
        self._values = [0.0] * len(points)
        self._judged = [0.0] * len(points)

    def take(self, index: int, value: Value, reading: Reading) -> bool:
        """See `Take`; of the point at this place."""
        bit, time = 1 << index, reading.time
        if not self._missing & bit or time - self._begin > TOGETHER:
            self._begin, self._missing = time, self._everything
        self._missing &= ~bit
        self._values[index] = abs(value)  # type: ignore[arg-type] # a gauge is a number
        if self._missing:
            return False
        self._missing = self._everything
        self._values, self._judged = self._judged, self._values
        return self._judge(self._judged)

    def _judge(self, values: list[float]) -> bool:
        mean = sum(values) / len(values)
        allowed = self._above * mean / 100
        truth = mean >= self._least and (max(values) > mean + allowed or min(values) < mean - allowed)
        if truth is self.truth:
            return False
        self.truth = truth
        return True

    def evidence(self) -> Evidence:
        """The share, and the values that it follows from."""
        values = self._judged
        mean = sum(values) / len(values)
        if not mean:
            return Evidence(self._device, "imbalance", None, self._above, "%")
        worst = max(values, key=lambda value: abs(value - mean))
        details: dict[str, Value] = dict(zip(self._points, values, strict=True))
        details["mean"] = mean
        details["worst"] = self._points[values.index(worst)]
        return Evidence(self._device, "imbalance", 100 * abs(worst - mean) / mean, self._above, "%", details)

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [self.truth, self._begin, self._missing, list(self._values), list(self._judged)]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self._begin, self._missing, values, judged = state
        self._values, self._judged = list(values), list(judged)
