"""What hours of consumption say, worked out by hand, on the embedded store."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from collector.accounts import Rows
from collector.configuration import Configuration, load
from collector.rollups.consumption import Prices, roll_consumption
from collector.store import Annotation, Store
from collector.stores import open_store
from devices.reading import Reading
from rules.calendars import Calendar, CalendarPlan
from tests.sites import write_site
from tickets.rates import Rates

SECOND = 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
DEVICES = """id,kind,interval,building,floor,area
main,electricity_meter,15m,A,1F,hall
sub-1,electricity_meter,15m,A,1F,hall
sub-2,electricity_meter,15m,A,2F,hall
water,water_meter,15m,B,1F,hall
"""
PLACES = {
    "buildings": [
        {"id": "A", "floors": [{"id": "1F", "areas": [{"id": "hall"}]}, {"id": "2F", "areas": [{"id": "hall"}]}]},
        {"id": "B", "floors": [{"id": "1F", "areas": [{"id": "hall"}]}]},
    ],
    "feeds": [{"main": "main", "subs": ["sub-1", "sub-2"]}],
}
TARIFFS = {
    "electricity": [
        {
            "from": "2026-01-01",
            "price": "1 EUR/kWh",
            "bands": [{"price": "0.5 EUR/kWh", "hours": "00:00-06:30"}],
        }
    ],
    "emissions": {
        "electricity": [
            {"from": "2026-01-01", "until": "2026-03-28", "factor": "0.4 kgCO2e/kWh"},
            {"from": "2026-03-29", "factor": "0.2 kgCO2e/kWh"},
        ]
    },
}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


NOON = at("2026-03-02T12:00+01:00")


class Site:
    """A configuration and its store."""

    def __init__(self, configuration: Configuration, store: Store) -> None:
        self.configuration, self.store = configuration, store
        self.working = Calendar(CalendarPlan.model_validate({"hours": "08:00-18:00"}))

    def count(self, device: str, start: int, quarters: int, per_quarter: float, first: float = 1000.0) -> None:
        """Registers at every quarter of an hour, both ends."""
        point = "volume_m3" if device == "water" else "energy_import_kwh"
        times = [start + number * 15 * MINUTE for number in range(quarters + 1)]
        self.store.write(
            [Reading(device, time, time, {point: first + number * per_quarter}) for number, time in enumerate(times)]
        )

    def roll(self, start: int, end: int, working: Calendar | None = None) -> list[Annotation]:
        rates = Rates(self.configuration.tariffs, self.configuration.settings.site.zone)
        rows = Rows.of(self.configuration, self.store, end + 7 * 24 * HOUR)
        return list(roll_consumption(self.configuration, rows, Prices(rates, working), start, end))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    config = write_site(tmp_path, DEVICES, site={"id": "site", "timezone": "Europe/Berlin"})
    (config / "places.yaml").write_text(yaml.safe_dump(PLACES), encoding="utf-8")
    (config / "tariffs.yaml").write_text(yaml.safe_dump(TARIFFS), encoding="utf-8")
    configuration = load(config)
    store = open_store(configuration)
    store.prepare()
    yield Site(configuration, store)
    store.close()


def test_an_hour_says_what_was_counted_and_what_it_cost_and_emitted(site: Site) -> None:
    site.count("sub-1", NOON - HOUR, 12, 0.5)
    (row,) = [each for each in site.roll(NOON, NOON + HOUR) if each.measurement == "consumption"]
    assert row.time == NOON
    assert row.tags == {
        "site": "site", "building": "A", "floor": "1F", "area": "hall",
        "device": "sub-1", "utility": "electricity", "role": "sub",
    }  # fmt: skip
    assert row.fields == pytest.approx(
        {"energy_kwh": 2.0, "cost": 2.0, "emissions_kgco2e": 0.8, "known_ratio": 1.0, "estimated_ratio": 0.0}
    )


def test_a_price_changes_within_an_hour(site: Site) -> None:
    six = at("2026-03-02T06:00+01:00")
    site.count("main", six - HOUR, 12, 1.0)
    (row,) = site.roll(six, six + HOUR)
    assert row.tags["role"] == "top"
    assert row.fields["cost"] == pytest.approx(2 * 0.5 + 2 * 1.0)


def test_what_is_used_outside_working_hours_is_told_apart(site: Site) -> None:
    start = at("2026-03-02T17:00+01:00")
    site.count("main", start - HOUR, 16, 1.0)
    rows = site.roll(start, start + 2 * HOUR, site.working)
    assert [row.fields["energy_off_hours_kwh"] for row in rows] == pytest.approx([0.0, 4.0])


def test_losses_are_known_where_all_meters_are(site: Site) -> None:
    site.count("main", NOON - HOUR, 20, 1.0)
    site.count("sub-1", NOON - HOUR, 20, 0.5)
    site.count("sub-2", NOON - HOUR, 6, 0.25)  # silent from half past twelve
    rows = {row.time: row for row in site.roll(NOON - HOUR, NOON + HOUR) if row.measurement == "balance"}
    assert list(rows) == [NOON - HOUR]
    assert rows[NOON - HOUR].tags["device"] == "main"
    assert rows[NOON - HOUR].fields == pytest.approx({"main_kwh": 4.0, "subs_kwh": 3.0, "loss_kwh": 1.0})


def test_an_hour_that_is_known_in_part_says_so_and_one_of_which_nothing_is_known_has_no_row(site: Site) -> None:
    site.count("sub-2", NOON, 2, 1.0)
    (row,) = site.roll(NOON - HOUR, NOON + 3 * HOUR)
    assert row.time == NOON
    assert row.fields["known_ratio"] == pytest.approx(0.5)
    assert row.fields["energy_kwh"] == pytest.approx(2.0)


def test_the_day_on_which_clocks_go_forward_has_23_hours_and_the_new_factor(site: Site) -> None:
    midnight, end = at("2026-03-29T00:00+01:00"), at("2026-03-30T00:00+02:00")
    site.count("main", midnight - HOUR, 4 * 26, 1.0)
    rows = site.roll(midnight, end)
    assert len(rows) == 23
    assert sum(float(row.fields["energy_kwh"]) for row in rows) == pytest.approx(23 * 4)
    assert rows[0].fields["emissions_kgco2e"] == pytest.approx(4 * 0.2)
    assert sum(float(row.fields["cost"]) for row in rows) == pytest.approx(5.5 * 4 * 0.5 + 17.5 * 4)


def test_water_without_a_tariff_has_no_cost(site: Site) -> None:
    site.count("water", NOON - HOUR, 12, 0.25)
    (row,) = site.roll(NOON, NOON + HOUR)
    assert row.fields == pytest.approx({"volume_m3": 1.0, "known_ratio": 1.0, "estimated_ratio": 0.0})
