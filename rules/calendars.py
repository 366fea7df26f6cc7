"""Calendars: when a place works, when it is closed, when it is night; as the clocks of the site show it, day by day.

A calendar holds in some hours of some days. Clocks are taken as they are on the wall: in the night in which they are
set back, an hour that comes twice holds twice; in the one in which they are set forward, what is left out is left out.

Holidays come from the `holidays` library, which waits for the first calendar that asks for them.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainSerializer, PrivateAttr, WithJsonSchema, model_validator

from devices.durations import NANOSECONDS
from devices.misfits import Misfit, refuse
from devices.register import Identifier, Model, Text
from devices.values import suggest
from rules.localtime import find_midnight, show_time
from rules.selection import OneOrMore

if TYPE_CHECKING:
    from holidays import HolidayBase

_DAY_MIN = 24 * 60
_WEEK_DAYS = 7
_MIN = NANOSECONDS["m"]

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK = r"([01]?\d|2[0-3]):([0-5]\d)"
_HOURS = re.compile(rf"{_CLOCK} ?- ?(?:{_CLOCK}|(24):(00))", re.ASCII)
_DATE = r"(?:(\d{4})-)?(\d{2})-(\d{2})"
_DATES = re.compile(rf"{_DATE}(?: ?\.\. ?{_DATE})?", re.ASCII)
_COUNTRY = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,3}))?", re.ASCII)
_LEAP_YEAR = 2000


# ── what the YAML says ───────────────────────────────────────────────────────────────────────────────────────────────


class Hours(NamedTuple):
    """Some hours of a day, in minutes of the clock.

    Attributes:
        begin: when they begin.
        end: when they are over; beyond 24 h where that is on the next day.
    """

    begin: int
    end: int

    def __str__(self) -> str:
        """As `read_hours` reads it."""
        end = self.end if self.end <= _DAY_MIN else self.end - _DAY_MIN
        return f"{self.begin // 60:02}:{self.begin % 60:02}-{end // 60:02}:{end % 60:02}"


def read_hours(value: object) -> object:
    """`22:00-06:00` as Hours: they may pass midnight, and then belong to the day on which they begin.

    Raises:
        ValueError: it is no such text.
    """
    if isinstance(value, Hours):
        return value
    match = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected hours such as 08:00-18:00, or 22:00-06:00 over midnight, got {value!r}")
    hours = [int(part) for part in match.groups() if part is not None]
    begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if begin == end:
        raise ValueError(f"{value!r} is no time at all; write 00:00-24:00 for the whole day")
    return Hours(begin, end if end > begin else end + _DAY_MIN)


HoursField: TypeAlias = Annotated[
    Hours,
    BeforeValidator(read_hours),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d{2} ?- ?\d{1,2}:\d{2}$", "examples": ["08:00-18:00"]}),
]
"""Hours as a model's field."""


class Dates(NamedTuple):
    """Some days of one year, or of every year.

    Attributes:
        text: as it was written.
        first: the first of them, as (year, month, day); the year is 0 where it is every year.
        last: the last one, which counts.
    """

    text: str
    first: tuple[int, int, int]
    last: tuple[int, int, int]

    def __contains__(self, day: object) -> bool:
        """Whether a date is one of them."""
        if not isinstance(day, date):
            return False
        shown = (day.year if self.first[0] else 0, day.month, day.day)
        if self.first <= self.last:
            return self.first <= shown <= self.last
        return shown >= self.first or shown <= self.last  # every year, over New Year


def read_dates(value: object) -> object:
    """`2026-01-05..2026-01-16`, or `12-20..01-10` for every year, or a single day, as Dates.

    Raises:
        ValueError: it is no such text, or ends before it begins.
    """
    if isinstance(value, Dates):
        return value
    expected = "expected dates such as 2026-01-05..2026-01-16, or 12-20..01-10 for every year"
    match = _DATES.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{expected}, got {value!r}")
    year, month, day, last_year, last_month, last_day = (int(part or 0) for part in match.groups())
    first = (year, month, day)
    last = (last_year, last_month, last_day) if last_month else first
    for year, month, day in (first, last):
        try:
            date(year or _LEAP_YEAR, month, day)
        except ValueError:
            raise ValueError(f"{value!r}: there is no day {month:02}-{day:02}") from None
    if bool(first[0]) != bool(last[0]):
        raise ValueError(f"{expected}, got {value!r}: write the year on both sides, or on none")
    if first[0] and last < first:
        raise ValueError(f"{value!r} ends before it begins")
    return Dates(match[0], first, last)


DatesField: TypeAlias = Annotated[
    Dates,
    BeforeValidator(read_dates),
    PlainSerializer(lambda dates: dates.text, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["2026-01-05..2026-01-16", "12-20..01-10", "2026-10-10"]}),
]
"""Dates as a model's field."""


def _read_country(value: object) -> object:
    match = _COUNTRY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected a country such as CN, or a part of one such as DE-BY (ISO 3166), got {value!r}")
    try:
        _find_holidays(match[0])
    except NotImplementedError:
        raise ValueError(_explain_unknown(match[1], match[2])) from None
    return value


def _explain_unknown(country: str, part: str) -> str:
    """Why there are no such holidays; lists all countries, which takes a while."""
    from holidays import list_supported_countries  # noqa: PLC0415 - see the module's first lines

    known = list_supported_countries()
    if country not in known:
        return f"the holidays of {country!r} are not known; {suggest(country, known) or 'list them in `closed`'}"
    parts = ", ".join(known[country]) or "none"
    return f"{country} has no part {part!r} with holidays of its own; it has {parts}"


@lru_cache(maxsize=32)
def _find_holidays(country: str) -> "HolidayBase":
    """Holidays of a country or a part of it; looks up each year when it is asked for.

    Raises:
        NotImplementedError: they are not known.
    """
    from holidays import country_holidays  # noqa: PLC0415 - likewise

    code, _, part = country.partition("-")
    return country_holidays(code, subdiv=part or None)


Country: TypeAlias = Annotated[
    str,
    BeforeValidator(_read_country),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}(-[A-Z0-9]{1,3})?$", "examples": ["CN", "DE-BY"]}),
]
"""A country, or a part of one, whose holidays are known."""


class CalendarPlan(Model):
    """When something holds: in these hours, on days that have all of what is given here."""

    name: Text = Field(Text(), description="What people call it.")
    days: OneOrMore[Weekday] = Field(list(_WEEKDAYS), description="Days of the week; left out: all.")
    hours: OneOrMore[HoursField] = Field(
        [Hours(0, _DAY_MIN)],
        description="Hours of these days; left out: all. What passes midnight belongs to the day on which it begins.",
    )
    dates: OneOrMore[DatesField] | None = Field(None, description="Dates, with a year or every year; left out: all.")
    closed_on_holidays: Country | None = Field(
        None,
        description="Not on this country's holidays; a working day that makes up for one counts as one of Monday to"
        " Friday.",
    )
    only_on_holidays: Country | None = Field(None, description="Only on this country's holidays.")
    workdays: list[DatesField] = Field(
        default_factory=list, description="Further dates that hold, whatever day of the week and holiday they are."
    )
    closed: list[DatesField] = Field(default_factory=list, description="Dates that never hold.")
    except_: OneOrMore[Identifier] | None = Field(
        None, alias="except", description="Calendars in whose hours this one does not hold."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.closed_on_holidays and self.only_on_holidays:
            raise ValueError("expected closed_on_holidays or only_on_holidays, got both")
        return self

    def holds_on(self, day: date) -> bool:
        """Whether its hours begin on a day."""
        if _among(day, self.closed):
            return False
        if _among(day, self.workdays):
            return True
        return (self.dates is None or _among(day, self.dates)) and self._is_its_day(day)

    def _is_its_day(self, day: date) -> bool:
        """By the day of the week, and the holidays."""
        if self.closed_on_holidays:
            holidays = _find_holidays(self.closed_on_holidays)
            if day in holidays:
                return False
            if day in holidays.weekend_workdays:
                return any(_WEEKDAYS.index(name) not in holidays.weekend for name in self.days)
        elif self.only_on_holidays and day not in _find_holidays(self.only_on_holidays):
            return False
        return _WEEKDAYS[day.weekday()] in self.days


def _among(day: date, dates: Iterable[Dates]) -> bool:
    return any(day in each for each in dates)


# ── what comes of it ─────────────────────────────────────────────────────────────────────────────────────────────────

_Spans: TypeAlias = list[tuple[int, int]]
"""From, until (not with); in order, without overlap, none touching the next."""


class Calendar:
    """A calendar with what it refers to. Days are worked out once and remembered."""

    def __init__(self, plan: CalendarPlan, excepted: tuple["Calendar", ...] = ()) -> None:
        self._plan, self._excepted = plan, excepted
        self._find = lru_cache(maxsize=64)(self._find_spans)

    def covers(self, time: int, zone: ZoneInfo) -> bool:
        """Whether it holds at a moment (UTC ns)."""
        return any(begin <= time < end for begin, end in self._find(show_time(time, zone).date(), zone))

    def next_change(self, time: int, zone: ZoneInfo) -> int:
        """The first moment (UTC ns) after `time` at which `covers` may answer otherwise; no more than a week later."""
        day, covered = show_time(time, zone).date(), self.covers(time, zone)
        for later in range(_WEEK_DAYS + 1):
            for edge in chain(*self._find(day + timedelta(days=later), zone)):
                if edge > time and self.covers(edge, zone) != covered:
                    return min(edge, time + NANOSECONDS["w"])
        return time + NANOSECONDS["w"]

    def _find_spans(self, day: date, zone: ZoneInfo) -> _Spans:
        """When it holds on a local day, UTC ns."""
        shown = self._find_minutes(day)
        found: _Spans = []
        for begin, end, offset in _find_stretches(day, zone):
            for first, last in shown:
                start, stop = max(begin, first * _MIN - offset), min(end, last * _MIN - offset)
                if start < stop:
                    found.append((start, stop))
        return _join(found)

    def _find_minutes(self, day: date) -> _Spans:
        """When it holds on a day, in minutes since 1970 by the local clock."""
        today = (day - date(1970, 1, 1)).days * _DAY_MIN
        yesterday = day - timedelta(days=1)
        spans = [
            (begin + start, begin + end)
            for begin, from_day in ((today - _DAY_MIN, yesterday), (today, day))
            if self._plan.holds_on(from_day)
            for start, end in self._plan.hours
        ]
        spans = [(max(begin, today), min(end, today + _DAY_MIN)) for begin, end in spans]
        left = _join(span for span in spans if span[0] < span[1])
        for other in self._excepted:
            left = list(_take_away(left, other._find_minutes(day)))  # noqa: SLF001 - one of its own kind
        return left


def _find_stretches(day: date, zone: ZoneInfo) -> list[tuple[int, int, int]]:
    """A local day in stretches of one offset: from, until (UTC ns), and by how much the clock is ahead of UTC (ns)."""
    begin, end = find_midnight(day, zone), find_midnight(day + timedelta(days=1), zone)

    def offset(moment: int) -> int:
        ahead = show_time(moment, zone).utcoffset()
        return int((ahead or timedelta()).total_seconds()) * NANOSECONDS["s"]

    if begin >= end or offset(begin) == offset(end - 1):
        return [(begin, end, offset(begin))]
    low, high = begin, end - 1  # the clock is changed in between
    while high - low > NANOSECONDS["s"]:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == offset(begin) else (low, middle)
    change = high - high % NANOSECONDS["s"]
    return [(begin, change, offset(begin)), (change, end, offset(change))]


def _join(spans: Iterable[tuple[int, int]]) -> _Spans:
    joined: _Spans = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((begin, end))
    return joined


def _take_away(spans: _Spans, others: _Spans) -> Iterator[tuple[int, int]]:
    for begin, end in spans:
        rest = begin
        for start, stop in others:
            if stop > rest and start < end:
                if start > rest:
                    yield rest, start
                rest = stop
        if rest < end:
            yield rest, end


class Calendars(Model):
    """config/calendars.yaml."""

    calendars: dict[Identifier, CalendarPlan] = Field(default_factory=dict)
    _found: dict[str, Calendar] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._find_misfits())
        return self

    def _find_misfits(self) -> Iterator[Misfit]:
        for name, plan in self.calendars.items():
            for number, other in enumerate(plan.except_ or ()):
                if other not in self.calendars:
                    hint = suggest(other, self.calendars) or f"there are {', '.join(self.calendars)}"
                    yield Misfit(("calendars", name, "except", number), f"there is no calendar {other!r}; {hint}")
            if name in self._below(name):
                message = f"this leads back to {name}; leave one of them out"
                yield Misfit(("calendars", name, "except"), message)

    def _below(self, name: str) -> set[str]:
        """All that a calendar refers to, and what these do."""
        found: set[str] = set()
        waiting = list(self.calendars[name].except_ or ())
        while waiting:
            other = waiting.pop()
            if other not in found:
                found.add(other)
                waiting += self.calendars[other].except_ or () if other in self.calendars else ()
        return found

    def find(self, name: str) -> Calendar:
        """The calendar of a name.

        Raises:
            KeyError: there is none; rules that name one are checked when they are read.
        """
        if name not in self._found:
            plan = self.calendars[name]
            self._found[name] = Calendar(plan, tuple(self.find(other) for other in plan.except_ or ()))
        return self._found[name]
