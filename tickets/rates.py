"""Rates: what a unit of electricity or water costs and emits at each moment of local time. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from devices.register import Text
from rules.calendars import Calendar
from rules.localtime import find_midnight, show_time
from tickets.tariffs import Tariff, Tariffs, Utility

_DAY = timedelta(days=1)
_DAYS_KEPT = 4096


class Span(NamedTuple):
    """A stretch of time in which nothing changes.

    Attributes:
        start: first nanosecond (UTC).
        end: first nanosecond after.
        price: money for a kWh or m³; None where no tariff holds.
        factor: kgCO2e for a kWh or m³; None where no factor holds.
        band: what people call the hours in which the price holds; empty for the tariff's own price.
    """

    start: int
    end: int
    price: float | None
    factor: float | None
    band: Text = Text()


class Rates:
    """Tariffs on the clocks of a site; days are worked out once and remembered.

    Attributes:
        currency: of all prices.
    """

    def __init__(self, tariffs: Tariffs, zone: ZoneInfo) -> None:
        self.currency = tariffs.currency
        self._tariffs, self._zone = tariffs, zone
        every: list[Tariff] = [*tariffs.electricity, *tariffs.water]
        self._bands = {id(tariff): [(Calendar(band.plan()), band) for band in tariff.bands] for tariff in every}
        self._find_day = lru_cache(maxsize=_DAYS_KEPT)(self._cut_day)

    def spans(self, utility: Utility, start: int, end: int) -> Iterator[Span]:
        """What holds from a first nanosecond (UTC) to before another one, without gaps; nothing where it is no time."""
        if start >= end:
            return
        day = show_time(start, self._zone).date()
        while find_midnight(day, self._zone) < end:
            for span in self._find_day(utility, day):
                first, last = max(span.start, start), min(span.end, end)
                if first < last:
                    yield span._replace(start=first, end=last)
            day += _DAY

    def _cut_day(self, utility: Utility, day: date) -> list[Span]:
        """A local day, which may have 23 or 25 hours."""
        begin, end = find_midnight(day, self._zone), find_midnight(day + _DAY, self._zone)
        tariffs: Sequence[Tariff] = getattr(self._tariffs, utility)
        tariff = next((each for each in tariffs if each.holds_on(day)), None)
        emissions = getattr(self._tariffs.emissions, utility)
        factor = next((each.factor.amount for each in emissions if each.holds_on(day)), None)
        if tariff is None:
            return [Span(begin, end, None, factor)]
        bands, spans, time = self._bands[id(tariff)], [], begin
        while time < end:
            until = min([end, *(calendar.next_change(time, self._zone) for calendar, _ in bands)])
            band = next((band for calendar, band in bands if calendar.covers(time, self._zone)), None)
            price, name = (band.price, band.name) if band else (tariff.price, Text())
            spans.append(Span(time, until, price.amount, factor, name))
            time = until
        return spans
