"""The router: which device a topic belongs to, and how its payloads are read."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from devices.compile import compile_profile
from devices.errors import Undecodable, Unroutable
from devices.message import Reader
from devices.profile import Profile
from devices.register import Device, Register
from devices.topics import DEVICE, SITE, has_wildcard, reduce_filters, to_filter, to_pattern
from devices.values import shorten, suggest


class Route(NamedTuple):
    """Where a topic leads.

    Attributes:
        device: id in the register.
        read: turns the payload into records.
    """

    device: str
    read: Reader


class _Catch(NamedTuple):
    pattern: re.Pattern[str]
    routes: dict[str, Route]
    """By address, where the topic has wildcards; without them every device's topic is known in full."""


class Router:
    """Finds the route of a topic. Its size depends on the register alone, never on what arrives.

    Attributes:
        filters: the MQTT topic filters that catch what the devices publish, none of them covering another.
            Siteward's own topic is always among them, so that a device that is not in the register is noticed.
    """

    def __init__(self, register: Register, profiles: Mapping[str, Profile], site: str, zone: str) -> None:
        """Prepares the routes.

        Args:
            register: the devices.
            profiles: by id.
            site: id of the site, for topics that hold it.
            zone: IANA name of the site's time zone, for devices that send local time.

        Raises:
            Unroutable: a device names an unknown profile, cannot be heard, or is heard where another one is.
        """
        self._site = site
        self._routes: dict[str, Route] = {}
        self._catches: dict[str, _Catch] = {}
        if "canonical" in profiles:
            self._catch(profiles["canonical"])
        readers: dict[str, Reader] = {}
        for device in register:
            profile = profiles.get(device.profile)
            if profile is None:
                hint = suggest(device.profile, profiles) or f"known are {', '.join(sorted(profiles))}"
                raise Unroutable(device.id, f"there is no profile {device.profile!r}; {hint}")
            if profile.id not in readers:
                readers[profile.id] = compile_profile(profile, zone)
            self._add(device, profile, Route(device.id, readers[profile.id]))
        self.filters = reduce_filters([*map(to_filter, self._catches), *self._routes])

    def find(self, topic: str) -> Route:
        """The route of a topic.

        Raises:
            Undecodable: it belongs to no device of the register.
        """
        route = self._routes.get(topic)
        if route is not None:
            return route
        stranger = ""
        for pattern, routes in self._catches.values():
            match = pattern.fullmatch(topic)
            if match is not None:
                address = match["device"]
                if address in routes:
                    return routes[address]
                stranger = stranger or address
        if stranger:
            raise Undecodable(f"device {shorten(stranger)!r} is not in the register", hint="add it to devices.yaml")
        raise Undecodable("no device has this topic", hint="name the topic in devices.yaml")

    def _add(self, device: Device, profile: Profile, route: Route) -> None:
        address = device.address or device.id
        for text in (device.topic, address):
            if has_wildcard(text):
                raise Unroutable(device.id, f"expected no wildcard (+, #) in {text!r}")
        if device.topic:
            _claim(self._routes, device.topic, route)
            return
        if not profile.topics:
            raise Unroutable(device.id, f"give it a `topic`; profile {profile.id!r} has none for all")
        for topic, catch in self._catch(profile):
            if not has_wildcard(topic):
                _claim(self._routes, topic.replace(DEVICE, address), route)
            elif "/" in address:
                raise Unroutable(device.id, f"expected no / in {address!r}, because {topic} has wildcards")
            else:
                _claim(catch.routes, address, route)

    def _catch(self, profile: Profile) -> list[tuple[str, _Catch]]:
        topics = [topic.replace(SITE, self._site) for topic in profile.topics]
        for topic in topics:
            if topic not in self._catches:
                self._catches[topic] = _Catch(to_pattern(topic), {})
        return [(topic, self._catches[topic]) for topic in topics]


def _claim(routes: dict[str, Route], name: str, route: Route) -> None:
    other = routes.setdefault(name, route)
    if other.device != route.device:
        raise Unroutable(route.device, f"{name!r} already belongs to {other.device!r}")
