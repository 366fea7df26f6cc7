"""From what a profile says of times to a function that finds and reads them."""

from collections.abc import Callable
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from devices.errors import Undecodable
from devices.language.sources import TimeLag, TimeSource
from devices.language.timepatterns import compile_pattern
from devices.numbers import number_of
from devices.paths import Scope, compile_first, compile_path
from devices.timestamps import (
    EPOCH_END,
    MICROSECOND,
    MILLISECOND,
    NANOSECOND,
    SECOND,
    ClockError,
    Moment,
    parse_age,
    parse_dsmr,
    parse_epoch,
    parse_local,
    parse_rfc3339,
)

ReadTime: TypeAlias = Callable[[Any, Scope, int], Moment | None]
"""The time of an item that arrived at a time (nanoseconds since 1970); None where it says none."""

_EPOCHS = {"epoch_s": SECOND, "epoch_ms": MILLISECOND, "epoch_us": MICROSECOND, "epoch_ns": NANOSECOND}
_DASHED = frozenset({"rfc3339", "local"})
_AGES = {"age_s": SECOND, "age_ms": MILLISECOND}


def compile_time(source: TimeSource, zone: str) -> ReadTime:
    """The function that reads a message's time.

    Args:
        source: where it stands, and how it is written.
        zone: IANA name of the site's time zone, for clocks that show local time.
    """
    read_time = _compile_written(source, zone)
    return _compile_lag(source.less, read_time) if source.less else read_time


def _compile_written(source: TimeSource, zone: str) -> ReadTime:
    find = compile_first(source.path)
    clock = ZoneInfo(source.zone or zone)
    *earlier, final = source.format
    attempts = [_choose_parser(form, clock) for form in earlier]
    # Of several forms those with dashes need not be tried on numbers, nor on texts of digits alone.
    of_digits = [_choose_parser(form, clock) for form in earlier if form not in _DASHED]
    last = _choose_parser(final, clock)
    numeric = [form for form in source.format if form not in _DASHED]
    units = [_EPOCHS[form] for form in numeric] if _EPOCHS.keys() >= set(numeric) else []

    def read_time(item: Any, scope: Scope, received: int) -> Moment | None:  # noqa: ANN401 - JSON is anything
        value = find(item, scope)
        if value is None:
            return None
        if type(value) is int:
            for unit in units:  # which one, its size tells
                if 0 <= value < EPOCH_END // unit:
                    return value * unit, unit
        for parse in attempts if type(value) is str and not value.isdigit() else of_digits:
            try:
                return parse(value, received)
            except ValueError:
                continue  # written otherwise
        try:
            return last(value, received)
        except ClockError:
            return None  # the arrival counts
        except ValueError as error:
            raise Undecodable(f"time: {error}") from None

    return read_time


def _compile_lag(lag: TimeLag, read_time: ReadTime) -> ReadTime:
    """The time less an age; none where it would be before all times."""
    find = compile_path(lag.path)
    unit = lag.unit

    def read_earlier(item: Any, scope: Scope, received: int) -> Moment | None:  # noqa: ANN401 - JSON is anything
        moment = read_time(item, scope, received)
        age = find(item, scope)
        if moment is None or age is None:
            return moment
        number = age if type(age) is int else number_of(age)
        if not isinstance(number, int | float) or isinstance(number, bool) or number < 0:
            raise Undecodable(f"time: expected an age at {lag.path}, a number that is not negative")
        time, resolution = moment
        return (time - round(number * unit), resolution) if number * unit < time + EPOCH_END else None

    return read_earlier


def _choose_parser(form: str, clock: ZoneInfo) -> Callable[[Any, int], Moment]:
    """The function that reads a time as it is written; the second argument is the arrival."""
    if form in _EPOCHS:
        epoch = _EPOCHS[form]
        return lambda value, _received: parse_epoch(value, epoch)
    if form in _AGES:
        age = _AGES[form]
        return lambda value, received: parse_age(value, age, received)
    if form == "rfc3339":
        return lambda value, _received: parse_rfc3339(value)
    if form == "dsmr":
        return lambda value, _received: parse_dsmr(value, clock)
    parse = parse_local if form == "local" else compile_pattern(form)
    return lambda value, received: parse(value, clock, received)
