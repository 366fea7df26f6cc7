"""The switch of a topic with many forms: a JSON message's keys, and looks at some places, tell of which it can be."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from devices.errors import Undecodable
from devices.language.conditions import compile_condition
from devices.language.openers import peek_json
from devices.language.profile import Form
from devices.language.shapes import Shapes
from devices.language.sources import Condition
from devices.paths import Scope, Step, compile_steps, find_steps, topic_part

_T = TypeVar("_T")

Place: TypeAlias = tuple[Step, ...]
"""Where in a message something stands."""


class Gate(NamedTuple):
    """What a form asks of one place in a message.

    Attributes:
        condition: as the profile has it.
        takes: whether it holds for a value.
    """

    condition: Condition
    takes: Callable[[Any], bool]


class Gates(NamedTuple):
    """What a form asks of a JSON message.

    Attributes:
        tests: by place.
        whole: it asks nothing else.
    """

    tests: Mapping[Place, Gate]
    whole: bool


_Ways: TypeAlias = tuple[_T, ...]

_NOWHERE = Scope(None, {})

_FEW = 2
"""Up to so many forms are asked one after another sooner than a message is looked at."""

_REMEMBERED_MOST = 256
"""Values whose forms are known; such places have few, and more are simply tested."""

_REMEMBERED_LENGTH_MAX = 200


def find_gates(form: Form) -> Gates | None:
    """What a form asks of single places in a JSON message; None for other formats."""
    if form.format != "json" or form.bytes:
        return None
    steps = {path: find_steps(path) or () for path in form.when}
    tests = {
        steps[path]: Gate(condition, compile_condition(condition))
        for path, condition in form.when.items()
        if steps[path]
    }
    return Gates(tests, len(tests) == sum(not topic_part(path) for path in form.when))


def compile_switch(
    ways: Sequence[tuple[_T, Gates | None]], settle: Callable[[_T], _T] = lambda way: way
) -> Callable[[bytes], Sequence[_T]] | None:
    """The function that leaves out what cannot read a payload; None where looking at it would save nothing.

    Args:
        ways: what can read a payload, and what each asks of it.
        settle: what becomes of one that asks nothing more.
    """
    gated = [(way, gates) for way, gates in ways if gates is not None]
    if len(ways) <= _FEW or len(gated) < len(ways) or sum(bool(gates.tests) for _, gates in gated) < _FEW:
        return None
    every = tuple(way for way, _ in gated)

    def start(keys: Collection[Step]) -> "_Look[_T] | _Ways[_T]":
        return _compile_look([(way, gates) for way, gates in gated if _may_hold(gates, keys)], frozenset(), settle)

    for_keys = Shapes(lambda keys: start({*keys}))
    for_lists = start({steps[0] for _, gates in gated for steps in gates.tests if type(steps[0]) is int})

    def choose(payload: bytes) -> Sequence[_T]:
        try:
            message = peek_json(payload)
        except Undecodable:
            return every  # who reads it says so
        if type(message) is dict:
            look = for_keys[tuple(message)]
        elif type(message) is list:
            look = for_lists
        else:
            return every
        while isinstance(look, _Look):
            value = look.find(message, _NOWHERE)
            kind = type(value)
            look = look.known.get((kind, None if kind is dict or kind is list else value)) or look.work_out(value)
        return look

    return choose


def _may_hold(gates: Gates, keys: Collection[Step]) -> bool:
    """Whether an object with these keys can be what a form asks for."""
    return all(steps[0] in keys or gate.takes(None) for steps, gate in gates.tests.items())


class _Look(Generic[_T]):
    """A look at one place in a message.

    Attributes:
        find: finds the place.
        known: what follows from its value: another look, or what can read the message. To a condition, one object or
            list is like another.
    """

    __slots__ = ("_after", "_asked", "_place", "_settle", "_ways", "find", "known")

    def __init__(
        self, ways: Sequence[tuple[_T, Gates]], place: Place, asked: frozenset[Place], settle: Callable[[_T], _T]
    ) -> None:
        self.find = compile_steps(place)
        self.known: dict[tuple[type, object], _Look[_T] | _Ways[_T]] = {}
        self._place = place
        self._ways = ways
        self._asked = asked | {place}
        self._settle = settle
        self._after: dict[tuple[int, ...], _Look[_T] | _Ways[_T]] = {}

    def work_out(self, value: Any) -> "_Look[_T] | _Ways[_T]":  # noqa: ANN401 - JSON is anything
        """What follows from a value that is not known yet."""
        gates = [way[1].tests.get(self._place) for way in self._ways]
        left = tuple(number for number, gate in enumerate(gates) if gate is None or gate.takes(value))
        if left not in self._after:
            self._after[left] = _compile_look([self._ways[number] for number in left], self._asked, self._settle)
        kind = type(value)
        if len(self.known) < _REMEMBERED_MOST and (kind is not str or len(value) <= _REMEMBERED_LENGTH_MAX):
            self.known[kind, None if kind is dict or kind is list else value] = self._after[left]
        return self._after[left]


def _compile_look(
    ways: Sequence[tuple[_T, Gates]], asked: frozenset[Place], settle: Callable[[_T], _T]
) -> _Look[_T] | _Ways[_T]:
    """A look at the place that tells most forms apart; where none would leave out any, what can read it."""
    places = {place for _, gates in ways for place in gates.tests} - asked
    if len(ways) >= _FEW and places:
        return _Look(ways, max(sorted(places, key=str), key=lambda place: _count_answers(ways, place)), asked, settle)
    return tuple(settle(way) if gates.whole and asked.issuperset(gates.tests) else way for way, gates in ways)


def _count_answers(ways: Sequence[tuple[_T, Gates]], place: Place) -> tuple[int, int]:
    """How many different things are asked of a place, nothing among them; then, by how many."""
    gates = [gates.tests.get(place) for _, gates in ways]
    asking = [gate for gate in gates if gate is not None]
    return len({str(gate and gate.condition) for gate in gates}), len(asking)
