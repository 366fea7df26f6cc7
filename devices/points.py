"""The closed list of points. A point's name carries its unit; its type is fixed for ever."""

from typing import Literal, NamedTuple, TypeAlias

from devices.reading import Value

Domain: TypeAlias = Literal["electricity", "water", "access", "safety", "climate", "any"]


class Point(NamedTuple):
    """One thing that a device can say.

    Attributes:
        name: as it stands in payloads, rules and the database.
        unit: as people write it; "" where it has none.
        type: float, bool or str.
        domain: the kind of system it belongs to.
        meaning: one line for the reference.
    """

    name: str
    unit: str
    type: type[Value]
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
    total = Point(name, unit, float, "electricity", meaning)
    return [
        total,
        *(
            Point(f"{stem}_l{phase}_{suffix}", unit, float, "electricity", f"{meaning}, phase L{phase}")
            for phase in (1, 2, 3)
        ),
    ]


_ALL = [
    Point("energy_import_kwh", "kWh", float, "electricity", "Register of active energy taken from the grid"),
    Point("energy_export_kwh", "kWh", float, "electricity", "Register of active energy given to the grid"),
    *_phases("power_kw", "kW", "Active power, negative when exporting"),
    Point("reactive_power_kvar", "kvar", float, "electricity", "Reactive power"),
    Point("apparent_power_kva", "kVA", float, "electricity", "Apparent power"),
    Point("power_factor", "", float, "electricity", "Power factor, -1 to 1"),
    *_phases("voltage_v", "V", "Voltage between phase and neutral"),
    *_phases("current_a", "A", "Current"),
    Point("frequency_hz", "Hz", float, "electricity", "Frequency of the grid"),
    Point("demand_kw", "kW", float, "electricity", "Mean power over the meter's demand period"),
    Point("tariff", "", str, "electricity", "Tariff that the meter is counting in"),
    Point("volume_m3", "m³", float, "water", "Register of the volume that flowed through"),
    Point("flow_m3_per_h", "m³/h", float, "water", "Flow"),
    Point("pressure_bar", "bar", float, "water", "Pressure above the atmosphere's"),
    Point("water_temperature_c", "°C", float, "water", "Temperature of the water"),
    Point("backflow_m3", "m³", float, "water", "Register of the volume that flowed backwards"),
    Point("leak", "", bool, "water", "The device reports a leak"),
    Point("event", "", str, "access", f"What happened: one of {', '.join(sorted(EVENTS))}"),
    Point("direction", "", str, "access", "in or out"),
    Point("credential", "", str, "access", "Keyed hash of the credential; never a card number or a name"),
    Point("reason", "", str, "access", "Why it was denied, as the controller says"),
    Point("door", "", str, "access", "open or closed"),
    Point("lock", "", str, "access", "locked or unlocked"),
    Point("tamper", "", bool, "access", "The housing is open or the device was moved"),
    Point("occupancy", "", float, "access", "People counted in the area"),
    Point("smoke", "", bool, "safety", "Smoke is detected"),
    Point("gas_leak", "", bool, "safety", "Combustible gas is detected"),
    Point("flood", "", bool, "safety", "Water on the floor is detected"),
    Point("sos", "", bool, "safety", "Somebody pressed the emergency button"),
    Point("co_ppm", "ppm", float, "safety", "Carbon monoxide"),
    Point("temperature_c", "°C", float, "climate", "Temperature of the air"),
    Point("humidity_percent", "%", float, "climate", "Relative humidity"),
    Point("co2_ppm", "ppm", float, "climate", "Carbon dioxide"),
    Point("battery_percent", "%", float, "any", "Charge of the battery"),
    Point("rssi_dbm", "dBm", float, "any", "Strength of the radio signal"),
    Point("snr_db", "dB", float, "any", "Signal to noise ratio of the radio"),
    Point("uptime_s", "s", float, "any", "Time since the device started"),
    Point("alarm", "", str, "any", "Alarm that the device itself reports"),
]

POINTS: dict[str, Point] = {point.name: point for point in _ALL}
"""Every point by its name."""
