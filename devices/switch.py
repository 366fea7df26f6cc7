"""The switch of a topic with many forms: one look at one key tells which of them a JSON message can be of."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from devices.conditions import plain_text, plain_texts
from devices.errors import Undecodable
from devices.formats import peek_json
from devices.paths import find_steps
from devices.profile import Form
from devices.sources import Criterion

Gates: TypeAlias = Mapping[str, frozenset[str | None]]
"""Keys of a message, and the values of which it must have one."""

_T = TypeVar("_T")
_FEW = 2
"""Up to so many forms are asked one after another sooner than a message is looked at."""


def find_gates(form: Form) -> Gates | None:
    """What a JSON message of a form has at its keys; None for other formats."""
    if form.format != "json" or form.bytes:
        return None
    gates = {}
    for path, condition in form.when.items():
        steps = find_steps(path) or ()
        if len(steps) == 1 and isinstance(steps[0], str) and not isinstance(condition, Criterion):
            gates[steps[0]] = plain_texts(condition)
    return gates


def compile_switch(ways: Sequence[tuple[_T, Gates | None]]) -> Callable[[bytes], Sequence[_T]] | None:
    """The function that leaves out what cannot read a payload; None where looking at it would save nothing."""
    if len(ways) <= _FEW or any(gates is None for _, gates in ways):
        return None
    counts = Counter(key for _, gates in ways for key in gates or ())
    if not counts or counts.most_common(1)[0][1] < _FEW:
        return None
    key = counts.most_common(1)[0][0]
    wanted = [(way, (gates or {}).get(key)) for way, gates in ways]
    every = tuple(way for way, _ in wanted)
    others = tuple(way for way, values in wanted if values is None)
    table = {
        value: tuple(way for way, values in wanted if values is None or value in values)
        for value in {value for _, values in wanted for value in values or ()}
    }

    def choose(payload: bytes) -> Sequence[_T]:
        try:
            message = peek_json(payload)
        except Undecodable:
            return every  # who reads it says so
        if type(message) is not dict:
            return every
        return table.get(plain_text(message.get(key)), others)

    return choose
