"""Counters: what each row of a cumulative register means, told apart row by row as they come.

A register says how much was counted up to now, so two rows that agree give a consumption, and a row left out costs
nothing: its neighbours know the sum. Rows agree where the second is no lower than the first by more than a thousandth
(less is noise: a valve that lets water back, a message that came late) and no higher than the device's limit allows.

Where a row contradicts the one before, only what follows can tell which of them is wrong. So the newest row is held
until the next one has come, and two that contradict each other until a third agrees with one of them:

    100  5000   101      the one in between jumped away and came back: a spike
    5000    3     4      two against one: a break, and its kind says what is counted (see `Kind`)

What is held is provisional: `Counter.state.pending`. A break may still turn out to be wrong rows that agree with each
other, such as the zeros of a meter that cannot be read: the level before a break is remembered, and a register that
comes back near to it goes on from there, less what was counted meanwhile.

What no rule can tell apart without facts: two wrong rows in a row that rise look like consumption unless a limit is known,
and of a meter that starts at zero near the end of its width nobody knows whether it was a rollover or a reset.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from math import inf
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from devices.durations import NANOSECONDS

Kind: TypeAlias = Literal[
    "count", "slip", "rollover", "reset", "backwards", "jump", "return", "replacement",
    "spike", "duplicate", "reordered", "late", "unconfirmed",
]  # fmt: skip
"""What a step of a register is:

    count        nothing unusual: the rise is the consumption
    slip         back by no more than a thousandth: nothing, and what it fell is not counted a second time
    rollover     past the register's width, on from zero
    reset        starts again near zero: counted from zero on; what was not reported before is lost
    backwards    back to some other value: nothing, on from there
    jump         up by more than the limit allows: nothing, on from there
    return       back to where it was before a break, which was none: the rise since then, less what was counted since
    replacement  another meter: nothing, on from its first register

or what became of a row that takes no part in it:

    spike        jumped away and came back, or cannot be: negative, or not below the register's width
    duplicate    the same time and value again
    reordered    came too late and was put back in its place: counted, not left out
    late         came too late for that; its neighbours know the sum without it
    unconfirmed  contradicts the row before, and the series ends
"""

LEFT_OUT = frozenset[Kind]({"spike", "duplicate", "reordered", "late", "unconfirmed"})
"""Kinds that are no step of the register."""

_SLIGHT = 1e-3
"""Share of the register by which it may fall: whichever way such a step is taken, the mistake is no larger."""

_NEAR = 0.1
"""Share of its width, or of a fall, within which a register is near its end, zero, or where it was."""

_GAP_INTERVALS = 1.5
"""Longer than so many of its intervals is a gap: one row is missing, for sure not just delayed a little."""

_HOUR = NANOSECONDS["h"]


class Replacement(NamedTuple):
    """One meter takes the place of another.

    Attributes:
        at_ns: when, UTC; rows from then on are the new meter's.
        final: last register of the one that goes.
        first: first register of the one that comes.
    """

    at_ns: int
    final: float
    first: float


class CounterFacts(NamedTuple):
    """What is known of a register; values in the unit of its rows.

    Attributes:
        rolls_over_at: where it starts again at zero, such as 100000; None where that is not known.
        rate_max_per_h: most that can be counted in an hour: the limit of flow or power; None where there is none.
            It holds over an hour, not from row to row: registers move in lumps and messages are held up.
        interval_ns: how often it reports; None where that is not known, and then there are no gaps.
        replacements: in the order of time.
    """

    rolls_over_at: float | None = None
    rate_max_per_h: float | None = None
    interval_ns: int | None = None
    replacements: tuple[Replacement, ...] = ()


class Step(NamedTuple):
    """From one row of a register to the next, or a row that is no step.

    Attributes:
        kind: see `Kind`.
        begin: time of the row before, UTC ns; of a row that is no step: its own.
        end: time of the row.
        difference: of the register itself; of a row that is no step: from the row that it was compared with.
        amount: consumption, never negative.
        is_gap: longer than the device's interval explains, so when it was consumed is not known.
    """

    kind: Kind
    begin: int
    end: int
    difference: float
    amount: float
    is_gap: bool = False


class Mark(NamedTuple):
    """A row that has a place in the register's course.

    Attributes:
        time: UTC ns.
        value: of the register.
        spare: what the limit allowed in the hour up to here and was not counted.
    """

    time: int
    value: float
    spare: float


class State(Struct, array_like=True):
    """All that a counter remembers: plain values, of bounded size, that msgspec can write and read.

    Attributes:
        settled: the newest row that is certain.
        pending: provisional: the row after it, and one that contradicts that; see the module.
        waiting: rows that others may have to be put before, as a heap.
        newest: time of the newest row so far.
        debt: what the register fell, and must rise again before anything is counted.
        other: where the register was before its last break.
        fall: how far that was from where it went on.
        counted: consumption since that break.
    """

    settled: Mark | None = None
    pending: list[Mark] = field(default_factory=list)
    waiting: list[tuple[int, float]] = field(default_factory=list)
    newest: int | None = None
    debt: float = 0.0
    other: Mark | None = None
    fall: float = 0.0
    counted: float = 0.0


class Counter:
    """One register, row by row; it remembers a few rows, however many it is given.

    Attributes:
        state: as of now; `snapshot` gives a copy that stays as it is.
    """

    def __init__(self, facts: CounterFacts, *, reorder_rows: int = 0, state: State | None = None) -> None:
        """A counter that begins, or goes on from a snapshot.

        Args:
            facts: of the register.
            reorder_rows: by how many places a row may come too late and still be put in its own. Every row waits
                for as many others; rows from a database are in order and need 0.
            state: from `snapshot`.
        """
        self._facts = facts
        self._width = inf if facts.rolls_over_at is None else facts.rolls_over_at
        self._rate = facts.rate_max_per_h
        self._turn_max = 0.0 if facts.rolls_over_at is None else self._width * (_NEAR if self._rate is None else 0.5)
        self._gap_ns = inf if facts.interval_ns is None else facts.interval_ns * _GAP_INTERVALS
        self._reorder_rows = reorder_rows
        self.state = State() if state is None else _copy(state)

    def snapshot(self) -> State:
        """A copy of the state, from which another counter can go on."""
        return _copy(self.state)

    def feed(self, time: int, value: float) -> list[Step]:
        """Takes the next row.

        Args:
            time: UTC ns.
            value: of the register.

        Returns:
            What is certain now: mostly the step to the row before this one.
        """
        state, steps = self.state, list[Step]()
        pending = state.pending
        if not 0.0 <= value < self._width:
            _leave_out("spike", time, value, pending[0].value if pending else 0.0, steps)
            return steps
        if state.newest is None or time >= state.newest:
            state.newest = time
        elif pending and time < pending[-1].time:
            _leave_out("late", time, value, pending[-1].value, steps)
            return steps
        else:
            _leave_out("reordered", time, value, value, steps)
        if self._reorder_rows:
            heappush(state.waiting, (time, value))
            if len(state.waiting) > self._reorder_rows:
                self._take(*heappop(state.waiting), steps)
        else:
            self._take(time, value, steps)
        return steps

    def finish(self) -> list[Step]:
        """The steps to the rows that are still held, as no further ones come."""
        state, steps = self.state, list[Step]()
        while state.waiting:
            self._take(*heappop(state.waiting), steps)
        if state.pending:
            held, *contrary = state.pending
            self._settle(held, steps)
            for mark in contrary:
                _leave_out("unconfirmed", mark.time, mark.value, held.value, steps)
            state.pending = []
        return steps

    # ── which rows agree ─────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, time: int, value: float, steps: list[Step]) -> None:
        """The next row in the order of time."""
        if pending := self.state.pending:
            last = pending[-1]
            if time == last.time and value == last.value:
                _leave_out("duplicate", time, value, value, steps)
                return
            for replacement in self._facts.replacements:
                if last.time < replacement.at_ns <= time:
                    self._replace(replacement, steps)
        self._judge(time, value, steps)

    def _judge(self, time: int, value: float, steps: list[Step]) -> None:
        state = self.state
        if not state.pending:
            state.pending = [self._begin(time, value)]
            return
        held, *contrary = state.pending
        if after := self._follow(held, time, value):
            for mark in contrary:
                _leave_out("spike", mark.time, mark.value, held.value, steps)
            self._settle(held, steps)
            state.pending = [after]
        elif contrary:
            self._decide(held, contrary[0], time, value, steps)
        else:
            state.pending.append(self._begin(time, value))

    def _decide(self, held: Mark, contrary: Mark, time: int, value: float, steps: list[Step]) -> None:
        """Which of two rows is wrong, now that a third has come that does not follow the first of them."""
        state = self.state
        after = self._follow(contrary, time, value)
        instead = state.settled and self._follow(state.settled, contrary.time, contrary.value)
        if instead:
            _leave_out("spike", held.time, held.value, contrary.value, steps)
            after = self._follow(instead, time, value)
            if after:
                self._settle(instead, steps)
            contrary = instead
        elif after or held.value < contrary.value < value:  # higher and higher above the limit comes back from nowhere
            self._settle(held, steps)
            self._break(held, contrary, steps)
        else:
            _leave_out("spike", contrary.time, contrary.value, held.value, steps)
            contrary = held
        state.pending = [after] if after else [contrary, self._begin(time, value)]

    def _follow(self, base: Mark, time: int, value: float) -> Mark | None:
        """The row as one that comes after another; None where it contradicts that."""
        rise = value - base.value
        if rise < -_SLIGHT * base.value:
            return None
        if self._rate is None:
            return None if self._comes_back(base, value) else Mark(time, value, 0.0)
        spare = self._allow(base, time) - max(rise, 0.0)
        return Mark(time, value, spare) if spare >= 0.0 else None

    def _comes_back(self, base: Mark, value: float) -> bool:
        """Whether a rise goes back up to the level before a break; without a limit nothing else could show it."""
        state, rise = self.state, value - base.value
        return state.other is not None and rise > state.fall / 2 and 0.0 <= value - state.other.value <= _NEAR * rise

    def _allow(self, base: Mark, time: int) -> float:
        """The most that can have been counted since a row."""
        if self._rate is None:
            return inf
        hours = (time - base.time) / _HOUR
        return self._rate * hours + base.spare * max(0.0, 1.0 - hours)

    def _begin(self, time: int, value: float) -> Mark:
        return Mark(time, value, self._rate or 0.0)

    # ── what is counted ──────────────────────────────────────────────────────────────────────────────────────────

    def _settle(self, mark: Mark, steps: list[Step]) -> None:
        """Counts the step to a row that agrees with the one settled before."""
        base = self.state.settled
        self.state.settled = mark
        if base is None or base == mark:
            return
        difference = mark.value - base.value
        kind: Kind = "count" if difference >= 0.0 else "slip"
        amount = self._count(difference - self.state.debt)
        self.state.counted += amount
        steps.append(self._step(kind, base, mark, amount))

    def _break(self, base: Mark, mark: Mark, steps: list[Step]) -> None:
        """Counts the step between two rows that contradict each other and are both right."""
        state = self.state
        kind, rise = self._classify(base, mark)
        amount = self._count(rise - state.debt if kind == "rollover" else rise)
        steps.append(self._step(kind, base, mark, amount))
        state.settled, state.other, state.fall = mark, base, abs(mark.value - base.value)
        state.counted = 0.0 if kind == "return" else amount

    def _classify(self, base: Mark, mark: Mark) -> tuple[Kind, float]:
        """What a break is, and how much was counted over it."""
        state, difference = self.state, mark.value - base.value
        distance, allowed = abs(difference), self._allow(base, mark.time)
        if (
            state.other
            and distance > state.fall / 2
            and abs(mark.value - state.other.value) <= _NEAR * distance
            and self._follow(state.other, mark.time, mark.value)
        ):
            return "return", mark.value - state.other.value - state.counted
        if difference > 0.0:
            return "jump", 0.0
        if difference + self._width <= min(self._turn_max, allowed):
            return "rollover", difference + self._width
        if mark.value <= min(_NEAR * base.value, allowed):
            return "reset", mark.value
        return "backwards", 0.0

    def _replace(self, replacement: Replacement, steps: list[Step]) -> None:
        """Ends the old meter at its final register, and begins the new one."""
        state, (time, final, first) = self.state, replacement
        self._judge(time, final, steps)
        last, *contrary = state.pending
        self._settle(last, steps)
        for mark in contrary:  # only the row of the final register, which a person has read
            self._break(last, mark, steps)
            last = mark
        begin = self._begin(time, first)
        steps.append(self._step("replacement", last, begin, 0.0))
        state.settled, state.pending, state.debt = None, [begin], 0.0
        state.other, state.fall, state.counted = last, abs(first - last.value), 0.0

    def _count(self, rise: float) -> float:
        """What of a rise is consumption; what is below zero must be made up for later."""
        self.state.debt = max(0.0, -rise)
        return max(0.0, rise)

    def _step(self, kind: Kind, base: Mark, mark: Mark, amount: float) -> Step:
        is_gap = mark.time - base.time > self._gap_ns
        return Step(kind, base.time, mark.time, mark.value - base.value, amount, is_gap)


def find_steps(rows: Iterable[tuple[int, float]], facts: CounterFacts, *, reorder_rows: int = 0) -> Iterator[Step]:
    """The steps of a whole series; rows that are held at its end count as they are.

    Args:
        rows: time (UTC ns) and value.
        facts: of the register.
        reorder_rows: see `Counter`.
    """
    counter = Counter(facts, reorder_rows=reorder_rows)
    for time, value in rows:
        yield from counter.feed(time, value)
    yield from counter.finish()


def _leave_out(kind: Kind, time: int, value: float, beside: float, steps: list[Step]) -> None:
    steps.append(Step(kind, time, time, value - beside, 0.0))


def _copy(state: State) -> State:
    return replace(state, pending=list(state.pending), waiting=list(state.waiting))
