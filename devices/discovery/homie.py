"""Homie's own description of a device: a retained topic for each attribute (versions 3 and 4), or JSON (version 5).

https://homieiot.github.io/specification/ has all versions. A property's value is published bare, under
`homie/DEVICE/NODE/PROPERTY`, or `homie/5/DEVICE/NODE/PROPERTY`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from devices.discovery.announcements import Announcement, Entity, Heard, pick_text, read_object
from devices.discovery.meanings import find_number

FILTERS = (
    "homie/+/$name",
    "homie/+/+/+/$name",
    "homie/+/+/+/$datatype",
    "homie/+/+/+/$unit",
    "homie/5/+/$description",
)

_NUMBERS = frozenset({"integer", "float"})
_SAMPLES = {"integer": b"1", "float": b"1", "boolean": b"true"}


def read_announcements(messages: Iterable[Heard]) -> list[Announcement]:
    """The devices of Homie's attributes and descriptions."""
    attributes: dict[str, dict[str, str]] = {}  # of each device and property, by its topic
    announcements = []
    for topic, payload in messages:
        base, _, attribute = topic.rpartition("/")
        if not base.startswith("homie/") or not attribute.startswith("$"):
            continue
        if attribute == "$description":
            announcements.append(
                _describe(base, pick_text(read_object(payload).get("name")), _list_described(base, payload))
            )
        else:
            attributes.setdefault(base, {})[attribute] = pick_text(payload.decode("utf-8", "replace"))
    devices: dict[str, dict[str, Mapping[str, Any]]] = {}
    for base, given in attributes.items():
        if base.count("/") == 3:  # noqa: PLR2004 - homie/DEVICE/NODE/PROPERTY
            property_ = {name.removeprefix("$"): value for name, value in given.items()}
            devices.setdefault("/".join(base.split("/")[:2]), {})[base] = property_
    for base, properties in devices.items():
        announcements.append(_describe(base, attributes.get(base, {}).get("$name", ""), properties.items()))
    return announcements


def _list_described(base: str, payload: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Topic and attributes of each property of a description."""
    nodes = read_object(payload).get("nodes")
    for node, content in nodes.items() if isinstance(nodes, dict) else ():
        properties = content.get("properties") if isinstance(content, dict) else None
        for name, property_ in properties.items() if isinstance(properties, dict) else ():
            if isinstance(property_, dict):
                yield f"{base}/{node}/{name}", property_


def _describe(base: str, name: str, properties: Iterable[tuple[str, Mapping[str, Any]]]) -> Announcement:
    announcement = Announcement("Homie", name, aliases=[base.rpartition("/")[2]])
    for topic, given in properties:
        datatype, unit = pick_text(given.get("datatype")), pick_text(given.get("unit"))
        if datatype not in _SAMPLES:
            continue
        announcement.samples.append((topic, _SAMPLES[datatype]))
        words = f"{pick_text(given.get('name'))} {topic.rpartition('/')[2]}"
        point = find_number("", unit, words) if datatype in _NUMBERS and unit else ""
        if point:
            announcement.entities[topic, point] = Entity(topic, (), point, unit)
    return announcement
