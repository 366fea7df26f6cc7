"""Shelly's signs of life: retained `online` topics, and the announcement of the first generation.

https://shelly-api-docs.shelly.cloud/gen1/#mqtt and https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Mqtt.
They say which model a device is and nothing of what it measures, which its model tells.
"""

import re
from collections.abc import Iterable

from devices.discovery.announcements import Announcement, Heard, pick_text, read_object

FILTERS = ("shellies/announce", "shellies/+/online", "+/online")

_METER = (("relay/0/energy", b"60000"), ("relay/0/power", b"1"))

_FIRST: tuple[tuple[str, tuple[Heard, ...]], ...] = (
    (r"em3?", (("emeter/0/total", b"60000"), ("emeter/0/power", b"1"))),
    (r"1pm|4pro|plug(-s|-u1)?|switch25", _METER),
    (r"dw2?", (("sensor/state", b"open"),)),
    (r"flood", (("sensor/flood", b"true"),)),
    (r"smoke", (("sensor/smoke", b"true"),)),
    (r"gas", (("sensor/gas", b"none"),)),
    (r"ht", (("sensor/temperature", b"1"),)),
)
"""What models of the first generation send, below `shellies/ID/`."""

_SECOND: tuple[tuple[str, tuple[Heard, ...]], ...] = (
    (r".*3em.*", (("status/em:0", b'{"id":0,"total_act_power":1}'), ("status/emdata:0", b'{"id":0,"total_act":1}'))),
    (r".*em.*", (("status/em1:0", b'{"id":0,"act_power":1}'), ("status/em1data:0", b'{"id":0,"total_act_energy":1}'))),
    (r".*(pm|plug).*", (("status/switch:0", b'{"id":0,"apower":1,"aenergy":{"total":1}}'),)),
    (r".*ht.*", (("status/temperature:0", b'{"id":0,"tC":1}'),)),
    (r".*smoke.*", (("status/smoke:0", b'{"id":0,"alarm":true}'),)),
    (r".*flood.*", (("status/flood:0", b'{"id":0,"alarm":true}'),)),
)
"""What models of the second and later generations send, below `ID/`; the first expression that fits holds."""

_ID = re.compile(r"shelly([a-z0-9]+(?:-[a-z]\d?)?)-[0-9A-Fa-f]{6,12}")


def read_announcements(messages: Iterable[Heard]) -> list[Announcement]:
    """The devices whose model measures something."""
    announcements = {}
    for topic, payload in messages:
        levels = topic.split("/")
        if topic == "shellies/announce":
            name, first = pick_text(read_object(payload).get("id")), True
        elif levels[-1] == "online":
            name, first = levels[-2], levels[0] == "shellies"
        else:
            continue
        match = _ID.fullmatch(name)
        samples = [] if match is None else _list_samples(name, match[1], first=first)
        if samples:
            announcements[name] = Announcement("Shelly", "", samples)
    return list(announcements.values())


def _list_samples(name: str, model: str, *, first: bool) -> list[Heard]:
    base = f"shellies/{name}" if first else name
    for models, samples in _FIRST if first else _SECOND:
        if re.fullmatch(models, model):
            return [(f"{base}/{topic}", payload) for topic, payload in samples]
    return []
