"""Cadence: how long a device is usually silent at each hour, learned from its arrivals."""

from array import array
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from devices.durations import NANOSECONDS
from rules.localtime import show_time

_HOUR = NANOSECONDS["h"]
_SECOND = NANOSECONDS["s"]

ARRIVALS_LEAST = 20
SPAN_LEAST = 3 * NANOSECONDS["d"]
"""Before so many arrivals, and so long since the first of them, it says nothing."""

HOURS_LEAST = 3
"""Nor of an hour that it has not lived through so often."""

FACTOR = 3
"""A silence is none before it is so many times as long as usual at this hour."""

ALLOWED_LEAST = 60 * _SECOND
"""Nor before it has lasted so long, however often the device reports."""

STRIKES = 8
"""After so many silences in a row that were too long, the device has a new cadence."""

_WALKED_MOST = 21 * 24
"""Hours of one silence that are looked at, at most."""

_DAY = 24
_SATURDAY = 5
_MEMORY = 16


class Cadence:
    """For each hour of a working day and of a weekend's day: how often the device reports in it, and how long it rests.

    The age of its last arrival grows only as fast as the device is usually awake: in an hour of the night in which it
    never reports not at all, in one in which it reports every second day at half the speed. So the age is small on a
    Monday morning, and what is learned of each hour is the greatest age that is usual in it. A greater one counts at
    once, but no more than doubles what is usual; without any, that falls by a sixteenth from day to day. 96 numbers.
    """

    __slots__ = (
        "_active", "_allowed", "_arrivals", "_first", "_heard_hour", "_hour", "_last", "_lived", "_peak", "_rate",
        "_strikes", "_usual", "_zone",
    )  # fmt: skip

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._active = array("d", bytes(8 * 2 * _DAY))  # share of such hours with arrivals
        self._usual = array("d", bytes(8 * 2 * _DAY))  # greatest age in such an hour, ns
        self._lived = array("B", bytes(2 * _DAY))  # how often, up to _MEMORY
        self._arrivals = self._strikes = 0
        self._first = self._last = 0
        self._heard_hour = 0  # of the last arrival, and the greatest age in it up to that
        self._peak = 0.0
        self._hour = -1  # that the next two are of
        self._rate = 0.0
        self._allowed: int | None = None

    def hear(self, time: int, *, flagged: bool) -> None:
        """A reading has arrived.

        Args:
            time: when, UTC ns.
            flagged: the silence before it was too long, so that it is not learned from.
        """
        hour = time // _HOUR
        if hour == self._heard_hour == self._hour and not flagged and not self._strikes:  # most often
            age = self._rate * (time - self._last)
            if age > self._peak:  # noqa: PLR1730 - likewise
                self._peak = age
        elif not self._arrivals:
            self._first, self._heard_hour = time, hour
        else:
            self._strikes = self._strikes + 1 if flagged else 0
            is_learned = self._strikes == 0 or self._strikes >= STRIKES
            if hour != self._heard_hour:
                self._turn(hour, is_learned=is_learned)
            if is_learned:
                self._peak = max(self._peak, self._age(time))
        self._arrivals += 1
        self._last = time

    def skip(self, time: int) -> None:
        """Nothing could be heard up to a moment: the silence before it is neither judged nor learned from."""
        if self._arrivals and time > self._last:
            self._last, self._heard_hour = time, time // _HOUR
            self._peak, self._hour = 0.0, -1

    def _turn(self, hour: int, *, is_learned: bool) -> None:
        """The hour of the last arrival is over, and perhaps others without any."""
        self._learn(self._heard_hour, 1.0, self._peak)
        if is_learned:
            age = self._age((self._heard_hour + 1) * _HOUR)
            slot = self._find_slot(self._heard_hour)
            self._usual[slot] = max(self._usual[slot], self._limit(slot, age))
            for silent in range(max(self._heard_hour + 1, hour - _WALKED_MOST), hour):
                age += self._active[self._find_slot(silent)] * _HOUR
                self._learn(silent, 0.0, age)
        self._heard_hour, self._peak, self._hour = hour, 0.0, -1

    def _learn(self, hour: int, activity: float, age: float) -> None:
        slot = self._find_slot(hour)
        usual = self._usual[slot]
        self._usual[slot] = usual + (age - usual) / _MEMORY if age <= usual else self._limit(slot, age)
        lived = self._lived[slot] = min(self._lived[slot] + 1, _MEMORY)
        self._active[slot] += (activity - self._active[slot]) / lived

    def _limit(self, slot: int, age: float) -> float:
        """As much of an age as counts at once."""
        if self._lived[slot] <= HOURS_LEAST or self._strikes:
            return age
        return min(age, max(2 * self._usual[slot], ALLOWED_LEAST))

    def _find_slot(self, hour: int) -> int:
        shown = show_time(hour * _HOUR, self._zone)
        return shown.hour + (_DAY if shown.weekday() >= _SATURDAY else 0)

    def _age(self, time: int) -> float:
        """How old the last arrival is at a moment, counted as the device is awake, ns."""
        age, begin = 0.0, self._last
        for hour in range(max(begin // _HOUR, time // _HOUR - _WALKED_MOST), time // _HOUR):
            end = (hour + 1) * _HOUR
            age += self._active[self._find_slot(hour)] * (end - max(begin, hour * _HOUR))
        self._enter(time // _HOUR)
        return age + self._rate * (time - max(begin, time // _HOUR * _HOUR))

    def _enter(self, hour: int) -> None:
        if hour == self._hour:
            return
        slots = [self._find_slot(near) for near in (hour - 1, hour, hour + 1)]  # people do not come on the minute
        self._hour, self._rate = hour, self._active[slots[1]]
        if any(self._lived[slot] < HOURS_LEAST for slot in slots):
            self._allowed = None
        else:
            self._allowed = max(int(FACTOR * max(self._usual[slot] for slot in slots)), ALLOWED_LEAST)

    def allow(self, time: int) -> int | None:
        """How old the last arrival may be at a moment, ns; None where too little is known of it."""
        if self._arrivals < ARRIVALS_LEAST or time - self._first < SPAN_LEAST:
            return None
        self._enter(time // _HOUR)
        return self._allowed

    def judge(self, time: int) -> tuple[bool | None, int]:
        """Whether the device is silent for too long at a moment; None where too little is known.

        Returns:
            The answer, and when it may be another one if nothing arrives: no later than when the hour ends.
        """
        end, allowed = (time // _HOUR + 1) * _HOUR, self.allow(time)
        if allowed is None:
            return None, end
        age = self._age(time)
        if age >= allowed:
            return True, end
        rest = (allowed - age) / self._rate if self._rate else _HOUR
        return False, min(time + max(ceil(rest), 1), end)

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [
            self._arrivals, self._strikes, self._first, self._last, self._heard_hour, self._peak,
            self._active.tolist(), self._usual.tolist(), self._lived.tolist(),
        ]  # fmt: skip

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot."""
        (
            self._arrivals, self._strikes, self._first, self._last, self._heard_hour, self._peak, active, usual, lived,
        ) = state  # fmt: skip
        self._active, self._usual, self._lived = array("d", active), array("d", usual), array("B", lived)
        self._hour = -1
