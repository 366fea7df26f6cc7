"""What an announced quantity means: the point for a class of sensors, its words and its unit."""

import re
from collections.abc import Mapping

from devices.points import POINTS
from devices.quantities import convert_factor
from devices.reading import Value

_NUMBERS = {
    "energy": "energy_import_kwh",
    "power": "power_kw",
    "apparent_power": "apparent_power_kva",
    "reactive_power": "reactive_power_kvar",
    "power_factor": "power_factor",
    "voltage": "voltage_v",
    "current": "current_a",
    "frequency": "frequency_hz",
    "water": "volume_m3",
    "volume_flow_rate": "flow_m3_per_h",
    "carbon_dioxide": "co2_ppm",
    "carbon_monoxide": "co_ppm",
    "temperature": "temperature_c",
    "humidity": "humidity_percent",
    "battery": "battery_percent",
    "signal_strength": "rssi_dbm",
}
"""Points by Home Assistant's device classes of sensors: https://www.home-assistant.io/integrations/sensor/#device-class"""

_OPEN: tuple[str, Value, Value] = ("door", "open", "closed")

_STATES: Mapping[str, tuple[str, Value, Value]] = {
    "door": _OPEN,
    "garage_door": _OPEN,
    "opening": _OPEN,
    "window": _OPEN,
    "lock": ("lock", "unlocked", "locked"),
    "moisture": ("leak", True, False),
    "smoke": ("smoke", True, False),
    "gas": ("gas_leak", True, False),
    "tamper": ("tamper", True, False),
}
"""Point and its values when on and off, by the classes of binary sensors:
https://www.home-assistant.io/integrations/binary_sensor/#device-class"""

_UNITS = {
    "kWh": "energy",
    "Wh": "energy",
    "MWh": "energy",
    "W": "power",
    "kW": "power",
    "V": "voltage",
    "A": "current",
    "Hz": "frequency",
    "m³": "water",
    "L": "water",
    "m³/h": "volume_flow_rate",
    "L/h": "volume_flow_rate",
    "L/min": "volume_flow_rate",
    "°C": "temperature",
    "°F": "temperature",
}
"""What a number measures whose unit alone is known."""

_PART_OF_TIME = re.compile(r"(?<![a-z])(today|yesterday|daily|day|week|weekly|month|monthly|year|period|hour)(?![a-z])")
_EXPORT = re.compile(r"(?<![a-z])(export|exported|return|returned|feed|injected|produced|production)(?![a-z])")
_PHASE = re.compile(r"(?<![a-z0-9])(?:l|phase[ _-]?)([1-3]|[abc](?![a-z]))(?![0-9])|(?<![a-z0-9])([abc])(?![a-z0-9])")


def find_number(device_class: str, unit: str, words: str) -> str:
    """The point that a number gives, "" where it is none.

    Args:
        device_class: what it measures; "" where that is left to its unit.
        unit: as announced.
        words: its names, which tell phases and directions apart.
    """
    lower = words.lower()
    point = _NUMBERS.get(device_class or _UNITS.get(unit, ""), "")
    if point == "energy_import_kwh":
        if _PART_OF_TIME.search(lower):  # starts again and again, which is no register
            return ""
        if _EXPORT.search(lower):
            point = "energy_export_kwh"
    phase = _PHASE.search(lower)
    if phase is not None:
        digit = (phase[1] or phase[2]).translate(str.maketrans("abc", "123"))
        stem, _, suffix = point.rpartition("_")
        split = f"{stem}_l{digit}_{suffix}"
        point = split if split in POINTS else point
    return point if point and _fits(unit, point) else ""


def find_state(device_class: str) -> tuple[str, Value, Value] | None:
    """The point that an on and off gives, with its values for on and for off."""
    return _STATES.get(device_class)


def _fits(unit: str, point: str) -> bool:
    if point == "voltage_v" and unit == "mV":  # a battery's
        return False
    try:
        convert_factor(unit or POINTS[point].unit, POINTS[point].unit)
    except ValueError:
        return False
    return True
