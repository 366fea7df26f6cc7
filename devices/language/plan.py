"""The plan by which an item is read into points: look-ups in one object stand together, so that it is entered once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from devices.language.conditions import Holds, compile_when, list_needed
from devices.language.convert import Convert, Evaluate, compile_source, compile_value, plain_scale
from devices.language.shapes import Shapes
from devices.language.sources import PointSource, ScalePath, UnitPath, When
from devices.paths import Find, Scope, Step, compile_path, compile_steps, find_steps, take_first
from devices.points import POINTS
from devices.reading import Value

ReadPoints: TypeAlias = Callable[[Any, Scope], dict[str, Value]]
"""The points of an item; empty where it holds none."""

_PLAIN = frozenset({"path", "when", "scale", "unit", "sentinels", "combine", "pattern", "bit", "map", "otherwise"})
_SCALARS = frozenset({bool, int, float, str})


class _LookUp(NamedTuple):
    """A point that stands under a key, or at a place in a list.

    Attributes:
        key: in its object; the place in its list.
        name: of the point.
        scale: what a number there is multiplied by, where nothing else has to be done or asked; else 0.
        convert: does everything else.
        holds: whether its conditions hold; None where it has none.
        when: the conditions.
        needs: keys without which an item cannot meet them.
    """

    key: Step
    name: str
    scale: float
    convert: Convert
    holds: Holds | None
    when: When
    needs: frozenset[str]


class _Group(NamedTuple):
    """Look-ups in one object or list.

    Attributes:
        parent: the steps to it.
        in_list: it is a list.
        look_ups: in the order of their sources, of which the first that gives a value holds.
        find: finds it; None where it is known to be the item, with all these keys.
        for_keys: of an object with certain keys, the look-ups that may find something.
        for_length: of a list, as many items as it has, likewise; the last for all that are longer.
    """

    parent: tuple[Step, ...]
    in_list: bool
    look_ups: Sequence[_LookUp]
    find: Find | None
    for_keys: Mapping[tuple[str, ...], Sequence[_LookUp]]
    for_length: Sequence[Sequence[_LookUp]]


class _Other(NamedTuple):
    """A source that is more than a value in its place.

    Attributes:
        name: of its point.
        needs: keys without which an item gives nothing.
        evaluate: the value.
    """

    name: str
    needs: frozenset[str]
    evaluate: Evaluate


class _Plan(NamedTuple):
    """What is to be done with an item.

    Attributes:
        groups: of look-ups.
        others: points that are not looked up, and their values.
    """

    groups: Sequence[_Group]
    others: Sequence[tuple[str, Evaluate]]


def compile_points(points: Mapping[str, Sequence[PointSource]]) -> ReadPoints:
    """The function that reads an item's points."""
    places: list[tuple[tuple[Step, ...], type, list[_LookUp]]] = []
    others: list[_Other] = []
    for name, sources in points.items():
        steps = [_find_place(source) for source in sources]
        if not all(steps):
            others += (_Other(name, _list_needed(source), compile_source(name, source)) for source in sources)
            continue
        at = 0
        for source, place in zip(sources, steps, strict=True):
            at = _choose_group(places, place, at)
            places[at][2].append(_look_up(name, source, place))
    groups = list(_make_groups(places))
    whole = _Plan(groups, _take_firsts(others))
    return _run(whole, Shapes(lambda keys: _narrow(groups, others, {*keys})))


def compile_same_names(path: str) -> ReadPoints:
    """The function that reads an object whose keys are called like points; objects and lists under them are none."""
    find = compile_path(path) if path != "@" else None
    own = PointSource(path="@")
    converts = {name: (plain_scale(name, own) or 0.0, compile_value(name, own)) for name in POINTS}

    def read_names(item: Any, scope: Scope) -> dict[str, Value]:  # noqa: ANN401 - JSON is anything
        found = item if find is None else find(item, scope)
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


def _run(whole: _Plan, for_shapes: Mapping[tuple[str, ...], _Plan]) -> ReadPoints:
    def read_points(item: Any, scope: Scope) -> dict[str, Value]:  # noqa: ANN401 - JSON is anything
        values: dict[str, Value] = {}
        groups, others = for_shapes[tuple(item)] if type(item) is dict else whole
        for _, in_list, look_ups, find, for_keys, for_length in groups:
            if find is None:
                _collect(values, look_ups, item, item, scope)
                continue
            node = find(item, scope)
            if type(node) is dict and not in_list:
                _collect(values, for_keys[tuple(node)], node, item, scope)
            elif type(node) is list and in_list:
                length = len(node)
                _collect(values, for_length[length if length < len(for_length) else -1], node, item, scope)
        for name, evaluate in others:
            value = evaluate(item, scope)
            if value is not None:
                values[name] = value
        return values

    return read_points


def _collect(values: dict[str, Value], look_ups: Sequence[_LookUp], node: Any, item: Any, scope: Scope) -> None:  # noqa: ANN401 - JSON is anything
    """Adds what look-ups give whose keys or places are all in an object or a list."""
    for key, name, scale, convert, holds, _, _ in look_ups:
        raw = node[key]
        if scale and (type(raw) is float or type(raw) is int):
            values[name] = raw * scale
        elif raw is None or name in values or (holds is not None and not holds(item, scope)):
            continue
        elif (value := convert(raw)) is not None:
            values[name] = value


def _narrow(groups: Iterable[_Group], others: Iterable[_Other], keys: AbstractSet[Step]) -> _Plan:
    """What is left to do with an object of these keys."""
    left = []
    earlier: frozenset[str] = frozenset()
    for group in groups:
        look_ups = [_ease(look_up, keys) for look_up in group.look_ups if look_up.needs <= keys]
        if not group.parent and not group.in_list:
            there = [look_up for look_up in look_ups if look_up.key in keys]
            left.append(group._replace(look_ups=_rank(there, earlier), find=None))
        elif group.parent and group.parent[0] in keys:
            left.append(_make_group(group.parent, look_ups, earlier, in_list=group.in_list))
        else:
            continue
        earlier |= {look_up.name for look_up in left[-1].look_ups}
    return _Plan(
        [group for group in left if group.look_ups],
        _take_firsts(other for other in others if other.needs <= keys),
    )


def _ease(look_up: _LookUp, keys: AbstractSet[Step]) -> _LookUp:
    """The same without conditions that the keys of an item already meet: those for what is not there."""
    firsts = {path: (find_steps(path) or (0,))[0] for path in look_up.when}
    left = {path: look_up.when[path] for path, first in firsts.items() if first in keys or not isinstance(first, str)}
    if len(left) == len(look_up.when):
        return look_up
    return look_up._replace(holds=compile_when(left) if left else None, when=left)


def _take_firsts(others: Iterable[_Other]) -> list[tuple[str, Evaluate]]:
    """Of each point, its sources as one."""
    by_name = groupby(others, attrgetter("name"))
    return [(name, take_first([other.evaluate for other in sources])) for name, sources in by_name]


def _list_needed(source: PointSource) -> frozenset[str]:
    """The keys without which a source gives nothing."""
    paths = source.sum or ([] if source.path is None or source.default is not None else [source.path])
    steps = [find_steps(path.removeprefix("-")) or (0,) for path in paths]
    return list_needed(source.when) | {first for first, *_ in steps if isinstance(first, str)}


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


def _make_groups(places: Iterable[tuple[tuple[Step, ...], type, Sequence[_LookUp]]]) -> Iterator[_Group]:
    earlier: frozenset[str] = frozenset()
    for parent, kind, look_ups in places:
        yield _make_group(parent, look_ups, earlier, in_list=kind is int)
        earlier |= {look_up.name for look_up in look_ups}


def _make_group(
    parent: tuple[Step, ...], look_ups: Sequence[_LookUp], earlier: AbstractSet[str], *, in_list: bool
) -> _Group:
    for_keys = Shapes(lambda keys: _rank((look_up for look_up in look_ups if look_up.key in keys), earlier))
    longest = max((look_up.key + 1 for look_up in look_ups if isinstance(look_up.key, int)), default=0)
    for_length = [
        _rank((look_up for look_up in look_ups if look_up.key in range(length)), earlier)
        for length in range(longest + 1)
    ]
    return _Group(parent, in_list, look_ups, compile_steps(parent), for_keys, for_length)


def _rank(look_ups: Iterable[_LookUp], earlier: AbstractSet[str]) -> list[_LookUp]:
    """Look-ups with a scale only where nothing else is asked: no condition, nor whether there is a value already.

    Args:
        look_ups: in their order.
        earlier: points that may have a value by then.
    """
    known = {*earlier}
    ranked = []
    for look_up in look_ups:
        asked = look_up.holds is not None or look_up.name in known
        ranked.append(look_up._replace(scale=0.0) if asked else look_up)
        known.add(look_up.name)
    return ranked


def _look_up(name: str, source: PointSource, place: tuple[Step, ...]) -> _LookUp:
    holds = compile_when(source.when) if source.when else None
    scale = plain_scale(name, source) or 0.0
    return _LookUp(place[-1], name, scale, compile_value(name, source), holds, source.when, list_needed(source.when))
