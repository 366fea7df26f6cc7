"""Tallies: what meters counted in each hour, day, week or month, from the steps of their registers."""

from collections.abc import Sequence
from typing import Any

from devices.counting.consumption import Consumption, spread
from devices.counting.steps import LEFT_OUT, Kind, Step
from rules.localtime import Periods

BREAKS = frozenset[Kind]({"reset", "backwards", "jump", "return"})
"""Steps over which nobody knows what was counted: they add nothing, and leave a hole."""

_SLIGHT = 0.01
_PENDING_MOST = 64

_NONE: list[Consumption] = []


def is_known(total: Consumption) -> bool:
    """Whether a period's total can be relied on: no hole in it, and at most a hundredth of it is an estimate."""
    return total.covered_ns == total.end - total.start and total.estimated <= _SLIGHT * total.amount


class Tally:
    """One register, period by period.

    Attributes:
        start: of the running period, UTC ns; 0 before the first step.
        end: first nanosecond after it.
        amount: what was counted in it so far.
    """

    __slots__ = ("_covered", "_estimated", "_periods", "amount", "end", "start")

    def __init__(self, periods: Periods) -> None:
        self._periods = periods
        self.start = self.end = 0
        self.amount = self._estimated = 0.0
        self._covered = 0

    def feed(self, step: Step) -> list[Consumption]:
        """Takes the next step, and returns the periods that it ends.

        A step over several periods is divided between the one that it begins in and the one that it ends in, as
        `spread` does. Of those in between nothing is told, unless the register stood still over all of them.
        """
        kind, begin, end, _, amount, _ = step
        if kind in LEFT_OUT or end <= begin:
            return _NONE
        if self.start <= begin and end < self.end:
            if kind not in BREAKS:
                self.amount += amount
                self._covered += end - begin
            return _NONE
        told = []
        if not self.start <= begin < self.end:  # the first step, or a hole before this one
            if self.start < self.end:
                told.append(self._total())
            self._open(begin)
        if end > self.end:
            told += self._divide(step)
        elif kind not in BREAKS:
            self.amount += amount
            self._covered += end - begin
        if end == self.end:
            told.append(self._total())
            self._open(end)
        return told

    def _divide(self, step: Step) -> list[Consumption]:
        """Takes a step that goes on beyond the running period."""
        last = self._periods.bounds(step.end - 1)
        rests = step.amount == 0.0 and step.kind not in BREAKS
        edges = [self.start, self.end]
        while rests and edges[-1] < last[0]:
            edges.append(self._periods.bounds(edges[-1])[1])
        first, *between, newest = spread([] if step.kind in BREAKS else [step], sorted({*edges, *last}))
        self._add(first)
        ended = self._total()
        self._open(last[0])
        self._add(newest)
        return [ended, *between] if rests else [ended]

    def _open(self, time: int) -> None:
        self.start, self.end = self._periods.bounds(time)
        self.amount, self._estimated, self._covered = 0.0, 0.0, 0

    def _add(self, part: Consumption) -> None:
        self.amount += part.amount
        self._estimated += part.estimated
        self._covered += part.covered_ns

    def _total(self) -> Consumption:
        return Consumption(self.start, self.end, self.amount, self._estimated, self._covered)

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [self.start, self.end, self.amount, self._estimated, self._covered]

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot."""
        self.start, self.end, self.amount, self._estimated, self._covered = state


class Ledger:
    """Totals of several meters, put together once every one of them has told its own."""

    __slots__ = ("_count", "_pending")

    def __init__(self, count: int) -> None:
        self._count = count
        self._pending: dict[int, list[float | None]] = {}

    def enter(self, index: int, total: Consumption) -> Sequence[float] | None:
        """Takes the total of a meter; returns those of all of them, where this was the last that was missing.

        A period of which a meter knows no total is never complete. So is one that lies too far behind the newest.
        """
        if not is_known(total):
            return None
        pending = self._pending
        amounts = pending.setdefault(total.start, [None] * self._count)
        amounts[index] = total.amount
        if None not in amounts:
            del pending[total.start]
            return amounts  # type: ignore[return-value] # none of them is None
        if len(pending) > _PENDING_MOST:
            del pending[min(pending)]
        return None

    def snapshot(self) -> list[list[Any]]:
        """Its state, in plain values."""
        return [[start, list(amounts)] for start, amounts in self._pending.items()]

    def restore(self, state: list[list[Any]]) -> None:
        """Goes on from a snapshot."""
        self._pending = {start: list(amounts) for start, amounts in state}
