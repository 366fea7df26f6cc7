"""Runs: for how long a machine that switches on and off stays on.

A heater with a failing element and a cold room with a leaking seal draw what they always drew, but for longer. What is
on is found as the threshold of Ridler and Calvard is (IEEE Transactions SMC-8, 1978): half way between the mean of what
lies above it and the mean of what lies below. Each run is ranked among the last ones, as in the rank sum test: many
runs that are a little longer show as well as one that is much longer.
"""

from array import array
from math import exp
from typing import Any, ClassVar

from devices.durations import NANOSECONDS
from rules.learning.peaks import SHAPE

MINUTE = NANOSECONDS["m"]

_MEMORY_NS = 7 * NANOSECONDS["d"]
_GAP_NS = NANOSECONDS["h"]
"""Nothing is known of a run in which nothing was heard for so long."""
_DEADBAND = 0.1
"""Of the distance between on and off."""
_APART = 6.0
"""What switches has on and off so many times as far apart as its values are from the means of both."""
_MEAN_NS = NANOSECONDS["d"]
_KEPT = 128
_EVEN = 0.5
"""Mean rank of runs that are as they were."""


class Runs:
    """How long it has been on, in minutes, and the mean rank of the runs of about a day."""

    share: ClassVar[float] = 0.03
    """See `Measure`. Runs are steadier than what is drawn in them."""

    __slots__ = (
        "_ended", "_high", "_highs", "_lengths", "_low", "_lows", "_next", "_on", "_rank", "_since", "_spread",
        "length",
    )  # fmt: skip

    def __init__(self) -> None:
        self._low = self._high = self._spread = 0.0
        self._lows = self._highs = self._next = 0
        self._on = False
        self._since = self._ended = self.length = 0.0
        self._rank = _EVEN
        self._lengths = array("f")

    def measure(self, value: float, _local: int, elapsed: int) -> tuple[float, float]:
        """See `Measure`."""
        if not self._lows:
            self._low = self._high = value
        low, high = self._low, self._high
        apart = high - low
        gain = elapsed / _MEMORY_NS if elapsed < _GAP_NS else 0.0
        if value > (low + high) / 2:
            self._highs += 1
            away = value - high
            self._high = high + max(gain, 1 / self._highs) * away
        else:
            self._lows += 1
            away = value - low
            self._low = low + max(gain, 1 / self._lows) * away
        self._spread += max(gain, 1 / (self._lows + self._highs)) * (abs(away) - self._spread)
        self._since += elapsed
        if elapsed >= _GAP_NS or apart < _APART * self._spread:
            self._on, self.length = False, 0.0
        elif value > low + apart * (0.5 - _DEADBAND if self._on else 0.5 + _DEADBAND):
            self._on = True
            self.length += elapsed / MINUTE
        elif self._on:
            self._end_run()
        return self.length, self._rank

    def _end_run(self) -> None:
        length, lengths = self.length, self._lengths
        if lengths:
            shorter = sum((other < length) + (other <= length) for other in lengths) / 2
            self._rank += (1 - exp(-self._since / _MEAN_NS)) * (shorter / len(lengths) - self._rank)
        self._ended, self._on = length, False
        self._since = self.length = 0.0

    @staticmethod
    def join(length: float, rank: float) -> float:
        """Both together: their rarities add up, for they are nearly independent."""
        return ((1 + SHAPE * max(length, 0.0)) * (1 + SHAPE * max(rank, 0.0)) - 1) / SHAPE

    def learn(self, _value: float, _elapsed: int) -> None:
        """See `Measure`."""
        if not self._ended:
            return
        if len(self._lengths) < _KEPT:
            self._lengths.append(self._ended)
        else:
            self._lengths[self._next] = self._ended
        self._next = (self._next + 1) % _KEPT
        self._ended = 0.0

    def pass_over(self) -> None:
        """See `Measure`."""
        self._ended = 0.0

    def forget(self) -> None:
        """See `Measure`."""
        del self._lengths[:]
        self._next = 0

    def snapshot(self) -> list[Any]:
        """See `Measure`."""
        return [
            self._low, self._high, self._spread, self._lows, self._highs, self._on, self._since, self._ended,
            self.length, self._rank, self._next, self._lengths.tobytes(),
        ]  # fmt: skip

    def restore(self, state: list[Any]) -> None:
        """See `Measure`."""
        (
            self._low, self._high, self._spread, self._lows, self._highs, self._on, self._since, self._ended,
            self.length, self._rank, self._next, lengths,
        ) = state  # fmt: skip
        self._lengths = array("f", lengths)
