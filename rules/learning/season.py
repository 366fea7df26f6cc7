"""Seasons: what is usual at this time of day, on this kind of day.

Three predictions stand beside each other: one level for all times, one for each half hour of the day, and one for each
half hour of working days, Saturdays and Sundays. Who has been the least wrong lately is believed. All of them are
running means of half hours.
"""

from array import array
from math import inf
from typing import Any, Literal, TypeAlias

from devices.durations import NANOSECONDS

SeasonName: TypeAlias = Literal["none", "day", "week"]

DAY = NANOSECONDS["d"]
SLOTS = 48
"""Of a day."""
SLOT = DAY // SLOTS
MEMORY_DAYS = 28
"""A level of a half hour is a mean of about so many; so are, for all times, those of so many days."""

_SIZES = {"none": (1,), "day": (1, SLOTS), "week": (1, SLOTS, 3 * SLOTS)}
"""Of the tables, one behind the other."""
_EPOCH_DAY, _FRIDAY = 3, 4  # 1970-01-01 was a Thursday


class Season:
    """Levels by time, and how wrong they have been.

    Attributes:
        level: predicted for the half hour that goes on.
    """

    __slots__ = ("_count", "_counts", "_errors", "_judged", "_levels", "_places", "_sum", "level")

    def __init__(self, season: SeasonName) -> None:
        sizes = _SIZES[season]
        self._levels = array("d", [0.0]) * sum(sizes)
        self._counts = array("B", [0]) * sum(sizes)
        self._errors = [0.0] * len(sizes)
        self._judged = [0] * len(sizes)
        self._places: tuple[int, ...] = ()
        self._sum, self._count = 0.0, 0
        self.level = 0.0

    def add(self, value: float) -> None:
        """Takes a value of the half hour that goes on for a usual one."""
        self._sum += value
        self._count += 1

    def turn(self, slot: int, value: float) -> None:
        """A half hour begins, and what was usual in the one before is learned.

        Args:
            slot: half hours since 1970, local time.
            value: the first of it: the level, where nothing is known.
        """
        if self._count:
            self._learn(self._sum / self._count)
            self._sum, self._count = 0.0, 0
        of_day = slot % SLOTS
        weekday = (slot // SLOTS + _EPOCH_DAY) % 7
        places = (0, 1 + of_day, 1 + SLOTS + max(weekday - _FRIDAY, 0) * SLOTS + of_day)
        self._places = places[: len(self._errors)]
        least, self.level = inf, value
        for table, place in enumerate(self._places):
            if self._counts[place] and self._errors[table] < least:
                least, self.level = self._errors[table], self._levels[place]

    def _learn(self, mean: float) -> None:
        levels, counts, errors, judged = self._levels, self._counts, self._errors, self._judged
        for table, place in enumerate(self._places):
            count = counts[place]
            if count < MEMORY_DAYS:
                counts[place] = count + 1
            if not count:
                levels[place] = mean
                continue
            seen = judged[table]
            if seen < MEMORY_DAYS * SLOTS:
                judged[table] = seen = seen + 1
            step = mean - levels[place]
            errors[table] += (abs(step) - errors[table]) / seen
            levels[place] += step / (counts[place] if table else seen + 1)

    def forget(self) -> None:
        """Learns anew from now on: what it knows counts as little as a first day."""
        for place, count in enumerate(self._counts):
            self._counts[place] = min(count, 1)
        self._judged = [min(judged, 1) for judged in self._judged]

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [
            self._levels.tobytes(), self._counts.tobytes(), self._errors, self._judged, list(self._places), self._sum,
            self._count, self.level,
        ]  # fmt: skip

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot."""
        levels, counts, errors, judged, places, self._sum, self._count, self.level = state
        self._levels, self._counts = array("d", levels), array("B", counts)
        self._errors, self._judged, self._places = list(errors), list(judged), tuple(places)
