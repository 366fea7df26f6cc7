"""The rhythm of a campus: what hour and what kind of day it is, and how much goes on then."""

import importlib.resources
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import holidays

from devices.durations import NANOSECONDS

DayKind: TypeAlias = Literal["working", "weekend", "holiday"]
Use: TypeAlias = Literal["teaching", "library", "dormitory"]

USES: tuple[Use, ...] = ("teaching", "library", "dormitory")
"""What buildings are used for; a register's first building is the first of these, and so on in turn."""

_SECOND = NANOSECONDS["s"]
_Course: TypeAlias = Sequence[tuple[float, float]]

_QUIET: _Course = ((0, 0.02), (7, 0.03), (10, 0.1), (17, 0.1), (19, 0.04), (24, 0.02))
_LECTURES: _Course = (
    (0, 0.02), (6.5, 0.03), (7.5, 0.45), (8, 0.9), (11.7, 0.95), (12.3, 0.35), (13.6, 0.4),
    (14, 0.9), (17, 0.85), (18, 0.3), (19, 0.45), (21.3, 0.35), (22.5, 0.04), (24, 0.02),
)  # fmt: skip
_READING: _Course = (
    (0, 0.02), (7, 0.03), (8.5, 0.4), (11, 0.75), (12.3, 0.5), (14.5, 0.85), (17.5, 0.6),
    (19.5, 0.95), (21.5, 0.8), (22.5, 0.08), (24, 0.02),
)  # fmt: skip
_LIVING: _Course = (
    (0, 0.3), (1, 0.08), (2, 0.02), (5.4, 0.03), (6.3, 0.45), (7.2, 0.95), (8.3, 0.4), (10, 0.2), (12.5, 0.5),
    (14, 0.25), (17.5, 0.5), (19, 0.6), (21.5, 0.95), (22.8, 1.0), (23.5, 0.6), (24, 0.3),
)  # fmt: skip
_LIVING_LATE: _Course = (
    (0, 0.4), (1.3, 0.1), (2.2, 0.02), (6.5, 0.03), (8.5, 0.4), (10, 0.75), (13, 0.6),
    (16, 0.5), (19, 0.7), (22, 0.95), (23.3, 0.7), (24, 0.4),
)  # fmt: skip
_AT_WEEKENDS: _Course = ((0, 0.02), (8, 0.03), (9.5, 0.3), (15, 0.55), (18, 0.4), (20, 0.45), (22, 0.05), (24, 0.02))

_ACTIVITY: Mapping[Use, Mapping[DayKind, _Course]] = {
    "teaching": {"working": _LECTURES, "weekend": _QUIET, "holiday": _QUIET},
    "library": {"working": _READING, "weekend": _AT_WEEKENDS, "holiday": _QUIET},
    "dormitory": {"working": _LIVING, "weekend": _LIVING_LATE, "holiday": _LIVING_LATE},
}
_EXAMS = (((1, 5), (1, 18)), ((6, 20), (7, 3)))
"""First and last day of the weeks of exams, month and day."""


class Moment(NamedTuple):
    """A time as people on the site see it.

    Attributes:
        day: local date.
        hour: local time of day, 0 to 24.
        kind: what kind of day it is; a weekend that is worked to make up for a holiday is a working day.
        exams: whether it is a week of exams.
    """

    day: date
    hour: float
    kind: DayKind
    exams: bool


class Rhythm:
    """The calendar and clock of a site.

    Args:
        zone: the site's time zone. It also tells the country, and so the public holidays; UTC has none.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        country = find_country(zone.key)
        known = country in holidays.list_supported_countries()
        self._holidays = holidays.country_holidays(country) if known else holidays.HolidayBase()
        self.moment = lru_cache(maxsize=8192)(self._moment)
        self.classify = lru_cache(maxsize=512)(self._classify)

    def _moment(self, time: int) -> Moment:
        """How the site sees a time (UTC nanoseconds)."""
        local = datetime.fromtimestamp(time / _SECOND, UTC).astimezone(self.zone)
        day = local.date()
        hour = local.hour + local.minute / 60 + local.second / 3600
        return Moment(day, hour, self.classify(day), is_exam(day))

    def _classify(self, day: date) -> DayKind:
        """What kind of day it is."""
        if day in self._holidays:
            return "holiday"
        return "working" if self._holidays.is_working_day(day) else "weekend"

    def locate(self, day: date, hour: float) -> int:
        """The time (UTC nanoseconds, whole milliseconds) of an hour of a local day, counted from its midnight."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return int(midnight.timestamp()) * _SECOND + round(hour * 3_600_000) * NANOSECONDS["ms"]

    def days(self, after: int, until: int) -> list[date]:
        """The local days that a span touches."""
        first, last = self._moment(after).day, self._moment(until).day
        return [first + timedelta(days=count) for count in range((last - first).days + 1)]


def measure_activity(use: Use, moment: Moment) -> float:
    """How much goes on in a building, 0 (nobody is there or awake) to 1 (as busy as it gets)."""
    level = _interpolate(_ACTIVITY[use][moment.kind], moment.hour)
    if moment.exams and use == "library" and moment.kind != "holiday":
        return min(1.0, 1.3 * level)
    return level


def is_exam(day: date) -> bool:
    """Whether a day lies in a week of exams."""
    return any(first <= (day.month, day.day) <= last for first, last in _EXAMS)


@lru_cache(maxsize=64)
def find_country(timezone: str) -> str:
    """The country that a time zone belongs to (ISO 3166), by the zone table of the tz database; "" if to none."""
    table = importlib.resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            if zone == timezone:
                return country
    return ""


def _interpolate(course: _Course, hour: float) -> float:
    index = bisect_right(course, (hour, 2.0)) - 1
    (left, low), (right, high) = course[index], course[min(index + 1, len(course) - 1)]
    return low if right == left else low + (high - low) * (hour - left) / (right - left)
