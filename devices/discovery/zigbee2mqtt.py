"""Zigbee2MQTT's list of its devices, with all that each of them exposes.

https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html#zigbee2mqtt-bridge-devices and
https://www.zigbee2mqtt.io/guide/usage/exposes.html.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from devices.discovery.announcements import Announcement, Heard, pick_objects, pick_text, write_sample
from devices.errors import Undecodable
from devices.message import parse_json

FILTERS = ("+/bridge/devices",)

_SUFFIX = "/bridge/devices"
_DEPTH_MAX = 4


def read_announcements(messages: Iterable[Heard]) -> list[Announcement]:
    """The devices of a bridge, each with a message such as it sends."""
    announcements = []
    for topic, payload in messages:
        if not topic.endswith(_SUFFIX):
            continue
        try:
            devices = parse_json(payload)
        except Undecodable:
            continue
        for device in pick_objects(devices):
            name, definition = pick_text(device.get("friendly_name")), device.get("definition")
            if not name or device.get("type") == "Coordinator" or not isinstance(definition, dict):
                continue
            sample = dict(_list_properties(definition.get("exposes"), _DEPTH_MAX))
            message = (f"{topic.removesuffix(_SUFFIX)}/{name}", write_sample(sample))
            described = pick_text(device.get("description")) or pick_text(definition.get("description"))
            announcements.append(Announcement("Zigbee2MQTT", described, [message], "zigbee2mqtt"))
    return announcements


def _list_properties(exposes: object, depth: int) -> Iterator[tuple[str, Any]]:
    """Each property with a value such as it may have."""
    for expose in pick_objects(exposes):
        name = pick_text(expose.get("property"))
        if expose.get("features"):
            inner = dict(_list_properties(expose["features"], depth - 1)) if depth else {}
            if name:
                yield name, inner
            else:
                yield from inner.items()
        elif name and expose.get("type") == "numeric":
            yield name, 1
        elif name:  # a word of a switch, or the first of a choice
            values = expose.get("values")
            value = values[0] if isinstance(values, list) and values else expose.get("value_on")
            if isinstance(value, str | bool):
                yield name, value
