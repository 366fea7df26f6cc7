"""Tasmota's own discovery: who a device is, and a sample of what its sensors send.

https://tasmota.github.io/docs/Auto-Discovery/: `tasmota/discovery/MAC/config` and `…/sensors`, retained.
"""

from collections.abc import Iterable
from typing import Any

from devices.discovery.announcements import Announcement, Heard, pick_text, read_object, write_sample

FILTERS = ("tasmota/discovery/+/config", "tasmota/discovery/+/sensors")

_PREFIXES = 3
"""Of commands, states and telemetry."""


def read_announcements(messages: Iterable[Heard]) -> list[Announcement]:
    """The devices that have sensors."""
    configs: dict[str, dict[str, Any]] = {}
    sensors: dict[str, dict[str, Any]] = {}
    for topic, payload in messages:
        base, _, part = topic.rpartition("/")
        if base.startswith("tasmota/discovery/") and part in {"config", "sensors"}:
            (configs if part == "config" else sensors)[base] = read_object(payload)
    announcements = []
    for base, content in sensors.items():
        sample, config = content.get("sn"), configs.get(base, {})
        topic = _find_topic(config, base.rpartition("/")[2])
        if topic and isinstance(sample, dict):
            name = pick_text(config.get("dn"))
            announcements.append(Announcement("Tasmota", name, [(topic, write_sample(sample))], "tasmota"))
    return announcements


def _find_topic(config: dict[str, Any], mac: str) -> str:
    """Where the device publishes what its sensors say: its full topic with everything put in."""
    prefixes, topic, full = config.get("tp"), pick_text(config.get("t")), pick_text(config.get("ft"))
    if not isinstance(prefixes, list) or len(prefixes) != _PREFIXES or not topic or not full:
        return ""
    parts = {
        "%prefix%": pick_text(prefixes[2]),
        "%topic%": topic,
        "%hostname%": pick_text(config.get("hn")),
        "%id%": mac,
    }
    for name, value in parts.items():
        full = full.replace(name, value)
    return f"{full.removesuffix('/')}/SENSOR"
