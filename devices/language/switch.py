"""The switch of a topic with many forms: one look at one place tells which of them a JSON message can be of."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from devices.errors import Undecodable
from devices.language.conditions import compile_condition
from devices.language.openers import peek_json
from devices.language.profile import Form
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
    if len(ways) <= _FEW or any(gates is None for _, gates in ways):
        return None
    counts = Counter(place for _, gates in ways for place in gates or ())
    if not counts or counts.most_common(1)[0][1] < _FEW:
        return None
    place = counts.most_common(1)[0][0]
    tests = [(way, (gates or {}).get(place)) for way, gates in ways]
    every = tuple(way for way, _ in tests)
    known: dict[tuple[type, object], tuple[_T, ...]] = {}

    def choose(payload: bytes) -> Sequence[_T]:
        try:
            message = peek_json(payload)
            if type(message) is not dict:
                return every
            value = follow(message, place)
            found = type(value), value
            if found[0] in _SCALARS and found in known:
                return known[found]
            chosen = tuple(way for way, takes in tests if takes is None or takes(value))
        except Undecodable:
            return every  # who reads it says so
        if found[0] in _SCALARS and len(known) < _REMEMBERED_MOST and len(str(value)) <= _REMEMBERED_LENGTH_MAX:
            known[found] = chosen
        return chosen

    return choose
