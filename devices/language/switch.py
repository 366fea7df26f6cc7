"""The switch of a topic with many forms: a JSON message's keys, and one look at it, tell of which of them it can be."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from devices.errors import Undecodable
from devices.language.conditions import compile_condition
from devices.language.openers import peek_json
from devices.language.profile import Form
from devices.language.shapes import Shapes
from devices.paths import Step, find_steps, follow

Gates: TypeAlias = Mapping[tuple[Step, ...], Callable[[Any], bool]]
"""Places in a message, and whether a form takes a value there."""

_T = TypeVar("_T")
_FEW = 2
"""Up to so many forms are asked one after another sooner than a message is looked at."""

_REMEMBERED_MOST = 256
"""Values whose forms are known; such places have few, and more are simply tested."""

_REMEMBERED_LENGTH_MAX = 200

_SCALARS = frozenset({str, int, bool, type(None)})


def find_gates(form: Form) -> Gates | None:
    """What a form asks of single places in a JSON message; None for other formats."""
    if form.format != "json" or form.bytes:
        return None
    gates = {}
    for path, condition in form.when.items():
        steps = find_steps(path) or ()
        if steps:
            gates[steps] = compile_condition(condition)
    return gates


def compile_switch(ways: Sequence[tuple[_T, Gates | None]]) -> Callable[[bytes], Sequence[_T]] | None:
    """The function that leaves out what cannot read a payload; None where looking at it would save nothing."""
    gated = [(way, gates) for way, gates in ways if gates is not None]
    if len(ways) <= _FEW or len(gated) < len(ways) or sum(bool(gates) for _, gates in gated) < _FEW:
        return None
    every = tuple(way for way, _ in gated)
    for_keys = Shapes(lambda keys: _compile_look([(way, gates) for way, gates in gated if _may_hold(gates, {*keys})]))
    for_lists = tuple(
        way for way, gates in gated if _may_hold(gates, {steps[0] for steps in gates if type(steps[0]) is int})
    )

    def choose(payload: bytes) -> Sequence[_T]:
        try:
            message = peek_json(payload)
            if type(message) is dict:
                return for_keys[tuple(message)](message)
        except Undecodable:
            return every  # who reads it says so
        return for_lists if type(message) is list else every

    return choose


def _may_hold(gates: Gates, keys: Collection[Step]) -> bool:
    """Whether an object with these keys can be what a form asks for."""
    return all(steps[0] in keys or takes(None) for steps, takes in gates.items())


def _compile_look(ways: Sequence[tuple[_T, Gates]]) -> Callable[[Any], Sequence[_T]]:
    """The function that looks at the place of which most forms ask something."""
    every = tuple(way for way, _ in ways)
    counts = Counter(place for _, gates in ways for place in gates)
    if len(ways) < _FEW or not counts:
        return lambda _message: every
    place = counts.most_common(1)[0][0]
    tests = [(way, gates.get(place)) for way, gates in ways]
    known: dict[tuple[type, object], tuple[_T, ...]] = {}

    def look(message: Any) -> Sequence[_T]:  # noqa: ANN401 - JSON is anything
        value = follow(message, place)
        found = type(value), value
        if found[0] in _SCALARS and found in known:
            return known[found]
        chosen = tuple(way for way, takes in tests if takes is None or takes(value))
        if found[0] in _SCALARS and len(known) < _REMEMBERED_MOST and len(str(value)) <= _REMEMBERED_LENGTH_MAX:
            known[found] = chosen
        return chosen

    return look
