"""The readings around an alert, from a real store into a real desk, and what people see of them and of the cost."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector.cli import app
from collector.configuration import Configuration, load
from collector.deskopening import make_desk, open_desk_database
from collector.errors import StoreError
from collector.evidencekeeper import EvidenceKeeper
from collector.store import Store
from collector.stores import open_store
from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Evidence, Subject, Transition
from rules.orders import Order
from tests.sites import write_site

HOUR, MINUTE = NANOSECONDS["h"], NANOSECONDS["m"]
NOW = time.time_ns() // MINUTE * MINUTE
SINCE = NOW - 3 * HOUR
DEVICES = "id,kind\nwm-1,water_meter\nem-1,electricity_meter\nleak-1,sensor\n"
TARIFFS = """
electricity: [{from: 2020-01-01, price: 0.5 CNY/kWh}]
water: [{from: 2020-01-01, price: 4 CNY/m3}]
emissions: {water: [{from: 2020-01-01, factor: 0.3 kgCO2e/m3}]}
"""


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    config = write_site(tmp_path, DEVICES)
    (config / "tariffs.yaml").write_text(TARIFFS, encoding="utf-8")
    monkeypatch.setenv("SITEWARD_CONFIG", str(config))
    monkeypatch.setenv("COLUMNS", "200")
    return load(config)


@pytest.fixture
def store(configuration: Configuration) -> Iterator[Store]:
    store = open_store(configuration)
    store.prepare()
    times = range(NOW - 48 * HOUR, NOW, 15 * MINUTE)
    store.write([Reading("wm-1", at, at, {"volume_m3": (at - NOW) / HOUR}) for at in times])
    yield store
    store.close()


def fire(configuration: Configuration, device: str, evidence: Evidence) -> None:
    database = open_desk_database(configuration)
    transition = Transition("fired", "r", Subject("device", device), SINCE, 0, SINCE, SINCE, "major", evidence)
    make_desk(configuration, database, lambda: SINCE).apply([Order("open", transition)])
    database.close()


def water_runs(configuration: Configuration) -> None:
    fire(configuration, "wm-1", Evidence("wm-1", "volume_m3", 1.5, 0.5, "m³/h"))


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, [*words])
    assert result.exit_code == code, result.output
    return result.output


def test_the_readings_are_kept_and_drawn(configuration: Configuration, store: Store, tmp_path: Path) -> None:
    water_runs(configuration)
    picture = tmp_path / "evidence.svg"
    assert "nothing is kept with" in run("tickets", "show", "1", "--picture", str(picture), code=1)
    keeper = EvidenceKeeper(clock=lambda: NOW + MINUTE)
    latest = {"wm-1": Reading("wm-1", NOW, NOW, {"volume_m3": 7.0})}  # still on its way to the store
    assert keeper.keep(configuration, store, latest) == 1
    assert keeper.keep(configuration, store, latest) == 0
    keeper.close()
    database = open_desk_database(configuration)
    evidence = make_desk(configuration, database).read_evidence("1")
    database.close()
    assert evidence is not None
    (series,) = evidence.series
    assert (series.times[0], series.times[-1], series.values[-1]) == (SINCE - 24 * HOUR, NOW, 7.0)
    assert len(series.times) == 27 * 4 + 1
    assert "Drawn: " in run("tickets", "show", "1", "--picture", str(picture))
    assert "limit 0.5 m³/h" in picture.read_text(encoding="utf-8")


@pytest.mark.usefixtures("configuration")
def test_a_picture_of_another_kind_is_refused() -> None:
    assert "expected a name that ends in .png or .svg" in run("tickets", "show", "1", "--picture", "a.gif", code=2)


def test_a_store_that_does_not_answer_loses_nothing(configuration: Configuration, store: Store) -> None:
    water_runs(configuration)
    keeper = EvidenceKeeper(clock=lambda: NOW)
    path = configuration.settings.data_dir / "store.db"
    store.close()
    hidden = path.rename(path.with_suffix(".hidden"))
    path.write_text("this is no database, but somebody's notes " * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"store\.db"):
        keeper.keep(configuration, open_store(configuration), {})
    hidden.replace(path)
    assert keeper.keep(configuration, open_store(configuration), {}) == 1
    keeper.close()


def test_the_dearest_ticket_comes_first(configuration: Configuration) -> None:
    fire(configuration, "leak-1", Evidence("leak-1", "leak", True))
    fire(configuration, "em-1", Evidence("em-1", "voltage_v", 260.0, 253.0, "V"))
    water_runs(configuration)
    listed = json.loads(run("tickets", "list", "--sort", "cost", "--json"))
    assert [ticket["subject_id"] for ticket in listed] == ["wm-1", "leak-1", "em-1"]
    cost = listed[0]["cost"]
    hours = cost["water_m3"]  # 1 m³/h more than the limit
    assert hours >= 3.0
    assert cost["money"] == pytest.approx(4 * hours)
    assert cost["carbon_kg"] == pytest.approx(0.3 * hours)
    assert (listed[1]["cost"]["unknown"], listed[2]["cost"]) == (["leak-1"], None)
    assert len(json.loads(run("tickets", "list", "--sort", "cost", "--most", "1", "--json"))) == 1
    table = run("tickets", "list", "--sort", "cost")
    assert "cost" in table
    assert " CNY" in table
    assert "nobody knows how much at leak-1" in run("tickets", "show", "1")
    assert json.loads(run("tickets", "show", "3", "--json"))["cost"]["is_growing"]
