"""From what stands in a message to a point's value: whatever can be decided once is decided here."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from math import inf
from typing import Any, TypeAlias

from devices.errors import Undecodable
from devices.expressions import compile_search
from devices.language.conditions import Holds, compile_when
from devices.language.sources import PULSE, SCALE_MAX, SCALE_MIN, WRITTEN, PointSource, Scalar, ScalePath, UnitPath
from devices.numbers import number_of, split_quantity
from devices.paths import Find, Scope, compile_path
from devices.points import POINTS
from devices.quantities import convert_factor
from devices.reading import Value
from devices.values import TEXT_LENGTH_MAX, VOCABULARY, check_value, describe

Convert: TypeAlias = Callable[[Any], Value | None]
"""Turns what was found into a point's value; None where it means that nothing was measured."""

Evaluate: TypeAlias = Callable[[Any, Scope], Value | None]
"""A point's value in an item; None where there is none."""

_FLAGS = {"true": True, "false": False, "on": True, "off": False}
_NUMBERS = frozenset({int, float})
_SCALARS = frozenset({bool, int, float, str})
_EXPONENT_MAX = 12  # of a scale


def compile_source(name: str, source: PointSource) -> Evaluate:
    """The function that gives a point's value from one of its sources."""
    constant = check_value(name, source.value) if source.value is not None else None
    evaluate = _compile_found(name, source) if constant is None else lambda _item, _scope: constant
    if not source.when:
        return evaluate
    holds: Holds = compile_when(source.when)
    if constant is not None:
        return lambda item, scope: constant if holds(item, scope) else None
    return lambda item, scope: evaluate(item, scope) if holds(item, scope) else None


def plain_scale(name: str, source: PointSource) -> float | None:
    """The factor of a source that is nothing but a number times it, of at most 1; None for any other source.

    A float of such a source needs no conversion: JSON's are finite, and stay so.
    """
    if POINTS[name].type is not float or source.model_fields_set - {"path", "when", "scale", "unit", "combine"}:
        return None
    if isinstance(source.unit, UnitPath) or isinstance(source.scale, ScalePath) or source.unit == WRITTEN:
        return None
    scale, offset = _find_factor(source.unit, name)
    return scale * source.scale if offset == 0 and abs(scale * source.scale) <= 1 else None


def compile_value(name: str, source: PointSource) -> Convert:
    """The function that turns what a source's path found into the point's value."""
    steps = list(_compile_steps(name, source))
    last = _compile_last(name, source)
    if not steps:
        return last
    if len(steps) == 1:
        return _chain(steps[0], last)

    def convert(raw: Any) -> Value | None:  # noqa: ANN401 - JSON is anything
        for step in steps:
            raw = step(raw)
            if raw is None:
                return None
        return last(raw)

    return convert


def _chain(step: Callable[[Any], Any], last: Convert) -> Convert:
    return lambda raw: None if (found := step(raw)) is None else last(found)


def _compile_steps(name: str, source: PointSource) -> Iterator[Callable[[Any], Any]]:
    """What happens before a value is looked up, or read as a number; each step may find that nothing was measured."""
    if source.sentinels:
        yield _compile_sentinels(source.sentinels)
    if source.combine:
        yield _COMBINE[source.combine]
    if source.pattern:
        yield _compile_pattern(source.pattern)
    if source.bit is not None:
        yield _compile_bit(name, source.bit)


def _compile_last(name: str, source: PointSource) -> Convert:
    if source.map:
        return _compile_map(name, source)
    return _compile_number(name, source) if POINTS[name].type is float else _compile_plain(name)


# ── where it stands ──────────────────────────────────────────────────────────────────────────────────────────────


def _compile_found(name: str, source: PointSource) -> Evaluate:
    find = _compile_sum(name, source.sum) if source.sum else compile_path(source.path or "@")
    if isinstance(source.unit, UnitPath) or isinstance(source.scale, ScalePath):
        return _compile_measured(name, find, source)
    convert = compile_value(name, source)
    default = source.default
    if default is None:
        return lambda item, scope: None if (raw := find(item, scope)) is None else convert(raw)

    def evaluate(item: Any, scope: Scope) -> Value | None:  # noqa: ANN401 - JSON is anything
        raw = find(item, scope)
        return convert(default if raw is None else raw)

    return evaluate


def _compile_measured(name: str, find: Find, source: PointSource) -> Evaluate:
    """For a value whose unit or scale stands beside it."""
    find_unit = _compile_unit(name, source.unit)
    find_scale = _compile_scale(name, source.scale)
    convert = compile_value(name, source.model_copy(update={"unit": None, "scale": 1.0}))

    def evaluate(item: Any, scope: Scope) -> Value | None:  # noqa: ANN401 - JSON is anything
        raw = find(item, scope)
        value = convert(raw) if raw is not None else None
        if value is None:
            return None
        factor, offset = find_unit(item, scope)
        return check_value(name, float(value) * find_scale(item, scope) * factor + offset)

    return evaluate


def _compile_unit(name: str, unit: str | UnitPath | None) -> Callable[[Any, Scope], tuple[float, float]]:
    """The function that finds the factor and the offset of a unit."""
    if not isinstance(unit, UnitPath):
        fixed = _find_factor(unit, name)
        return lambda _item, _scope: fixed
    find = compile_path(unit.path)
    words = {key: meaning for there, meaning in unit.map.items() for key in _keys(there)}

    def find_unit(item: Any, scope: Scope) -> tuple[float, float]:  # noqa: ANN401 - JSON is anything
        found = find(item, scope)
        written = words.get(_key(found), found)
        if type(written) is not str:
            raise Undecodable(f"{name}: no unit at {unit.path}")
        return _find_written_factor(written, name)

    return find_unit


def _compile_scale(name: str, scale: float | ScalePath) -> Callable[[Any, Scope], float]:
    """The function that finds a scale."""
    if not isinstance(scale, ScalePath):
        return lambda _item, _scope: scale
    find = compile_path(scale.path)

    def find_scale(item: Any, scope: Scope) -> float:  # noqa: ANN401 - JSON is anything
        number = number_of(find(item, scope))
        if type(number) is not float:
            raise Undecodable(f"{name}: no scale at {scale.path}")
        if scale.power_of_ten:
            number = 10.0**number if abs(number) <= _EXPONENT_MAX else 0.0
        if not SCALE_MIN <= abs(number) <= SCALE_MAX:
            raise Undecodable(f"{name}: the scale at {scale.path} cannot be")
        return number

    return find_scale


def _compile_sum(name: str, paths: list[str]) -> Find:
    terms = [(-1.0 if path.startswith("-") else 1.0, compile_path(path.removeprefix("-"))) for path in paths]

    def add_up(item: Any, scope: Scope) -> float | None:  # noqa: ANN401 - JSON is anything
        total = 0.0
        for sign, find in terms:
            raw = number_of(find(item, scope))
            if raw is None:
                return None
            if type(raw) is not float:
                raise Undecodable(f"{name}: expected numbers to add up")
            total += sign * raw
        return total

    return add_up


# ── what it means ────────────────────────────────────────────────────────────────────────────────────────────────


def _compile_sentinels(values: Iterable[Scalar]) -> Callable[[Any], Any]:
    sentinels = frozenset(key for value in values for key in _keys(value))
    texts = frozenset(text for _, text in sentinels if type(text) is str)

    def clear(raw: Any) -> Any:  # noqa: ANN401 - JSON is anything
        known = raw in texts if type(raw) is str else _key(raw) in sentinels
        return None if known else raw

    return clear


def _numbers(raw: Any) -> list[float] | None:  # noqa: ANN401 - JSON is anything
    """The numbers of a list or an object; None where it is neither."""
    items = raw if type(raw) is list else list(raw.values()) if type(raw) is dict else None
    if items is None:
        return None
    if _NUMBERS.issuperset(map(type, items)):
        return items
    found = [number_of(item) for item in items]
    return [number for number in found if type(number) is float]


def _combining(function: Callable[[list[float]], float]) -> Callable[[Any], Any]:
    def combine(raw: Any) -> Any:  # noqa: ANN401 - JSON is anything
        numbers = _numbers(raw)
        if numbers is None:
            return raw
        return function(numbers) if numbers else None

    return combine


_COMBINE: dict[str, Callable[[Any], Any]] = {
    "sum": _combining(sum),
    "mean": _combining(lambda numbers: sum(numbers) / len(numbers)),
    "min": _combining(min),
    "max": _combining(max),
    "first": _combining(lambda numbers: numbers[0]),
    "last": _combining(lambda numbers: numbers[-1]),
    "none": lambda raw: None if type(raw) is list or type(raw) is dict else raw,
}


def _compile_pattern(pattern: str) -> Callable[[Any], Any]:
    search = compile_search(pattern)

    def extract(raw: Any) -> Any:  # noqa: ANN401 - JSON is anything
        match = search(raw) if type(raw) is str else None
        return match[1] if match else None

    return extract


def _compile_bit(name: str, bit: int) -> Callable[[Any], Any]:
    def pick(raw: Any) -> bool:  # noqa: ANN401 - JSON is anything
        number = number_of(raw)
        if type(number) is not float or not number.is_integer():
            raise Undecodable(f"{name}: expected a whole number to take a bit of")
        return bool(int(number) >> bit & 1)

    return pick


def _compile_map(name: str, source: PointSource) -> Convert:
    meanings = {there: check_value(name, value) if value is not None else None for there, value in source.map.items()}
    words = {key: meaning for there, meaning in meanings.items() for key in _keys(there)}
    words |= {_key(there): meaning for there, meaning in meanings.items()}  # a value itself goes before other spellings
    plain = {key: meaning for (is_flag, key), meaning in words.items() if not is_flag}
    open_ended = "otherwise" in source.model_fields_set
    otherwise = check_value(name, source.otherwise) if source.otherwise is not None else None

    def look_up(raw: Any) -> Value | None:  # noqa: ANN401 - JSON is anything
        if type(raw) is str or type(raw) is int:
            if raw in plain:
                return plain[raw]
        elif (key := _key(raw)) in words:
            return words[key]
        if open_ended:
            return otherwise
        raise Undecodable(f"{name}: a value that the profile's map does not list", hint="add it to the map")

    return look_up


def _compile_number(name: str, source: PointSource) -> Convert:
    own_scale = 1.0 if isinstance(source.scale, ScalePath) else source.scale
    if source.unit == WRITTEN:
        return _compile_written(name, own_scale)
    scale, offset = _find_factor(source.unit if isinstance(source.unit, str) else None, name)
    scale *= own_scale

    def convert(raw: Any) -> Value:  # noqa: ANN401 - JSON is anything
        number = raw if type(raw) is float else number_of(raw)
        if type(number) is float:
            number = number * scale + offset
            if -inf < number < inf:
                return number
        return check_value(name, number)

    return convert


def _compile_written(name: str, scale: float) -> Convert:
    def convert(raw: Any) -> Value | None:  # noqa: ANN401 - JSON is anything
        quantity = split_quantity(raw)
        if quantity is None:
            raise Undecodable(f"{name}: expected a text with a number and its unit")
        number, unit = quantity
        factor, offset = _find_written_factor(unit, name)
        return check_value(name, number * factor * scale + offset)

    return convert


def _compile_plain(name: str) -> Convert:
    if POINTS[name].type is str:
        words = VOCABULARY.get(name)

        def convert_text(raw: Any) -> Value:  # noqa: ANN401 - JSON is anything
            if type(raw) is str and len(raw) <= TEXT_LENGTH_MAX and (words is None or raw in words):
                return raw
            return check_value(name, _read_text(raw))

        return convert_text

    def convert(raw: Any) -> Value:  # noqa: ANN401 - JSON is anything
        flag = raw if type(raw) is bool else _read_flag(raw)
        if type(flag) is not bool:
            raise Undecodable(
                f"{name}: expected true or false, got {describe(raw)}",
                hint="what else stands there is for a map, such as {1: true, 0: false}",
            )
        return flag

    return convert


def _find_factor(unit: str | None, name: str) -> tuple[float, float]:
    return (1.0, 0.0) if unit is None or unit == PULSE else convert_factor(unit, POINTS[name].unit)


@lru_cache(maxsize=256)
def _find_written_factor(unit: str, name: str) -> tuple[float, float]:
    """The factor of a unit that stands in a message.

    Raises:
        Undecodable: it is no unit of the point.
    """
    try:
        return convert_factor(unit, POINTS[name].unit)
    except ValueError as error:
        raise Undecodable(f"{name}: not a unit of this point", hint=str(error)) from None


def _read_flag(raw: object) -> object:
    return _FLAGS.get(raw.strip().lower(), raw) if type(raw) is str else raw


def _read_text(raw: object) -> object:
    return str(raw) if type(raw) is int else raw


def _key(value: object) -> tuple[bool, object]:
    """To Python true is 1; to a device it is not."""
    return type(value) is bool, value if type(value) in _SCALARS else None


def _keys(value: Scalar) -> list[tuple[bool, object]]:
    """A value as it may come: devices write numbers, true and false as text too."""
    keys = [_key(value)]
    if type(value) is bool:
        keys += [(False, str(value).lower()), (False, str(value))]
    elif type(value) in _NUMBERS:
        keys.append((False, str(value)))
    elif type(value) is str:
        number = number_of(value)
        if type(number) is float and number != inf:
            keys.append((False, number))
    return keys
