"""Simulated meters, gateways and the weather station: what each says at a moment."""

from collections.abc import Callable, Mapping, Sequence
from math import cos, pi
from typing import NamedTuple, Protocol

from collector.simulation.chance import Chance
from collector.simulation.curve import NODE_NS, Curve
from collector.simulation.incidents import OVER_VOLTAGE_V, Incident
from collector.simulation.rhythm import Use
from collector.simulation.weather import Weather
from devices.durations import NANOSECONDS
from devices.reading import Value

_DAY = NANOSECONDS["d"]
_SECOND = NANOSECONDS["s"]


class Instrument(Protocol):
    """Whatever reports at regular times."""

    def read(self, time: int) -> dict[str, Value]:
        """What it says at a moment (UTC nanoseconds)."""


class Surroundings(NamedTuple):
    """What a load depends on.

    Attributes:
        activity: how much goes on in the building, 0 to 1.
        daylight: 0 to 1.
        temperature_c: outside.
        hour: local time of day.
    """

    activity: float
    daylight: float
    temperature_c: float
    hour: float


class Load(NamedTuple):
    """What hangs on a circuit.

    Attributes:
        peak_kw: its power when everything runs.
        power_factor: of its appliances.
        level: how much of it runs, 0 to 1.
    """

    peak_kw: float
    power_factor: float
    level: Callable[[Surroundings], float]


def _light(around: Surroundings) -> float:
    return 0.06 + 0.94 * around.activity * (1 - 0.6 * around.daylight)


def _condition_air(around: Surroundings) -> float:
    cold, warm = max(0.0, 18 - around.temperature_c) / 16, max(0.0, around.temperature_c - 24) / 10
    return 0.05 + 0.95 * min(1.0, cold + warm) * (0.15 + 0.85 * around.activity)


def _cook(around: Surroundings) -> float:
    return 0.05 + 0.95 * max(max(0.0, 1 - abs(around.hour - meal) / 1.6) for meal in (6.8, 11.3, 17.3))


def _use(around: Surroundings) -> float:
    return 0.12 + 0.88 * around.activity


def _compute(around: Surroundings) -> float:
    return 0.8 + 0.2 * around.activity


LOADS: Mapping[str, Load] = {
    "lighting": Load(14.0, 0.97, _light),
    "hvac": Load(38.0, 0.9, _condition_air),
    "kitchen": Load(30.0, 0.95, _cook),
    "elevator": Load(11.0, 0.82, _use),
    "server": Load(9.0, 0.98, _compute),
    "sockets": Load(18.0, 0.94, _use),
}
"""Loads by the tag `circuit`; a circuit that is not listed behaves like sockets."""


def find_load(circuit: str) -> Load:
    """The load on a circuit."""
    return LOADS.get(circuit, LOADS["sockets"])


def plan_power(load: Load, observe: Callable[[int], Surroundings], chance: Chance) -> Callable[[int], float]:
    """The power of a circuit at the nodes of its curve, in kW."""
    peak = load.peak_kw * chance.between(0.6, 1.3, "size")

    def draw(time: int) -> float:
        restless = 1 + 0.07 * chance.normal("power", time // NODE_NS)
        return peak * load.level(observe(time)) * max(0.3, restless)

    return draw


def plan_flow(use: Use, observe: Callable[[int], Surroundings], chance: Chance) -> Callable[[int], float]:
    """The flow through a meter at the nodes of its curve, in m³/h: at night mostly no tap is open."""
    peak = chance.between(0.5, 1.1, "size") * (1.6 if use == "dormitory" else 1.0)

    def draw(time: int) -> float:
        activity, node = observe(time).activity, time // NODE_NS
        if chance.share("tap", node) > 0.04 + 1.3 * activity:
            return 0.0
        return peak * (0.05 + activity) * chance.between(0.4, 1.3, "flow", node)

    return draw


class ElectricityMeter:
    """Power and its register; where it shows phases, also voltage, current and frequency."""

    def __init__(
        self,
        power: Curve,
        power_factor: float,
        chance: Chance,
        incidents: Sequence[Incident],
        *,
        phases: bool,
    ) -> None:
        self._power = power
        self._factor = power_factor
        self._chance = chance
        self._phases = phases
        self._register_kwh = chance.between(4_000, 90_000, "register")
        self._resets = [incident.begin for incident in incidents if incident.kind == "meter_reset"]
        self._over = [incident for incident in incidents if incident.kind == "over_voltage"]
        weights = [chance.between(0.9, 1.1, "phase", phase) for phase in (1, 2, 3)]
        self._shares = [weight / sum(weights) for weight in weights]

    def read(self, time: int) -> dict[str, Value]:
        """What it says at a moment (UTC nanoseconds)."""
        power = self._power.rate(time)
        values: dict[str, Value] = {
            "energy_import_kwh": round(self._energy_kwh(time), 3),
            "power_kw": round(power, 3),
            "power_factor": round(self._factor + 0.01 * self._chance.normal("factor", time // NODE_NS), 3),
        }
        if self._phases:
            self._add_phases(values, power, time)
        return values

    def _energy_kwh(self, time: int) -> float:
        """The register: continuous, but for a reset."""
        past = [reset for reset in self._resets if reset <= time]
        return (
            self._power.total(time) - self._power.total(past[-1])
            if past
            else (self._register_kwh + self._power.total(time))
        )

    def _add_phases(self, values: dict[str, Value], power: float, time: int) -> None:
        for phase, share in enumerate(self._shares, start=1):
            voltage = 230.5 - 0.012 * power + 0.9 * self._chance.normal("voltage", phase, time)
            if phase == 1 and any(incident.covers(time) for incident in self._over):
                voltage = OVER_VOLTAGE_V + 0.4 * self._chance.normal("voltage", phase, time)
            values[f"voltage_l{phase}_v"] = round(voltage, 1)
            values[f"current_l{phase}_a"] = round(1000 * power * share / (voltage * self._factor), 2)
        values["frequency_hz"] = round(50 + 0.012 * self._chance.normal("frequency", time), 3)


class WaterMeter:
    """Flow and its register, pressure and the battery of its radio."""

    def __init__(self, flow: Curve, chance: Chance) -> None:
        self._flow = flow
        self._chance = chance
        self._register_m3 = chance.between(200, 9_000, "register")
        self._pressure_bar = chance.between(2.9, 3.6, "pressure")
        self._battery_percent = chance.between(60, 100, "battery")

    def read(self, time: int) -> dict[str, Value]:
        """What it says at a moment (UTC nanoseconds)."""
        flow = self._flow.rate(time)
        age_days = (time - self._flow.start) / _DAY
        pressure = self._pressure_bar - 0.12 * flow + 0.02 * self._chance.normal("pressure", time)
        return {
            "volume_m3": round(self._register_m3 + self._flow.total(time), 3),
            "flow_m3_per_h": round(flow, 3),
            "pressure_bar": round(max(0.5, pressure), 2),
            "battery_percent": round(max(5.0, self._battery_percent - 0.02 * age_days), 1),
        }


class Gateway:
    """A sign of life and the strength of its radio."""

    def __init__(self, chance: Chance, start: int) -> None:
        self._chance = chance
        self._booted = start - round(chance.between(2, 60, "uptime") * _DAY)

    def read(self, time: int) -> dict[str, Value]:
        """What it says at a moment (UTC nanoseconds)."""
        wave = cos(2 * pi * time / _DAY)
        return {
            "uptime_s": float((time - self._booted) // _SECOND),
            "rssi_dbm": float(round(-63 + 2 * wave + 2.5 * self._chance.normal("rssi", time))),
        }


class WeatherStation:
    """The air outside, as the loads of the buildings feel it."""

    def __init__(self, weather: Weather) -> None:
        self._weather = weather

    def read(self, time: int) -> dict[str, Value]:
        """What it says at a moment (UTC nanoseconds)."""
        return {
            "temperature_c": round(self._weather.temperature_c(time), 1),
            "humidity_percent": round(self._weather.humidity_percent(time), 1),
        }
