"""`night_flow`: the minimum night flow, the water industry's leak test.

While people sleep, use comes and goes but a leak stays: the least flow of the night is the leak and little else. See
UK Water Industry, Managing Leakage, Report E: Interpreting Measured Night Flows (WRc, 1994), which the International
Water Association's component analysis of night flows follows.
"""

from collections import deque
from functools import lru_cache
from typing import Any, ClassVar

from pydantic import Field, field_validator

from devices.counting.steps import LEFT_OUT, Step
from devices.durations import NANOSECONDS
from devices.register import Device, Text
from rules.alerts import Evidence
from rules.bounds import Bound, BoundField, miss_rating
from rules.calendars import Calendar, CalendarPlan, Hours, HoursField
from rules.conditions.logic import any_device
from rules.conditions.meters import Integrator, WaterPoint, check_rate, explain_missing, listen_flow
from rules.conditions.node import Condition, Node, Scope
from rules.tally import BREAKS

_HOUR, _MINUTE = NANOSECONDS["h"], NANOSECONDS["m"]
_SPAN = 54 * _MINUTE
"""An hour, less what a meter's clock may be early."""

_HOURS_MOST = 12
_UNIT = "m³/h"


class NightFlow(Condition):
    """The least flow over any hour of the night above a bound, several nights running.

    A night counts when the meter's rows leave no hole in it; one that has a hole says nothing, neither good nor bad.
    What flows in an hour is known to one step of the register: with pulses of 10 L, nothing below 10 L/h can be seen.
    """

    summary: ClassVar[str] = "the least flow of the night, night after night: water runs away"

    point: WaterPoint = Field(
        "volume_m3", description="The register, or the gauge of a meter that tells only the flow."
    )
    between: HoursField = Field(description="Hours in which next to nothing is used, such as 02:00-05:00.")
    above: BoundField = Field(description="Flow that is no use any more.")
    nights: int = Field(1, ge=1, le=31, description="So many nights, one after the other.")

    @field_validator("above")
    @classmethod
    def _check_above(cls, bound: Bound) -> Bound:
        check_rate(bound, _UNIT)
        return bound

    @field_validator("between")
    @classmethod
    def _check_between(cls, hours: Hours) -> Hours:
        if not 1 <= (hours.end - hours.begin) / 60 <= _HOURS_MOST:
            raise ValueError(f"expected 1 to {_HOURS_MOST} hours, got {hours}")
        return hours

    def fits(self, device: Device) -> str:
        """That it has no such register, or the rating is missing."""
        return miss_rating((self.above,), device) or explain_missing(device, self.point)

    def build(self, scope: Scope) -> Node:
        """A node for each device."""

        def make(device: Device) -> Node:
            node = _NightFlow(self, scope, device)
            node.integrator = listen_flow(scope, device, self.point, node.take_step)
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        bound, nights = self.above.describe(), self.nights
        return Text(
            en=f"the least flow over an hour between {self.between} is above {bound.en}"
            + (f", {nights} nights running" if nights > 1 else ""),
            zh=(f"连续 {nights} 夜，" if nights > 1 else "") + f"{self.between} 间最小的小时流量高于 {bound.zh}",
        )


@lru_cache(maxsize=64)
def _find_calendar(hours: Hours) -> Calendar:
    """One calendar for all meters, which remembers the nights."""
    return Calendar(CalendarPlan(hours=[hours]))


class _NightFlow(Node):
    """The night that runs or comes next, and how many before it were bad."""

    __slots__ = (
        "_calendar", "_device", "_end", "_has_hole", "_least", "_limit", "_measured", "_nights", "_point", "_start",
        "_steps", "_streak", "_zone", "integrator",
    )  # fmt: skip

    def __init__(self, plan: NightFlow, scope: Scope, device: Device) -> None:
        super().__init__()
        self._device, self._point, self._nights = device.id, plan.point, plan.nights
        self._limit = plan.above.resolve(_UNIT, device)
        self._calendar = _find_calendar(plan.between)
        self._zone = scope.site.zone
        self.integrator: Integrator | None = None
        self._start = self._end = 0
        self._steps: deque[list[Any]] = deque()  # of this night's last hour: begin, end, amount
        self._least: float | None = None  # flow of this night
        self._has_hole = True
        self._streak = 0  # nights
        self._measured: float | None = None  # flow of the last night that counts

    def take_step(self, step: Step) -> bool:
        """See `TakeStep`."""
        kind, begin, end, _, amount, is_gap = step
        if end <= self._start or end <= begin or kind in LEFT_OUT:
            return False
        if not self._end:
            self._wait(begin)
        if begin <= self._start < end:
            self._has_hole = False
        if kind in BREAKS or (is_gap and amount > 0.0):
            self._has_hole = True
        elif self._start <= begin and end <= self._end:
            self._add(begin, end, amount)
        return end >= self._end and self._judge(end)

    def _add(self, begin: int, end: int, amount: float) -> None:
        """Takes a step within the night; those of less than a minute are joined."""
        steps = self._steps
        if steps and end - steps[-1][0] <= _MINUTE:
            steps[-1][1] = end
            steps[-1][2] += amount
        else:
            steps.append([begin, end, amount])
        while len(steps) > 1 and end - steps[1][0] >= _SPAN:
            steps.popleft()
        length = end - steps[0][0]
        if length >= _SPAN:
            flow = sum(part[2] for part in steps) * _HOUR / length
            self._least = flow if self._least is None else min(self._least, flow)

    def _judge(self, time: int) -> bool:
        """The night is over."""
        before = self.truth
        if self._least is not None and not self._has_hole:
            self._measured = self._least
            self._streak = min(self._streak + 1, self._nights) if self._least > self._limit else 0
            self.truth = self._streak >= self._nights
        self._wait(time)
        return self.truth is not before

    def _wait(self, time: int) -> None:
        """Looks for the next night that begins after a moment."""
        calendar, zone = self._calendar, self._zone
        start = calendar.next_change(time, zone) if calendar.covers(time, zone) else time
        while not calendar.covers(start, zone):
            start = calendar.next_change(start, zone)
        self._start, self._end = start, calendar.next_change(start, zone)
        self._steps.clear()
        self._least, self._has_hole = None, True

    def evidence(self) -> Evidence:
        """The least flow of the last night that counts."""
        return Evidence(self._device, self._point, self._measured, self._limit, _UNIT, {"nights": self._streak})

    def snapshot(self) -> list[Any]:
        """See the base."""
        integrator = self.integrator.snapshot() if self.integrator else None
        steps = [list(part) for part in self._steps]
        night = [self._start, self._end, steps, self._least, self._has_hole]
        return [self.truth, night, self._streak, self._measured, integrator]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, night, self._streak, self._measured, integrator = state
        self._start, self._end, steps, self._least, self._has_hole = night
        self._steps = deque(list(part) for part in steps)
        if self.integrator:
            self.integrator.restore(integrator)
