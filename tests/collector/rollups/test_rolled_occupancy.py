"""People in areas, counted from doors' events on the embedded store."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.configuration import Configuration, load
from collector.rollups.occupancy import roll_occupancy
from collector.store import Store
from collector.stores import open_store
from devices.reading import Reading
from tests.sites import write_site

MINUTE = 60 * 1_000_000_000
HOUR = 60 * MINUTE
NOON = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()) * 1_000_000_000
DEVICES = """id,kind,building,floor,area,outside,direction
front-in,door,A,1F,hall,,in
front-out,door,A,1F,hall,,out
lab,door,A,1F,lab,hall,
em-1,electricity_meter,A,1F,lab,,
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return load(write_site(tmp_path, DEVICES))


@pytest.fixture
def store(configuration: Configuration) -> Iterator[Store]:
    store = open_store(configuration)
    store.prepare()
    yield store
    store.close()


def pass_(store: Store, door: str, time: int, who: str, event: str = "granted", direction: str = "in") -> None:
    store.write([Reading(door, time, time, {"event": event, "credential": who, "direction": direction})])


def people(store: Store, configuration: Configuration, start: int, quarters: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row in roll_occupancy(store, configuration.rule_site(), start, start + quarters * 15 * MINUTE):
        assert row.measurement == "occupancy"
        assert set(row.tags) == {"site", "building", "floor", "area"}
        found.setdefault(row.tags["area"], []).append(float(row.fields["people"]))
    return found


def test_who_comes_in_is_there_until_they_leave(configuration: Configuration, store: Store) -> None:
    pass_(store, "front-in", NOON + MINUTE, "a")
    pass_(store, "front-in", NOON + 2 * MINUTE, "b")
    pass_(store, "front-in", NOON + 3 * MINUTE, "c", event="denied")
    pass_(store, "lab", NOON + 20 * MINUTE, "a")
    pass_(store, "front-out", NOON + 40 * MINUTE, "b", direction="out")
    found = people(store, configuration, NOON, 4)
    assert found == {"hall": [0.0, 2.0, 1.0, 0.0], "lab": [0.0, 0.0, 1.0, 1.0]}


def test_who_came_in_before_the_span_is_still_there(configuration: Configuration, store: Store) -> None:
    pass_(store, "front-in", NOON - 3 * HOUR, "a")
    assert people(store, configuration, NOON, 1)["hall"] == [1.0]


def test_a_site_without_doors_has_no_rows(tmp_path: Path) -> None:
    configuration = load(write_site(tmp_path))
    store = open_store(configuration)
    store.prepare()
    try:
        assert people(store, configuration, NOON, 4) == {}
    finally:
        store.close()
