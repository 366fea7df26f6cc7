"""Times in payloads: from what devices write to integer nanoseconds since 1970, UTC, and how finely they wrote it.

Every form is read from its decimal digits, so that no nanosecond is rounded by a float. Digits beyond the ninth are
cut off. RFC 3339 is read as devices write it: `T`, `t` or a space between date and time, seconds or none, a colon in
the offset or none.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from zoneinfo import available_timezones

Moment: TypeAlias = tuple[int, int]
"""Nanoseconds since 1970, UTC, and the resolution of the written form in nanoseconds."""

NANOSECOND = 1
MICROSECOND = 10**3
MILLISECOND = 10**6
SECOND = 10**9
MINUTE = 60 * SECOND
DAY = 1440 * MINUTE

_DAY_S = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_SECOND = timedelta(seconds=1)
_ONE_HOUR = timedelta(hours=1)
_SECONDS_MAX = 2**63 // SECOND - 60
"""What 64 bits of nanoseconds hold, less a minute of seconds to be added."""

EPOCH_END = _SECONDS_MAX * SECOND
"""Times since 1970 are before this."""

_RESOLUTIONS = tuple(10 ** (9 - digits) for digits in range(10))

_WRITTEN = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?([Zz]|[+-]\d\d:?[0-5]\d)?",
    re.ASCII,
).fullmatch
_SECONDS = {f"{second:02}": second for second in range(60)}
_MINUTE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(Z|[+-]\d\d:?[0-5]\d)", re.ASCII).fullmatch
_BARE_MINUTE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", re.ASCII).fullmatch
_FRACTION_AT = 19
_DATE_LENGTH = 10
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch
_DSMR = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([WS]?)", re.ASCII).fullmatch
_DIGITS_MOST = 20
_DECIMAL = re.compile(rf"([+-]?)(\d{{1,{_DIGITS_MOST}}})(?:\.(\d+))?", re.ASCII).fullmatch


class ClockError(ValueError):
    """A time in the right form that cannot be, such as 0000-00-00: of a clock that is not set."""


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

    The seconds may be missing, as in ISO 8601.

    Raises:
        ValueError: it is no such text; the message holds nothing of it. ClockError, which is one, where it is, and
            cannot be; so with all that follows here.
    """
    usual = _read_usual(value)
    if usual is not None:
        return usual
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
        value: `2026-11-22T08:00:00`, without seconds too, or a date alone, which is its first moment.
        zone: where the clock hangs.
        near: nanoseconds since 1970; of two moments that the clock shows alike (when it is set back in autumn)
            the one nearest to this is taken, so that no hour of the year overwrites another.

    Raises:
        ValueError: it is no such text; the message holds nothing of it.
    """
    usual = _read_usual_local(value, zone) or _read_usual(value)
    if usual is not None:
        return usual
    if type(value) is str and len(value) == _DATE_LENGTH and _DATE(value):
        return _read_minute(value, zone) * SECOND, DAY
    minute, second, fraction, offset = _split(value)
    if offset:
        return _join(_read_minute(minute + offset), second, fraction)
    first, again = (_join(_read_minute(minute, zone, fold), second, fraction) for fold in (0, 1))
    return first if abs(first[0] - near) <= abs(again[0] - near) else again


def parse_epoch(value: object, unit: int) -> Moment:
    """Reads time since 1970 from a number or its text, with or without a fraction.

    Args:
        value: 1795334400, 1795334400.5 or "1795334400.5".
        unit: what it counts: SECOND, MILLISECOND, MICROSECOND or NANOSECOND.

    Raises:
        ValueError: it is no such number; the message holds nothing of it.
    """
    time, resolution = (value * unit, unit) if type(value) is int else _read_decimal(value, unit)
    _check_range(time // SECOND)
    return time, resolution


def parse_age(value: object, unit: int, received: int) -> Moment:
    """Reads how long before its arrival something was measured, from a number or its text.

    Args:
        value: 90, 90.5 or "90.5".
        unit: what it counts: SECOND or MILLISECOND.
        received: when it arrived, nanoseconds since 1970.

    Raises:
        ValueError: it is no such number, or negative; the message holds nothing of it.
    """
    age, resolution = (value * unit, unit) if type(value) is int else _read_decimal(value, unit)
    if age < 0:
        raise ValueError("expected an age, which is not negative")
    _check_range((received - age) // SECOND)
    return received - age, resolution


def parse_dsmr(value: object, zone: tzinfo) -> Moment:
    """Reads the time stamp of a P1 telegram, `261122090000W` (DSMR P1 companion standard 5.0.2, TST).

    W is the zone's standard time, S an hour later or what the zone itself adds in summer; so the letter tells the two
    hours of an autumn night apart. Where it is missing, as before DSMR 4, the zone's own rule holds.

    Args:
        value: YYMMDDhhmmss, with W or S.
        zone: where the meter stands.

    Raises:
        ValueError: it is no such text; the message holds nothing of it.
    """
    match = _DSMR(value) if type(value) is str else None
    if match is None:
        raise ValueError("expected a text such as 261122090000W")
    year, month, day, hour, minute, second, letter = match.groups()
    clock = _find_offset(zone, 2000 + int(year), letter) if letter else zone
    return _join(_read_minute(f"20{year}-{month}-{day}T{hour}:{minute}", clock), second, None)


@lru_cache(maxsize=64)
def _find_offset(zone: tzinfo, year: int, letter: str) -> timezone:
    standard, summer = sorted(datetime(year, month, 1, tzinfo=zone).utcoffset() or timedelta() for month in (1, 7))
    return timezone((summer if summer > standard else standard + _ONE_HOUR) if letter == "S" else standard)


def _read_decimal(value: object, unit: int) -> Moment:
    if type(value) is str and len(value) <= _DIGITS_MOST and value.isascii() and value.isdigit():
        return int(value) * unit, unit
    if type(value) is float:
        # The shortest text of a float has the digits that the device wrote; its exact value has others.
        text = repr(value)
        value = f"{Decimal(text):f}" if "e" in text else text
    match = _DECIMAL(value) if type(value) is str else None
    if match is None:
        raise ValueError("expected a decimal number")
    sign, whole, fraction = match.groups(default="")
    digits = fraction[: len(str(unit)) - 1]
    resolution = unit // 10 ** len(digits)
    return int(sign + whole) * unit + int(sign + (digits or "0")) * resolution, resolution


def _read_usual(value: object) -> Moment | None:
    """Reads `2026-11-22T08:00:00Z` and `2026-11-22T16:00:00.5+08:00`, as nearly all write it; None for others."""
    if type(value) is not str or value[16:17] != ":":
        return None
    end = len(value) - (1 if value[-1] == "Z" else 6 if value[-3] == ":" else 5)
    second = _SECONDS.get(value[17:19])
    minute = _find_minute(value[:16] + value[end:])
    if second is None or minute is None:
        return None
    if end == _FRACTION_AT:
        return (minute + second) * SECOND, SECOND
    digits = value[_FRACTION_AT + 1 : end]
    if value[_FRACTION_AT] != "." or not (digits.isascii() and digits.isdigit()) or len(digits) >= len(_RESOLUTIONS):
        return None
    resolution = _RESOLUTIONS[len(digits)]
    return (minute + second) * SECOND + int(digits) * resolution, resolution


def _read_usual_local(value: object, zone: tzinfo) -> Moment | None:
    """Reads `2026-11-22T08:00:00` where the clock shows it once; None for anything else."""
    if type(value) is not str or len(value) != _FRACTION_AT or value[16] != ":":
        return None
    second, minute = _SECONDS.get(value[17:]), _find_minute(value[:16], zone)
    return None if second is None or minute is None else ((minute + second) * SECOND, SECOND)


@lru_cache(maxsize=1024)
def _find_minute(text: str, zone: tzinfo | None = None) -> int | None:
    """The seconds up to a minute, with its offset or in a zone; None where it is none, or two."""
    if not (_MINUTE if zone is None else _BARE_MINUTE)(text):
        return None
    try:
        first, again = (_read_minute(text, zone, fold) for fold in (0, 1))
    except ClockError:
        return None
    return first if first == again else None


def _split(value: object) -> tuple[str, str | None, str | None, str | None]:
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
        raise ClockError("no such date or time of day") from None
    _check_range(seconds)
    return seconds


def _join(minute: int, second: str | None, fraction: str | None) -> Moment:
    if second is None:
        return minute * SECOND, MINUTE
    seconds = minute + int(second)
    if second > "59" and (second > "60" or seconds % _DAY_S):  # a leap second ends a UTC day
        raise ClockError("no such date or time of day")
    if fraction is None:
        return seconds * SECOND, SECOND
    digits = fraction[:9]
    resolution = _RESOLUTIONS[len(digits)]
    return seconds * SECOND + int(digits) * resolution, resolution


def _check_range(seconds: int) -> None:
    if not -_SECONDS_MAX < seconds < _SECONDS_MAX:
        raise ClockError("outside of the years 1678 to 2261")
