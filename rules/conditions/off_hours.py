"""`off_hours`: energy or water that is used while a calendar says that nobody is there."""

from functools import partial
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from devices.counting.steps import Step
from devices.register import Device, Identifier, Text
from rules.alerts import Evidence
from rules.bounds import Bound, BoundField, check_bound, miss_rating
from rules.conditions.meters import RATES, check_rate, explain_missing
from rules.conditions.node import Condition, Node, Scope
from rules.localtime import Periods
from rules.tally import Ledger, Tally


class OffHours(Condition):
    """A mean power or flow above a bound in an hour outside of a calendar.

    It judges each full hour of the clock that lies wholly outside, by what the meters' registers counted in it; a
    place by their sum. It stays true over the hours inside until an hour outside is good again. An hour with a hole
    says nothing, so meters that report less often than every hour are not judged.
    """

    summary: ClassVar[str] = "energy or water used outside of a calendar's hours"

    above: BoundField = Field(description="Mean over an hour: of energy in kW, of water in m³/h.")
    calendar: Identifier = Field(description="When use is as it should be, such as the working hours.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_rate(self.above, _find_unit(self.above))
        return self

    @property
    def _unit(self) -> str:
        return _find_unit(self.above)

    def fits(self, device: Device) -> str:
        """That it has no such register, or the rating is missing."""
        return miss_rating((self.above,), device) or explain_missing(device, RATES[self._unit])

    def build(self, scope: Scope) -> Node:
        """A node that adds up all the devices, hour by hour; shares of a rating add up too."""
        unit, devices = self._unit, scope.devices
        bounds = [self.above.resolve(unit, device) for device in devices]
        node = _OffHours(scope, RATES[unit], unit, sum(bounds) if self.above.rating else bounds[0], self.calendar)
        for index, device in enumerate(devices):
            scope.listen_steps(device.id, RATES[unit], partial(node.take_step, index))
        return node

    def describe(self) -> Text:
        """See the base."""
        bound = self.above.describe()
        en, zh = {"kW": ("power", "功率"), "m³/h": ("flow", "流量")}[self._unit]
        return Text(
            en=f"the mean {en} in an hour outside of {self.calendar} is above {bound.en}",
            zh=f"{self.calendar} 以外的小时平均{zh}高于 {bound.zh}",
        )


def _find_unit(bound: Bound) -> str:
    """The unit of a power or flow that a bound is in.

    Raises:
        ValueError: it is neither.
    """
    for unit in RATES:
        try:
            check_bound(bound, unit)
        except ValueError:
            continue
        return unit
    raise ValueError(f"expected a power such as 5 kW or a flow such as 30 L/h, got {bound.text!r}")


class _OffHours(Node):
    """The devices' sum in each full hour outside."""

    __slots__ = ("_calendar", "_device", "_ledger", "_limit", "_point", "_rate", "_tallies", "_unit", "_zone")

    def __init__(self, scope: Scope, point: str, unit: str, limit: float, calendar: str) -> None:
        super().__init__()
        devices, site = scope.devices, scope.site
        self._point, self._unit, self._limit = point, unit, limit
        self._calendar = site.calendars.find(calendar)
        self._zone = site.zone
        self._device = devices[0].id if len(devices) == 1 else ""
        periods = Periods("hour", site.zone)
        self._tallies = [Tally(periods) for _ in devices]
        self._ledger = Ledger(len(devices))
        self._rate: float | None = None  # of the last hour that was judged

    def take_step(self, index: int, step: Step) -> bool:
        """See `TakeStep`."""
        changed = False
        for total in self._tallies[index].feed(step):
            amounts = self._ledger.enter(index, total)
            if amounts is not None and self._is_outside(total.start, total.end):
                self._rate = sum(amounts)
                truth = self._rate > self._limit
                changed = changed or truth is not self.truth
                self.truth = truth
        return changed

    def _is_outside(self, start: int, end: int) -> bool:
        calendar, zone = self._calendar, self._zone
        return not calendar.covers(start, zone) and calendar.next_change(start, zone) >= end

    def evidence(self) -> Evidence:
        """The mean of the last hour that was judged."""
        return Evidence(self._device, self._point, self._rate, self._limit, self._unit, {"hours": 1.0})

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [self.truth, self._rate, [tally.snapshot() for tally in self._tallies], self._ledger.snapshot()]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self._rate, tallies, ledger = state
        for tally, part in zip(self._tallies, tallies, strict=True):
            tally.restore(part)
        self._ledger.restore(ledger)
