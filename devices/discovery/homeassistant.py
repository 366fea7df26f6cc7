r"""Home Assistant's MQTT discovery, which many gateways and firmwares speak.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery: a message for each entity, or one for a device with
its `components`; keys may be abbreviated, and `~` at the beginning or the end of a topic stands for the key `~`.
Of templates the simple ones are understood: `{{ value_json.a.b | float / 1000 }}`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from devices.discovery.announcements import Announcement, Entity, Heard, pick_text, read_object
from devices.discovery.meanings import find_number, find_state
from devices.points import POINTS

FILTERS = ("homeassistant/+/+/config", "homeassistant/+/+/+/config")

_LONG = {
    "cmps": "components",
    "cns": "connections",
    "dev": "device",
    "dev_cla": "device_class",
    "ids": "identifiers",
    "obj_id": "object_id",
    "p": "platform",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_t": "state_topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
"""The abbreviations that matter here; Home Assistant keeps the list in components/mqtt/abbreviations.py."""

_STEP = re.compile(r"""\.(\w+)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d{1,4}))\s*\]""")
_FILTER = r"\s*\|\s*(?:float|int|round|default|is_defined)\s*(?:\([^()|{}]{0,40}\))?"
_TEMPLATE = re.compile(
    rf"\{{\{{\s*\(*\s*(value|value_json)((?:{_STEP.pattern})*)((?:{_FILTER})*)\s*\)*"
    rf"(?:\s*([*/])\s*([0-9]+(?:\.[0-9]+)?))?\s*\)*(?:{_FILTER})*\s*\}}\}}",
    re.VERBOSE if False else 0,
)


def read_announcements(messages: Iterable[Heard]) -> list[Announcement]:
    """The devices of discovery messages; entities of one device are put together."""
    devices: dict[str, Announcement] = {}
    for topic, payload in messages:
        levels = topic.split("/")
        if levels[0] != "homeassistant" or levels[-1] != "config":
            continue
        content = _expand(read_object(payload))
        device = _object(content, "device")
        for component, config in _list_components(levels, content):
            entity = _read_entity(component, config, content)
            if entity is None:
                continue
            identifiers = _list_texts(device.get("identifiers")) or _list_texts(device.get("connections"))
            announcement = devices.setdefault(
                identifiers[0] if identifiers else entity.topic, Announcement("Home Assistant")
            )
            announcement.name = announcement.name or pick_text(device.get("name"))
            announcement.aliases |= {announcement.name, *identifiers, *levels[2:-1]} - {""}
            announcement.entities.append(entity)
    return list(devices.values())
