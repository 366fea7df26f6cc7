"""Weather: degree days, and what a consumption would have been in the weather of another year.

Degree days are worked out from daily means, as JGJ 134 does for HDD18 and CDD26: what the mean of each local day lies
below one temperature or above another one, summed up. The consumption of days is set against them by least squares, as
IPMVP (option C) and ASHRAE Guideline 14 do:

    kWh of a day = base + b · heating degrees + c · cooling degrees + w · (1 on a working day)

Only a model with enough days that explains most of what differs between them says anything; IPMVP takes R² > 0.75.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from collector.reports.context import Context
from collector.reports.metering import ENOUGH, Metered
from collector.reports.timeline import Timeline
from rules.localtime import show_time

POINT = "temperature_c"

DAYS_MIN = 20
"""Fewer days show weather and chance alike."""

R2_MIN = 0.75

_SLIGHT = 0.2
"""Share of the other degree days that a period must have of its own to say what one of them uses."""

_HOURS_MIN = 18
"""A day of which fewer hours are known has no mean."""


class DegreeDays(NamedTuple):
    """Degree days of a period.

    Attributes:
        heating: of each local day, kelvins; None where its mean is not known.
        cooling: likewise.
    """

    heating: Sequence[float | None]
    cooling: Sequence[float | None]

    @property
    def known(self) -> float:
        """Share of the days whose mean is known."""
        return sum(each is not None for each in self.heating) / len(self.heating)

    def sum(self) -> tuple[float, float] | None:
        """Heating and cooling degree days, scaled up to all days; None where too few are known."""
        if self.known < ENOUGH:
            return None
        return sum(filter(None, self.heating)) / self.known, sum(filter(None, self.cooling)) / self.known


def read_degree_days(context: Context, timeline: Timeline) -> DegreeDays | None:
    """The degree days of a period; None where no sensor is named.

    Raises:
        StoreError: the database does not answer.
    """
    plan = context.plan.temperature
    if plan is None:
        return None
    found = context.store.series(
        [plan.device], POINT, timeline.edges[0], timeline.edges[-1], interval="1h", aggregate="mean"
    )
    hours: dict[object, list[float]] = {}
    for time, value in found.get(plan.device, ()):
        hours.setdefault(show_time(time, timeline.zone).date(), []).append(float(value))
    means = [
        sum(values) / len(values) if len(values := hours.get(day, [])) >= _HOURS_MIN else None for day in timeline.days
    ]
    return DegreeDays(
        [None if mean is None else max(0.0, plan.heating_below - mean) for mean in means],
        [None if mean is None else max(0.0, mean - plan.cooling_above) for mean in means],
    )


class Fit(NamedTuple):
    """How a day's consumption follows the weather.

    Attributes:
        per_heating: kWh for a heating degree day.
        per_cooling: kWh for a cooling degree day.
        r2: share of what differs between days that is explained.
        days: that were looked at.
    """

    per_heating: float
    per_cooling: float
    r2: float
    days: int

    @property
    def is_good(self) -> bool:
        """Whether it says anything."""
        return self.days >= DAYS_MIN and self.r2 >= R2_MIN

    def covers(self, here: tuple[float, float], there: tuple[float, float]) -> bool:
        """Whether these days know the other weather: of cooling, a period without it says nothing."""
        return all(_SLIGHT * theirs <= ours for ours, theirs in zip(here, there, strict=True))

    def shift(self, here: tuple[float, float], there: tuple[float, float]) -> float:
        """What would have been used more with other degree days, kWh.

        Args:
            here: heating and cooling degree days of the period.
            there: the others.
        """
        return self.per_heating * (there[0] - here[0]) + self.per_cooling * (there[1] - here[1])


def fit_days(metered: Metered, degrees: DegreeDays, working: Sequence[bool] | None) -> Fit:
    """Sets the days of a period against their weather; days that are not known are left out.

    Args:
        metered: the consumption.
        degrees: of the same days.
        working: of each day, whether people work on it; None where nobody said.
    """
    timeline = metered.timeline
    amounts = timeline.sum_by_day(metered.total)
    quarters = timeline.sum_by_day(np.ones(len(timeline)))
    certain = timeline.sum_by_day(metered.certain)
    sure = [
        number
        for number, heating in enumerate(degrees.heating)
        if heating is not None and quarters[number] and certain[number] >= ENOUGH * quarters[number]
    ]
    if len(sure) < DAYS_MIN:
        return Fit(0.0, 0.0, 0.0, len(sure))
    columns = [degrees.heating, degrees.cooling, *([working] if working is not None else [])]
    matrix = np.column_stack([np.ones(len(sure)), *([float(each[n] or 0.0) for n in sure] for each in columns)])
    wanted = amounts[sure]
    found = np.linalg.lstsq(matrix, wanted, rcond=None)[0]
    spread = float(((wanted - wanted.mean()) ** 2).sum())
    rest = float(((wanted - matrix @ found) ** 2).sum())
    return Fit(float(found[1]), float(found[2]), 1 - rest / spread if spread > 0 else 0.0, len(sure))
