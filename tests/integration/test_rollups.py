"""Rollups in a real InfluxDB: written when they are due, and put right when readings come late."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector.cli import app
from collector.configuration import load
from collector.rollups.rollups import Rollups
from collector.stores import open_store
from devices.reading import Reading
from tests.deskbench import Bench, open_file
from tests.integration.servers import InfluxDB
from tests.sites import write_site

SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND
NOON = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()) * SECOND
DEVICES = """id,kind,interval,building,floor,area
em-1,electricity_meter,15m,A,1F,hall
door-1,door,,A,1F,hall
"""
MEASUREMENTS = ("consumption", "occupancy", "desk", "service")


class Site:
    """A store in InfluxDB, a desk, and the rollups between them."""

    def __init__(self, server: InfluxDB, folder: Path) -> None:
        settings = {"kind": "influxdb", "api": "v1", "database": "rollups", "url": server.url}
        self.server = server
        self.config = write_site(folder, DEVICES, store=settings)
        self.configuration = load(self.config)
        self.store = open_store(self.configuration)
        self.store.prepare()
        self.now = NOON
        self.rollups = self.make()

    def make(self) -> Rollups:
        return Rollups(self.configuration, self.store, clock=lambda: self.now)

    def step(self, now: int) -> None:
        self.now = now
        self.rollups.step()

    def count(self, start: int, quarters: range) -> None:
        times = [(number, start + number * 15 * MINUTE) for number in quarters]
        self.store.write(
            [Reading("em-1", time, time, {"energy_import_kwh": 100.0 + number * 0.5}) for number, time in times]
        )

    def energy(self) -> dict[int, float]:
        """By the hour, counted from noon."""
        rows = self.server.rows("rollups", "consumption")
        return {(row["time"] - NOON) // HOUR: row["energy_kwh"] for row in rows}


@pytest.fixture
def site(influxdb: InfluxDB, tmp_path: Path) -> Iterator[Site]:
    influxdb.ask("", "DROP DATABASE rollups")
    site = Site(influxdb, tmp_path)
    yield site
    site.store.close()


def test_what_is_due_is_written_once_and_again_changes_nothing(site: Site) -> None:
    site.count(NOON - 4 * HOUR, range(17))
    site.store.write([Reading("door-1", NOON - 2 * HOUR, NOON - 2 * HOUR, {"event": "granted", "credential": "a"})])
    site.step(NOON + 6 * MINUTE)
    before = {name: site.server.rows("rollups", name) for name in MEASUREMENTS if name != "service"}
    assert site.energy() == pytest.approx({-4: 2.0, -3: 2.0, -2: 2.0, -1: 2.0})
    assert [row["people"] for row in before["occupancy"]] == [1.0, 1.0, 1.0, 1.0, 1.0]
    assert [row["open"] for row in before["desk"]] == [0.0] * len(site.configuration.desk.teams)
    written = site.rollups.written
    site.step(NOON + 7 * MINUTE)
    assert site.rollups.written == written, "nothing was due"
    site.rollups = site.make()
    site.step(NOON + 8 * MINUTE)
    assert {name: site.server.rows("rollups", name) for name in before} == before


def test_an_hour_is_written_when_it_is_over(site: Site) -> None:
    site.count(NOON - HOUR, range(9))
    site.step(NOON + 6 * MINUTE)
    assert list(site.energy()) == [-1]
    site.step(NOON + HOUR + MINUTE)
    assert list(site.energy()) == [-1], "its last readings may still be on their way"
    site.step(NOON + HOUR + 6 * MINUTE)
    assert list(site.energy()) == [-1, 0]


def test_what_came_late_is_in_it_an_hour_later_or_after_the_night(site: Site) -> None:
    site.count(NOON - 4 * HOUR, range(5))
    site.count(NOON - 4 * HOUR, range(16, 17))
    site.step(NOON + 6 * MINUTE)
    rows = site.server.rows("rollups", "consumption")
    assert [row["estimated_ratio"] for row in rows] == [0.0, 1.0, 1.0, 1.0]
    site.count(NOON - 4 * HOUR, range(5, 16))
    site.count(NOON - 10 * DAY, range(9))
    site.step(NOON + HOUR + 6 * MINUTE)
    assert [row["estimated_ratio"] for row in site.server.rows("rollups", "consumption")] == [0.0] * 4
    assert -240 not in site.energy()
    site.step(NOON + 15 * HOUR + 6 * MINUTE)
    assert site.energy()[-240] == pytest.approx(2.0)


def test_the_desk_is_counted(site: Site, tmp_path: Path) -> None:
    plan = {"teams": {"electricians": {}}, "categories": {"other": {"team": "electricians"}}}
    bench = Bench(open_file(tmp_path), plan)
    bench.do("open")
    site.rollups = Rollups(site.configuration, site.store, lambda _: bench.database)
    site.rollups.count(bench.clock.now)
    (row,) = [row for row in site.server.rows("rollups", "desk") if row["open"]]
    assert row["team"] == "electricians"


def test_an_end_of_the_daemon_is_not_held_up(site: Site) -> None:
    site.count(NOON - 4 * HOUR, range(17))
    site.rollups.stop()
    site.step(NOON + 6 * MINUTE)
    assert site.rollups.written == 0


def test_the_past_is_worked_out_when_it_is_asked_for(site: Site) -> None:
    site.count(NOON - 40 * DAY, range(97))
    answer = CliRunner().invoke(
        app, ["dashboards", "fill", "--config", str(site.config), "--from", "2026-01-20", "--to", "2026-01-23T00:00"]
    )
    assert answer.exit_code == 0, answer.output
    assert "Wrote 24 rows" in answer.output
    assert sum(site.energy().values()) == pytest.approx(48.0)


def test_the_embedded_store_has_no_dashboards(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["dashboards", "fill", "--config", str(write_site(tmp_path, DEVICES))])
    assert answer.exit_code == 2
    assert "No dashboard reads the embedded store" in answer.output


def test_tags_and_fields_share_no_name(site: Site) -> None:
    site.count(NOON - 4 * HOUR, range(17))
    site.step(NOON + 6 * MINUTE)
    keys, fields = (site.server.ask("rollups", f"SHOW {what} KEYS") for what in ("TAG", "FIELD"))
    values = {table["name"]: {row[0] for row in table["values"]} for table in fields}
    for table in keys:
        assert not {row[0] for row in table["values"]} & values[table["name"]]
