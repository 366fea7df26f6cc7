"""Weather: degree days, and what a consumption would have been in the weather of another year.

Degree days are worked out from daily means, as JGJ 134 does for HDD18 and CDD26: what the mean of each local day lies
below one temperature or above another one, summed up. The consumption of days is set against them by least squares, as
IPMVP (option C) and ASHRAE Guideline 14 do:

    kWh of a day = base + b · heating degrees + c · cooling degrees + w · (1 on a working day)

From which temperatures on a building is heated or cooled differs between buildings; so these, its balance points, are
searched for, as CalTRACK does: those that explain most, with neither b nor c below zero. Only a model with enough days
that explains most of what differs between them says anything; IPMVP takes R² > 0.75, here the adjusted one.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from collector.reports.context import Context
from collector.reports.metering import ENOUGH, Metered
from collector.reports.timeline import Floats, Timeline
from rules.localtime import show_time

POINT = "temperature_c"

DAYS_MIN = 20
"""Fewer days show weather and chance alike."""

R2_MIN = 0.75

_HEATING = (None, *range(10, 21))
_COOLING = (None, *range(16, 29))
"""Balance points that are tried, °C; None: nothing is heated or cooled by this meter."""

_SLIGHT = 0.2
"""Share of the other degree days that a period must have of its own to say what one of them uses."""

_NOTHING = 0.1
"""Degree days a day that make no difference."""

_HOURS_MIN = 18
"""A day of which fewer hours are known has no mean."""

_BETTER = 1e-9


class DegreeDays(NamedTuple):
    """Degree days of a period, kelvins times days."""

    heating: float
    cooling: float


class Weather(NamedTuple):
    """The weather of a period.

    Attributes:
        means: temperature of each local day, °C; None where it is not known.
    """

    means: Sequence[float | None]

    @property
    def known(self) -> float:
        """Share of the days whose mean is known."""
        return sum(mean is not None for mean in self.means) / len(self.means)

    def sum(self, heating_below: float, cooling_above: float) -> DegreeDays | None:
        """Its degree days, scaled up to all days; None where too few are known."""
        if self.known < ENOUGH:
            return None
        known = [mean for mean in self.means if mean is not None]
        heating = sum(max(0.0, heating_below - mean) for mean in known)
        cooling = sum(max(0.0, mean - cooling_above) for mean in known)
        return DegreeDays(heating / self.known, cooling / self.known)


def read_weather(context: Context, timeline: Timeline) -> Weather | None:
    """The weather of a period; None where no sensor is named.

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
    return Weather(
        [
            sum(values) / len(values) if len(values := hours.get(day, [])) >= _HOURS_MIN else None
            for day in timeline.days
        ]
    )


class Fit(NamedTuple):
    """How a day's consumption follows the weather.

    Attributes:
        heating_below: balance point, °C; None where nothing is heated.
        cooling_above: likewise.
        per_heating: kWh for a heating degree day; 0 where nothing is heated.
        per_cooling: likewise.
        r2: share of what differs between days that is explained, adjusted.
        days: that were looked at.
    """

    heating_below: float | None
    cooling_above: float | None
    per_heating: float
    per_cooling: float
    r2: float
    days: int

    @property
    def is_good(self) -> bool:
        """Whether it says anything."""
        return self.days >= DAYS_MIN and self.r2 >= R2_MIN

    def shift(self, here: Weather, there: Weather) -> float | None:
        """What would have been used more in other weather, kWh; None where that is not known.

        Args:
            here: of the period.
            there: the other.
        """
        bases = self.heating_below or 0.0, self.cooling_above or 0.0
        ours, theirs = here.sum(*bases), there.sum(*bases)
        if ours is None or theirs is None:
            return None
        return self.per_heating * (theirs.heating - ours.heating) + self.per_cooling * (theirs.cooling - ours.cooling)


def is_like(here: DegreeDays, there: DegreeDays, days: int) -> bool:
    """Whether one period's days can tell of another's: without cooling nothing is learned of cooling."""
    return all(_SLIGHT * theirs <= ours or theirs < _NOTHING * days for ours, theirs in zip(here, there, strict=True))


def fit_days(metered: Metered, weather: Weather, working: Sequence[bool] | None) -> Fit:
    """Sets the days of a period against their weather; days that are not known are left out.

    Args:
        metered: the consumption.
        weather: of the same days.
        working: of each day, whether people work on it; None where nobody said.
    """
    timeline = metered.timeline
    amounts = timeline.sum_by_day(metered.total)
    quarters = timeline.sum_by_day(np.ones(len(timeline)))
    certain = timeline.sum_by_day(metered.certain)
    sure = [
        number
        for number, mean in enumerate(weather.means)
        if mean is not None and quarters[number] and certain[number] >= ENOUGH * quarters[number]
    ]
    best = Fit(None, None, 0.0, 0.0, 0.0, len(sure))
    if len(sure) < DAYS_MIN:
        return best
    means = np.array([weather.means[number] for number in sure], dtype=np.float64)
    works = [] if working is None else [np.array(working, dtype=np.float64)[sure]]
    for fit in _try_all(means, works, amounts[sure]):
        if fit.r2 > best.r2 + _BETTER:
            best = fit
    return best


def _try_all(means: Floats, works: Sequence[Floats], amounts: Floats) -> Iterator[Fit]:
    """The model with every pair of balance points, but those that would have heating or cooling save energy."""
    spread = float(((amounts - amounts.mean()) ** 2).sum())
    if spread <= 0:
        return
    for heating, cooling in product(_HEATING, _COOLING):
        if heating is not None and cooling is not None and heating > cooling:
            continue
        columns = [np.ones(len(means)), *works]
        columns += [] if heating is None else [np.maximum(0.0, heating - means)]
        columns += [] if cooling is None else [np.maximum(0.0, means - cooling)]
        matrix = np.column_stack(columns)
        found = np.linalg.lstsq(matrix, amounts, rcond=None)[0]
        slopes = list(found[1 + len(works) :])
        per_heating = 0.0 if heating is None else float(slopes.pop(0))
        per_cooling = 0.0 if cooling is None else float(slopes.pop(0))
        if min(per_heating, per_cooling) >= 0:
            rest = float(((amounts - matrix @ found) ** 2).sum())
            free = (len(means) - 1) / (len(means) - len(columns))
            yield Fit(heating, cooling, per_heating, per_cooling, 1 - rest / spread * free, len(means))
