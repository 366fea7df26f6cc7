"""Runs: for how long a machine that switches on and off stays on.

A heater with a failing element and a cold room with a leaking seal draw what they always drew, but for longer. What is
on is found as the threshold of Ridler and Calvard is (IEEE Transactions SMC-8, 1978): half way between the mean of what
lies above it and the mean of what lies below. Each run is ranked among the last ones, as in Wilcoxon's test of rank sums:
many runs that are a little longer show as well as one that is much longer.
"""

from array import array
from math import exp
from typing import Any

from devices.durations import NANOSECONDS

MINUTE = NANOSECONDS["m"]

_MEMORY_NS = 7 * NANOSECONDS["d"]
_GAP_NS = NANOSECONDS["h"]
"""Nothing is known of a run in which nothing was heard for so long."""
_DEADBAND = 0.1
"""Of the distance between on and off."""
_APART = 4.0
"""On and off are so many times as far apart as their values are from their means, where it is a machine that switches."""
_MEAN_NS = NANOSECONDS["d"]
_KEPT = 128
_EVEN = 0.5
"""Mean rank of runs that are as they were."""


class Runs:
    """How long it has been on.

    Attributes:
        length: of the run that goes on, in minutes; 0 while it is off.
        rank: mean rank of the runs of about a day, from 0 (shorter than all before) to 1 (longer than all).
    """

    __slots__ = ("_high", "_highs", "_lengths", "_low", "_lows", "_next", "_on", "_since", "_spread", "length", "rank")

    def __init__(self) -> None:
        self._low = self._high = self._spread = 0.0
        self._lows = self._highs = self._next = 0
        self._on = False
        self._since = self.length = 0.0
        self.rank = _EVEN
        self._lengths = array("f")

    def take(self, value: float, elapsed: int, *, learn: bool) -> None:
        """Takes a value.

        Args:
            value: what it draws.
            elapsed: since the value before, ns.
            learn: whether its runs are remembered.
        """
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
            self._end_run(learn=learn)

    def _end_run(self, *, learn: bool) -> None:
        length, lengths = self.length, self._lengths
        if lengths:
            ties = 0.5 * lengths.count(array("f", [length])[0])
            rank = (sum(other < length for other in lengths) - ties * 0 + ties) / len(lengths)
            self.rank += (1 - exp(-self._since / _MEAN_NS)) * (rank - self.rank)
        if learn:
            if len(lengths) < _KEPT:
                lengths.append(length)
            else:
                lengths[self._next] = length
            self._next = (self._next + 1) % _KEPT
        self._on = False
        self._since = self.length = 0.0
