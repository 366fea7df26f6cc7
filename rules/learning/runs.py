"""Runs: how much a machine that switches on and off uses.

A heater with a failing element, a cold room with a leaking seal and a pump that short-cycles draw what they always
drew, but for longer or more often. What is on is found as the threshold of Ridler and Calvard is (IEEE Transactions
SMC-8, 1978): half way between the mean of what lies above it and the mean of what lies below. Each run is ranked by
what it used among the last ones, as in the rank sum test: many runs that use a little more show as well as one that
uses much more.
"""

from array import array
from math import exp
from typing import Any, ClassVar

from devices.durations import NANOSECONDS
from rules.learning.peaks import SHAPE

_HOUR, _MINUTE = NANOSECONDS["h"], NANOSECONDS["m"]
_MEMORY_NS = 7 * NANOSECONDS["d"]
_GAP_NS = _HOUR
"""Nothing is known of a run in which nothing was heard for so long."""
_DEADBAND = 0.1
"""Of the distance between on and off."""
_APART = 6.0
"""What switches has on and off so many times as far apart as its values are from the means of both."""
_MEAN_NS = _HOUR
_RANK_NS = NANOSECONDS["d"]
_KEPT = 128
_EVEN = 0.5
"""Mean rank of runs that are as they were."""


class Runs:
    """The mean over about an hour, and the mean rank of the runs of about a day.

    Attributes:
        length: minutes for which it has been on; 0 where it is off.
        mean: over about an hour, in the unit of the values; 0 where nothing switches.
    """

    share: ClassVar[float] = 0.03
    """See `Measure`. Runs are steadier than what is drawn in them."""

    __slots__ = (
        "_ended", "_high", "_highs", "_low", "_lows", "_mean", "_next", "_on", "_pause", "_rank", "_run", "_runs",
        "_since", "_spread", "length", "mean",
    )  # fmt: skip

    def __init__(self) -> None:
        self._low = self._high = self._spread = 0.0
        self._lows = self._highs = self._next = self._since = 0
        self._on = False
        self._run = self._ended = 0.0
        self._pause: float | None = None
        self._mean = self.mean = self.length = 0.0
        self._rank = _EVEN
        self._runs = array("f")

    def turn(self, _slot: int, _value: float) -> None:
        """See `Measure`."""

    def measure(self, value: float, elapsed: int) -> tuple[float, float]:
        """See `Measure`."""
        known = elapsed if elapsed < _GAP_NS else 0
        apart = self._weigh(value, known)
        self._since += elapsed
        self._mean += known / (known + _MEAN_NS) * (value - self._mean)
        if known != elapsed or apart < _APART * self._spread:
            self._on, self._run, self._pause = False, 0.0, None
            self.mean = self.length = 0.0
            return 0.0, self._rank
        if value > self._low + apart * (0.5 - _DEADBAND if self._on else 0.5 + _DEADBAND):
            self._on = True
            self.length += known / _MINUTE
            self._run += value * known + (self._pause or 0.0)
            self._pause = None
        elif self._on:
            if self._pause is not None:
                self._end_run()
            else:
                self._pause = value * known
        self.mean = self._mean
        return self.mean, self._rank

    def _weigh(self, value: float, known: int) -> float:
        """Learns what on and off are, and returns how far they are apart."""
        if not self._lows:
            self._low = self._high = value
        low, high = self._low, self._high
        gain = known / _MEMORY_NS
        if value > (low + high) / 2:
            self._highs += 1
            away = value - high
            self._high = high + max(gain, 1 / self._highs) * away
        else:
            self._lows += 1
            away = value - low
            self._low = low + max(gain, 1 / self._lows) * away
        self._spread += max(gain, 1 / (self._lows + self._highs)) * (abs(away) - self._spread)
        return high - low

    def _end_run(self) -> None:
        """It was off twice in a row; one value alone is noise, or a minute of which a part was on."""
        run = self._run + (self._pause or 0.0)
        runs = self._runs
        if runs:
            less = sum((other < run) + (other <= run) for other in runs) / 2
            self._rank += (1 - exp(-self._since / _RANK_NS)) * (less / len(runs) - self._rank)
        self._ended = run
        self._on, self._run, self._pause, self._since = False, 0.0, None, 0
        self.length = 0.0

    @staticmethod
    def join(mean: float, rank: float) -> float:
        """Both together: their rarities add up, for they are nearly independent."""
        return ((1 + SHAPE * max(mean, 0.0)) * (1 + SHAPE * max(rank, 0.0)) - 1) / SHAPE

    def learn(self, _value: float) -> None:
        """See `Measure`."""
        if not self._ended:
            return
        if len(self._runs) < _KEPT:
            self._runs.append(self._ended)
        else:
            self._runs[self._next] = self._ended
        self._next = (self._next + 1) % _KEPT
        self._ended = 0.0

    def pass_over(self, *, alone: bool) -> None:
        """See `Measure`."""
        del alone
        self._ended = 0.0

    def forget(self) -> None:
        """See `Measure`."""
        del self._runs[:]
        self._next = 0

    def snapshot(self) -> list[Any]:
        """See `Measure`."""
        return [
            self._low, self._high, self._spread, self._lows, self._highs, self._on, self._since, self._run,
            self._pause, self._ended, self._mean, self.mean, self.length, self._rank, self._next, self._runs.tobytes(),
        ]  # fmt: skip

    def restore(self, state: list[Any]) -> None:
        """See `Measure`."""
        (
            self._low, self._high, self._spread, self._lows, self._highs, self._on, self._since, self._run,
            self._pause, self._ended, self._mean, self.mean, self.length, self._rank, self._next, runs,
        ) = state  # fmt: skip
        self._runs = array("f", runs)
