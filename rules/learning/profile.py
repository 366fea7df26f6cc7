"""The learned profile of one quantity of one device: how unusual is what it says now?

Of its values, two things are watched, both in usual deviations from what is usual at that time (`season`): the deviation
itself, which shows spikes, and its mean over some hours, which shows levels that shift a little and stay. Of a machine's
runs (`runs`): how long it has been on, and how long the day's runs are. Each is measured against the largest ones of the
last days (`peaks`): a score of 2 says that a day comes so far once in 10 ** 2 days.

What is flagged is not learned. Where it lasts for `ACCEPTED_DAYS` it must be the new usual, and is learned anew.
"""

from math import exp, inf
from typing import Any, Literal, TypeAlias

from devices.durations import NANOSECONDS
from rules.learning.peaks import QUARTERS, Peaks
from rules.learning.runs import Runs
from rules.learning.season import DAY, Season, SeasonName

Direction: TypeAlias = Literal["up", "down", "both"]

ACCEPTED_DAYS = 7
"""How long what is flagged must last before it is learned."""

_NEWS = 0.5
"""A deviation that was told is news again where its score is so much higher."""
_FADES_NS = DAY
_MEAN_NS = 4 * NANOSECONDS["h"]
_QUARTER = DAY // QUARTERS
_QUARTER_READINGS = 3
"""A quarter of a day with fewer is nothing to learn from."""
_TRIAL_DAYS = 2
"""Before so much is learned nothing is flagged."""
_SHARE, _SHARE_RUNS = 0.15, 0.03
"""How wide the law of the peaks is expected to be; runs are steadier than what they draw."""


class Profile:
    """What is usual of one quantity, and how unusual it is now.

    Attributes:
        score: log10 of the days in which so much is to be expected once; 0 and less is usual, and while it learns.
        news: the score where it says more than was said before, else 0: what an alarm goes by that is told once.
        season: what is usual at what time.
        runs: what is usual of its runs; None where its values are watched.
        days: learned, with fractions.
    """

    __slots__ = (
        "_elapsed", "_fade", "_flagged", "_last_flag", "_limit", "_mean", "_mean_gain", "_peaks", "_quarter",
        "_readings", "_sign", "_time", "_told", "days", "news", "runs", "score", "season",
    )  # fmt: skip

    def __init__(
        self, season: SeasonName = "week", direction: Direction = "both", limit: float = 2.0, *, runs: bool = False
    ) -> None:
        """With nothing learned.

        Args:
            season: after what its usual values repeat.
            direction: which deviations count.
            limit: score from which on it is flagged.
            runs: whether its runs are watched, and not its values.
        """
        self.season = Season(season)
        self.runs = Runs() if runs else None
        share = _SHARE_RUNS if runs else _SHARE
        self._peaks = (Peaks(share), Peaks(share))
        self._sign = {"up": 1, "down": -1, "both": 0}[direction]
        self._limit = limit
        self._time = self._quarter = self._readings = 0
        self._elapsed = -1
        self._mean = self._mean_gain = self._fade = self._told = 0.0
        self._flagged: int | None = None  # since when; the last time
        self._last_flag = 0
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
            self._elapsed = elapsed
            self._mean_gain = 1 - exp(-elapsed / _MEAN_NS)
            self._fade = exp(-elapsed / _FADES_NS)
        if local // _QUARTER != self._quarter:
            self._end_quarter(local // _QUARTER)
        self._readings += 1
        if self.runs is None:
            size, mean = self._deviate(value, local)
        else:
            self.runs.take(value, elapsed)
            size, mean = self.runs.length, self.runs.mean
        spikes, levels = self._peaks
        score = (size - spikes.usual) / spikes.decade
        shifted = (mean - levels.usual) / levels.decade
        if shifted > score:
            score = shifted
        self.score = score = score if score > 0 and self.days >= 1 else 0.0
        self._told *= self._fade
        self.news = 0.0
        if score > self._told + _NEWS:
            self._told = self.news = score
        if score < self._limit or self._accepts(time):
            if size > spikes.now:
                spikes.now = size
            if mean > levels.now:
                levels.now = mean
            if self.runs is None:
                self.season.learn(value, local, elapsed)
        return score

    def _deviate(self, value: float, local: int) -> tuple[float, float]:
        """The deviation and its mean, in the direction that counts."""
        season = self.season
        season.predict(local)
        deviation = (value - season.level) / max(season.error, 1e-9)
        self._mean = mean = self._mean + self._mean_gain * (deviation - self._mean)
        if self._sign:
            return self._sign * deviation, self._sign * mean
        return abs(deviation), abs(mean)

    def _accepts(self, time: int) -> bool:
        """Whether what is flagged is learned all the same."""
        if self.days < _TRIAL_DAYS:
            return True
        if self._flagged is None or time - self._last_flag > DAY:
            self._flagged = time
        self._last_flag = time
        if time - self._flagged < ACCEPTED_DAYS * DAY:
            return False
        if time - self._flagged < (ACCEPTED_DAYS + 1) * DAY:
            self.season.forget()
        return True

    def _end_quarter(self, quarter: int) -> None:
        if self._readings >= _QUARTER_READINGS:
            for peaks in self._peaks:
                peaks.end_quarter()
            self.days += 1 / QUARTERS
        self._quarter, self._readings = quarter, 0
