"""The people of the campus and the doors they pass: who enters a building also leaves it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from collector.simulation.chance import Chance
from collector.simulation.incidents import Incident
from collector.simulation.report import Report
from collector.simulation.rhythm import Rhythm, Use, is_exam
from devices.durations import NANOSECONDS
from devices.reading import Value
from devices.register import Device

PEOPLE_PER_DOOR = 8

Direction: TypeAlias = Literal["in", "out"]

_MS = NANOSECONDS["ms"]
_HOUR = NANOSECONDS["h"]
_WALK_H = 0.12
"""From one building to the next."""
_STAIRS_H = 0.02
"""From a building's entrance to a floor."""
_HELD_OPEN_AFTER = 30 * NANOSECONDS["s"]


class Person(NamedTuple):
    """Somebody with a credential.

    Attributes:
        number: counts them.
        card: its number, seven bytes in hexadecimal digits.
        home: the dormitory, or "" for those who live elsewhere.
        floor: the door to their room's floor there, or "" where there is none.
        work: where they teach, learn or work by day.
        study: where they read on their own.
    """

    number: int
    card: str
    home: str
    floor: str
    work: str
    study: str


class Stay(NamedTuple):
    """Somebody's time in a building, or in town where it is ""; hours of the local day."""

    building: str
    begin: float
    end: float


class Passage(NamedTuple):
    """Somebody goes through a door at an hour of the local day."""

    hour: float
    door: str
    direction: Direction
    person: Person


class Entrances(NamedTuple):
    """A building's doors.

    Attributes:
        outer: to the outside: those on the floor of its first door.
        inner: to rooms within: the others.
        living: of these, those to areas called as the first one's, such as `rooms` on every floor.
    """

    outer: Sequence[str]
    inner: Sequence[str]
    living: Sequence[str]


class Doors:
    """All doors of a register, driven by one population.

    Args:
        doors: the register's doors.
        uses: what each building is used for.
        rhythm: the site's calendar.
        chance: draws everybody's days.
        incidents: doors that are forced.
    """

    def __init__(
        self,
        doors: Sequence[Device],
        uses: Mapping[str, Use],
        rhythm: Rhythm,
        chance: Chance,
        *,
        incidents: Sequence[Incident] = (),
    ) -> None:
        self._rhythm = rhythm
        self._chance = chance
        self._forced = incidents
        self._ids = [door.id for door in doors]
        self._entrances = _sort_doors(doors)
        self.people = _settle(self._entrances, uses, chance, PEOPLE_PER_DOOR * len(doors))
        self._on = lru_cache(maxsize=4)(self._report_day)

    def reports(self, door: str, after: int, until: int) -> list[Report]:
        """What a door says for after < time <= until (UTC nanoseconds), oldest first, no two at the same time."""
        days = self._rhythm.days(after - _HOUR, until)  # what begins before midnight may end after it
        return [report for day in days for report in self._on(day)[door] if after < report.time <= until]

    def _report_day(self, day: date) -> Mapping[str, list[Report]]:
        passages: dict[str, list[Passage]] = defaultdict(list)
        for person in self.people:
            for passage in self._walk(person, day):
                passages[passage.door].append(passage)
        return {door: self._report_door(door, day, passages[door]) for door in self._ids}

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _walk(self, person: Person, day: date) -> Iterator[Passage]:
        """Everybody leaves home for a stay and comes back after it; both ends of a stay use doors of its building."""
        for number, stay in enumerate(self._plan(person, day)):
            chance = self._chance.sub("walk", person.number, day.toordinal(), number)
            if person.home:
                home = self._entrances[person.home].outer
                yield Passage(stay.begin - _WALK_H, chance.pick(home, "leave"), "out", person)
                yield Passage(stay.end + _WALK_H, chance.pick(home, "return"), "in", person)
            if person.floor:
                yield Passage(stay.begin - _WALK_H - _STAIRS_H, person.floor, "out", person)
                yield Passage(stay.end + _WALK_H + _STAIRS_H, person.floor, "in", person)
            if not stay.building:
                continue
            outer, inner, _ = self._entrances[stay.building]
            yield Passage(stay.begin, chance.pick(outer, "enter"), "in", person)
            yield Passage(stay.end, chance.pick(outer, "exit"), "out", person)
            if inner and chance.share("inner") < 0.4:  # noqa: PLR2004 - how many have a room within
                room = chance.pick(inner, "room")
                yield Passage(stay.begin + chance.between(0.05, 0.3, "room in"), room, "in", person)
                yield Passage(stay.end - chance.between(0.05, 0.3, "room out"), room, "out", person)

    def _plan(self, person: Person, day: date) -> Iterator[Stay]:
        """A person's stays of a day, which never overlap, walks included."""
        chance = self._chance.sub("plan", person.number, day.toordinal())
        kind = self._rhythm.classify(day)
        if kind != "working":
            free = chance.share("free")
            begin, end = chance.between(9, 12, "begin"), chance.between(14, 20, "end")
            if person.home and free < (0.45 if kind == "weekend" else 0.1):
                yield Stay(person.study, begin, end)
            elif person.home and free < 0.8:  # noqa: PLR2004 - the others stay in
                yield Stay("", begin, end)
        elif person.home:
            if chance.share("morning") < 0.9:  # noqa: PLR2004 - some sleep in
                yield Stay(person.work, chance.between(7.6, 8.3, "begin"), chance.between(11.6, 12.3, "end"))
            if chance.share("afternoon") < 0.75:  # noqa: PLR2004 - some are free
                place = chance.pick((person.work, person.study), "place")
                yield Stay(place, chance.between(13.6, 14.4, "later"), chance.between(16.2, 17.4, "late"))
            if chance.share("evening") < (0.8 if is_exam(day) else 0.45):
                yield Stay(person.study, chance.between(18.5, 19.5, "dusk"), chance.between(20.5, 22.2, "night"))
        else:
            lunch = chance.between(11.6, 12.4, "lunch")
            yield Stay(person.work, chance.between(7.2, 9.0, "begin"), lunch)
            yield Stay(person.work, lunch + chance.between(0.5, 1.0, "break"), chance.between(16.5, 18.8, "end"))

    # ── doors ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _report_door(self, door: str, day: date, passages: Sequence[Passage]) -> list[Report]:
        said: list[tuple[int, dict[str, Value]]] = []
        opened: list[tuple[int, int]] = []
        for passage in passages:
            chance = self._chance.sub(door, passage.person.number, day.toordinal(), round(passage.hour * 1000))
            time = self._rhythm.locate(day, passage.hour)
            who = {"direction": passage.direction, "credential": passage.person.card}
            if chance.share("misread") < 0.02:  # noqa: PLR2004 - how often a card is read badly
                said.append((time - 4000 * _MS, {"event": "denied", **who, "reason": "unreadable"}))
            said.append((time, {"event": "granted", **who}))
            begin = time + round(chance.between(600, 1600, "opens")) * _MS
            opened.append((begin, begin + round(chance.between(2500, 6000, "closes")) * _MS))
        said += self._turn_away(door, day)
        forced = [incident for incident in self._forced if incident.subject == door]
        for begin, end in _merge(opened):
            if not any(begin <= incident.end and incident.begin <= end for incident in forced):
                said += [(begin, {"event": "opened"}), (end, {"event": "closed"})]
        for incident in forced:
            if self._rhythm.moment(incident.begin).day == day:
                said.append((incident.begin, {"event": "forced_open"}))
                said.append((incident.begin + _HELD_OPEN_AFTER, {"event": "held_open"}))
                said.append((incident.end, {"event": "closed"}))
        return _separate(said)

    def _turn_away(self, door: str, day: date) -> Iterator[tuple[int, dict[str, Value]]]:
        """Now and then somebody tries a door that is not for them."""
        chance = self._chance.sub("stranger", door, day.toordinal())
        if self.people and chance.share("comes") < 0.4:  # noqa: PLR2004 - how often
            person = chance.pick(self.people, "who")
            time = self._rhythm.locate(day, chance.between(9, 20, "hour"))
            yield time, {"event": "denied", "direction": "in", "credential": person.card, "reason": "no access"}


def _sort_doors(doors: Sequence[Device]) -> Mapping[str, Entrances]:
    buildings: dict[str, list[Device]] = defaultdict(list)
    for door in doors:
        buildings[door.building].append(door)
    sorted_doors = {}
    for building, members in buildings.items():
        inner = [door for door in members if door.floor != members[0].floor]
        sorted_doors[building] = Entrances(
            outer=[door.id for door in members if door.floor == members[0].floor],
            inner=[door.id for door in inner],
            living=[door.id for door in inner if door.area == inner[0].area],
        )
    return sorted_doors


def _settle(
    buildings: Mapping[str, Entrances],
    uses: Mapping[str, Use],
    chance: Chance,
    count: int,
) -> Sequence[Person]:
    """The population: two thirds live in a dormitory, where there is one."""
    homes = [building for building in buildings if building and uses[building] == "dormitory"]
    libraries = [building for building in buildings if uses.get(building) == "library"]
    others = [building for building in buildings if building not in homes]
    people = []
    for number in range(count):
        own = chance.sub("person", number)
        resident = bool(homes) and own.share("resident") < 0.67  # noqa: PLR2004 - two thirds
        if not others and not resident:
            continue
        work = own.pick(others, "work") if others else ""
        home = own.pick(homes, "home") if resident else ""
        floors = buildings[home].living if home else ()
        people.append(
            Person(
                number=number,
                card=f"04{int(own.share('card') * 2**48):012X}",
                home=home,
                floor=own.pick(floors, "floor") if floors else "",
                work=work,
                study=own.pick(libraries, "study") if libraries else work,
            ),
        )
    return people


def _merge(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those that touch made one: a door that is held for the next person does not close."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _separate(said: list[tuple[int, dict[str, Value]]]) -> list[Report]:
    """In order, each at least a millisecond after the one before: two events at one time would be one row."""
    reports: list[Report] = []
    for time, values in sorted(said, key=lambda item: item[0]):
        earliest = reports[-1].time + _MS if reports else time
        reports.append(Report(max(time, earliest), values))
    return reports
