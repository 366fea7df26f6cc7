"""Meters for tests: an engine that reads registers, and what it tells."""

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from devices.durations import parse_duration
from devices.places import Places
from devices.reading import Reading, Value
from devices.register import Register
from rules.alerts import Evidence, Transition
from rules.calendars import Calendars
from rules.engine import Engine
from rules.site import Site
from tests.rulebench import at, read_rules

WATER = {"id": "wm-1", "kind": "water_meter", "interval": "15m"}
POWER = {"id": "em-1", "kind": "electricity_meter", "interval": "15m"}


class Bench:
    """One rule, and the registers of its meters, which count as the test says.

    Attributes:
        told: what the engine has told so far.
        now: time of the newest rows, UTC ns.
    """

    def __init__(
        self,
        when: str,
        devices: Sequence[Mapping[str, object]] = (WATER,),
        *,
        start: str = "2026-03-01 00:00",
        zone: str = "UTC",
        per: str = "device",
        places: Mapping[str, object] | None = None,
        calendars: Mapping[str, object] | None = None,
        replacements: Sequence[Mapping[str, object]] = (),
        select: str = "{}",
    ) -> None:
        site = Site(
            "site",
            ZoneInfo(zone),
            Register.model_validate({"devices": list(devices), "replacements": list(replacements)}),
            Places.model_validate(places or {}),
            Calendars.model_validate(calendars or {}),
        )
        self.engine = Engine(read_rules(f"[{{id: rule, per: {per}, select: {select}, when: {when}}}]"), site, at(start))
        self.now = at(start)
        self.told: list[Transition] = []
        self._points = {
            str(device["id"]): "energy_import_kwh" if device["kind"] == "electricity_meter" else "volume_m3"
            for device in devices
        }
        self._values = dict.fromkeys(self._points, 100.0)
        for device in self._points:
            self.tell(device)

    def count(self, device: str, value: float) -> None:
        """The register of a meter shows something else from now on, whatever it counted."""
        self._values[device] = value

    def tell(self, device: str) -> None:
        """A row of one meter at `now`."""
        values: dict[str, Value] = {self._points[device]: self._values[device]}
        self.told += self.engine.evaluate(Reading(device, self.now, self.now, values))

    def run(self, length: str, every: str = "15m", /, silent: Iterable[str] = (), **rates: float) -> None:
        """Time passes: each meter counts at a rate (per hour; `wm_1=0.5`) and tells rows, the last one at the end.

        Args:
            length: how long.
            every: between two rows.
            silent: meters that count and tell nothing.
            **rates: per hour, by meter; none counts nothing.
        """
        step = parse_duration(every)
        end = self.now + parse_duration(length)
        while self.now < end:
            self.now += step
            for device in self._points:
                self._values[device] += rates.get(device.replace("-", "_"), 0.0) * step / parse_duration("1h")
                if device not in silent:
                    self.tell(device)

    def kinds(self) -> list[str]:
        """What was told since this was asked last, such as `fired`."""
        told, self.told = self.told, []
        return [transition.kind for transition in told]

    def evidence(self) -> Evidence:
        """Of the newest transition."""
        return self.told[-1].evidence
