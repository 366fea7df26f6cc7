"""Door counts: what doors told in a period, counted so that nobody's way can be read from it. Pure.

Where people go is personal data. Credentials are counted and never shown, and a number of passages is told only where
at least `FEW` credentials are behind it, or none: of a room that one person uses, even a count by the hour is a diary.
What doors do by themselves, such as standing open, is told of every door.
"""

from collections import defaultdict
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.calendars import Calendar
from rules.localtime import show_time
from rules.occupancy import PASSAGES, Boundary, Occupancy, credential_of
from rules.site import Site, area_of, front_of

FEW = 5
"""Fewer people than this are not told of."""

HELD_OPEN = 2 * NANOSECONDS["m"]
"""A door that stands open for so long counts as held open, if its controller does not say so earlier."""

SITE = ""
"""Among places, all of it: whoever comes in from outdoors enters it."""

POINTS = ("event", "direction", "credential", "reason", "door")
"""What is read of doors."""


class Crowd:
    """A number of passages, and whether enough people are behind it to be told."""

    __slots__ = ("_some", "count")

    def __init__(self) -> None:
        self.count = 0
        self._some: set[object] = set()

    def add(self, credential: str) -> None:
        """One more; without a credential nobody knows who it was, so it counts as somebody else."""
        self.count += 1
        if len(self._some) < FEW:
            self._some.add(credential or self.count)

    @property
    def is_few(self) -> bool:
        """Whether there are passages, and of fewer people than may be told of."""
        return 0 < len(self._some) < FEW

    @property
    def told(self) -> int | None:
        """The number; None where it is not told."""
        return None if self.is_few else self.count

    def join(self, other: "Crowd") -> None:
        """Both together; who is in both counts once."""
        self.count += other.count
        self._some |= other._some  # noqa: SLF001 - one of its own kind


class PlaceCounts:
    """A place with doors.

    Attributes:
        entries: of people who came in.
        off_hours: of these, outside the calendar.
        denied: who did not come in.
        credentials: that came in.
        peak: most people at once.
        peak_at: when that was first so, UTC ns; None where nobody came.
    """

    def __init__(self) -> None:
        self.entries, self.off_hours, self.denied = Crowd(), Crowd(), Crowd()
        self.credentials: set[str] = set()
        self.peak = 0
        self.peak_at: int | None = None


class DoorTally:
    """A door.

    Attributes:
        passages: through it.
        denied: at it.
        forced: how often its controller said that it was forced.
        held: how often it stood open for too long.
        held_ns: how long in all, as far as its closing was told.
        longest_ns: the longest of these.
        unclosed: of these, whose closing was never told.
        faults: of its lock, and tampering with it.
    """

    def __init__(self) -> None:
        self.passages, self.denied = Crowd(), Crowd()
        self.forced = self.held = self.unclosed = self.faults = 0
        self.held_ns = self.longest_ns = 0
        self._opened: int | None = None
        self._is_held = False

    def open(self, time: int) -> None:
        """It opens; where it is open already, its closing was lost or it is told twice."""
        if self._opened is None:
            self._opened = time

    def hold(self, time: int) -> None:
        """Its controller says that it is held open."""
        self.open(time)
        if not self._is_held:
            self.held += 1
            self._is_held = True

    def close(self, time: int) -> None:
        """It closes."""
        if self._opened is None:
            return
        duration = time - self._opened
        if duration >= HELD_OPEN:
            self.hold(time)
        if self._is_held:
            self.held_ns += duration
            self.longest_ns = max(self.longest_ns, duration)
        self._opened, self._is_held = None, False

    def end(self) -> None:
        """The period ends."""
        self.unclosed += self._is_held


class DoorCounts:
    """All doors of a site.

    Attributes:
        doors: by id.
        places: that doors lead into, by their ids joined with `/`; the site as a whole is `SITE`.
        passages: of the site.
        off_hours: of these, outside the calendar.
        denied: of the site.
        reasons: of these, as controllers say.
        credentials: that passed.
        by_day: passages and refusals of each local day.
        by_hour: passages by day of the week, Monday first, and hour of the clock.
        is_empty: whether doors told nothing at all.
    """

    def __init__(self, site: Site, zone: ZoneInfo, working: Calendar | None, start: int) -> None:
        """Nothing is counted yet.

        Args:
            site: knows doors and places.
            zone: of its clocks.
            working: when it is in use; None where nobody said.
            start: of the period, UTC ns; what comes earlier only says who is there.
        """
        doors = [device for device in site.devices.values() if device.kind == "door"]
        names = sorted({SITE, *(place for door in doors for place in (area_of(door), front_of(door)))})
        self.doors = {door.id: DoorTally() for door in doors}
        self.places = {name: PlaceCounts() for name in names}
        self.passages, self.off_hours, self.denied = Crowd(), Crowd(), Crowd()
        self.reasons: dict[str, Crowd] = defaultdict(Crowd)
        self.credentials: set[str] = set()
        self.by_day: dict[object, tuple[Crowd, Crowd]] = defaultdict(lambda: (Crowd(), Crowd()))
        self.by_hour: dict[tuple[int, int], Crowd] = defaultdict(Crowd)
        self.is_empty = True
        self._zone, self._working, self._start = zone, working, start
        self._boundaries = {name: Boundary(name, site) for name in names}
        self._people = {name: Occupancy(name, site) for name in names}
        self._around: dict[str, list[str]] = defaultdict(list)
        for name, boundary in self._boundaries.items():
            for door in boundary.doors:
                self._around[door].append(name)

    def take(self, events: Iterable[Reading]) -> None:
        """Counts what doors told, in the order of time."""
        for event in events:
            what = event.values.get("event", "")
            if what in PASSAGES:
                for name in self._around[event.device]:
                    self._people[name].take(str(what), event)
            if event.time >= self._start:
                self.is_empty = False
                self._count(event, str(what))

    def end(self) -> None:
        """The period ends."""
        for tally in self.doors.values():
            tally.end()

    def _count(self, event: Reading, what: str) -> None:
        tally, time = self.doors[event.device], event.time
        state = event.values.get("door")
        if what in PASSAGES:
            self._pass(event)
        elif what == "denied":
            self._refuse(event)
        elif what == "forced_open":
            tally.forced += 1
            tally.open(time)
        elif what == "held_open":
            tally.hold(time)
        elif what in {"tamper", "lock_fault"}:
            tally.faults += 1
        if what == "opened" or state == "open":
            tally.open(time)
        elif what == "closed" or state == "closed":
            tally.close(time)

    def _pass(self, event: Reading) -> None:
        who, shown = credential_of(event), show_time(event.time, self._zone)
        is_off = self._working is not None and not self._working.covers(event.time, self._zone)
        crowds = [
            self.passages,
            self.doors[event.device].passages,
            self.by_day[shown.date()][0],
            self.by_hour[shown.weekday(), shown.hour],
            *([self.off_hours] if is_off else []),
        ]
        for name in self._around[event.device]:
            place = self.places[name]
            people = self._people[name].people
            if people > place.peak:
                place.peak, place.peak_at = people, event.time
            if self._boundaries[name].enters(event):
                crowds += [place.entries, *([place.off_hours] if is_off else [])]
                place.credentials |= {who} - {""}
        for crowd in crowds:
            crowd.add(who)
        self.credentials |= {who} - {""}

    def _refuse(self, event: Reading) -> None:
        who, reason = credential_of(event), event.values.get("reason", "")
        day = show_time(event.time, self._zone).date()
        crowds = [self.denied, self.doors[event.device].denied, self.by_day[day][1], self.reasons[str(reason)]]
        crowds += [
            self.places[name].denied for name in self._around[event.device] if self._boundaries[name].enters(event)
        ]
        for crowd in crowds:
            crowd.add(who)
