"""The learned profile of one quantity of one device: how unusual is what it says now?

A measure (`values`, `runs`) says how far it is from what is usual, in two ways. Each is held against the largest ones
of the last days (`peaks`): a score of 2 says that a day comes so far once in 10 ** 2 days.

What is flagged is not learned. Where it lasts for `ACCEPTED_DAYS` it must be the new usual, and is learned anew.
"""

from math import exp
from typing import Any, ClassVar, Protocol

from rules.learning.peaks import QUARTERS, Peaks, find_excess, find_rarity
from rules.learning.season import DAY

LEARNING_DAYS = 7
"""Before so much is learned nothing is flagged."""
ACCEPTED_DAYS = 7
"""How long what is flagged must last before it is learned; days without any of it begin a new count."""
RELEARNING_DAYS = 3
"""For how long all is learned then."""

_NEWS = 0.5
"""What was told is news again where its score is so much higher."""
_FADES_NS = DAY
_QUARTER = DAY // QUARTERS
_QUARTER_READINGS = 3
"""A quarter of a day with fewer is nothing to learn from."""


class Measure(Protocol):
    """How far a quantity is from what is usual, in two ways, 0 or less being usual."""

    share: ClassVar[float]
    """How wide the law of its peaks is expected to be, as a share of their median."""

    def measure(self, value: float, local: int, elapsed: int) -> tuple[float, float]:
        """Takes a value of a moment (local time, ns), so long (ns) after the one before."""

    @staticmethod
    def join(first: float, second: float) -> float:
        """One excess, of those of both ways, in widths of the law of their peaks."""

    def learn(self, value: float, elapsed: int) -> None:
        """Learns from what was measured last; else `pass_over` is called."""

    def pass_over(self) -> None:
        """Does not learn from it."""

    def forget(self) -> None:
        """What was learned counts as little as a first day."""

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot."""


class Profile:
    """What is usual of one quantity, and how unusual it is now.

    Attributes:
        score: log10 of the days in which so much is to be expected once; 0 is usual, or that it cannot be said yet.
        news: the score where it says more than was said before, else 0: what an alarm goes by that is told once.
        days: learned, with fractions.
    """

    __slots__ = (
        "_elapsed", "_fade", "_first", "_first_flag", "_last_flag", "_limit", "_measure", "_quarter", "_readings",
        "_second", "_time", "_told", "days", "news", "score",
    )  # fmt: skip

    def __init__(self, measure: Measure, limit: float) -> None:
        """With nothing learned.

        Args:
            measure: what is watched.
            limit: score from which on it is flagged.
        """
        self._measure = measure
        self._first, self._second = Peaks(measure.share), Peaks(measure.share)
        self._limit = limit
        self._time = self._readings = self._first_flag = self._last_flag = 0
        self._elapsed = self._quarter = -1
        self._fade = self._told = 0.0
        self.score = self.news = self.days = 0.0

    def take(self, time: int, local: int, value: float) -> float:
        """Takes a value and returns its score.

        Args:
            time: UTC ns; not earlier than the one before.
            local: the same moment on the site's clocks.
            value: the quantity, finite.
        """
        elapsed = time - self._time if self._time else 0
        self._time = time
        if elapsed != self._elapsed:
            self._elapsed, self._fade = elapsed, exp(-elapsed / _FADES_NS)
        if local // _QUARTER != self._quarter:
            self._end_quarter(local // _QUARTER)
        self._readings += 1
        measure, first, second = self._measure, self._first, self._second
        one, two = measure.measure(value, local, elapsed)
        excess = measure.join((one - first.usual) / first.width, (two - second.usual) / second.width)
        self.score = score = find_rarity(excess) if excess > 0 and self.days >= 1 else 0.0
        self._told *= self._fade
        self.news = 0.0
        if score > self._told + _NEWS:
            self._told = self.news = score
        if score < self._limit or self._accepts(time):
            if one > first.now:  # noqa: PLR1730 - max() takes three times as long
                first.now = one
            if two > second.now:  # noqa: PLR1730 - likewise
                second.now = two
            measure.learn(value, elapsed)
        else:
            measure.pass_over()
        return score

    def find_limit(self) -> float:
        """How far the first of the measure's ways may go before it is flagged."""
        return self._first.usual + find_excess(self._limit) * self._first.width

    def _accepts(self, time: int) -> bool:
        """Whether what is flagged is learned all the same."""
        if self.days < LEARNING_DAYS:
            return True
        if time - self._last_flag > DAY:
            self._first_flag = time
        before, self._last_flag = self._last_flag - self._first_flag, time
        lasted = time - self._first_flag
        if lasted < ACCEPTED_DAYS * DAY:
            return False
        if before < ACCEPTED_DAYS * DAY:
            self._measure.forget()
        if lasted > (ACCEPTED_DAYS + RELEARNING_DAYS) * DAY:
            self._first_flag = time
        return True

    def _end_quarter(self, quarter: int) -> None:
        if self._readings >= _QUARTER_READINGS:
            self._first.end_quarter()
            self._second.end_quarter()
            self.days += 1 / QUARTERS
        self._quarter, self._readings = quarter, 0

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [
            self._measure.snapshot(), self._first.snapshot(), self._second.snapshot(), self._time, self._readings,
            self._first_flag, self._last_flag, self._quarter, self._told, self.score, self.news, self.days,
        ]  # fmt: skip

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot of a profile of the same measure."""
        (
            measure, first, second, self._time, self._readings, self._first_flag, self._last_flag, self._quarter,
            self._told, self.score, self.news, self.days,
        ) = state  # fmt: skip
        self._measure.restore(measure)
        self._first.restore(first)
        self._second.restore(second)
        self._elapsed = -1
