"""Gates: the hours in which a rule holds, from its `active` and `mute` calendars."""

from collections.abc import Sequence
from math import inf
from typing import Protocol
from zoneinfo import ZoneInfo


class Hours(Protocol):
    """What a gate needs of a calendar; see `rules.calendars.Calendar`."""

    def covers(self, time: int, zone: ZoneInfo) -> bool:
        """Whether it holds at a moment, UTC ns."""

    def next_change(self, time: int, zone: ZoneInfo) -> int:
        """A later moment up to which it stays as it is."""


class Timetable:
    """When rules with the same calendars hold: while one of the active ones does, or there is none, and no muting one.

    It remembers the stretch of time that was asked for last, since thousands of gates ask for the same one.
    """

    def __init__(self, active: Sequence[Hours], mute: Sequence[Hours], zone: ZoneInfo) -> None:
        self._active, self._mute, self._zone = tuple(active), tuple(mute), zone
        self._begin, self._end = inf, -inf
        self._open = True

    def find(self, time: int) -> tuple[bool, float]:
        """Whether rules hold at a moment, and when that may change next; inf: never."""
        if not self._begin <= time < self._end:
            active, mute, zone = self._active, self._mute, self._zone
            self._open = (not active or any(each.covers(time, zone) for each in active)) and not any(
                each.covers(time, zone) for each in mute
            )
            self._begin = time
            self._end = min((each.next_change(time, zone) for each in (*active, *mute)), default=inf)
        return self._open, self._end


class Gate:
    """Where one watch stands in its timetable.

    Attributes:
        time: when it was looked at last, UTC ns; 0 where it is always open.
        open: as of then.
        due: when `advance` must be called next; inf where it never changes.
    """

    __slots__ = ("_timetable", "due", "open", "time")

    def __init__(self, timetable: Timetable, time: int) -> None:
        self._timetable = timetable
        self.move(time)

    def advance(self, time: int) -> None:
        """Time has come to here; does nothing before `due`."""
        if time >= self.due:
            self.move(time)

    def move(self, time: int) -> None:
        """Stands at a moment, which may lie before the last one: a device begins to tell of what was."""
        self.open, self.due = self._timetable.find(time)
        self.time = 0 if self.due == inf else time

    def was_open(self, time: int) -> bool:
        """Whether it was open at a moment, without going there."""
        return self._timetable.find(time)[0]
