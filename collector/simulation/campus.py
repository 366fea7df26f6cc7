"""The simulated campus: every device of a register, from a moment on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from collector.simulation.chance import Chance
from collector.simulation.curve import Curve, Step
from collector.simulation.doors import Doors
from collector.simulation.incidents import LEAK_M3_PER_H, Incident, is_main, shows_phases, write_script
from collector.simulation.meters import (
    ElectricityMeter,
    Gateway,
    Instrument,
    Surroundings,
    WaterMeter,
    WeatherStation,
    find_load,
    plan_flow,
    plan_power,
)
from collector.simulation.report import Report
from collector.simulation.rhythm import USES, Rhythm, Use, measure_activity
from collector.simulation.weather import Weather
from devices.durations import NANOSECONDS
from devices.register import METERED, Device, Register

QUARTER_HOUR = 15 * NANOSECONDS["m"]
LOSSES = 1.02
"""What a main meter counts, against the sum of its sub-meters."""
CATCH_UP = 30 * NANOSECONDS["s"]
"""How long a gateway is back before it sends what it kept."""

_MINUTE = NANOSECONDS["m"]
_SECOND = NANOSECONDS["s"]


class Delivery(NamedTuple):
    """What one device sends at once, oldest first, never empty."""

    device: Device
    reports: Sequence[Report]


class Campus:
    """What every device of a register says, by time alone.

    The same register, clock, start and seed say the same, however the time is cut into spans.

    Args:
        register: the site's devices; those that do not speak Siteward's own payload are left out.
        rhythm: the site's clock and calendar.
        start: where the simulation begins, UTC nanoseconds; it is moved back to a quarter of an hour.
        now: where its live part begins; incidents are placed before and after it.
        outdoors: id of the sensor that tells the weather; other sensors are left out. "" where there is none.
        seed: another seed, another campus.

    Attributes:
        devices: those that are simulated.
        left_out: those that are not.
        incidents: what will go wrong, oldest first.
    """

    def __init__(
        self, register: Register, rhythm: Rhythm, start: int, now: int, *, outdoors: str = "", seed: int = 1
    ) -> None:
        self.start = start - start % QUARTER_HOUR
        self.devices = [device for device in register if _is_simulated(device, outdoors)]
        self.left_out = [device for device in register if not _is_simulated(device, outdoors)]
        self.incidents: Sequence[Incident] = write_script(self.devices, rhythm, self.start, now)
        self._rhythm = rhythm
        self._chance = Chance(seed)
        self._weather = Weather(rhythm, self._chance.sub("weather"))
        self._uses = _assign_uses(self.devices)
        doors = [device for device in self.devices if device.kind == "door"]
        people = self._chance.sub("people")
        self._doors = Doors(doors, self._uses, rhythm, people, incidents=self._find("forced_door"))
        self._surroundings = {building: self._look_around(building) for building in self._uses}
        self._instruments = self._install()
        self._silences = {
            device.id: [incident for incident in self._find("silent_gateway") if device.id in incident.devices]
            for device in self.devices
        }

    def deliver(self, after: int, until: int, interval: int | None = None) -> Iterator[Delivery]:
        """What arrives for after < time <= until (UTC nanoseconds).

        Behind a silent gateway nothing arrives. When it is back, what is new comes first; half a minute later, and
        after what the others say, comes all that was measured meanwhile.

        Args:
            after: the last nanosecond before.
            until: the last nanosecond.
            interval: how often meters report at least, nanoseconds; None: as the register says. Gateways and the
                sensor outdoors always do as the register says, doors as people pass.
        """
        backlog: list[Delivery] = []
        for device in self.devices:
            silences = self._silences[device.id]
            reports = [
                report
                for report in self._report(device, after, until, interval)
                if not any(silence.covers(report.time) for silence in silences)
            ]
            if reports:
                yield Delivery(device, reports)
            for silence in silences:
                if after < silence.end + CATCH_UP <= until:
                    missed = self._report(device, silence.begin - 1, silence.end - 1, interval)
                    backlog += [Delivery(device, missed)] if missed else []
        yield from backlog

    def _report(self, device: Device, after: int, until: int, interval: int | None) -> list[Report]:
        if device.kind == "door":
            return self._doors.reports(device.id, after, until)
        every = device.interval or (_MINUTE if device.kind == "gateway" else QUARTER_HOUR)
        if interval is not None and device.kind in METERED:
            every = min(every, interval)
        instrument = self._instruments[device.id]
        offset = self._offset(device, every)
        first = after - (after - offset) % every + every
        return [Report(time, instrument.read(time)) for time in range(first, until + 1, every)]

    def _offset(self, device: Device, every: int) -> int:
        """Meters that report every few seconds do not all do so at once; those that report rarely keep to the clock."""
        if every >= _MINUTE:
            return 0
        return int(self._chance.share("offset", device.id) * every) // _SECOND * _SECOND

    # ── building it ──────────────────────────────────────────────────────────────────────────────────────────────

    def _install(self) -> Mapping[str, Instrument]:
        power = self._draw_curves("electricity_meter", self._plan_power)
        flow = self._draw_curves("water_meter", self._plan_flow)
        instruments: dict[str, Instrument] = {}
        for device in self.devices:
            chance = self._chance.sub("device", device.id)
            if device.kind == "electricity_meter":
                instruments[device.id] = ElectricityMeter(
                    power[device.id],
                    find_load(device.tags.get("circuit", "")).power_factor,
                    chance,
                    [incident for incident in self.incidents if incident.subject == device.id],
                    phases=shows_phases(device),
                )
            elif device.kind == "water_meter":
                instruments[device.id] = WaterMeter(flow[device.id], chance)
            elif device.kind == "gateway":
                instruments[device.id] = Gateway(chance, self.start)
            elif device.kind == "sensor":
                instruments[device.id] = WeatherStation(self._weather)
        return instruments

    def _draw_curves(self, kind: str, plan: Callable[[Device], Callable[[int], float]]) -> Mapping[str, Curve]:
        """The curve of every meter of a kind; a main meter sees the sum of its building's others."""
        meters = [device for device in self.devices if device.kind == kind]
        mains = [device for device in meters if is_main(device)]
        curves = {
            device.id: Curve(plan(device), self.start, self._find_leaks(device))
            for device in meters
            if device not in mains
        }
        for main in mains:
            parts = [curves[each.id] for each in meters if each.building == main.building and each not in mains]
            sharing = sum(each.building == main.building for each in mains)
            curves[main.id] = Curve.sum(parts, self.start, LOSSES / sharing) if parts else Curve(plan(main), self.start)
        return curves

    def _find_leaks(self, device: Device) -> list[Step]:
        leaks = [incident for incident in self._find("night_leak") if incident.subject == device.id]
        return [Step(leak.begin, leak.end, LEAK_M3_PER_H) for leak in leaks]

    def _plan_power(self, device: Device) -> Callable[[int], float]:
        return plan_power(
            find_load(device.tags.get("circuit", "")),
            self._surroundings[device.building],
            self._chance.sub("power", device.id),
        )

    def _plan_flow(self, device: Device) -> Callable[[int], float]:
        return plan_flow(
            self._uses[device.building],
            self._surroundings[device.building],
            self._chance.sub("flow", device.id),
        )

    def _look_around(self, building: str) -> Callable[[int], Surroundings]:
        use = self._uses[building]

        @lru_cache(maxsize=4096)
        def observe(time: int) -> Surroundings:
            moment = self._rhythm.moment(time)
            return Surroundings(
                measure_activity(use, moment),
                self._weather.daylight(time),
                self._weather.temperature_c(time),
                moment.hour,
            )

        return observe

    def _find(self, kind: str) -> list[Incident]:
        return [incident for incident in self.incidents if incident.kind == kind]


def _is_simulated(device: Device, outdoors: str) -> bool:
    return device.profile == "canonical" and (device.kind != "sensor" or device.id == outdoors)


def _assign_uses(devices: Sequence[Device]) -> Mapping[str, Use]:
    """What each building is used for: in turn, in the register's order."""
    buildings = dict.fromkeys(device.building for device in devices)
    return {building: USES[index % len(USES)] for index, building in enumerate(buildings)}
