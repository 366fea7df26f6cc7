"""Peaks: how large a deviation gets within a usual day, and how rare a larger one is.

The largest of many deviations follows the generalized extreme value law (A. F. Jenkinson, Quarterly Journal of the
Royal Meteorological Society 81, 1955). Its place and width are taken from the median and the quartiles of the last
days, so that a quarter of them may have been anything. Its shape is fixed, for few days cannot show it: what meters
measure has heavy tails. A day is any four quarters in a row: it does not matter when it begins.
"""

from array import array
from bisect import bisect_left, insort
from math import inf, log10
from typing import Any

QUARTERS = 4
"""Of a day."""
QUARTERS_KEPT = 60 * QUARTERS
"""How far it remembers."""

SHAPE = 1 / 3
"""Of the law; 0 would be Gumbel's, whose tails are light."""

_LARGEST = 1e38
"""That is remembered."""
_QUARTILES = 1.5725
"""Between the quartiles, in widths of Gumbel's law: ln ln 4 - ln ln (4/3)."""
_PRIOR_DAYS = 8
"""For how many days it counts what width is to be expected."""


def find_rarity(excess: float) -> float:
    """Log10 of the days in which a day comes so far once; 0 at the usual.

    Args:
        excess: beyond what is usual, in widths of the law; not negative.
    """
    return log10(1 + SHAPE * excess) / SHAPE


def find_excess(rarity: float) -> float:
    """The other way round."""
    return float((10 ** (rarity * SHAPE) - 1) / SHAPE)


class Peaks:
    """The largest value of each of the last days.

    Attributes:
        now: the largest one of the quarter that is not over.
        usual: median of the days' largest; inf while there is none.
        width: of the law.
    """

    __slots__ = ("_days", "_next", "_ordered", "_quarters", "_share", "now", "usual", "width")

    def __init__(self, share: float) -> None:
        """With nothing learned.

        Args:
            share: which share of the median its law's width is expected to be, before much is known.
        """
        self.now = 0.0
        self.usual = inf
        self.width = 1.0
        self._share = share
        self._quarters: list[float] = []
        self._days = array("f")
        self._ordered = array("f")
        self._next = 0

    def end_quarter(self) -> None:
        """A quarter of a day is over, and its largest value is remembered."""
        self._quarters = [*self._quarters[1 - QUARTERS :], self.now]
        largest = min(max(self._quarters), _LARGEST)
        days, ordered = self._days, self._ordered
        if len(days) < QUARTERS_KEPT:
            days.append(largest)
        else:
            del ordered[bisect_left(ordered, days[self._next])]
            days[self._next] = largest
        insort(ordered, days[self._next])
        self._next = (self._next + 1) % QUARTERS_KEPT
        self.now = 0.0
        self._weigh()

    def _weigh(self) -> None:
        ordered = self._ordered
        count = len(ordered)
        days = count / QUARTERS
        self.usual = ordered[count // 2] or inf
        width = (ordered[count * 3 // 4] - ordered[count // 4]) / _QUARTILES
        width = (days * width + _PRIOR_DAYS * self._share * self.usual) / (days + _PRIOR_DAYS)
        self.width = width if self.usual < inf else 1.0

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        usual = None if self.usual == inf else self.usual
        return [self.now, usual, self.width, self._next, self._quarters, self._days.tobytes()]

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot."""
        self.now, usual, self.width, self._next, quarters, days = state
        self.usual = inf if usual is None else usual
        self._quarters, self._days = list(quarters), array("f", days)
        self._ordered = array("f", sorted(self._days))
