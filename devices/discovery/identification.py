"""Which devices messages are about, and what profiles read of them: the decoder answers, with a made-up register."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pydantic import ValidationError

from devices.decoder import Decoder
from devices.discovery.announcements import Heard
from devices.errors import Stranger, Undecodable, Unroutable
from devices.language.profile import Profile
from devices.reading import Reading, Value
from devices.register import Device, Register
from devices.timestamps import TimeLimits
from devices.topics import SITE, to_pattern

_NOBODY = "siteward-discovery"
"""An address that no device has."""

_ALWAYS = TimeLimits(2**62, 2**62)


class Surroundings(NamedTuple):
    """What a site's messages are read with.

    Attributes:
        profiles: by id.
        site: id of the site.
        zone: IANA name of its time zone.
        now: nanoseconds since 1970.
    """

    profiles: Mapping[str, Profile]
    site: str
    zone: str
    now: int


class Place(NamedTuple):
    """How a device is, or would be, listed in the register.

    Attributes:
        profile: how it is heard.
        address: what it calls itself there; "" where it has a topic of its own.
        topic: its own topic, else "".
    """

    profile: str
    address: str
    topic: str = ""


def find_places(messages: Iterable[Heard], around: Surroundings) -> dict[Heard, set[Place]]:
    """The devices that each message may be about, by every profile that has its topic."""
    found: dict[Heard, set[Place]] = {message: set() for message in messages}
    for profile in around.profiles.values() if found else ():  # reading all of them takes time
        topics = [topic for form in profile.forms if not form.ignore for topic in form.topics]
        patterns = [to_pattern(topic.replace(SITE, around.site)) for topic in topics]
        caught = [message for message in found if any(pattern.fullmatch(message[0]) for pattern in patterns)]
        decoder = _make_decoder({"nobody": Place(profile.id, _NOBODY)}, around) if caught else None
        if decoder is not None:
            for message in caught:
                _, strangers = _ask(decoder, message, around.now)
                found[message] |= {Place(*stranger) for stranger in strangers}
    return found


def read_messages(
    messages: Iterable[Heard], places: Iterable[Place], around: Surroundings
) -> Iterator[tuple[Heard, Place, dict[str, Value]]]:
    """What would be read of devices if they were in the register: message, device and values of each reading."""
    heard, every = list(messages), list(places)
    for profile in {place.profile for place in every}:
        mine = {f"d{number}": place for number, place in enumerate(every) if place.profile == profile}
        decoder = _make_decoder(mine, around)
        if decoder is None:
            continue
        for message in heard:
            readings, _ = _ask(decoder, message, around.now)
            for reading in readings:
                yield message, mine[reading.device], reading.values


def read_values(
    messages: Iterable[Heard], places: Iterable[Place], around: Surroundings
) -> dict[Place, dict[str, Value]]:
    """The same by device: the last value of each point."""
    values: dict[Place, dict[str, Value]] = {place: {} for place in places}
    for _, place, read in read_messages(messages, values, around):
        values[place].update(read)
    return values


def _make_decoder(places: Mapping[str, Place], around: Surroundings) -> Decoder | None:
    """A decoder for devices of one profile, without those that nobody could hear; None where none is left."""
    devices = dict(_list_devices(places))
    while devices:
        profile = next(iter(devices.values())).profile
        profiles = {profile: around.profiles[profile]} if profile in around.profiles else {}
        try:
            return Decoder(Register(devices=[*devices.values()]), profiles, around.site, _ALWAYS, zone=around.zone)
        except Unroutable as error:
            del devices[error.device]
    return None


def _list_devices(places: Mapping[str, Place]) -> Iterable[tuple[str, Device]]:
    for name, (profile, address, topic) in places.items():
        try:
            yield name, Device(id=name, kind="sensor", profile=profile, address=address, topic=topic)
        except ValidationError:  # no address that a register could hold
            continue


def _ask(decoder: Decoder, message: Heard, now: int) -> tuple[Iterable[Reading], Iterable[Stranger]]:
    try:
        return decoder.decode(*message, now), ()
    except Undecodable as error:
        return error.readings, error.strangers
