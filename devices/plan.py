"""The plan by which an item is read into points: look-ups in one object stand together, so that it is entered once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from devices.convert import Convert, Evaluate, compile_alternatives, compile_source, compile_value, plain_scale
from devices.paths import Scope, Step, find_steps, follow
from devices.reading import Value
from devices.sources import PointSource

ReadPoints: TypeAlias = Callable[[Any, Scope], dict[str, Value]]
"""The points of an item; empty where it holds none."""

_PLAIN = frozenset({"path", "scale", "unit", "sentinels", "combine", "pattern", "bit", "map", "otherwise"})


class _LookUp(NamedTuple):
    """A point that stands under a key.

    Attributes:
        key: in its object.
        name: of the point.
        scale: what a number there is multiplied by, where nothing else has to be done; else 0.
        convert: does everything else.
    """

    key: str
    name: str
    scale: float
    convert: Convert


def compile_points(points: Mapping[str, Sequence[PointSource]]) -> ReadPoints:
    """The function that reads an item's points."""
    groups: dict[tuple[Step, ...], list[_LookUp]] = {}
    others: list[tuple[str, Evaluate]] = []
    for name, sources in points.items():
        places = [_find_place(source) for source in sources]
        parents = {place[:-1] for place in places if place}
        if all(places) and len(parents) == 1:
            group = groups.setdefault(parents.pop(), [])
            group += [_look_up(name, source, place) for source, place in zip(sources, places, strict=True) if place]
        else:
            others.append((name, compile_alternatives([compile_source(name, source) for source in sources])))
    plan = tuple((parent, tuple(group)) for parent, group in groups.items())

    def read_points(item: Any, scope: Scope) -> dict[str, Value]:  # noqa: ANN401 - JSON is anything
        values: dict[str, Value] = {}
        for parent, look_ups in plan:
            node = follow(item, parent) if parent else item
            if type(node) is not dict:
                continue
            get = node.get
            for key, name, scale, convert in look_ups:
                raw = get(key)
                if raw is None or name in values:
                    continue
                if scale and (type(raw) is float or type(raw) is int):
                    values[name] = raw * scale
                elif (value := convert(raw)) is not None:
                    values[name] = value
        for name, evaluate in others:
            value = evaluate(item, scope)
            if value is not None:
                values[name] = value
        return values

    return read_points


def _find_place(source: PointSource) -> tuple[Step, ...]:
    """The steps to a key; empty for a source that is more than a value under a key."""
    if source.path is None or source.model_fields_set - _PLAIN or not isinstance(source.unit, str | None):
        return ()
    steps = find_steps(source.path)
    return steps if steps and isinstance(steps[-1], str) else ()


def _look_up(name: str, source: PointSource, place: tuple[Step, ...]) -> _LookUp:
    return _LookUp(str(place[-1]), name, plain_scale(name, source) or 0.0, compile_value(name, source))
