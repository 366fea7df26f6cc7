"""Rules on what a real InfluxDB 1.x has kept: they tell the same as on the embedded store, and as when it happened."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace as change
from pathlib import Path
from random import Random

import pytest

from collector.backtest.history import StoreHistory, find_heard
from collector.backtest.replay import Replay, Span, replay
from collector.configuration import Configuration, load
from collector.embedded import EmbeddedDatabase
from collector.influx import InfluxDatabase
from collector.settings import InfluxStore
from collector.store import Store
from devices.durations import NANOSECONDS
from devices.reading import Reading, Value
from rules.judge import Judge
from rules.outcome import Outcome
from tests.integration.servers import InfluxDB
from tests.rulebench import at

EXAMPLE = Path(__file__).parents[2] / "config"
MINUTE, HOUR, DAY = (NANOSECONDS[unit] for unit in "mhd")
START = at("2026-03-02 00:00")
DAYS = 10
STOP = START + DAYS * DAY
EXPECTED = {
    "voltage-high": ["em-a-01"],  # for two hours on the fourth day
    "water-runs-at-night": ["wm-a-01"],  # a cistern that leaks from the fifth day on
    "leak-sensor": ["wm-a-02"],  # its first word of it comes hours late
    "door-held-open": ["door-a-01"],
    "battery-low": ["wm-a-02"],
}


@pytest.fixture
def configuration() -> Configuration:
    """The example site, with those of its rules that the recording is about."""
    whole = load(EXAMPLE)
    return change(whole, rules=tuple(rule for rule in whole.rules if rule.id in EXPECTED))


def record() -> list[Reading]:
    """What was heard, in the order of arrival: numbers, words, switches, and readings that came hours late."""
    chance, readings, litres = Random(7), list[Reading](), 100_000
    for quarter in range(DAYS * 96):
        time, day, of_day = START + quarter * 15 * MINUTE, *divmod(quarter, 96)
        volts = 220 + round(chance.uniform(-3, 3), 1) + (27 if day == 3 and 40 <= of_day < 48 else 0)
        readings.append(Reading("em-a-01", time, time, {"voltage_l1_v": volts, "voltage_l2_v": 231.0, "tariff": "day"}))
        litres += 10 * chance.randrange(3) * (28 <= of_day < 72) + 50 * (day >= 4)
        readings.append(Reading("wm-a-01", time, time, {"volume_m3": litres / 1000}))
    for hour in range(DAYS * 24):
        time = START + hour * HOUR
        late = hour % 6 == 3  # it got through four hours later, after those that came next
        values: dict[str, Value] = {"leak": 57 <= hour < 66, "battery_percent": max(7.0, 60.0 - hour / 4)}
        readings.append(Reading("wm-a-02", time, time + 4 * HOUR + MINUTE if late else time, values, late=late))
    for day in range(DAYS):
        opened = START + day * DAY + 9 * HOUR
        shut = opened + (40 * MINUTE if day == 6 else NANOSECONDS["s"] * 20)
        for time, event in ((opened - 10**9, "granted"), (opened, "opened"), (shut, "closed")):
            passage: dict[str, Value] = {"event": event, "door": "open" if event == "opened" else "closed"}
            readings.append(Reading("door-a-01", time, time, passage))
    return sorted(readings, key=lambda reading: reading.received)


def judge(configuration: Configuration, readings: Sequence[Reading]) -> Outcome:
    """What was told when it happened."""
    live, outcome = Judge(configuration.rules, configuration.rule_site(), START), Outcome(configuration.rules)
    for reading in readings:
        outcome.take(live.evaluate(reading), reading.received)
    outcome.take(live.advance(STOP), STOP)
    return outcome


def open_stores(configuration: Configuration, influxdb: InfluxDB, name: str, folder: Path) -> Iterator[Store]:
    settings, register = configuration.settings, configuration.register
    parts = {"kind": "influxdb", "api": "v1", "url": influxdb.url, "database": name}
    yield EmbeddedDatabase(folder / "store.db", settings.site, register, settings.retention)
    yield InfluxDatabase(InfluxStore.model_validate(parts), settings.site, register)


def run(configuration: Configuration, store: Store) -> tuple[list[Reading], Replay]:
    site = configuration.rule_site()
    history = StoreHistory(store, find_heard(configuration.rules, site), 0)
    readings = list(history.readings(START, STOP))
    return readings, replay(history, configuration.rules, site, Span(START, STOP, 0))


def test_both_stores_tell_what_was_told_when_it_happened(
    influxdb: InfluxDB, fresh_name: str, configuration: Configuration, tmp_path: Path
) -> None:
    readings = record()
    outcome = judge(configuration, readings)
    told = {(alert.transition.rule, alert.transition.subject.id) for alert in outcome.alerts.values()}
    assert told == {(rule, subject) for rule, subjects in EXPECTED.items() for subject in subjects}
    found = []
    for store in open_stores(configuration, influxdb, fresh_name, tmp_path):
        with closing(store):
            store.prepare()
            for first in range(0, len(readings), 500):
                store.write(readings[first : first + 500])
            found.append(run(configuration, store))
    (embedded, from_embedded), (influx, from_influx) = found
    assert influx == embedded
    assert from_influx == from_embedded
    assert [alert.key for alert in from_influx.alerts] == list(outcome.alerts)
    assert from_influx.tickets
