"""What must agree between the register and the other files: profiles and places."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from devices.clashes import Clash
from devices.language.profile import Profile
from devices.places import Area, Building, Floor, Places
from devices.register import Device, Register
from devices.values import suggest

_LISTED = 12


def find_unheard(register: Register, profiles: Mapping[str, Profile]) -> Iterator[Clash]:
    """Devices whose messages nobody could find or read: the profile is unknown, or a topic is missing."""
    for index, device in enumerate(register.devices):
        profile = profiles.get(device.profile)
        if profile is None:
            yield Clash(("devices", index, "profile"), _miss("profile", device.profile, profiles))
        elif not device.topic and not any(form.topics for form in profile.forms):
            message = f"device {device.id!r} needs a topic of its own: profile {profile.id!r} names none for all"
            yield Clash(("devices", index, "topic"), message)


def find_misplaced(register: Register, places: Places) -> Iterator[Clash]:
    """Devices that stand where places.yaml has no place."""
    areas = {
        building.id: {floor.id: {area.id for area in floor.areas} for floor in building.floors}
        for building in places.buildings
    }
    for index, device in enumerate(register.devices):
        for key, message in _judge_place(device, areas):
            yield Clash(("devices", index, key), message)


def _judge_place(device: Device, areas: Mapping[str, Mapping[str, set[str]]]) -> Iterator[tuple[str, str]]:
    floors = areas.get(device.building, {})
    if device.building and device.building not in areas:
        yield "building", _miss("building", device.building, areas)
    elif not device.building and (device.floor or device.area or device.outside):
        yield "building", f"device {device.id!r} has a floor or an area but no building"
    elif device.floor and device.floor not in floors:
        yield "floor", _miss("floor", device.floor, floors, f" in building {device.building!r}")
    else:
        known = floors[device.floor] if device.floor else set().union(*floors.values())
        where = f" on floor {device.floor!r}" if device.floor else ""
        for key, area in (("area", device.area), ("outside", device.outside)):
            if area and area not in known:
                yield key, _miss("area", area, known, f"{where} in building {device.building!r}")


def find_repeated(places: Places) -> Iterator[Clash]:
    """Places that share an id with another one beside them."""
    yield from _find_repeated(("buildings",), places.buildings)
    for number, building in enumerate(places.buildings):
        path = ("buildings", number, "floors")
        yield from _find_repeated(path, building.floors)
        for index, floor in enumerate(building.floors):
            yield from _find_repeated((*path, index, "areas"), floor.areas)


def _find_repeated(path: tuple[str | int, ...], places: Sequence[Building | Floor | Area]) -> Iterator[Clash]:
    first: dict[str, int] = {}
    for index, place in enumerate(places):
        other = first.setdefault(place.id, index)
        if other != index:
            yield Clash((*path, index, "id"), f"{place.id!r} stands here a second time", (*path, other))


def _miss(what: str, name: str, known: Collection[str], where: str = "") -> str:
    """Says that there is no such thing, and what there is."""
    some = ", ".join(sorted(known)[:_LISTED]) or "none"
    hint = suggest(name, known) or f"known are {some}{', …' if len(known) > _LISTED else ''}"
    return f"there is no {what} {name!r}{where}; {hint}"
