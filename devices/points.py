"""The closed list of points. A point's name carries its unit; its type and kind are fixed for ever."""

from typing import Literal, NamedTuple, TypeAlias

from devices.reading import Value

Domain: TypeAlias = Literal["electricity", "water", "access", "safety", "climate", "any"]

PointKind: TypeAlias = Literal["register", "gauge", "state", "event"]

POINT_KINDS: dict[PointKind, str] = {
    "register": "a meter's cumulative counter; what counts is by how much it rises",
    "gauge": "a quantity at a moment, which goes up and down",
    "state": "one of a few conditions, which lasts until the next value",
    "event": "something that happened at a moment, and its particulars",
}
"""How a point's values follow each other in time."""


class Point(NamedTuple):
    """One thing that a device can say.

    Attributes:
        name: as it stands in payloads, rules and the database.
        unit: as people write it; "" where it has none.
        type: float, bool or str.
        kind: how its values follow each other in time.
        domain: the kind of system it belongs to.
        meaning: one line for the reference.
    """

    name: str
    unit: str
    type: type[Value]
    kind: PointKind
    domain: Domain
    meaning: str


EVENTS = frozenset(
    {
        "granted", "denied", "forced_open", "held_open", "closed", "opened", "locked", "unlocked",
        "tamper", "lock_fault", "passback", "duress", "exit_request", "emergency_release",
    },
)  # fmt: skip
"""The values that the point `event` may take."""


def _phases(name: str, unit: str, meaning: str) -> list[Point]:
    stem, suffix = name.rsplit("_", 1)
    total = Point(name, unit, float, "gauge", "electricity", meaning)
    return [
        total,
        *(
            Point(f"{stem}_l{phase}_{suffix}", unit, float, "gauge", "electricity", f"{meaning}, phase L{phase}")
            for phase in (1, 2, 3)
        ),
    ]


_ALL = [
    Point("energy_import_kwh", "kWh", float, "register", "electricity", "Active energy taken from the grid"),
    Point("energy_export_kwh", "kWh", float, "register", "electricity", "Active energy given to the grid"),
    *_phases("power_kw", "kW", "Active power, negative when exporting"),
    Point("reactive_power_kvar", "kvar", float, "gauge", "electricity", "Reactive power"),
    Point("apparent_power_kva", "kVA", float, "gauge", "electricity", "Apparent power"),
    Point("power_factor", "", float, "gauge", "electricity", "Power factor, -1 to 1"),
    *_phases("voltage_v", "V", "Voltage between phase and neutral"),
    *_phases("current_a", "A", "Current"),
    Point("frequency_hz", "Hz", float, "gauge", "electricity", "Frequency of the grid"),
    Point("demand_kw", "kW", float, "gauge", "electricity", "Mean power over the meter's demand period"),
    Point("tariff", "", str, "state", "electricity", "Tariff that the meter is counting in"),
    Point("volume_m3", "m³", float, "register", "water", "Volume that flowed through"),
    Point("flow_m3_per_h", "m³/h", float, "gauge", "water", "Flow"),
    Point("pressure_bar", "bar", float, "gauge", "water", "Pressure above the atmosphere's"),
    Point("water_temperature_c", "°C", float, "gauge", "water", "Temperature of the water"),
    Point("backflow_m3", "m³", float, "register", "water", "Volume that flowed backwards"),
    Point("leak", "", bool, "state", "water", "The device reports a leak"),
    Point("event", "", str, "event", "access", f"What happened: one of {', '.join(sorted(EVENTS))}"),
    Point("direction", "", str, "event", "access", "in or out"),
    Point("credential", "", str, "event", "access", "Keyed hash of the credential; never a card number or a name"),
    Point("reason", "", str, "event", "access", "Why it was denied, as the controller says"),
    Point("door", "", str, "state", "access", "open or closed"),
    Point("lock", "", str, "state", "access", "locked or unlocked"),
    Point("tamper", "", bool, "state", "access", "The housing is open or the device was moved"),
    Point("occupancy", "", float, "gauge", "access", "People counted in the area"),
    Point("smoke", "", bool, "state", "safety", "Smoke is detected"),
    Point("gas_leak", "", bool, "state", "safety", "Combustible gas is detected"),
    Point("flood", "", bool, "state", "safety", "Water on the floor is detected"),
    Point("sos", "", bool, "state", "safety", "Somebody pressed the emergency button"),
    Point("co_ppm", "ppm", float, "gauge", "safety", "Carbon monoxide"),
    Point("temperature_c", "°C", float, "gauge", "climate", "Temperature of the air"),
    Point("humidity_percent", "%", float, "gauge", "climate", "Relative humidity"),
    Point("co2_ppm", "ppm", float, "gauge", "climate", "Carbon dioxide"),
    Point("battery_percent", "%", float, "gauge", "any", "Charge of the battery"),
    Point("rssi_dbm", "dBm", float, "gauge", "any", "Strength of the radio signal"),
    Point("snr_db", "dB", float, "gauge", "any", "Signal to noise ratio of the radio"),
    Point("uptime_s", "s", float, "gauge", "any", "Time since the device started"),
    Point("alarm", "", str, "state", "any", "Alarm that the device itself reports"),
]

POINTS: dict[str, Point] = {point.name: point for point in _ALL}
"""Every point by its name."""
