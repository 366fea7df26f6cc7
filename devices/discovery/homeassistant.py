"""Home Assistant's MQTT discovery, which many gateways and firmwares speak.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery: a message for each entity, or one for a device with
its `components`; keys may be abbreviated, and `~` at the beginning or the end of a topic stands for the key `~`.
Of templates the simple ones are understood, such as `{{ value_json.a.b | float / 1000 }}`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from devices.discovery.announcements import Announcement, Entity, Heard, pick_text, read_object
from devices.discovery.meanings import find_number, find_state

FILTERS = ("homeassistant/+/+/config", "homeassistant/+/+/+/config")

_LONG = {
    "cmps": "components",
    "cns": "connections",
    "dev": "device",
    "dev_cla": "device_class",
    "ent_cat": "entity_category",
    "ids": "identifiers",
    "p": "platform",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_t": "state_topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
"""The abbreviations that matter here; Home Assistant keeps them in components/mqtt/abbreviations.py."""

_STEP = re.compile(r"""\.(\w+)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d{1,3}))\s*\]""")
_STEPS = r"""(?:\.\w+|\[\s*(?:'[^']*'|"[^"]*"|\d{1,3})\s*\])*"""
_FILTERS = r"(?:\s*\|\s*(?:float|int|round|default|is_defined)\s*(?:\([^()|{}]*\))?)*"
_TEMPLATE = re.compile(
    rf"\{{\{{\s*\(?\s*(value_json|value)({_STEPS}){_FILTERS}\s*\)?"
    rf"(?:\s*([*/])\s*([0-9]+(?:\.[0-9]+)?))?\s*\)?{_FILTERS}\s*\}}\}}",
    re.ASCII,
)

_ABOUT_ITSELF = frozenset({"battery", "signal_strength"})
"""Classes of diagnostic entities that say something of use."""


def read_announcements(messages: Iterable[Heard]) -> list[Announcement]:
    """The devices of discovery messages, with all of their entities that give a point."""
    devices: dict[str, Announcement] = {}
    for topic, payload in messages:
        levels = topic.split("/")
        if levels[0] != "homeassistant" or levels[-1] != "config":
            continue
        content = _expand(read_object(payload))
        device = _expand(content.get("device"))
        identifiers = [*_list_texts(device.get("identifiers")), *_list_texts(device.get("connections"))]
        for component, config in _list_components(levels[1], content):
            entity = _read_entity(component, config)
            if entity is None:
                continue
            key = identifiers[0] if identifiers else entity.topic
            announcement = devices.setdefault(key, Announcement("Home Assistant"))
            announcement.name = announcement.name or pick_text(device.get("name")) or pick_text(config.get("name"))
            announcement.aliases += [*identifiers, *levels[2:-1], announcement.name]
            announcement.entities.setdefault((entity.topic, entity.point), entity)
    return list(devices.values())


def read_template(template: str) -> tuple[tuple[str | int, ...], float] | None:
    """The steps to a value and what it is multiplied by; None where a template is not a simple one."""
    if not template:
        return (), 1.0
    match = _TEMPLATE.fullmatch(template.strip())
    if match is None:
        return None
    variable, written, operator, number = match.groups()
    steps = tuple(
        int(index) if index else name or single or double for name, single, double, index in _STEP.findall(written)
    )
    if (variable == "value_json") != bool(steps):
        return None
    factor = float(number or 1)
    if operator == "/":
        return (steps, 1 / factor) if factor else None
    return steps, factor


def _expand(content: object) -> dict[str, Any]:
    """An object with its keys written out and `~` put in; empty where it is none."""
    written = {_LONG.get(key, key): value for key, value in _items(content)}
    base, topic = pick_text(written.get("~")), pick_text(written.get("state_topic"))
    if base and topic.startswith("~"):
        written["state_topic"] = base + topic[1:]
    elif base and topic.endswith("~"):
        written["state_topic"] = topic[:-1] + base
    return written


def _list_components(component: str, content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each entity of a message: what it is, and its keys with those that it shares."""
    if component != "device":
        yield component, content
        return
    components = content.get("components")
    shared = {key: content[key] for key in ("~", "state_topic") if key in content}
    for _, inner in _items(components):
        config = _expand(shared | _expand(inner))
        yield pick_text(config.get("platform")), config


def _read_entity(component: str, config: Mapping[str, Any]) -> Entity | None:
    topic, device_class = pick_text(config.get("state_topic")), pick_text(config.get("device_class"))
    place = read_template(pick_text(config.get("value_template")))
    if not topic or place is None or (config.get("value_template") and not pick_text(config.get("value_template"))):
        return None
    if config.get("entity_category") == "diagnostic" and device_class not in _ABOUT_ITSELF:
        return None
    steps, scale = place
    if component == "sensor":
        unit = pick_text(config.get("unit_of_measurement"))
        names = [pick_text(config.get(key)) for key in ("name", "unique_id")]
        point = find_number(device_class, unit, " ".join([*names, *map(str, steps)]))
        return Entity(topic, steps, point, unit, scale) if point else None
    state = find_state(device_class) if component == "binary_sensor" else None
    if state is None:
        return None
    point, on, off = state
    words = (config.get("payload_on", "ON"), on), (config.get("payload_off", "OFF"), off)
    return Entity(topic, steps, point, words=words) if all(isinstance(word, str | bool) for word, _ in words) else None


def _items(value: object) -> Iterable[tuple[str, Any]]:
    """Keys and values of an object; nothing where the value is none."""
    return value.items() if isinstance(value, dict) else ()


def _list_texts(value: object) -> list[str]:
    """The texts of a list, which may hold lists (connections do), or a text alone."""
    if isinstance(value, list):
        return [text for item in value for text in _list_texts(item[-1] if isinstance(item, list) and item else item)]
    text = pick_text(value)
    return [text] if text else []
