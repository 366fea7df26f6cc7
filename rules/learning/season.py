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
_SIZES = {"none": (1,), "day": (1, SLOTS), "week": (1, SLOTS, 3 * SLOTS)}
"""Of the tables, one behind the other."""
_EPOCH_DAY, _FRIDAY = 3, 4  # 1970-01-01 was a Thursday
_MEMORY = 28 * _SLOT
"""A half hour comes once a day, so that its level follows what has changed within four weeks."""
_ERROR_MEMORY = 14 * DAY
_ELAPSED_MAX = NANOSECONDS["h"]
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

    __slots__ = ("_counts", "_errors", "_judged", "_levels", "_places", "_slot", "error", "level")

    def __init__(self, season: SeasonName) -> None:
        sizes = _SIZES[season]
        self._levels = array("d", [0.0]) * sum(sizes)
        self._counts = array("H", [0]) * sum(sizes)
        self._errors = [0.0] * len(sizes)
        self._judged = [0] * len(sizes)
        self._slot = -1
        self._places: tuple[int, ...] = ()
        self.level = 0.0
        self.error = 0.0

    def predict(self, local: int) -> None:
        """Sets `level` and `error` for a moment (local time, ns)."""
        if local // _SLOT != self._slot:
            self._slot = local // _SLOT
            self._find_places(self._slot)
        levels, counts, errors = self._levels, self._counts, self._errors
        best, least = 0, inf
        for table, place in enumerate(self._places):
            if counts[place] and errors[table] < least:
                best, least = place, errors[table]
        self.level = levels[best]
        self.error = 0.0 if least == inf else least

    def _find_places(self, slot: int) -> None:
        """Where the levels of a half hour (since 1970) stand, in each table."""
        of_day = slot % SLOTS
        weekday = (slot // SLOTS + _EPOCH_DAY) % 7
        places = (0, 1 + of_day, 1 + SLOTS + max(weekday - _FRIDAY, 0) * SLOTS + of_day)
        self._places = places[: len(self._errors)]

    def learn(self, value: float, elapsed: int) -> None:
        """Takes over the value of the moment that was predicted last, so long (ns) after the one before."""
        levels, counts, errors, judged = self._levels, self._counts, self._errors, self._judged
        part = min(elapsed, _SLOT) / _MEMORY
        gain = min(elapsed, _ELAPSED_MAX) / _ERROR_MEMORY
        bound = _CLIP * self.error or inf
        for table, place in enumerate(self._places):
            count = counts[place]
            if not count:
                levels[place], counts[place] = value, 1
                continue
            if count < _COUNT_MAX:
                counts[place] = count + 1
            step = value - levels[place]
            wrong = step if step > 0 else -step
            error = errors[table]
            judged[table] = seen = judged[table] + 1
            if seen > _WARM:
                wrong = min(wrong, _CLIP * error)
                step = max(-bound, min(bound, step))
            errors[table] = error + max(gain, 1 / seen) * (wrong - error)
            levels[place] += max(part if table else part / SLOTS, 1 / (count + 1)) * step

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
