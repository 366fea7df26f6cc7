"""Occupancy: how many people are in a place, counted from those who were let in and out at the doors around it.

Nobody sees people; what is counted is what readers tell, and people follow each other through open doors. So every
mistake has an end: a person counts once however often a card is read, a place never holds less than nobody, and
whoever is not heard of for `STAY` is gone.
"""

from collections import deque
from typing import TYPE_CHECKING, Any

from devices.credentials import HIDDEN
from devices.durations import NANOSECONDS
from devices.reading import Reading, Value
from rules.recent import MOST, Recent
from rules.site import Site, area_of, front_of

if TYPE_CHECKING:
    from rules.conditions.node import TakeCount
    from rules.watch import Watch

STAY = 16 * NANOSECONDS["h"]
"""Whoever was not heard of for so long has left unseen: longer than a long working day, shorter than until the next."""

PASSAGES = frozenset({"granted", "duress"})
"""Events after which somebody has gone through. Readers tell who may, not who did: granted is taken for entered."""


def credential_of(reading: Reading) -> str:
    """Whose event it is: the credential's hash; "" where that is not known."""
    credential = reading.values.get("credential", "")
    return credential if isinstance(credential, str) and credential != HIDDEN else ""


def is_within(place: str, area: str) -> bool:
    """Whether an area lies in a place or is it; both from the building down, joined with `/`. The site is ""."""
    return bool(area) and (not place or area == place or area.startswith(f"{place}/"))


class Boundary:
    """The doors around a place and in it.

    Attributes:
        doors: their ids, in the order of the register.
    """

    def __init__(self, place: str, site: Site) -> None:
        self._sides = {
            door.id: (is_within(place, area_of(door)), is_within(place, front_of(door)))
            for door in site.devices_at(place)
            if door.kind == "door"
        }
        self.doors = tuple(self._sides)

    def enters(self, reading: Reading) -> bool | None:
        """Whether a passage leads into the place (True), out of it (False), or nobody knows (None).

        A door without direction has its reader in front of it, as one reader alone has. Somebody who passes a door
        between two parts of the place is in it.
        """
        behind, front = self._sides[reading.device]
        if behind and front:
            return True
        match reading.values.get("direction"):
            case "in":
                return behind
            case "out":
                return front
        return True if behind else None


class Headcount:
    """The people in one place. Times need not be in order: doors have clocks of their own."""

    __slots__ = ("_anonymous", "_heard", "_inside", "_left", "_unseen")

    def __init__(self) -> None:
        self._heard = 0  # the newest passage
        self._inside: Recent[str, None] = Recent()
        self._left: Recent[str, None] = Recent()  # so that a backlog brings nobody back
        self._anonymous: deque[int] = deque(maxlen=MOST)  # when those without a credential came in
        self._unseen = 0  # how many of those inside went out without theirs

    @property
    def people(self) -> int:
        """How many there are."""
        return len(self._inside) + len(self._anonymous) - self._unseen

    @property
    def seen(self) -> int:
        """When the last of them came in or was heard of, UTC ns; 0 where nobody is there."""
        return max(self._inside.newest or 0, self._anonymous[-1] if self._anonymous else 0)

    def enter(self, credential: str, time: int) -> None:
        """Somebody comes in; "" where nobody knows who."""
        if self._is_past(time):
            return
        if not credential:
            self._anonymous.append(time)
            return
        left = self._left.get(credential)
        if left is not None and left[0] > time:
            return
        known = self._inside.get(credential)
        if known is not None and self._unseen:
            self._unseen -= 1  # who comes in again was one of those
        self._inside.put(credential, max(time, known[0] if known else time), None)
        self._left.drop(credential)

    def leave(self, credential: str, time: int) -> None:
        """Somebody goes out; likewise."""
        if self._is_past(time):
            return
        known = self._inside.get(credential) if credential else None
        if known is not None and known[0] > time:
            return
        if known is not None:
            self._inside.drop(credential)
        elif self._anonymous:
            self._anonymous.popleft()
        elif not credential and self._inside:
            self._unseen += 1
        if credential:
            self._left.put(credential, time, None)
        self._settle()

    def _is_past(self, time: int) -> bool:
        """Forgets who has been gone for long by now, and says whether a passage itself is as old as that."""
        self._heard = max(self._heard, time)
        until = self._heard - STAY
        self._left.forget(until)
        self._unseen = max(self._unseen - self._inside.forget(until), 0)
        while self._anonymous and self._anonymous[0] <= until:
            self._anonymous.popleft()
        self._settle()
        return time <= until

    def _settle(self) -> None:
        if self.people <= 0:
            self._inside.clear()
            self._anonymous.clear()
            self._unseen = 0

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [self._inside.snapshot(), self._left.snapshot(), list(self._anonymous), self._unseen, self._heard]

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot."""
        inside, left, anonymous, self._unseen, self._heard = state
        self._inside.restore(inside)
        self._left.restore(left)
        self._anonymous = deque(anonymous, MOST)


class Occupancy:
    """The people in one place as a source: see `rules.sources.Source`.

    Attributes:
        area: which place: `building/floor/area`, or one of the larger ones.
        doors: ids of the doors that lead into it or out of it.
        listeners: who is told how many people there are, and when the last of them was heard of.
    """

    def __init__(self, area: str, site: Site) -> None:
        self.area = area
        self._boundary = Boundary(area, site)
        self.doors = self._boundary.doors
        self.listeners: list[tuple[TakeCount, Watch]] = []
        self._count = Headcount()

    @property
    def people(self) -> int:
        """How many there are, as far as anybody knows."""
        return self._count.people

    def take(self, value: Value, reading: Reading) -> bool:
        """See `rules.sources.Source`."""
        enters = self._boundary.enters(reading) if value in PASSAGES else None
        if enters is None:
            return False
        count = self._count
        if enters:
            count.enter(credential_of(reading), reading.time)
        else:
            count.leave(credential_of(reading), reading.time)
        people, seen = count.people, count.seen
        for take, watch in self.listeners:
            if take(people, seen):
                watch.weigh(reading.time)
        return False

    def snapshot(self) -> Any:  # noqa: ANN401 - see `rules.sources.Source`
        """See `rules.sources.Source`."""
        return self._count.snapshot()

    def restore(self, state: Any) -> None:  # noqa: ANN401 - see `rules.sources.Source`
        """See `rules.sources.Source`."""
        self._count.restore(state)
