"""Local time: days and periods as the site's clocks show them, as moments in UTC."""

from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from devices.durations import NANOSECONDS

_SECOND, _HOUR = NANOSECONDS["s"], NANOSECONDS["h"]

PeriodName: TypeAlias = Literal["hour", "day", "week", "month"]
"""Weeks begin on Monday."""


def find_moment(shown: datetime, zone: ZoneInfo) -> int:
    """When the local clock shows a time (UTC ns).

    Of a time that comes twice it is the first; one that is left out is when the clock jumps over it.
    """
    return int(shown.replace(tzinfo=zone, fold=0).timestamp()) * _SECOND


def show_time(moment: int, zone: ZoneInfo) -> datetime:
    """What the local clock shows at a moment (UTC ns), to the second."""
    return datetime.fromtimestamp(moment // _SECOND, zone)


def find_midnight(day: date, zone: ZoneInfo) -> int:
    """The first moment of a local day (UTC ns)."""
    return find_moment(datetime.combine(day, time()), zone)


def find_hour(moment: int, zone: ZoneInfo) -> int:
    """The first moment of the local clock's hour that holds a moment (UTC ns)."""
    shown = show_time(moment, zone)
    return moment - moment % _SECOND - (shown.minute * 60 + shown.second) * _SECOND


class Periods:
    """Local time, cut into hours, days, weeks or months; a day may have 23 or 25 hours.

    Attributes:
        name: which of them.
    """

    __slots__ = ("_zone", "name")

    def __init__(self, name: PeriodName, zone: ZoneInfo) -> None:
        self.name: PeriodName = name
        self._zone = zone

    def bounds(self, moment: int) -> tuple[int, int]:
        """First nanosecond of the period that holds a moment, and first nanosecond after it (UTC)."""
        if self.name == "hour":
            start = find_hour(moment, self._zone)
            return start, start + _HOUR
        day = show_time(moment, self._zone).date()
        if self.name == "day":
            first, after = day, day + timedelta(days=1)
        elif self.name == "week":
            first = day - timedelta(days=day.weekday())
            after = first + timedelta(days=7)
        else:
            first = day.replace(day=1)
            after = (first + timedelta(days=31)).replace(day=1)
        return find_midnight(first, self._zone), find_midnight(after, self._zone)

    def find_earlier(self, start: int) -> int:
        """Start of the period that one is compared with: of a month the one before, else the one a week before."""
        if self.name == "month":
            return self.bounds(start - 1)[0]
        return find_moment(show_time(start, self._zone) - timedelta(days=7), self._zone)
