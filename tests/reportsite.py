"""A site for tests of reports: a configuration, a real store, and registers that count as a test says."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from collector.configuration import load
from collector.reports.context import Context
from collector.reports.period import Period, parse_period
from collector.stores import open_store
from devices.durations import NANOSECONDS
from devices.reading import Reading
from tests.sites import write_site
from tickets.titles import Language

QUARTER = 15 * NANOSECONDS["m"]
DAY = NANOSECONDS["d"]


def meter(id_: str, place: str = "A", *, kind: str = "electricity_meter", **rest: object) -> dict[str, object]:
    """A meter as devices.yaml has it; `place` is `A/1F/hall`, or as much of it as is known."""
    where = dict(zip(("building", "floor", "area"), place.split("/"), strict=False))
    return {"id": id_, "kind": kind, "interval": "15m", **where, **rest}


class ReportSite:
    """A site and its store.

    Attributes:
        configuration: of the site.
        store: its readings.
        zone: its time zone.
    """

    def __init__(
        self,
        folder: Path,
        devices: Sequence[Mapping[str, object]],
        *,
        feeds: Mapping[str, Sequence[str]] | None = None,
        zone: str = "Europe/Berlin",
        register: Mapping[str, object] | None = None,
        files: Mapping[str, object] | None = None,
        **settings: Any,  # noqa: ANN401 - settings of every type
    ) -> None:
        """Writes the configuration, and makes the store.

        Args:
            folder: gets both.
            devices: of devices.yaml.
            feeds: main meters and what they feed.
            zone: the site's.
            register: what else stands in devices.yaml.
            files: other files of the folder by their names without `.yaml`: tariffs, reports, calendars.
            settings: sections of siteward.yaml.
        """
        site = {"id": "site", "timezone": zone, "language": "en"}
        config = write_site(folder, "id,kind\n", **{"site": site, "retention": {"raw": "9000d"}, **settings})
        places = {"feeds": [{"main": main, "subs": list(subs)} for main, subs in (feeds or {}).items()]}
        buildings: dict[str, dict[str, list[str]]] = {}
        for device in devices:
            floors = buildings.setdefault(str(device.get("building", "")), {})
            floors.setdefault(str(device.get("floor", "")), []).append(str(device.get("area", "")))
        listed = [_list_building(building, floors) for building, floors in buildings.items() if building]
        contents = {
            "devices": {**(register or {}), "devices": list(devices)},
            "places": {"buildings": listed, **places},
            **(files or {}),
        }
        for name, content in contents.items():
            (config / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        self.configuration = load(config)
        self.zone = self.configuration.settings.site.zone
        self.store = open_store(self.configuration)
        self.store.prepare()

    def at(self, text: str) -> int:
        """UTC ns of a local time; `2026-03-01`, `2026-03-01T08:00`, or with an offset."""
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).timestamp()) * NANOSECONDS["s"]

    def count(
        self, device: str, begin: str | int, amounts: Iterable[float], first: float = 1000.0, *, every: int = QUARTER
    ) -> None:
        """Registers by the clock: one at the beginning, and one at the end of each amount."""
        time = self.at(begin) if isinstance(begin, str) else begin
        point = "volume_m3" if device.startswith("wm") else "energy_import_kwh"
        readings, value = [Reading(device, time, time, {point: first})], first
        for amount in amounts:
            time, value = time + every, value + amount
            readings.append(Reading(device, time, time, {point: value}))
        self.store.write(readings)

    def run(self, device: str, begin: str, end: str, per_quarter: float, first: float = 1000.0) -> None:
        """The same at one rate between two local times."""
        quarters = (self.at(end) - self.at(begin)) // QUARTER
        self.count(device, begin, [per_quarter] * quarters, first)

    def context(self, now: str = "2030-01-01", language: Language = "en", **rest: Any) -> Context:  # noqa: ANN401 - desk, journal
        """What a report is made from."""
        return Context(configuration=self.configuration, store=self.store, language=language, now=self.at(now), **rest)

    def period(self, text: str) -> Period:
        """A period as people write it."""
        return parse_period(text, self.zone, 0)


def _list_building(id_: str, floors: Mapping[str, Sequence[str]]) -> dict[str, object]:
    listed = [
        {"id": floor, "areas": [{"id": area} for area in dict.fromkeys(areas) if area]}
        for floor, areas in floors.items()
        if floor
    ]
    return {"id": id_, "floors": listed}


Make = Callable[..., ReportSite]


@contextmanager
def making_sites(folder: Path) -> Iterator[Make]:
    """Makes sites of devices, and closes their stores at the end."""
    sites = []

    def make(*devices: Mapping[str, object], **rest: Any) -> ReportSite:  # noqa: ANN401 - passed through
        sites.append(ReportSite(folder, devices, **rest))
        return sites[-1]

    yield make
    for site in sites:
        site.store.close()
