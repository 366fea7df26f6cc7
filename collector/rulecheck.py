"""What rules name and what must be there: devices, places, tags, profiles and calendars."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import NamedTuple, TypeAlias

from collector.crosscheck import miss
from devices.misfits import Misfit
from devices.places import Places
from devices.register import Register
from rules.calendars import Calendars
from rules.conditions.node import Condition
from rules.rule import Rule, TicketPlan
from rules.selection import Selection
from rules.when import When
from tickets.deskplan import OTHER, DeskPlan
from tickets.titles import PLACEHOLDERS

Path: TypeAlias = tuple[str | int, ...]


_BRACES = re.compile(r"\{([^{}]*)\}")


class Spot(NamedTuple):
    """A place as rules name it: the ids from the building down; "" where there is none."""

    building: str
    floor: str = ""
    area: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What rules may name; None where it is wrong itself, so that nothing can be said of it.

    Attributes:
        register: devices and tags.
        places: of places.yaml; None too where there is no such file, and devices say which places there are.
        profiles: ids.
        calendars: by id.
        desk: categories.
    """

    register: Register | None
    places: Places | None
    profiles: Collection[str] | None
    calendars: Calendars | None
    desk: DeskPlan | None

    @cached_property
    def devices(self) -> Collection[str]:
        """The ids of all devices."""
        return {device.id for device in self.register or ()}

    @cached_property
    def spots(self) -> Sequence[Spot]:
        """Every place that there is, each once."""
        if self.places is not None:
            found = []
            for building in self.places.buildings:
                found.append(Spot(building.id))
                for floor in building.floors:
                    found.append(Spot(building.id, floor.id))
                    found += [Spot(building.id, floor.id, area.id) for area in floor.areas]
            return found
        return list({Spot(device.building, device.floor, device.area) for device in self.register or ()})


def find_misfits(rule: Rule, around: Surroundings) -> Iterator[Misfit]:
    """Everything that a rule names and that is not there, each with its place in the rule."""
    for key in ("active", "mute"):
        yield from _check_calendars((key,), getattr(rule, key) or (), around)
    yield from (misfit.below("select") for misfit in _check_selection(rule.select, around))
    if rule.ticket is not None:
        yield from _check_ticket(rule.ticket, around)
    for path, condition in walk(rule.when, ("when",)):
        for key, check in _CHECKS.items():
            names = getattr(condition, key, None)
            if names:
                yield from check((*path, key), [names] if isinstance(names, str) else list(names), around)


def walk(when: When, path: Path) -> Iterator[tuple[Path, Condition]]:
    """Every condition of a tree, with its place."""
    for name, field in type(when).model_fields.items():
        value, below = getattr(when, name), (*path, field.alias or name)
        if isinstance(value, Condition):
            yield below, value
        elif isinstance(value, When):
            yield from walk(value, below)
        else:
            for number, part in enumerate(value or ()):
                yield from walk(part, (*below, number))


def _check_ticket(ticket: TicketPlan, around: Surroundings) -> Iterator[Misfit]:
    """The category is one of the desk's; all in braces stands for something that an alert says."""
    if around.desk is not None and around.desk.categories:
        known = {OTHER, *around.desk.categories}
        yield from _check_names(("ticket", "category"), "category", [ticket.category], known)
    for language in ("en", "zh"):
        path: Path = ("ticket", "title", language)
        title = getattr(ticket.title, language)
        for name in _BRACES.findall(title):
            if name not in PLACEHOLDERS:
                near = get_close_matches(name.strip(), PLACEHOLDERS, n=1)
                hint = f"did you mean {{{near[0]}}}?" if near else f"known are {_list_placeholders()}"
                yield Misfit(path, f"title: {{{name}}} stands for nothing; {hint}")
        if re.search("[{}]", _BRACES.sub("", title)):
            yield Misfit(path, "title: a { or } stands alone")


def _list_placeholders() -> str:
    return ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)


def _check_selection(select: Selection, around: Surroundings) -> Iterator[Misfit]:
    yield from _check_places(select, around.spots)
    if select.device and around.register is not None:
        yield from _check_devices(("device",), select.device, around)
    if select.profile and around.profiles is not None:
        yield from _check_names(("profile",), "profile", select.profile, around.profiles)
    if around.register is not None:
        for tag in select.tags:
            if tag not in around.register.tags:
                yield Misfit(("tags", tag), miss("tag", tag, around.register.tags))


def _check_places(select: Selection, spots: Sequence[Spot]) -> Iterator[Misfit]:
    """From the building down; below a place that is not there nothing is looked for."""
    where: list[str] = []
    for level in Spot._fields:
        wanted = getattr(select, level)
        if wanted is None:
            continue
        known = {name for spot in spots if (name := getattr(spot, level))}
        yield from _check_names((level,), level, wanted, known, " in " + " and ".join(where) if where else "")
        if not known.intersection(wanted):
            return
        spots = [spot for spot in spots if getattr(spot, level) in wanted]
        where.append(f"{level} {' or '.join(map(repr, wanted))}")


def _check_names(
    path: Path, what: str, names: Sequence[str], known: Collection[str], where: str = ""
) -> Iterator[Misfit]:
    for number, name in enumerate(names):
        if name not in known:
            yield Misfit((*path, number), miss(what, name, known, where))


def _check_calendars(path: Path, names: Sequence[str], around: Surroundings) -> Iterator[Misfit]:
    if around.calendars is not None:
        yield from _check_names(path, "calendar", names, around.calendars.calendars)


def _check_devices(path: Path, names: Sequence[str], around: Surroundings) -> Iterator[Misfit]:
    if around.register is not None:
        yield from _check_names(path, "device", names, around.devices)


def _check_areas(path: Path, names: Sequence[str], around: Surroundings) -> Iterator[Misfit]:
    known = {"/".join(filter(None, spot)) for spot in around.spots}
    yield from _check_names(path, "area", names, known)


def _check_groups(path: Path, names: Sequence[str], around: Surroundings) -> Iterator[Misfit]:
    tags = [name.removeprefix("tag:") for name in names if name.startswith("tag:")]
    if around.register is not None:
        yield from _check_names(path, "tag", tags, around.register.tags)


_CHECKS = {
    "area": _check_areas,
    "calendar": _check_calendars,
    "group_by": _check_groups,
    "main": _check_devices,
    "subs": _check_devices,
}
"""By the name of a condition's field that holds one name or several, how these are looked up."""
