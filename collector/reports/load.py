"""Load: how a consumption lies in time: its peak, its base, its load factor, its usual day. Pure.

Power is the mean of a quarter of an hour, worked out from the register as the supplier does, and only of quarters that
were measured: one that was spread evenly over a gap has no peak.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from collector.reports.metering import ENOUGH, Metered
from collector.reports.timeline import HOURS_PER_QUARTER, Floats

_HOURS, _WEEKDAYS = 24, 7
_QUARTERS_PER_HOUR = 4


class Load(NamedTuple):
    """How a consumption lies in time; None where it is not known.

    Attributes:
        peak_kw: the largest mean of a quarter of an hour.
        peak_at: when that quarter began, UTC ns.
        mean_kw: of all quarters that were measured.
        base_kw: median over days of the least mean of an hour of the clock; of days that are known.
        factor: mean over peak, from 0 to 1.
        measured: share of quarters.
    """

    peak_kw: float | None
    peak_at: int | None
    mean_kw: float | None
    base_kw: float | None
    factor: float | None
    measured: float


def find_load(metered: Metered) -> Load:
    """The load of the whole site."""
    sure = np.flatnonzero(metered.measured)
    if not sure.size:
        return Load(None, None, None, None, None, 0.0)
    power = metered.total / HOURS_PER_QUARTER
    peak = int(sure[np.argmax(power[sure])])
    mean = float(power[sure].mean())
    factor = mean / float(power[peak]) if power[peak] > 0 else None
    start = metered.timeline.edges[peak]
    return Load(float(power[peak]), start, mean, _find_base(metered), factor, sure.size / len(power))


def _find_base(metered: Metered) -> float | None:
    """A site that is never without power has as much; a power cut of one night does not make it less."""
    timeline = metered.timeline
    hourly = find_hourly_power(metered)
    day = timeline.day[np.unique(timeline.hour, return_index=True)[1]]
    least = []
    for number in np.unique(day):
        hours = hourly[day == number]
        known = hours[~np.isnan(hours)]
        if known.size >= ENOUGH * hours.size:
            least.append(float(known.min()))
    return float(np.median(least)) if least else None


def find_hourly_power(metered: Metered) -> Floats:
    """Mean power of each hour of the clock, kW; NaN where not all of it was measured."""
    timeline = metered.timeline
    whole = timeline.sum_by_hour(metered.measured) == _QUARTERS_PER_HOUR
    return np.where(whole, timeline.sum_by_hour(metered.total), np.nan)


def find_usual_days(metered: Metered, chosen: Sequence[bool]) -> list[float | None]:
    """Mean power by the hour of the clock, kW, over some of the period's days.

    Args:
        metered: the consumption.
        chosen: of each day of the period, whether it is one of them.
    """
    timeline = metered.timeline
    first = np.unique(timeline.hour, return_index=True)[1]
    wanted = np.array(chosen, dtype=bool)[timeline.day[first]]
    clock, hourly = timeline.clock[first], find_hourly_power(metered)
    return [_mean(hourly[wanted & (clock == hour)]) for hour in range(_HOURS)]


def find_heat(metered: Metered) -> list[list[float | None]]:
    """Mean power by day of the week, Monday first, and hour of the clock, kW."""
    weekdays = [day.weekday() for day in metered.timeline.days]
    return [find_usual_days(metered, [day == weekday for day in weekdays]) for weekday in range(_WEEKDAYS)]


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None
