"""The decoder: from a topic and a payload to readings. Whatever comes in, out come readings or Undecodable."""

from collections.abc import Mapping
from hashlib import blake2b

import orjson

from devices.errors import Undecodable
from devices.profile import Profile
from devices.reading import Reading, Value
from devices.register import Register
from devices.router import Router
from devices.timestamps import TimeLimits


class Decoder:
    """Turns messages into readings.

    Attributes:
        filters: the MQTT topic filters that catch what the devices publish, none of them covering another.
    """

    def __init__(
        self,
        register: Register,
        profiles: Mapping[str, Profile],
        site: str,
        limits: TimeLimits,
        *,
        zone: str = "UTC",
    ) -> None:
        """Prepares everything that does not depend on a message.

        Args:
            register: the devices.
            profiles: by id.
            site: id of the site, for topics that hold it.
            limits: which times of devices are believed.
            zone: IANA name of the site's time zone, for devices that send local time.

        Raises:
            Unroutable: a device names an unknown profile, cannot be heard, or is heard where another one is.
        """
        router = Router(register, profiles, site, zone)
        self.filters: frozenset[str] = router.filters
        self._find = router.find
        self._limits = limits

    def decode(self, topic: str, payload: bytes, received: int) -> list[Reading]:
        """The readings of a message, at least one.

        A time that is not believed is kept as `claimed`, and the arrival stands in for it; further readings of the
        message without a time of their own follow a nanosecond apart, so that none overwrites another.

        Args:
            topic: it was published to.
            payload: as it came.
            received: when it arrived, nanoseconds since 1970; no other message has the same.

        Raises:
            Undecodable: the topic belongs to no device, or the payload is not what its profile says.
        """
        device, read = self._find(topic)
        try:
            records = read(payload, received)
        except Undecodable as error:
            error.device = device
            raise
        past, future = self._limits
        arrival = received
        readings = []
        for moment, values in records:
            claimed = None
            if moment is not None:
                claimed, resolution = moment
                if -past <= claimed - received <= future:
                    if resolution > 1 and "event" in values:
                        claimed += _spread(values, resolution)
                    readings.append(Reading(device, claimed, received, values))
                    continue
            readings.append(Reading(device, arrival, received, values, claimed=claimed))
            arrival += 1
        return readings


def _spread(values: dict[str, Value], resolution: int) -> int:
    """Digits below a coarse clock's resolution: different events of one moment stay two, a repeated one stays one."""
    content = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(blake2b(content, digest_size=8).digest()) % resolution
