"""The decoder: from a topic and a payload to readings. Whatever comes in, out come readings or Undecodable."""

from collections.abc import Callable, Mapping
from hashlib import blake2b

import orjson

from devices.errors import Stranger, Undecodable
from devices.profile import Profile
from devices.reading import Reading, Value
from devices.register import Register
from devices.router import Route, Router, Target
from devices.timestamps import Moment, TimeLimits
from devices.values import shorten

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
        hash_credential: Callable[[str], str] | None = None,
    ) -> None:
        """Prepares everything that does not depend on a message.

        Args:
            register: the devices.
            profiles: by id.
            site: id of the site, for topics that hold it.
            limits: which times of devices are believed.
            zone: IANA name of the site's time zone, for devices that send local time.
            hash_credential: makes of a card's number what may be stored; None leaves it as it is.

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
        failure: Undecodable | None = None
        fits = False
        arrival = received
        for leg in route:
            try:
                records = leg.read(payload, received, leg.parts)
            except Undecodable as error:
                error.device = leg.target.id if leg.target else ""
                failure = failure or error
                continue
            if records is None:
                continue
            fits = True
            for moment, values, address in records:
                target = leg.members.get(address) if address else leg.target
                if target is not None:
                    readings.append(self._make_reading(target, moment, values, received, arrival))
                elif not address:
                    failure = failure or Undecodable("the message does not name its device")
                elif not leg.quiet and not any(address in other.members for other in route):
                    strangers.append(Stranger(leg.profile, address))
                arrival += 1  # whether known or not, so that another attempt gives the same times
        if strangers:
            failure = _reject_strangers(strangers)
        elif not fits and failure is None:
            failure = Undecodable("no form of its profile takes this message", device=_name(route))
        if failure is not None:
            failure.readings = tuple(readings)
            raise failure
        return readings

    def _make_reading(
        self, target: Target, moment: Moment | None, values: dict[str, Value], received: int, arrival: int
    ) -> Reading:
        device, factors, direction = target
        for name, factor in factors:
            value = values.get(name)
            if type(value) is float:
                values[name] = value * factor
        if "credential" in values and self._hash is not None:
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


def _name(route: Route) -> str:
    """The device of a route, where it has one."""
    return next((leg.target.id for leg in route if leg.target), "")


def _reject_strangers(strangers: list[Stranger]) -> Undecodable:
    every = tuple(dict.fromkeys(strangers))
    name = shorten(every[0].address)
    reason = f"device {name!r} is not in the register"
    if len(every) > 1:
        reason = f"{len(every)} devices of it are not in the register"
    return Undecodable(reason, hint="add them with: siteward devices adopt", strangers=every)


def _spread(values: dict[str, Value], resolution: int) -> int:
    """Digits below a coarse clock's resolution: different events of one moment stay two, a repeated one stays one."""
    content = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(blake2b(content, digest_size=8).digest()) % resolution
