"""`siteward quarantine` on a real journal: what was bad goes on once its cause is mended."""

import json
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector import ledger, quarantine
from collector.cli import app
from collector.commands import quarantine as quarantine_command
from collector.configuration import load
from collector.journal import Journal
from collector.mqtt import Message
from collector.pipeline import Pipeline
from collector.quarantine import Rejection
from collector.stores import open_store
from collector.storewriter import StoreWriter
from devices.reading import Reading
from tests.integration.servers import InfluxDB, wait_until
from tests.sites import write_site

DEVICES = "id,kind,profile\nem-1,electricity_meter,\nem-2,electricity_meter,box\n"
PROFILE = """id: box
name: {en: A box, zh: 盒子}
format: json
topics: ["box/{device}"]
points:
  power_kw: {path: POWER}
"""
CONSUMERS = ("store", "ledger")


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["quarantine", *arguments, "--config", str(config)])


def ingest(config: Path, *messages: tuple[str, bytes]) -> None:
    """What the daemon does with messages."""
    configuration = load(config)
    settings = configuration.settings
    journal = Journal(settings.data_dir / "journal.db", settings.journal.quota, CONSUMERS)
    pipeline = Pipeline(configuration.decoder(), journal, settings.quarantine, threading.Event())
    assert pipeline.ingest([Message(topic, payload, 0, dup=False, retain=False, key=0) for topic, payload in messages])
    journal.close()


def drain(config: Path) -> list[tuple[str, int, float | bool | str]]:
    """Stores what waits, as the daemon does; then every row of power_kw: device, time, value."""
    configuration = load(config)
    journal = Journal(configuration.settings.data_dir / "journal.db", 10**8, CONSUMERS)
    store = open_store(configuration)
    writer = StoreWriter(journal, store, 5000, 1)
    writer.start()
    wait_until(lambda: writer.position == journal.head)
    writer.stop()
    found = store.series(["em-1", "em-2", "em-3"], "power_kw", 0, 2**62)
    store.close()
    journal.close()
    return [(device, sample.time, sample.value) for device, samples in sorted(found.items()) for sample in samples]


def total(config: Path) -> dict[str, int]:
    """The ledger's sums."""
    configuration = load(config)
    journal = Journal(configuration.settings.data_dir / "journal.db", 10**8)
    ledger.fold(journal)
    now = time.time_ns()
    lines = ledger.lines(journal, {}, start=0, end=now, now=now)
    journal.close()
    columns = ("received", "stored", "late", "quarantined", "waiting", "unexplained")
    return {name: sum(getattr(line, name) for line in lines) for name in columns}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """em-3 is not in the register, and the box of em-2 writes `power` otherwise than its profile says."""
    config = write_site(tmp_path, DEVICES)
    (config / "profiles").mkdir()
    (config / "profiles" / "box.yaml").write_text(PROFILE, encoding="utf-8")
    return config


BOX = ("box/em-2", b'{"power": 2.5}')
STRANGER = ("siteward/site/em-3/readings", b'[{"power_kw": 3}, {"power_kw": 4}]')
GOOD = ("siteward/site/em-1/readings", b'{"power_kw": 1}')


def test_an_empty_quarantine_is_said(config: Path) -> None:
    ingest(config, GOOD)
    assert run(config, "list").output == "Quarantine is empty.\n"
    assert run(config, "list", "--json").output == "[]\n"
    assert run(config, "retry").output == "0 of 0 messages went through; 0 are still in quarantine.\n"


def test_causes_are_listed_and_messages_shown(config: Path) -> None:
    ingest(config, STRANGER, STRANGER, BOX, ("siteward/site/em-1/readings", b"\xff\xfe"))
    groups = json.loads(run(config, "list", "--json").output)
    assert [(g["device"], g["reason"], g["times"], g["kept"]) for g in groups] == [
        ("", "a device that is not in the register", 2, 2),
        ("em-2", "no point in the message", 1, 1),
        ("em-1", "payload is not JSON", 1, 1),
    ]
    assert "em-3" in run(config, "list").output
    shown = run(config, "show", "1", "--most", "1").output.splitlines()
    assert shown[:3] == [
        "2 times: a device that is not in the register",
        "who: em-3, heard by profile canonical",
        "what to do: add it with: siteward devices adopt",
    ]
    assert shown[4].endswith("  siteward/site/em-3/readings")
    assert shown[5:] == ['[{"power_kw": 3}, {"power_kw": 4}]']
    (message,) = json.loads(run(config, "show", "3", "--json").output)
    assert (message["topic"], message["payload"]) == ("siteward/site/em-1/readings", "ff fe")


def test_a_mended_register_brings_the_readings_to_the_store_once(config: Path) -> None:
    ingest(config, GOOD, STRANGER, BOX)
    before = json.loads(run(config, "show", "1", "--json").output)[0]["received"]
    assert total(config)["quarantined"] == 2
    with (config / "devices.csv").open("a", encoding="utf-8") as register:
        register.write("em-3,electricity_meter,\n")
    result = run(config, "retry")
    assert (result.exit_code, result.output) == (1, "1 of 2 messages went through; 1 are still in quarantine.\n")
    assert total(config) == {
        "received": 3, "stored": 0, "late": 2, "quarantined": 1, "waiting": 3, "unexplained": 0
    }  # fmt: skip
    assert [row for row in drain(config) if row[0] == "em-3"] == [("em-3", before, 3.0), ("em-3", before + 1, 4.0)]
    assert run(config, "retry").output == "0 of 1 messages went through; 1 are still in quarantine.\n"
    assert len(drain(config)) == 3
    assert total(config) == {
        "received": 3, "stored": 3, "late": 2, "quarantined": 1, "waiting": 0, "unexplained": 0
    }  # fmt: skip


def test_a_mended_profile_brings_the_readings_to_the_store_once(config: Path) -> None:
    ingest(config, BOX, STRANGER)
    (config / "profiles" / "box.yaml").write_text(PROFILE.replace("POWER", "power"), encoding="utf-8")
    box = next(g["id"] for g in json.loads(run(config, "list", "--json").output) if g["device"] == "em-2")
    result = run(config, "retry", str(box))
    assert (result.exit_code, result.output) == (0, "1 of 1 messages went through; 0 are still in quarantine.\n")
    assert [(device, value) for device, _, value in drain(config)] == [("em-2", 2.5)]
    (left,) = json.loads(run(config, "list", "--json").output)
    assert left["device"] == ""


def test_what_the_database_rejected_is_stored_once_when_it_is_mended(
    influxdb: InfluxDB,
    fresh_name: str,
    tmp_path: Path,
) -> None:
    store = {"kind": "influxdb", "api": "v1", "url": influxdb.url, "database": fresh_name}
    config = write_site(tmp_path, "id,kind\nem-1,electricity_meter\n", store=store)
    influxdb.ask("", f'CREATE DATABASE "{fresh_name}"')
    influxdb.request("POST", f"/write?db={fresh_name}", "electricity_meter,device=em-9 power_kw=true")
    moment = time.time_ns() // 10**6 * 10**6
    ingest(
        config,
        ("siteward/site/em-1/readings", json.dumps({"time": moment // 10**6, "power_kw": 1.5}).encode()),
        ("siteward/site/em-1/readings", json.dumps({"time": moment // 10**6 + 1, "voltage_v": 230}).encode()),
    )
    assert drain(config) == []
    assert total(config) == {
        "received": 2, "stored": 1, "late": 0, "quarantined": 1, "waiting": 0, "unexplained": 0
    }  # fmt: skip
    (group,) = json.loads(run(config, "list", "--json").output)
    assert (group["stage"], group["device"], group["times"]) == ("store", "em-1", 1)
    assert "field type conflict" in group["reason"]
    assert "{'power_kw': 1.5}" in run(config, "show", str(group["id"])).output
    influxdb.ask(fresh_name, "DROP MEASUREMENT electricity_meter")
    assert run(config, "retry").output == "1 of 1 messages went through; 0 are still in quarantine.\n"
    assert drain(config) == [("em-1", moment, 1.5)]
    assert total(config) == {
        "received": 2, "stored": 2, "late": 0, "quarantined": 0, "waiting": 0, "unexplained": 0
    }  # fmt: skip


def test_what_a_failing_disk_left_is_kept_as_evidence(config: Path) -> None:
    ingest(config, GOOD)
    path = load(config).settings.data_dir / "journal.db"
    journal = Journal(path, 10**8, CONSUMERS)
    body = journal.connection().execute("SELECT body FROM entry").fetchone()[0]
    with journal.transaction() as connection:
        connection.execute("UPDATE entry SET body = ?", (body.replace(b"power_kw", b"tower_kw"),))
    assert journal.read(0, 10)[0].readings == []
    journal.close()
    result = run(config, "retry")
    assert (result.exit_code, result.output) == (1, "0 of 1 messages went through; 1 are still in quarantine.\n")
    assert "tower_kw" in run(config, "show", "1").output


def test_what_has_another_cause_now_is_found_under_it(config: Path) -> None:
    ingest(config, BOX, ("box/em-9", b'{"power": 1}'))
    (config / "profiles" / "box.yaml").write_text(
        PROFILE.replace("{path: POWER}", "{path: power, map: {1: 1}}"), encoding="utf-8"
    )
    assert run(config, "retry").output == "0 of 2 messages went through; 2 are still in quarantine.\n"
    groups = json.loads(run(config, "list", "--json").output)
    assert [(g["device"], g["address"], g["reason"], g["times"]) for g in groups] == [
        ("", "em-9", "a device that is not in the register", 1),
        ("em-2", "", "power_kw: a value that the profile's map does not list", 1),
    ]
    assert total(config)["quarantined"] == 2


def test_what_a_profile_ignores_now_is_out(config: Path) -> None:
    ingest(config, BOX, BOX)
    ignoring = 'id: box\ntopics: ["box/{device}"]\nignore: signs of life\n'
    (config / "profiles" / "box.yaml").write_text(ignoring, encoding="utf-8")
    assert run(config, "retry").output == "2 of 2 messages went through; 0 are still in quarantine.\n"
    assert total(config)["quarantined"] == 0
    assert drain(config) == []


def test_two_that_try_at_once_take_each_message_once(config: Path) -> None:
    ingest(config, *([STRANGER] * 5))
    with (config / "devices.csv").open("a", encoding="utf-8") as register:
        register.write("em-3,electricity_meter,\n")
    configuration = load(config)
    path = configuration.settings.data_dir / "journal.db"
    first, second = Journal(path, 10**8), Journal(path, 10**8)
    (group,) = quarantine.list_groups(first.connection())
    trying = quarantine_command._Trial(group, configuration, first)
    outcomes = [trying.run(number, item) for number, item in quarantine.messages(first.connection(), group)]
    assert quarantine_command.retry_group(second, group, configuration) == (5, 10)
    assert quarantine_command._commit(first, group, [outcome for outcome in outcomes if outcome]) == []
    assert sum(len(entry.readings) for entry in first.read(0, 100)) == 10
    first.close()
    second.close()


def test_many_messages_go_through_in_parts(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.commands.quarantine._CHUNK_MESSAGES", 3)
    ingest(config, *([STRANGER, BOX] * 5))
    with (config / "devices.csv").open("a", encoding="utf-8") as register:
        register.write("em-3,electricity_meter,\n")
    assert run(config, "retry").output == "5 of 10 messages went through; 5 are still in quarantine.\n"


def test_a_group_is_dropped_for_good(config: Path) -> None:
    ingest(config, STRANGER, BOX)
    assert run(config, "drop", "1").output == "Deleted 1 messages.\n"
    (left,) = json.loads(run(config, "list", "--json").output)
    assert left["device"] == "em-2"


@pytest.mark.parametrize("command", ["show", "retry", "drop"])
def test_a_group_that_is_not_there_is_said(config: Path, command: str) -> None:
    ingest(config, BOX)
    result = run(config, command, "7")
    assert (result.exit_code, result.output) == (2, "There is no group 7. See: siteward quarantine list\n")


def test_a_rejected_reading_that_cannot_be_read_is_shown_as_it_is(config: Path) -> None:
    ingest(config, GOOD)
    journal = Journal(load(config).settings.data_dir / "journal.db", 10**8)
    with journal.transaction() as connection:
        quarantine.record(connection, [Rejection("store", "em-1", "odd", "", 1, "em-1", b"\xc1")])
    journal.close()
    assert r"b'\xc1'" in run(config, "show", "1").output
    assert run(config, "retry").exit_code == 1


def test_readings_and_their_time_survive_a_retry(config: Path) -> None:
    rejected = Reading("em-1", 10**18, 2 * 10**18, {"power_kw": 7.0}, late=True, claimed=5)
    ingest(config, GOOD)
    path = load(config).settings.data_dir / "journal.db"
    journal = Journal(path, 10**8, CONSUMERS)
    position = journal.commit([rejected])
    journal.advance("store", position, rejected=[(rejected, "no")])
    journal.close()
    assert run(config, "retry").exit_code == 0
    again = Journal(path, 10**8)
    assert again.read(position, 10)[0].readings == [rejected]
    again.close()
