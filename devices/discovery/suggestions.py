"""What to suggest for a device that is to be listed: its kind, from its points, and an id, from what it is called."""

import re
from collections.abc import Collection
from itertools import chain, count
from unicodedata import normalize

from devices.points import POINTS
from devices.register import Kind

_ACCESS = frozenset({"event", "credential", "door", "lock"})
_RADIO = frozenset({"rssi_dbm", "snr_db", "uptime_s"})

_PREFIXES: dict[Kind, str] = {
    "electricity_meter": "em",
    "water_meter": "wm",
    "door": "door",
    "sensor": "sensor",
    "gateway": "gw",
}
_LENGTH_MAX = 48
"""Of an id, less than the register allows: a number may follow."""


def suggest_kind(points: Collection[str]) -> Kind:
    """The kind of device that gives such points."""
    domains = {POINTS[name].domain for name in points}
    if "electricity" in domains:
        return "electricity_meter"
    if any(name in points for name in ("volume_m3", "flow_m3_per_h", "backflow_m3")):
        return "water_meter"
    if any(name in points for name in _ACCESS):
        return "door"
    return "gateway" if points and _RADIO.issuperset(points) else "sensor"


def suggest_id(called: str, kind: Kind, taken: Collection[str]) -> str:
    """An id that is not taken: what of a name is fit for one, behind the kind's prefix where that is not all of it.

    Args:
        called: the address, in any script.
        kind: of the device.
        taken: ids of the register.
    """
    plain = normalize("NFKD", called).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:_LENGTH_MAX].rstrip("-._")
    lost = any(character.isalnum() and not character.isascii() for character in normalize("NFKC", called))
    if lost or not name:
        name = f"{_PREFIXES[kind]}-{name or 1}"
    stem = name.removesuffix("-1")
    candidates = chain([name], (f"{stem}-{number}" for number in count(2)))
    return next(candidate for candidate in candidates if candidate not in taken and candidate != "siteward")
