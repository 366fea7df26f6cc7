"""The site as rules see it: devices and places to select from, and the tree that hangs one below another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

from devices.places import Places
from devices.register import Device, Register
from rules.alerts import Subject, SubjectKind
from rules.calendars import Calendars

_PLACES: tuple[SubjectKind, ...] = ("building", "floor", "area")


def area_of(device: Device) -> str:
    """`building/floor/area` of a device, as far as the register knows it."""
    return "/".join(filter(None, (device.building, device.floor, device.area)))


def front_of(door: Device) -> str:
    """The same of the area in front of a door; "" where that is outdoors."""
    return "/".join(filter(None, (door.building, door.floor, door.outside))) if door.outside else ""


def _larger(area: str) -> list[str]:
    """The site, an area's building, its floor, and the area itself; none where there is no area."""
    parts = area.split("/")
    return ["/".join(parts[:length]) for length in range(len(parts) + 1)] if area else []


@dataclass(frozen=True)
class Site:
    """What is known of a site.

    Attributes:
        id: of siteward.yaml.
        zone: its time zone.
        register: its devices.
        places: where these may stand, and what feeds what.
        calendars: its working hours and holidays.
    """

    id: str
    zone: ZoneInfo
    register: Register
    places: Places = field(default_factory=Places)
    calendars: Calendars = field(default_factory=Calendars)

    @cached_property
    def devices(self) -> Mapping[str, Device]:
        """Every device by its id."""
        return self.register.by_id()

    @cached_property
    def _parents(self) -> Mapping[str, tuple[str, ...]]:
        """What each device hangs below: the gateway or controller that speaks for it, and the meter that feeds it."""
        found: dict[str, list[str]] = {}
        for device in self.register:
            if device.gateway:
                found.setdefault(device.id, []).append(device.gateway)
        for feed in self.places.feeds:
            for sub in feed.subs:
                found.setdefault(sub, []).append(feed.main)
        return {device: tuple(parents) for device, parents in found.items()}

    def parents(self, device: str) -> tuple[str, ...]:
        """What a device hangs below directly: its gateway first, then the main meter that feeds it."""
        return self._parents.get(device, ())

    def ancestors(self, device: str) -> Iterator[str]:
        """Everything above a device, the nearest first, each once."""
        seen = {device}
        waiting = list(self.parents(device))
        while waiting:
            parent = waiting.pop(0)
            if parent not in seen:
                seen.add(parent)
                yield parent
                waiting += self.parents(parent)

    def has_below(self, device: str) -> bool:
        """Whether anything hangs below a device."""
        return device in self._above

    @cached_property
    def _above(self) -> frozenset[str]:
        return frozenset(parent for parents in self._parents.values() for parent in parents)

    @cached_property
    def _subs(self) -> Mapping[str, tuple[str, ...]]:
        return {feed.main: tuple(feed.subs) for feed in self.places.feeds}

    def subs(self, main: str) -> tuple[str, ...]:
        """The sub-meters that a main meter feeds directly."""
        return self._subs.get(main, ())

    @cached_property
    def _devices_at(self) -> Mapping[str, tuple[Device, ...]]:
        found: dict[str, list[Device]] = {}
        for device in self.register:
            if device.kind in {"door", "sensor"}:
                for place in {*_larger(area_of(device)), *_larger(front_of(device))}:
                    found.setdefault(place, []).append(device)
        return {place: tuple(devices) for place, devices in found.items()}

    def devices_at(self, place: str) -> tuple[Device, ...]:
        """The doors and sensors that stand in a place, and the doors that lead into it, in the order of the register.

        Args:
            place: ids from the building down, joined with `/`; "" is the site.
        """
        return self._devices_at.get(place, ())

    def subject_of(self, device: Device, kind: SubjectKind) -> Subject | None:
        """What a device belongs to: itself, a place or the site; None where it has no such place."""
        if kind == "device":
            return Subject(kind, device.id)
        if kind == "site":
            return Subject(kind, self.id)
        ids = [getattr(device, level) for level in _PLACES[: _PLACES.index(kind) + 1]]
        return Subject(kind, "/".join(ids)) if all(ids) else None

    def find_subject(self, text: str) -> Subject:
        """What people mean: a device, the site, or else a place by the ids from the building down, such as `A/1F`."""
        if text in self.devices:
            return Subject("device", text)
        if text == self.id:
            return Subject("site", text)
        return Subject(_PLACES[min(text.count("/"), len(_PLACES) - 1)], text)

    def group(self, devices: Sequence[Device], kind: SubjectKind) -> Mapping[Subject, tuple[Device, ...]]:
        """Devices by what they belong to, in the order of the register."""
        groups: dict[Subject, list[Device]] = {}
        for device in devices:
            subject = self.subject_of(device, kind)
            if subject is not None:
                groups.setdefault(subject, []).append(device)
        return {subject: tuple(members) for subject, members in groups.items()}
