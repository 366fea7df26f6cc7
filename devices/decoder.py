"""The decoder: from a topic and a payload to readings. Whatever comes in, out come readings or Undecodable."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from zlib import crc32

import orjson

from devices.credentials import Hasher
from devices.errors import Pointless, Stranger, Undecodable
from devices.language.profile import Profile
from devices.message import Record
from devices.reading import Reading, Value
from devices.register import Register
from devices.router import Route, Router, Target
from devices.timestamps import Moment, TimeLimits
from devices.values import check_value

_HIDE = Hasher().hash

_STRANGERS_MOST = 20
"""Each keeps the message in quarantine; those beyond are told once these are known."""

_UNREAD: list[Record] = [(None, {}, "")]
"""Stands for what a device that is not in the register says, where that cannot be read."""

_ADDRESS_LENGTH_MAX = 200

_PASSAGES = frozenset({"granted", "denied", "passback", "duress"})
"""Events of somebody who wants through a door."""


class Decoder:
    """Turns messages into readings.

    Attributes:
        filters: the MQTT topic filters that catch what the devices publish, none of them covering another.
        windows: device id to the time (ns) within which the same content is the same event.
        host: what is known of Sparkplug's nodes; None where the register has none.
    """

    def __init__(
        self,
        register: Register,
        profiles: Mapping[str, Profile],
        site: str,
        limits: TimeLimits,
        *,
        zone: str = "UTC",
        hash_credential: Callable[[str], str] = _HIDE,
    ) -> None:
        """Prepares everything that does not depend on a message.

        Args:
            register: the devices.
            profiles: by id.
            site: id of the site, for topics that hold it.
            limits: which times of devices are believed.
            zone: IANA name of the site's time zone, for devices that send local time.
            hash_credential: makes of a card's number what may be stored; left out, every credential is hidden.

        Raises:
            Unroutable: a device names an unknown profile, cannot be heard, or is heard where another one is.
        """
        router = Router(register, profiles, site, zone)
        self.filters: frozenset[str] = router.filters
        self.windows: Mapping[str, int] = router.windows
        self.host = router.host
        self._find = router.find
        self._limits = limits
        self._hash = hash_credential

    def with_hash(self, hash_credential: Callable[[str], str]) -> "Decoder":
        """The same, which makes something else of a card's number."""
        keyed = copy(self)
        keyed._hash = hash_credential  # noqa: SLF001 - it is one of us
        return keyed

    def inherit(self, old: "Decoder") -> None:
        """Takes over what an older decoder has learnt from messages."""
        if self.host is not None and old.host is not None:
            self.host.load(old.host.dump())

    def decode(self, topic: str, payload: bytes, received: int) -> list[Reading]:
        """The readings of a message; none where its profile says that such messages hold none.

        A time that is not believed is kept as `claimed`, and the arrival stands in for it; further readings of the
        message without a time of their own follow a nanosecond apart, so that none overwrites another.

        Args:
            topic: it was published to.
            payload: as it came.
            received: when it arrived, nanoseconds since 1970; no other message has the same.

        Raises:
            Undecodable: the topic belongs to no device, the payload is not what its profile says, or it speaks of
                devices that are not in the register; the readings of those that are come with it.
        """
        route = self._find(topic)
        readings: list[Reading] = []
        strangers: list[Stranger] = []
        failures: list[Undecodable] = []
        fits = False
        arrival = received
        for leg in route.legs if route.choose is None else route.choose(payload):
            try:
                records = leg.read(payload, received, leg.parts, settled=leg.settled)
            except Undecodable as error:
                if not leg.stranger:
                    error.device = leg.target.id if leg.target else ""
                    failures.append(error)
                    continue
                records = _UNREAD
            fits = fits or records is not None
            for moment, values, address in records or ():
                target = leg.members.get(address) if address else leg.target
                if target is not None:
                    try:
                        readings.append(self._make_reading(target, moment, values, received, arrival))
                    except Undecodable as error:
                        failures.append(error)
                elif not leg.quiet:
                    strangers.append(Stranger(leg.profile, address or leg.stranger))
                arrival += 1  # whether known or not, so that another attempt gives the same times
        if not fits and not failures:
            failures.append(Undecodable("no form of its profile takes this message", device=_name(route)))
        if strangers or failures:
            _report(_find_strangers(strangers, route) or _choose(failures, readings), readings)
        return readings

    def _make_reading(
        self, target: Target, moment: Moment | None, values: dict[str, Value], received: int, arrival: int
    ) -> Reading:
        device, factors, direction = target
        if factors:
            _multiply(values, factors, device)
        if "credential" in values:
            values["credential"] = self._hash(str(values["credential"]))
        if direction and values.get("event") in _PASSAGES:
            values.setdefault("direction", direction)
        if moment is None:
            return Reading(device, arrival, received, values)
        claimed, resolution = moment
        past, future = self._limits
        if not -past <= claimed - received <= future:
            return Reading(device, arrival, received, values, claimed=claimed)
        if resolution > 1 and "event" in values:
            claimed += _spread(values, resolution)
        return Reading(device, claimed, received, values)


def _multiply(values: dict[str, Value], factors: Iterable[tuple[str, float | None]], device: str) -> None:
    """Applies what the register says of a device's numbers; see Target.

    Raises:
        Undecodable: a number cannot be had without what the register does not say.
    """
    for name, factor in factors:
        value = values.get(name)
        if type(value) is not float:
            continue
        if factor is None:
            del values[name]
        elif factor:
            values[name] = check_value(name, value * factor)
        else:
            hint = "give the device its `pulse_weight` in the register"
            raise Undecodable(f"{name}: counted in pulses of unknown weight", hint=hint, device=device)
    if not values:
        raise Undecodable("pulses of something that this kind of device does not count", device=device)


def _report(failure: Undecodable | None, readings: Sequence[Reading]) -> None:
    """Raises what is wrong with a message, with the readings that it has all the same."""
    if failure is not None:
        failure.readings = tuple(readings)
        raise failure


def _choose(failures: Sequence[Undecodable], readings: Sequence[Reading]) -> Undecodable | None:
    """What to say of several failures: that a form finds no point is none where another has read the message."""
    if not failures:
        return None
    serious = [failure for failure in failures if type(failure) is not Pointless]
    return next(iter(serious or (() if readings else failures)), None)


def _name(route: Route) -> str:
    """The device whose topic it is, where it is one's own."""
    return next((leg.target.id for leg in route.legs if leg.target), "")


def _find_strangers(strangers: Sequence[Stranger], route: Route) -> Undecodable | None:
    """What to say of devices that no profile of the route has; None where there are none."""
    if not strangers:
        return None
    every = [one for one in dict.fromkeys(strangers) if not any(one.address in leg.members for leg in route.legs)]
    if not every:
        return None
    named = tuple(one for one in every if len(one.address) <= _ADDRESS_LENGTH_MAX)
    if not named:
        return Undecodable(f"the message names a device in more than {_ADDRESS_LENGTH_MAX} characters")
    hint = "add it with: siteward devices adopt"
    return Undecodable("a device that is not in the register", hint=hint, strangers=named[:_STRANGERS_MOST])


def _spread(values: dict[str, Value], resolution: int) -> int:
    """Digits below a coarse clock's resolution: different events of one moment stay two, a repeated one stays one."""
    return crc32(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)) % resolution
