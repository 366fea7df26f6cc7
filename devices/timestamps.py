"""Times in payloads: from what devices write to integer nanoseconds since 1970, UTC, and how finely they wrote it.

Every form is read from its decimal digits, so that no nanosecond is rounded by a float. Digits beyond the ninth are
cut off. RFC 3339 is read as devices write it: `T`, `t` or a space between date and time, a colon in the offset or none.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from zoneinfo import available_timezones

Moment: TypeAlias = tuple[int, int]
"""Nanoseconds since 1970, UTC, and the resolution of the written form in nanoseconds."""

SECOND = 10**9
MILLISECOND = 10**6

_DAY_S = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_SECOND = timedelta(seconds=1)
_SECONDS_MAX = 2**63 // SECOND - 60
"""What 64 bits of nanoseconds hold, less a minute of seconds to be added."""

_RESOLUTIONS = tuple(10 ** (9 - digits) for digits in range(10))

_WRITTEN = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:?[0-5]\d)?",
    re.ASCII,
).fullmatch
_DECIMAL = re.compile(r"([+-]?)(\d{1,20})(?:\.(\d+))?", re.ASCII).fullmatch


class TimeLimits(NamedTuple):
    """Which times of devices are believed, seen from the arrival; nanoseconds.

    Attributes:
        past: a reading may be this old.
        future: a clock may be this fast.
    """

    past: int
    future: int


def check_zone(name: str) -> str:
    """The IANA name of a time zone, as it was given.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in available_timezones():
        raise ValueError(f"expected a time zone such as Asia/Shanghai or Europe/Berlin, got {name!r}")
    return name


def parse_rfc3339(value: object) -> Moment:
    """Reads `2026-11-22T08:00:00.123456789+08:00`; a leap second is the first of the next day, as in POSIX.

    Raises:
        ValueError: it is no such text; the message holds nothing of it.
    """
    minute, second, fraction, offset = _split(value)
    if not offset:
        raise ValueError("expected Z or an offset such as +08:00 at its end")
    return _join(_read_minute(minute + offset), second, fraction)


def format_rfc3339(time: int) -> str:
    """Nanoseconds since 1970 as `2026-11-22T08:00:00.5Z`, with as many digits as it takes."""
    seconds, rest = divmod(time, SECOND)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{_EPOCH + seconds * _ONE_SECOND:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def parse_local(value: object, zone: tzinfo, near: int) -> Moment:
    """Reads a time without a zone, as a clock on the wall shows it; where an offset is written, it holds.

    Args:
        value: `2026-11-22T08:00:00`.
        zone: where the clock hangs.
        near: nanoseconds since 1970; of two moments that the clock shows alike (when it is set back in autumn)
            the one nearest to this is taken, so that no hour of the year overwrites another.

    Raises:
        ValueError: it is no such text; the message holds nothing of it.
    """
    minute, second, fraction, offset = _split(value)
    if offset:
        return _join(_read_minute(minute + offset), second, fraction)
    first, again = (_join(_read_minute(minute, zone, fold), second, fraction) for fold in (0, 1))
    return first if abs(first[0] - near) <= abs(again[0] - near) else again


def parse_epoch(value: object, unit: int) -> Moment:
    """Reads time since 1970 from a number or its text, with or without a fraction.

    Args:
        value: 1795334400, 1795334400.5 or "1795334400.5".
        unit: what it counts: SECOND or MILLISECOND.

    Raises:
        ValueError: it is no such number; the message holds nothing of it.
    """
    if type(value) is int:
        _check_range(value * unit // SECOND)
        return value * unit, unit
    # The shortest text of a float has the digits that the device wrote; its exact value has others.
    text = repr(value) if type(value) is float else value
    match = _DECIMAL(text) if type(text) is str else None
    if match is None:
        raise ValueError("expected a decimal number")
    sign, whole, fraction = match.groups(default="")
    digits = fraction[: len(str(unit)) - 1]
    resolution = unit // 10 ** len(digits)
    time = int(sign + whole) * unit + int(sign + (digits or "0")) * resolution
    _check_range(time // SECOND)
    return time, resolution


def _split(value: object) -> tuple[str, str, str | None, str | None]:
    match = _WRITTEN(value) if type(value) is str else None
    if match is None:
        raise ValueError("expected a text such as 2026-11-22T08:00:00Z")
    return match.groups()  # type: ignore[return-value] # the expression has these four groups


# Thousands of devices speak in the same minute: its calendar is worked out once.
@lru_cache(maxsize=1024)
def _read_minute(text: str, zone: tzinfo | None = None, fold: int = 0) -> int:
    try:
        minute = datetime.fromisoformat(text.upper())
        if zone is not None:
            minute = minute.replace(tzinfo=zone, fold=fold)
        seconds = (minute - _EPOCH) // _ONE_SECOND
    except (ValueError, OverflowError):
        raise ValueError("no such date or time of day") from None
    _check_range(seconds)
    return seconds


def _join(minute: int, second: str, fraction: str | None) -> Moment:
    seconds = minute + int(second)
    if second > "59" and (second > "60" or seconds % _DAY_S):  # a leap second ends a UTC day
        raise ValueError("no such date or time of day")
    if fraction is None:
        return seconds * SECOND, SECOND
    digits = fraction[:9]
    resolution = _RESOLUTIONS[len(digits)]
    return seconds * SECOND + int(digits) * resolution, resolution


def _check_range(seconds: int) -> None:
    if not -_SECONDS_MAX < seconds < _SECONDS_MAX:
        raise ValueError("outside of the years 1678 to 2261")
