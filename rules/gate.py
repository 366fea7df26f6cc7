"""Gates: the hours in which a rule holds, from its `active` and `mute` calendars."""

from collections.abc import Sequence
from math import inf
from zoneinfo import ZoneInfo

from rules.calendars import Calendar


class Gate:
    """Open while one of the active calendars holds (or there is none) and no muting one does.

    Attributes:
        open: as of the last `advance`.
        due: when `advance` must be called next, UTC ns; inf where it never changes.
    """

    __slots__ = ("_active", "_mute", "_zone", "due", "open")

    def __init__(self, active: Sequence[Calendar], mute: Sequence[Calendar], zone: ZoneInfo, now: int) -> None:
        self._active, self._mute, self._zone = tuple(active), tuple(mute), zone
        self.open = True
        self.due: float = now if active or mute else inf
        self.advance(now)

    def advance(self, time: int) -> None:
        """Time has come to here; does nothing before `due`."""
        if time < self.due:
            return
        active, mute, zone = self._active, self._mute, self._zone
        self.open = (not active or any(each.covers(time, zone) for each in active)) and not any(
            each.covers(time, zone) for each in mute
        )
        self.due = min(each.next_change(time, zone) for each in (*active, *mute))
