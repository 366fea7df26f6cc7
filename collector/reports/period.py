"""The period of a report: a day, week, month, quarter, year, or any days, by the site's clocks."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from rules.localtime import find_midnight, show_time

Length: TypeAlias = Literal["day", "week", "month", "quarter", "year", "days"]

_DAY = timedelta(days=1)
_LAST = re.compile(r"last-(day|week|month|quarter|year)")
_SPELLINGS: tuple[tuple[re.Pattern[str], Length, Callable[[int, int], date]], ...] = (
    (re.compile(r"(\d{4})-W(\d{1,2})"), "week", lambda year, week: date.fromisocalendar(year, week, 1)),
    (re.compile(r"(\d{4})-Q([1-4])"), "quarter", lambda year, quarter: date(year, quarter * 3, 1)),
    (re.compile(r"(\d{4})-(\d{2})"), "month", lambda year, month: date(year, month, 1)),
    (re.compile(r"(\d{4})()"), "year", lambda year, _: date(year, 1, 1)),
)
"""How a period of the calendar is written, and a day in it."""

_MONTHS: dict[Length, int] = {"month": 1, "quarter": 3, "year": 12}
_DAYS: dict[Length, int] = {"day": 1, "week": 7}

EXPECTED = "2026-10-05, 2026-W40, 2026-10, 2026-Q3, 2026, 2026-10-01..2026-10-15, last-week or last-month"
"""How a period is written."""


@dataclass(frozen=True)
class Period:
    """Whole local days.

    Attributes:
        length: what it is one of; `days` where it is none of the calendar's.
        first: day.
        after: the first day after it.
        zone: of the site.
    """

    length: Length
    first: date
    after: date
    zone: ZoneInfo

    @property
    def start(self) -> int:
        """First nanosecond, UTC."""
        return find_midnight(self.first, self.zone)

    @property
    def end(self) -> int:
        """First nanosecond after it, UTC."""
        return find_midnight(self.after, self.zone)

    @property
    def days(self) -> int:
        """How many local days it has."""
        return (self.after - self.first).days

    def __str__(self) -> str:
        """As people write it."""
        match self.length:
            case "day":
                return self.first.isoformat()
            case "week":
                year, week, _ = self.first.isocalendar()
                return f"{year}-W{week:02}"
            case "month":
                return f"{self.first:%Y-%m}"
            case "quarter":
                return f"{self.first.year}-Q{(self.first.month + 2) // 3}"
            case "year":
                return f"{self.first.year}"
            case "days":
                return f"{self.first}..{self.after - _DAY}"

    def before(self) -> "Period":
        """The one before it: the month before a month, as many days before any days."""
        if self.length in _MONTHS:
            return Period(self.length, _shift(self.first, -_MONTHS[self.length]), self.first, self.zone)
        return Period(self.length, self.first - (self.after - self.first), self.first, self.zone)

    def year_before(self) -> "Period":
        """The same a year before; of days and weeks 52 weeks before, so that weekdays stand beside each other."""
        if self.length in _MONTHS:
            return Period(self.length, _shift(self.first, -12), _shift(self.after, -12), self.zone)
        span = timedelta(weeks=52)
        return Period(self.length, self.first - span, self.after - span, self.zone)


def parse_period(text: str, zone: ZoneInfo, now: int) -> Period:
    """What is written as one of `EXPECTED`.

    Args:
        text: as people write it.
        zone: of the site.
        now: UTC ns; `last-month` is the one before that of today.

    Raises:
        ValueError: it is none of these, or ends before it begins; the message says what was expected.
    """
    try:
        return _parse(text, zone, now)
    except ValueError as error:
        raise ValueError(f"period {text!r}: expected {EXPECTED} ({error})") from None


def _parse(text: str, zone: ZoneInfo, now: int) -> Period:
    if match := _LAST.fullmatch("last-day" if text == "yesterday" else text):
        length: Length = match[1]  # type: ignore[assignment]  # the expression lets these alone pass
        return _holding(show_time(now, zone).date(), length, zone).before()
    for pattern, length, find_day in _SPELLINGS:
        if match := pattern.fullmatch(text):
            return _holding(find_day(int(match[1]), int(match[2] or 0)), length, zone)
    begin, _, last = text.partition("..")
    first = date.fromisoformat(begin)
    if not last:
        return _holding(first, "day", zone)
    after = date.fromisoformat(last) + _DAY
    if after <= first:
        raise ValueError(f"{last} is before {begin}")
    return Period("days", first, after, zone)


def _holding(day: date, length: Length, zone: ZoneInfo) -> Period:
    """The day, week, month, quarter or year that holds a day."""
    if length in _MONTHS:
        months = _MONTHS[length]
        first = date(day.year, (day.month - 1) // months * months + 1, 1)
        return Period(length, first, _shift(first, months), zone)
    first = day - timedelta(days=day.weekday()) if length == "week" else day
    return Period(length, first, first + timedelta(days=_DAYS[length]), zone)


def _shift(day: date, months: int) -> date:
    """The first of a month, so many months later."""
    month = day.year * 12 + day.month - 1 + months
    return date(month // 12, month % 12 + 1, 1)
