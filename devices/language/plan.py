"""The plan by which an item is read into points: look-ups in one object stand together, so that it is entered once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from devices.language.conditions import Holds, compile_when
from devices.language.convert import Convert, Evaluate, compile_source, compile_value, plain_scale
from devices.language.sources import PointSource, ScalePath, UnitPath
from devices.paths import Scope, Step, compile_path, find_steps, follow, take_first
from devices.points import POINTS
from devices.reading import Value

ReadPoints: TypeAlias = Callable[[Any, Scope], dict[str, Value]]
"""The points of an item; empty where it holds none."""

_PLAIN = frozenset({"path", "when", "scale", "unit", "sentinels", "combine", "pattern", "bit", "map", "otherwise"})


_MANY = 3
_SCALARS = frozenset({bool, int, float, str})


class _LookUp(NamedTuple):
    """A point that stands under a key, or at a place in a list.

    Attributes:
        key: in its object; the place in its list.
        name: of the point.
        scale: what a number there is multiplied by, where nothing else has to be done; else 0.
        convert: does everything else.
        holds: whether its conditions hold; None where it has none.
    """

    key: Step
    name: str
    scale: float
    convert: Convert
    holds: Holds | None


class _Group(NamedTuple):
    """Look-ups in one object or list.

    Attributes:
        parent: the steps to it.
        length: of a list, how much of it is looked at; 0 for an object.
        look_ups: in the order of their sources, of which the first that gives a value holds.
        places: where in `look_ups` those of a key stand.
    """

    parent: tuple[Step, ...]
    length: int
    look_ups: tuple[_LookUp, ...]
    places: Mapping[Step, tuple[int, ...]]


def compile_points(points: Mapping[str, Sequence[PointSource]]) -> ReadPoints:
    """The function that reads an item's points."""
    groups: list[tuple[tuple[Step, ...], type, list[_LookUp]]] = []
    others: list[tuple[str, Evaluate]] = []
    for name, sources in points.items():
        places = [_find_place(source) for source in sources]
        if not all(places):
            others.append((name, take_first([compile_source(name, source) for source in sources])))
            continue
        at = 0
        for source, place in zip(sources, places, strict=True):
            at = _choose_group(groups, place, at)
            groups[at][2].append(_look_up(name, source, place))
    read_planned = _run(tuple(_close(*group) for group in groups))
    if not others:
        return read_planned

    def read_points(item: Any, scope: Scope) -> dict[str, Value]:  # noqa: ANN401 - JSON is anything
        values = read_planned(item, scope)
        for name, evaluate in others:
            value = evaluate(item, scope)
            if value is not None:
                values[name] = value
        return values

    return read_points


def compile_same_names(path: str) -> ReadPoints:
    """The function that reads an object whose keys are called like points; objects and lists under them are none."""
    find = compile_path(path)
    own = PointSource(path="@")
    converts = {name: (plain_scale(name, own) or 0.0, compile_value(name, own)) for name in POINTS}

    def read_names(item: Any, scope: Scope) -> dict[str, Value]:  # noqa: ANN401 - JSON is anything
        found = find(item, scope)
        values: dict[str, Value] = {}
        if type(found) is dict:
            for name, raw in found.items():
                if name not in converts:
                    continue
                scale, convert = converts[name]
                if scale and (type(raw) is float or type(raw) is int):
                    values[name] = raw * scale
                elif type(raw) in _SCALARS and (value := convert(raw)) is not None:
                    values[name] = value
        return values

    return read_names


def _run(plan: tuple[_Group, ...]) -> ReadPoints:
    def read_planned(item: Any, scope: Scope) -> dict[str, Value]:  # noqa: ANN401 - JSON is anything
        values: dict[str, Value] = {}
        for group in plan:
            node = follow(item, group.parent) if group.parent else item
            if group.length and type(node) is list:
                node = dict(enumerate(node[: group.length]))
            elif group.length or type(node) is not dict:
                continue
            for key, name, scale, convert, holds in _choose_look_ups(group, node):
                raw = node.get(key)
                if raw is None or name in values or (holds is not None and not holds(item, scope)):
                    continue
                if scale and (type(raw) is float or type(raw) is int):
                    values[name] = raw * scale
                elif (value := convert(raw)) is not None:
                    values[name] = value
        return values

    return read_planned


def _choose_look_ups(group: _Group, node: Mapping[Step, object]) -> Iterable[_LookUp]:
    """Those to be made; of many in a small object, only those whose keys are there."""
    if len(group.look_ups) <= _MANY * len(node):
        return group.look_ups
    at = sorted([at for key in node if key in group.places for at in group.places[key]])
    return [group.look_ups[number] for number in at]


def _find_place(source: PointSource) -> tuple[Step, ...]:
    """The steps to a value; empty for a source that is more than a value in its place."""
    if source.path is None or source.model_fields_set - _PLAIN:
        return ()
    if isinstance(source.unit, UnitPath) or isinstance(source.scale, ScalePath):
        return ()
    steps = find_steps(source.path) or ()
    return () if any(isinstance(step, int) and step < 0 for step in steps[-1:]) else steps


def _choose_group(groups: list[tuple[tuple[Step, ...], type, list[_LookUp]]], place: tuple[Step, ...], at: int) -> int:
    """The number of the group for a place, not before `at`, where the source before it stands."""
    wanted = place[:-1], type(place[-1])
    for index in range(at, len(groups)):
        if groups[index][:2] == wanted:
            return index
    groups.append((*wanted, []))
    return len(groups) - 1


def _close(parent: tuple[Step, ...], kind: type, look_ups: Iterable[_LookUp]) -> _Group:
    look_ups = tuple(look_ups)
    length = 1 + max(key for key, *_ in look_ups if isinstance(key, int)) if kind is int else 0
    keys = {look_up.key for look_up in look_ups}
    places = {key: tuple(at for at, look_up in enumerate(look_ups) if look_up.key == key) for key in keys}
    return _Group(parent, length, look_ups, places)


def _look_up(name: str, source: PointSource, place: tuple[Step, ...]) -> _LookUp:
    holds = compile_when(source.when) if source.when else None
    return _LookUp(place[-1], name, plain_scale(name, source) or 0.0, compile_value(name, source), holds)
