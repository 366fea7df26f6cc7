"""The learned profile of one quantity of one device: how unusual is what it says now?

A measure (`values`, `runs`) says how far it is from what is usual, in two ways. Each is held against the largest ones
of the last days (`peaks`): a score of 2 says that a day comes so far once in 10 ** 2 days.

What is flagged is not learned. Where it lasts for `ACCEPTED_DAYS` it must be the new usual, and is learned anew.
"""

from math import exp
from typing import Any, ClassVar, Protocol
from zoneinfo import ZoneInfo

from devices.durations import NANOSECONDS
from rules.learning.peaks import QUARTERS, Peaks, find_excess, find_rarity
from rules.learning.season import DAY, SLOT, SLOTS
from rules.localtime import show_time

LEARNING_DAYS = 7
"""Before so much is learned nothing is flagged."""
ACCEPTED_DAYS = 7
"""How long what is flagged must last before it is learned; days without any of it begin a new count."""
RELEARNING_DAYS = 3
"""For how long all is learned then."""

_SECOND = NANOSECONDS["s"]
_NEWS = 0.5
"""What was told is news again where its score is so much higher."""
_FADES_NS = DAY
_QUARTER_SLOTS = SLOTS // QUARTERS
_QUARTER_READINGS = 3
"""A quarter of a day with fewer is nothing to learn from."""


class Measure(Protocol):
    """How far a quantity is from what is usual, in two ways, 0 or less being usual."""

    share: ClassVar[float]
    """How wide the law of its peaks is expected to be, as a share of their median."""

    def turn(self, slot: int, value: float) -> None:
        """A half hour (since 1970, local time) begins, with this value."""

    def measure(self, value: float, elapsed: int) -> tuple[float, float]:
        """Takes a value, so long (ns) after the one before."""

    @staticmethod
    def join(first: float, second: float) -> float:
        """One excess, of those of both ways, in widths of the law of their peaks."""

    def learn(self, value: float, /) -> None:
        """Learns from what was measured last; else `pass_over` is called."""

    def pass_over(self, *, alone: bool) -> None:
        """Does not learn from it.

        Args:
            alone: the first way would have been flagged without the second.
        """

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
        is_ready: whether that is enough to flag something.
    """

    __slots__ = (
        "_excess", "_first", "_first_flag", "_last_flag", "_learn", "_limit", "_measure", "_quarter", "_readings",
        "_second", "_take", "_time", "_told", "_told_at", "_until", "_zone", "days", "is_ready", "news", "score",
    )  # fmt: skip

    def __init__(self, measure: Measure, limit: float, zone: ZoneInfo) -> None:
        """With nothing learned.

        Args:
            measure: what is watched.
            limit: score from which on it is flagged.
            zone: whose clocks say when a half hour begins.
        """
        self._measure, self._take, self._learn = measure, measure.measure, measure.learn
        self._first, self._second = Peaks(measure.share), Peaks(measure.share)
        self._limit, self._excess, self._zone = limit, find_excess(limit), zone
        self._time = self._until = self._readings = self._first_flag = self._last_flag = self._told_at = 0
        self._quarter = -1
        self._told = 0.0
        self.score = self.news = self.days = 0.0
        self.is_ready = False

    def take(self, time: int, value: float) -> float:
        """Takes a value and returns its score.

        Args:
            time: UTC ns; not earlier than the one before.
            value: the quantity, finite.
        """
        if time >= self._until:
            self._turn(time, value)
        one, two = self._take(value, time - self._time)
        self._time = time
        first, second = self._first, self._second
        if one > first.usual or two > second.usual:
            self._judge(time, one, two)
            if self.score >= self._limit and not self._accepts(time):
                self._measure.pass_over(alone=one - first.usual >= self._excess * first.width)
                return self.score
        elif self.score:
            self.score = self.news = 0.0
        if one > first.now:  # noqa: PLR1730 - max() takes three times as long
            first.now = one
        if two > second.now:  # noqa: PLR1730 - likewise
            second.now = two
        self._readings += 1
        self._learn(value)
        return self.score

    def _judge(self, time: int, one: float, two: float) -> None:
        """It goes beyond the usual: sets `score` and `news`."""
        self.score = self.news = 0.0
        if self.days < 1:
            return
        first, second = self._first, self._second
        excess = self._measure.join((one - first.usual) / first.width, (two - second.usual) / second.width)
        self.score = score = find_rarity(excess)
        if score > self._told * exp((self._told_at - time) / _FADES_NS) + _NEWS:
            self._told = self.news = score
            self._told_at = time

    def find_limits(self) -> tuple[float, float]:
        """How far each of the measure's ways may go before it is flagged."""
        first, second = self._first, self._second
        return first.usual + self._excess * first.width, second.usual + self._excess * second.width

    def _accepts(self, time: int) -> bool:
        """Whether what is flagged is learned all the same."""
        if not self.is_ready:
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

    def _turn(self, time: int, value: float) -> None:
        """A half hour begins, by the site's clocks."""
        if not self._time:
            self._time = time
        offset = show_time(time, self._zone).utcoffset()
        local = time + (int(offset.total_seconds()) * _SECOND if offset else 0)
        slot = local // SLOT
        self._until = time + SLOT - local % SLOT
        if slot // _QUARTER_SLOTS != self._quarter:
            self._end_quarter(slot // _QUARTER_SLOTS)
        self._measure.turn(slot, value)

    def _end_quarter(self, quarter: int) -> None:
        if self._readings >= _QUARTER_READINGS:
            self._first.end_quarter()
            self._second.end_quarter()
            self.days += 1 / QUARTERS
            self.is_ready = self.days >= LEARNING_DAYS
        self._quarter, self._readings = quarter, 0

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [
            self._measure.snapshot(), self._first.snapshot(), self._second.snapshot(), self._time, self._until,
            self._readings, self._first_flag, self._last_flag, self._quarter, self._told, self._told_at, self.score,
            self.news, self.days,
        ]  # fmt: skip

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot of a profile of the same measure."""
        (
            measure, first, second, self._time, self._until, self._readings, self._first_flag, self._last_flag,
            self._quarter, self._told, self._told_at, self.score, self.news, self.days,
        ) = state  # fmt: skip
        self.is_ready = self.days >= LEARNING_DAYS
        self._measure.restore(measure)
        self._first.restore(first)
        self._second.restore(second)
