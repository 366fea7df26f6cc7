"""What the parts of a point's source must agree on: with one another, and with the point."""

from collections.abc import Iterator, Sequence

from devices.convert import compile_value
from devices.errors import Undecodable
from devices.points import POINTS
from devices.quantities import convert_factor, known_unit
from devices.reading import Value
from devices.sources import PULSE, SCALE_MAX, SCALE_MIN, WRITTEN, Intervals, PointSource, UnitPath
from devices.values import check_value


def find_source_problems(name: str, sources: Sequence[PointSource]) -> Iterator[tuple[str, str]]:
    """What is wrong with a point's sources: in which of them, as `1.`, and what, with its key in front."""
    for index, source in enumerate(sources):
        for problem in _find_problems(name, source):
            yield f"{index}.", problem
    if len({source.unit == PULSE for source in sources}) > 1:
        yield "", f"unit: {PULSE} goes for all sources of a point, or for none"


def find_interval_problems(intervals: Intervals) -> Iterator[str]:
    """What is wrong with differences over intervals."""
    kind = POINTS[intervals.point].kind
    if kind != "register":
        yield f"point: expected a register, and {intervals.point} is a {kind}"
    elif intervals.unit:
        yield from _find_unit_problems(intervals.point, intervals.unit)
    if not SCALE_MIN <= abs(intervals.scale) <= SCALE_MAX:
        yield f"scale: expected a size between {SCALE_MIN:g} and {SCALE_MAX:g}"


def _find_problems(name: str, source: PointSource) -> Iterator[str]:
    is_number = POINTS[name].type is float
    for key in () if is_number else ("unit", "scale", "sum", "combine"):
        if key in source.model_fields_set:
            yield f"{key}: only for numbers, and {name} is none"
    if is_number and source.unit:
        yield from _find_unit_problems(name, source.unit)
    if source.bit is not None and not source.map and POINTS[name].type is not bool:
        yield f"bit: gives true or false, and {name} takes {_name_type(POINTS[name].type)}; add a map"
    words = [("map", value) for value in source.map.values()]
    words += [("otherwise", source.otherwise), ("value", source.value)]
    for key, value in words:
        if value is not None:
            try:
                check_value(name, value)
            except Undecodable as error:
                yield f"{key}: {error}"
    if source.default is not None:
        try:
            compile_value(name, source)(source.default)
        except (Undecodable, ValueError) as error:
            yield f"default: {error}"


def _find_unit_problems(name: str, unit: str | UnitPath) -> Iterator[str]:
    if isinstance(unit, UnitPath):
        yield from (f"unit.map: {word!r} is no known unit" for word in unit.map.values() if not known_unit(word))
    elif unit == PULSE:
        if POINTS[name].kind != "register":
            yield f"unit: {PULSE} is for registers, and {name} is none"
    elif unit != WRITTEN:
        try:
            convert_factor(unit, POINTS[name].unit)
        except ValueError as error:
            yield f"unit: {error}"


def _name_type(kind: type[Value]) -> str:
    return "a number" if kind is float else "a text"
