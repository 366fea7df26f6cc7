"""A period cut into quarters of an hour, and what each of them is: its day, its hour, its price; as arrays."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collector.accounts import QUARTER
from collector.reports.period import Period
from rules.calendars import Calendar
from rules.localtime import find_hour, find_midnight, show_time
from tickets.rates import Rates
from tickets.tariffs import Utility
from tickets.titles import Language

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

HOURS_PER_QUARTER = 0.25

_DAY = timedelta(days=1)


class Timeline:
    """The quarters of an hour of a period, as far as time has come.

    Attributes:
        period: that is cut.
        edges: where quarters begin, and where the last one ends, UTC ns.
    """

    def __init__(self, period: Period, now: int) -> None:
        """Cuts what of a period is over.

        Args:
            period: any; every zone's midnight is a whole number of quarters since 1970.
            now: UTC ns; what begins later is left out.
        """
        self.period = period
        end = min(period.end, max(period.start, now // QUARTER * QUARTER))
        self.edges = list(range(period.start, end + 1, QUARTER))

    def __len__(self) -> int:
        """How many quarters there are."""
        return len(self.edges) - 1

    @property
    def zone(self) -> ZoneInfo:
        """Whose clocks show the days."""
        return self.period.zone

    @property
    def is_over(self) -> bool:
        """Whether the whole period is."""
        return self.edges[-1] == self.period.end

    @cached_property
    def days(self) -> list[date]:
        """The local days of the period, also those to come."""
        return [self.period.first + number * _DAY for number in range(self.period.days)]

    @cached_property
    def day(self) -> Ints:
        """Of each quarter, the number of its local day; a day has 92, 96 or 100 of them."""
        midnights = [find_midnight(day, self.zone) for day in self.days]
        return np.searchsorted(np.array(midnights), np.array(self.edges[:-1], dtype=np.int64), side="right") - 1

    @cached_property
    def hour(self) -> Ints:
        """Of each quarter, the number of its hour of the clock within the period; one that comes twice has two."""
        starts = [find_hour(edge, self.zone) for edge in self.edges[:-1]]
        return np.unique(np.array(starts, dtype=np.int64), return_inverse=True)[1].astype(np.int64)

    @cached_property
    def hour_starts(self) -> list[int]:
        """When each hour of `hour` begins, UTC ns."""
        return sorted({find_hour(edge, self.zone) for edge in self.edges[:-1]})

    @cached_property
    def clock(self) -> Ints:
        """Of each quarter, the hour that the clock shows, 0 to 23."""
        shown = np.array([show_time(start, self.zone).hour for start in self.hour_starts], dtype=np.int64)
        return shown[self.hour]

    @cached_property
    def weekday(self) -> Ints:
        """Of each quarter, the day of the week, Monday being 0."""
        return np.array([day.weekday() for day in self.days], dtype=np.int64)[self.day]

    def sum_by_day(self, amounts: Floats) -> Floats:
        """What quarters have, by local day; all of the period's."""
        return np.bincount(self.day, amounts, minlength=len(self.days)).astype(np.float64)

    def sum_by_hour(self, amounts: Floats) -> Floats:
        """What quarters have, by `hour`."""
        return np.bincount(self.hour, amounts).astype(np.float64)

    def weigh(self, spans: Iterable[tuple[int, int, float]]) -> Floats:
        """Values that hold for some time, as a mean over each quarter; where none holds it is 0.

        Args:
            spans: from (UTC ns), until, and the value that holds between; without overlap.
        """
        found = np.zeros(len(self))
        for start, end, value in spans:
            first, last = (min(max(time - self.edges[0], 0), len(self) * QUARTER) for time in (start, end))
            if first >= last:
                continue
            (begin, offset), (stop, rest) = divmod(first, QUARTER), divmod(last, QUARTER)
            found[begin:stop] += value
            if offset:
                found[begin] -= value * offset / QUARTER
            if rest:
                found[stop] += value * rest / QUARTER
        return found

    def share_within(self, calendar: Calendar) -> Floats:
        """How much of each quarter a calendar covers, from 0 to 1."""
        return self.weigh((start, end, 1.0) for start, end in self._find_covered(calendar))

    def _find_covered(self, calendar: Calendar) -> Iterable[tuple[int, int]]:
        time, end = self.edges[0], self.edges[-1]
        while time < end:
            until = min(end, calendar.next_change(time, self.zone))
            if calendar.covers(time, self.zone):
                yield time, until
            time = until


class Values(NamedTuple):
    """What a unit costs and emits in each quarter of an hour.

    Attributes:
        price: money for a unit; 0 where none is known.
        priced: share of the quarter of which the price is known.
        factor: kgCO2e for a unit; 0 where none is known.
        factored: likewise.
        bands: by the name of each band ("" for the tariffs' own price): share of the quarter in which it holds, and the
            price in that share, so that all of them add up to `price`.
    """

    price: Floats
    priced: Floats
    factor: Floats
    factored: Floats
    bands: dict[str, tuple[Floats, Floats]]


def find_values(timeline: Timeline, rates: Rates, utility: Utility, language: Language) -> Values:
    """What a unit of a utility costs and emits.

    Args:
        timeline: whose quarters.
        rates: prices and factors.
        utility: which.
        language: of the bands' names.
    """
    spans = list(rates.spans(utility, timeline.edges[0], timeline.edges[-1]))
    priced = [(span.start, span.end, span.price, span.band.pick(language)) for span in spans if span.price is not None]
    factored = [(span.start, span.end, span.factor) for span in spans if span.factor is not None]
    return Values(
        timeline.weigh((start, end, price) for start, end, price, _ in priced),
        timeline.weigh((start, end, 1.0) for start, end, _, _ in priced),
        timeline.weigh(factored),
        timeline.weigh((start, end, 1.0) for start, end, _ in factored),
        {
            name: (
                timeline.weigh((start, end, 1.0) for start, end, _, band in priced if band == name),
                timeline.weigh((start, end, price) for start, end, price, band in priced if band == name),
            )
            for name in dict.fromkeys(band for *_, band in priced)
        },
    )
