"""Counters: what each row of a cumulative register means, told apart row by row as they come.

A register says how much was counted up to now, so two rows that agree give a consumption, and a row left out costs
nothing: its neighbours know the sum. Rows agree where the second is higher by no more than the limit allows, and lower
by a thousandth at most: that is noise, such as of a valve that lets water back.

Where a row contradicts the one before, only what follows can tell which of them is wrong. So the newest row is held
until the next one has come, and two that contradict each other until a third agrees with one of them:

    100  5000   101      the one in between jumped away and came back: a spike
    5000    3     4      two against one: a break, and its kind says what is counted (see `Kind`)

So these rows, `held` and `contrary` in the state, are provisional. And a break may still turn out to be wrong rows that
agree with each other, such as the zeros of a meter that cannot be read: the level before a break is remembered, and a
register that comes back near to it goes on from there, less what was counted meanwhile.

What no rule can tell apart without facts: wrong rows that rise one after the other look like consumption unless a limit
is known, and a reset near the end of the register's width looks like a rollover.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from math import inf

from devices.counting.state import Mark, State
from devices.counting.steps import CounterFacts, Kind, Replacement, Step
from devices.durations import NANOSECONDS

_SLIGHT = 1e-3
"""Share of the register, or of an hour at its limit, by which it may fall: no mistake about such a step is larger."""

_NEAR = 0.1
"""Share of its width, or of a fall, within which a register is near its end, zero, or where it was."""

_GAP_INTERVALS = 1.5
"""Longer than so many of its intervals is a gap: a row is missing, not just a little late."""

_HOUR = NANOSECONDS["h"]

_new = tuple.__new__
"""Makes a step in a third of the time that calling its class takes."""


class Counter:
    """One register, row by row; it remembers a few rows, however many it is given."""

    __slots__ = (
        "_base", "_base_spare", "_end", "_gap_ns", "_level", "_plain_from", "_rate", "_reorder_rows",
        "_replacements", "_rollover_max", "_slight", "_spare", "_start", "_state", "_width",
    )  # fmt: skip

    def __init__(self, facts: CounterFacts, *, reorder_rows: int = 0, state: State | None = None) -> None:
        """A counter that begins, or goes on from a snapshot.

        Args:
            facts: of the register.
            reorder_rows: by how many places a row may come too late and still be put in its own. Every row waits
                for as many others; rows from a database are in order and need 0.
            state: from `snapshot`.
        """
        width, rate = facts.rolls_over_at, facts.rate_max_per_h
        self._rate = rate
        self._width = inf if width is None else width
        self._slight = _SLIGHT * (rate or 0.0)
        self._rollover_max = 0.0 if width is None else width * (_NEAR if rate is None else 0.5)
        self._gap_ns = inf if facts.interval_ns is None else facts.interval_ns * _GAP_INTERVALS
        self._replacements = facts.replacements
        self._plain_from: float = facts.replacements[-1].at_ns if facts.replacements else -inf
        self._reorder_rows = reorder_rows
        self._state = State() if state is None else state.copy()
        # While rows are plain, these are newer than the state: the settled row, and the one that is held.
        self._start, self._base, self._base_spare = 0, 0.0, 0.0
        self._end: float = inf  # inf: the next row is not to be taken for a plain one
        self._level = self._spare = 0.0
        self._go_on()

    @property
    def state(self) -> State:
        """As of now; `snapshot` gives a copy that stays as it is."""
        self._write_back()
        return self._state

    def snapshot(self) -> State:
        """A copy of the state, from which another counter can go on."""
        return self.state.copy()

    def feed(self, time: int, value: float) -> list[Step]:
        """Takes the next row.

        Args:
            time: UTC ns.
            value: of the register.

        Returns:
            What is certain now: mostly the step to the row before this one.
        """
        end, level = self._end, self._level
        if not (end < time and level <= value < self._width):
            return self._consider(time, value)
        if self._rate is None:
            spare = 0.0
        else:
            hours = (time - end) / _HOUR
            spare = self._rate * hours + self._spare * max(0.0, 1.0 - hours) - (value - level)
            if spare < 0.0:
                return self._consider(time, value)
        begin, amount = self._start, level - self._base
        self._start, self._base, self._base_spare = end, level, self._spare  # type: ignore[assignment] # it is no inf
        self._end, self._level, self._spare = time, value, spare
        return [_new(Step, ("count", begin, end, amount, amount, end - begin > self._gap_ns))]

    # ── plain rows ───────────────────────────────────────────────────────────────────────────────────────────────
    # Nearly every row only rises within the limit, after others that did. `feed` takes these by itself, without the
    # objects that the state is made of; `_consider` would do the same with them.

    def _go_on(self) -> None:
        """Takes the next rows for plain ones, where nothing stands in the way."""
        state, settled, held = self._state, self._state.settled, self._state.held
        if settled is None or held is None or state.contrary is not None or state.other is not None or state.debt:
            return
        if settled.time < held.time >= self._plain_from and settled.value <= held.value and not self._reorder_rows:
            self._start, self._base, self._base_spare = settled
            self._end, self._level, self._spare = held

    def _write_back(self) -> None:
        """Has the state say what the plain rows said."""
        if self._end != inf:
            state, end = self._state, int(self._end)
            state.settled, state.newest = Mark(self._start, self._base, self._base_spare), end
            state.held = Mark(end, self._level, self._spare)

    def _consider(self, time: int, value: float) -> list[Step]:
        """Takes a row that may be anything."""
        self._write_back()
        self._end = inf
        steps = self._find_steps(time, value)
        self._go_on()
        return steps

    def _find_steps(self, time: int, value: float) -> list[Step]:
        state = self._state
        last = state.contrary or state.held
        steps: list[Step] = []
        if not 0.0 <= value < self._width:
            _leave_out("spike", time, value, last, steps)
            return steps
        if state.newest is None or time >= state.newest:
            state.newest = time
        elif last and time < last.time:
            _leave_out("late", time, value, last, steps)
            return steps
        else:
            _leave_out("reordered", time, value, last, steps)
        if self._reorder_rows:
            heappush(state.waiting, (time, value))
            if len(state.waiting) <= self._reorder_rows:
                return steps
            time, value = heappop(state.waiting)
        self._take(time, value, steps)
        return steps

    def finish(self) -> list[Step]:
        """The steps to the rows that are still held: no further ones come."""
        self._write_back()
        self._end = inf
        state = self._state
        steps: list[Step] = []
        while state.waiting:
            self._take(*heappop(state.waiting), steps)
        held, contrary = state.held, state.contrary
        if held and contrary:
            if instead := self._agree_before(contrary):
                _leave_out("spike", held.time, held.value, contrary, steps)
                held = instead
            else:
                _leave_out("unconfirmed", contrary.time, contrary.value, held, steps)
        if held:
            self._settle(held, steps)
        state.held = state.contrary = None
        return steps

    # ── which rows agree ─────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, time: int, value: float, steps: list[Step]) -> None:
        """The next row in the order of time."""
        last = self._state.contrary or self._state.held
        if last:
            if time == last.time and value == last.value:
                _leave_out("duplicate", time, value, last, steps)
                return
            for replacement in self._replacements:
                if last.time < replacement.at_ns <= time:
                    self._replace(replacement, steps)
        self._judge(time, value, steps)

    def _judge(self, time: int, value: float, steps: list[Step]) -> None:
        """Whether the next row agrees with those that are held."""
        state = self._state
        held, contrary = state.held, state.contrary
        if not held:
            state.held = self._begin(time, value)
            return
        after = None if contrary and self._is_doubtful(held, contrary) else self._follow(held, time, value)
        if after:
            if contrary:
                _leave_out("spike", contrary.time, contrary.value, held, steps)
                state.contrary = None
            if state.settled is None:  # a meter that has just come is there: no more rows of the one before
                state.other = None
            self._settle(held, steps)
            state.held = after
        elif contrary:
            self._decide(held, contrary, time, value, steps)
        else:
            state.contrary = self._begin(time, value)

    def _is_doubtful(self, held: Mark, contrary: Mark) -> bool:
        """Whether a high row is better left out even if a third one agrees: two meters may share one address.

        With a limit there is no doubt. Without it, and where the next row is back at the level before, only a small
        difference shows that this one is the stale one.
        """
        if self._rate is not None or held.value - contrary.value <= _NEAR * held.value:
            return False
        return self._agree_before(contrary) is not None

    def _decide(self, held: Mark, contrary: Mark, time: int, value: float, steps: list[Step]) -> None:
        """Which of two rows is wrong, now that a third has come that does not follow the first of them."""
        state = self._state
        instead = self._agree_before(contrary)
        if instead:
            _leave_out("spike", held.time, held.value, contrary, steps)
            held = instead
        elif self._follow(contrary, time, value) or held.value < contrary.value < value:
            # Higher and higher, faster than the limit allows, is no spike either: it does not come back.
            self._settle(held, steps)
            self._break(held, contrary, steps)
            held = contrary
        else:
            _leave_out("spike", contrary.time, contrary.value, held, steps)
        state.held, state.contrary = held, None
        self._judge(time, value, steps)

    def _agree_before(self, contrary: Mark) -> Mark | None:
        """The contrary row as one that agrees with the row before the held one, which then stands alone."""
        settled = self._state.settled
        return self._follow(settled, contrary.time, contrary.value) if settled else None

    def _follow(self, base: Mark, time: int, value: float) -> Mark | None:
        """The row as one that comes after another; None where it contradicts that."""
        rise = value - base.value
        if rise < 0.0 and -rise > max(_SLIGHT * base.value, self._slight):
            return None
        if self._rate is None:
            return None if self._comes_back(base, value) else Mark(time, value, 0.0)
        spare = self._allow(base, time) - max(rise, 0.0)
        return Mark(time, value, spare) if spare >= 0.0 else None

    def _comes_back(self, base: Mark, value: float) -> bool:
        """Whether a rise goes back up to the level before a break; without a limit nothing else could show it."""
        other, rise = self._state.other, value - base.value
        return other is not None and rise > self._state.fall / 2 and 0.0 <= value - other.value <= _NEAR * rise

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
        base = self._state.settled
        self._state.settled = mark
        if base is None or base == mark:
            return
        difference = mark.value - base.value
        amount = self._count(difference - self._state.debt)
        if self._state.other is not None:
            self._state.counted += amount
        steps.append(self._step("slip" if difference < 0.0 else "count", base, mark, amount))

    def _break(self, base: Mark, mark: Mark, steps: list[Step]) -> None:
        """Counts the step between two rows that contradict each other and are both right."""
        state = self._state
        kind, rise = self._classify(base, mark)
        owed = state.debt
        amount = self._count(rise - owed if kind == "rollover" else rise)
        steps.append(self._step(kind, base, mark, amount))
        state.settled, state.other, state.fall = mark, base, abs(mark.value - base.value)
        state.counted = owed + (0.0 if kind == "return" else amount)

    def _classify(self, base: Mark, mark: Mark) -> tuple[Kind, float]:
        """What a break is, and how much was counted over it."""
        other, difference = self._state.other, mark.value - base.value
        distance, allowed = abs(difference), self._allow(base, mark.time)
        if (
            other
            and distance > self._state.fall / 2
            and abs(mark.value - other.value) <= _NEAR * distance
            and self._follow(other, mark.time, mark.value)
        ):
            return "return", mark.value - other.value - self._state.counted
        if difference > 0.0:
            return "jump", 0.0
        if difference + self._width <= min(self._rollover_max, allowed):
            return "rollover", difference + self._width
        if mark.value <= min(_NEAR * base.value, allowed):
            return "reset", mark.value
        return "backwards", 0.0

    def _replace(self, replacement: Replacement, steps: list[Step]) -> None:
        """Ends the old meter at its final register, and begins the new one."""
        state, (time, final, first) = self._state, replacement
        self._judge(time, final, steps)
        if state.held:
            self._settle(state.held, steps)
            if state.contrary:  # the final register, which a person has read
                self._break(state.held, state.contrary, steps)
        last, begin = self._begin(time, final), self._begin(time, first)
        steps.append(self._step("replacement", last, begin, 0.0))
        state.settled, state.held, state.contrary, state.debt = None, begin, None, 0.0
        state.other, state.fall, state.counted = last, abs(first - last.value), 0.0

    def _count(self, rise: float) -> float:
        """What of a rise is consumption; what is below zero must be made up for later."""
        self._state.debt = max(0.0, -rise)
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


def _leave_out(kind: Kind, time: int, value: float, beside: Mark | None, steps: list[Step]) -> None:
    steps.append(Step(kind, time, time, value - beside.value if beside else 0.0, 0.0))
