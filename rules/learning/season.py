"""Seasons: what is usual at this time of day, on this kind of day.

Three predictions stand beside each other: one level for all times, one for each half hour of the day, and one for each
half hour of working days, Saturdays and Sundays. Who has been the least wrong lately is believed. All of them are
running means whose steps are bounded, as Huber's estimator is: no single value moves them far.
"""

from array import array
from math import inf
from typing import Any, Literal, TypeAlias

from devices.durations import NANOSECONDS

SeasonName: TypeAlias = Literal["none", "day", "week"]

DAY = NANOSECONDS["d"]
SLOTS = 48
"""Of a day."""

_SLOT = DAY // SLOTS
_TABLES = {"none": 1, "day": 2, "week": 3}
_FIRST = (0, 1, 1 + SLOTS)
"""Where each table begins: one level, a day, then three kinds of day."""
_SIZE = (1, 1 + SLOTS, 1 + 4 * SLOTS)
_EPOCH_DAY = 3  # 1970-01-01 was a Thursday
_MEMORY_DAYS = 28
_ERROR_MEMORY = 14 * DAY
_CLIP = 8.0
"""A deviation counts for no more than so many usual ones where something is learned from it."""
_WARM = 50
_COUNT_MAX = 65_535


class Season:
    """Levels by time, and how wrong they have been.

    Attributes:
        level: predicted for the last reading.
        error: mean deviation of the prediction that is believed.
    """

    __slots__ = ("_counts", "_errors", "_judged", "_levels", "_tables", "error", "level")

    def __init__(self, season: SeasonName) -> None:
        self._tables = _TABLES[season]
        size = _SIZE[self._tables - 1]
        self._levels = array("d", bytes(8 * size))
        self._counts = array("H", bytes(2 * size))
        self._errors = [0.0] * self._tables
        self._judged = [0] * self._tables
        self.level = 0.0
        self.error = 0.0

    def predict(self, local: int) -> None:
        """Sets `level` and `error` for a moment (local time, ns)."""
        slot = local % DAY // _SLOT
        best = -1
        for table in range(self._tables):
            place = self._place(table, slot, local)
            if self._counts[place] and (best < 0 or self._errors[table] < self._errors[best]):
                best, self.level = table, self._levels[place]
        self.error = self._errors[best] if best >= 0 else 0.0

    @staticmethod
    def _place(table: int, slot: int, local: int) -> int:
        if table == 0:
            return 0
        if table == 1:
            return 1 + slot
        weekday = (local // DAY + _EPOCH_DAY) % 7
        return _FIRST[2] + max(weekday - 4, 0) * SLOTS + slot

    def learn(self, value: float, local: int, elapsed: int) -> None:
        """Takes a value over.

        Args:
            value: at `local`.
            local: local time, ns.
            elapsed: since the reading before, ns.
        """
        slot = local % DAY // _SLOT
        part = min(elapsed, _SLOT) / _SLOT / _MEMORY_DAYS
        gain = min(elapsed, 2 * _SLOT) / _ERROR_MEMORY
        bound = _CLIP * self.error if self.error else inf
        for table in range(self._tables):
            place = self._place(table, slot, local)
            count = self._counts[place]
            if not count:
                self._levels[place], self._counts[place] = value, 1
                continue
            if count < _COUNT_MAX:
                self._counts[place] = count + 1
            step = value - self._levels[place]
            error = self._errors[table]
            self._judged[table] = judged = self._judged[table] + 1
            warm = judged > _WARM
            wrong = min(abs(step), _CLIP * error) if warm else abs(step)
            self._errors[table] = error + max(gain, 1 / judged) * (wrong - error)
            if warm:
                step = max(-bound, min(bound, step))
            share = part if table else part / SLOTS
            self._levels[place] += max(share, 1 / (count + 1)) * step

    def forget(self) -> None:
        """Learns anew from now on: what it knows counts as little as a first day."""
        for place, count in enumerate(self._counts):
            self._counts[place] = min(count, 1)
        self._judged = [min(judged, _WARM) for judged in self._judged]

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [self._levels.tobytes(), self._counts.tobytes(), self._errors, self._judged]

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot."""
        levels, counts, errors, judged = state
        self._levels, self._counts = array("d", levels), array("H", counts)
        self._errors, self._judged = list(errors), list(judged)
