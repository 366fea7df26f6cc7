"""What the parts of a point's source must agree on: with one another, and with the point."""

from collections.abc import Iterator, Sequence

from devices.errors import Undecodable
from devices.language.convert import compile_value
from devices.language.sources import PULSE, SCALE_MAX, SCALE_MIN, WRITTEN, Intervals, PointSource, Scalar, UnitPath
from devices.misfits import Misfit
from devices.points import POINTS
from devices.quantities import convert_factor, known_unit
from devices.reading import Value
from devices.values import VOCABULARY, check_value, suggest


def find_source_misfits(name: str, sources: Sequence[PointSource]) -> Iterator[Misfit]:
    """What is wrong with a point's sources, seen from their list."""
    for index, source in enumerate(sources):
        for misfit in _find_misfits(name, source):
            yield misfit.below(index)
    counting = [source.unit == PULSE for source in sources]
    if any(counting) and not all(counting):
        at = counting.index(not counting[0])
        yield Misfit((at, "unit"), f"{PULSE} goes for all sources of a point, or for none")


def find_interval_misfits(intervals: Intervals, sources: Sequence[PointSource], *, named: bool) -> Iterator[Misfit]:
    """What is wrong with differences over intervals.

    Args:
        intervals: what is said of them.
        sources: of their point.
        named: the point may also come by its name.
    """
    point, unit = intervals.point, intervals.unit
    kind = POINTS[point].kind
    if kind != "register":
        yield Misfit(("point",), f"expected a register, and {point} is a {kind}")
    elif not sources and not named:
        yield Misfit(("point",), f"{point!r} is none of the form's points")
    elif any((source.unit == PULSE) != (unit == PULSE) for source in sources):
        yield Misfit(("unit",), f"{PULSE} goes for the point and the differences, or for neither")
    elif unit:
        yield from _find_unit_misfits(point, unit)
    if not SCALE_MIN <= abs(intervals.scale) <= SCALE_MAX:
        yield Misfit(("scale",), f"expected a size between {SCALE_MIN:g} and {SCALE_MAX:g}")


def _find_misfits(name: str, source: PointSource) -> Iterator[Misfit]:
    is_number = POINTS[name].type is float
    for key in () if is_number else ("unit", "scale", "sum", "combine"):
        if key in source.model_fields_set:
            yield Misfit((key,), f"only for numbers, and {name} is none")
    if is_number and source.unit:
        yield from _find_unit_misfits(name, source.unit)
    if source.bit is not None and not source.map and POINTS[name].type is not bool:
        yield Misfit(("bit",), f"gives true or false, and {name} takes {_name_type(POINTS[name].type)}; add a map")
    for there, value in source.map.items():
        yield from _find_value_misfits(name, value, "map", there)
    yield from _find_value_misfits(name, source.otherwise, "otherwise")
    yield from _find_value_misfits(name, source.value, "value")
    if source.default is not None:
        try:
            compile_value(name, source)(source.default)
        except (Undecodable, ValueError) as error:
            yield Misfit(("default",), str(error).removeprefix(f"{name}: "))


def _find_value_misfits(name: str, value: Scalar | None, *path: Scalar) -> Iterator[Misfit]:
    if value is None:
        return
    try:
        check_value(name, value)
    except Undecodable:
        words = sorted(VOCABULARY.get(name, ()))
        takes = ", ".join(words[:-1]) + f" or {words[-1]}" if words else _name_type(POINTS[name].type)
        hint = suggest(str(value), words)
        yield Misfit(path, f"{name} takes {takes}, not {value!r}" + (f"; {hint}" if hint else ""))


def _find_unit_misfits(name: str, unit: str | UnitPath) -> Iterator[Misfit]:
    if isinstance(unit, UnitPath):
        for there, word in unit.map.items():
            if not known_unit(word):
                yield Misfit(("unit", "map", there), f"{word!r} is no known unit")
    elif unit == PULSE:
        if POINTS[name].kind != "register":
            yield Misfit(("unit",), f"{PULSE} is for registers, and {name} is none")
    elif unit != WRITTEN:
        try:
            convert_factor(unit, POINTS[name].unit)
        except ValueError as error:
            hint = suggest(unit, (PULSE, WRITTEN))
            yield Misfit(("unit",), f"{error}; {hint}" if hint else str(error))


def _name_type(kind: type[Value]) -> str:
    return "a number" if kind is float else "true or false" if kind is bool else "a text"
