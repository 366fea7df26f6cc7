"""What must agree between files: the register, profiles and places; who works at the desk, and how they are told."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from collector.settings import Notify, PersonalChannel, RoomChannel
from devices.clashes import Clash
from devices.language.profile import Profile
from devices.places import Area, Building, Floor, Places
from devices.register import METERED, Device, Register
from devices.values import suggest
from tickets.deskplan import DeskPlan

_LISTED = 12


def find_unheard(register: Register, profiles: Mapping[str, Profile]) -> Iterator[Clash]:
    """Devices whose messages nobody could find or read: the profile is unknown, or a topic is missing."""
    for index, device in enumerate(register.devices):
        profile = profiles.get(device.profile)
        if profile is None:
            yield Clash(("devices", index, "profile"), miss("profile", device.profile, profiles))
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
        yield "building", miss("building", device.building, areas)
    elif not device.building and (device.floor or device.area or device.outside):
        yield "building", f"device {device.id!r} has a floor or an area but no building"
    elif device.floor and device.floor not in floors:
        yield "floor", miss("floor", device.floor, floors, f" in building {device.building!r}")
    else:
        known = floors[device.floor] if device.floor else set().union(*floors.values())
        where = f" on floor {device.floor!r}" if device.floor else ""
        for key, area in (("area", device.area), ("outside", device.outside)):
            if area and area not in known:
                yield key, miss("area", area, known, f"{where} in building {device.building!r}")


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


def find_misfed(places: Places, register: Register) -> Iterator[Clash]:
    """Feeds that no plant has: of what is no meter, of two kinds of meters, from two mains, or in a circle."""
    devices = register.by_id()
    mains: dict[str, int] = {}
    above: dict[str, tuple[str, int]] = {}  # of each sub-meter, its main meter and the feed
    for index, feed in enumerate(places.feeds):
        entry = ("feeds", index)
        first = mains.setdefault(feed.main, index)
        if first != index:
            message = f"{feed.main!r} stands here a second time; list all that it feeds in one entry"
            yield Clash((*entry, "main"), message, ("feeds", first))
        main, fault = _find_meter(feed.main, devices)
        if fault:
            yield Clash((*entry, "main"), fault)
        for number, name in enumerate(feed.subs):
            path = (*entry, "subs", number)
            sub, fault = _find_meter(name, devices)
            other, feeding = above.setdefault(name, (feed.main, index))
            if fault:
                yield Clash(path, fault)
            elif main is not None and sub is not None and sub.kind != main.kind:
                yield Clash(path, f"{name!r} is of kind {sub.kind}, and {main.id!r}, which feeds it, {main.kind}")
            elif name == feed.main:
                yield Clash(path, f"{name!r} cannot feed itself")
            elif (other, feeding) != (feed.main, index) or name in feed.subs[:number]:
                message = f"{name!r} is already fed by {other!r}; a meter has one main meter above it"
                yield Clash(path, message, ("feeds", feeding))
            elif name in _climb(feed.main, above):
                yield Clash(path, f"{name!r} feeds {feed.main!r} itself; a feed leads down only")


def _find_meter(name: str, devices: Mapping[str, Device]) -> tuple[Device | None, str]:
    """A meter, or why it is none."""
    device = devices.get(name)
    if device is None:
        return None, miss("device", name, devices)
    return (device, "") if device.kind in METERED else (None, f"{name!r} is of kind {device.kind}; feeds are of meters")


def _climb(name: str, above: Mapping[str, tuple[str, int]]) -> Iterator[str]:
    """A meter and all above it; in a circle, each once."""
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        yield name
        if name in above:
            name = above[name][0]


def find_unreached(plan: DeskPlan, notify: Notify) -> Iterator[Clash]:
    """Contacts in desk.yaml that reach nobody: there is no such channel, or people have no address in it."""
    personal = {name for name, channel in notify.channels.items() if isinstance(channel, PersonalChannel)}
    for id_, person in plan.people.items():
        for name in person.contacts.keys() - personal:
            path = ("people", id_, "contacts", name)
            if name in notify.channels:
                kind = notify.channels[name].kind
                yield Clash(path, f"channel {name!r} is of kind {kind}; people have addresses in personal ones only")
            else:
                yield Clash(path, miss("channel", name, personal, " in siteward.yaml"))


def find_teamless(notify: Notify, plan: DeskPlan) -> Iterator[Clash]:
    """Teams that siteward.yaml has a room for, and that desk.yaml does not have."""
    for name, channel in notify.channels.items():
        for number, team in enumerate(channel.teams if isinstance(channel, RoomChannel) else ()):
            if team not in plan.teams:
                path = ("notify", "channels", name, "teams", number)
                yield Clash(path, miss("team", team, plan.teams, " in desk.yaml"))


def miss(what: str, name: str, known: Collection[str], where: str = "") -> str:
    """Says that there is no such thing, and which there are.

    Args:
        what: it would be.
        name: of what is not there.
        known: the names that there are.
        where: one looked, such as ` on floor '1F'`.
    """
    some = ", ".join(sorted(known)[:_LISTED]) + (", …" if len(known) > _LISTED else "")
    hint = suggest(name, known) or (f"known are {some}" if known else "there are none")
    return f"there is no {what} {name!r}{where}; {hint}"
