"""`siteward devices adopt`: who is unknown, and into the register with all that was sent."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from collector import ledger, quarantine
from collector.commands.adopt import adopt
from collector.configuration import load
from collector.journal import Journal
from collector.mqtt import Message
from collector.pipeline import Pipeline
from devices.reading import Reading
from tests.sites import write_site

CONSUMERS = ("store", "ledger")
BOX = """id: box
topics: ["box/{device}"]
points:
  power_kw: {path: p, unit: W}
  door: {path: d, map: {1: open, 0: closed}}
"""
GATEWAY = """id: gateway
topics: ["gw/{line}"]
each: list
device: "{line}/{no}"
points: {volume_m3: {path: v, unit: L}}
"""
PLACES = "buildings: [{id: A, floors: [{id: 1F, areas: [{id: hall}]}]}]\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Devices of three profiles; nobody is at the broker's address."""
    config = write_site(
        tmp_path, "id,kind,profile,address\nem-1,electricity_meter,,\nb-1,door,box,\nwm-1,water_meter,gateway,l1/1\n"
    )
    (config / "places.yaml").write_text(PLACES, encoding="utf-8")
    (config / "profiles").mkdir()
    (config / "profiles" / "box.yaml").write_text(BOX, encoding="utf-8")
    (config / "profiles" / "gateway.yaml").write_text(GATEWAY, encoding="utf-8")
    return config


def run(config: Path, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(adopt)
    return CliRunner().invoke(app, [*arguments, "--config", str(config)], env={"COLUMNS": "200"})


def answer(config: Path, *arguments: str) -> object:
    result = run(config, "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def ingest(config: Path, *messages: tuple[str, object]) -> list[Reading]:
    """What the daemon does with messages, and what it commits of them."""
    configuration = load(config)
    settings = configuration.settings
    journal = Journal(settings.data_dir / "journal.db", settings.journal.quota, CONSUMERS)
    pipeline = Pipeline(configuration.decoder(), journal, settings.quarantine, threading.Event())
    before = journal.head
    encoded = [(topic, json.dumps(content).encode()) for topic, content in messages]
    assert pipeline.ingest([Message(topic, data, 0, dup=False, retain=False, key=0) for topic, data in encoded])
    readings = committed(journal, before)
    journal.close()
    return readings


def committed(journal: Journal, after: int = 0) -> list[Reading]:
    return [reading for entry in journal.read(after, 10**6) for reading in entry.readings]


@pytest.fixture
def journal(config: Path) -> Iterator[Journal]:
    journal = Journal(load(config).settings.data_dir / "journal.db", 10**8)
    yield journal
    journal.close()


# ── who is unknown ───────────────────────────────────────────────────────────────────────────────────────────────


def test_unknown_devices_are_listed_with_what_they_say(config: Path) -> None:
    ingest(config, *[("siteward/site/em-9/readings", {"power_kw": n, "voltage_v": 230}) for n in (1, 2)])
    ingest(config, ("box/正门 2", {"d": 1}), ("gw/l1", {"list": [{"no": 1, "v": 5}, {"no": 2, "v": 7}]}))
    found = {each["address"]: each for each in answer(config, "--listen", "0s")}  # type: ignore[attr-defined] # a list
    assert list(found) == ["em-9", "正门 2", "l1/2"]
    shown = ("profile", "messages", "says", "id", "kind", "source")
    assert [[each[name] for name in shown] for each in found.values()] == [
        ["canonical", 2, {"power_kw": 2.0, "voltage_v": 230.0}, "em-9", "electricity_meter", ""],
        ["box", 1, {"door": "open"}, "door-2", "door", ""],
        ["gateway", 1, {"volume_m3": 0.007}, "l1-2", "water_meter", ""],
    ]
    assert found["em-9"]["first"] < found["em-9"]["last"]
    table = run(config, "--listen", "0s").output
    assert "power_kw 2 kW, voltage_v 230 V" in table
    assert "To take one in: siteward devices adopt ADDRESS" in table


def test_a_cards_number_is_not_shown(config: Path) -> None:
    ingest(config, ("siteward/site/d-9/readings", {"event": "granted", "credential": "12345678"}))
    result = run(config, "--listen", "0s")
    assert ("credential" in result.output, "12345678" in result.output) == (True, False)


def test_nobody_unknown_is_said_also_without_a_journal(config: Path) -> None:
    assert run(config, "--listen", "0s").output == "Nothing is heard that is not in the register.\n"
    assert not (config.parent / "data").exists()


def test_a_broker_that_is_away_is_said_and_the_rest_is_listed(config: Path) -> None:
    ingest(config, ("box/b-9", {"d": 1}))
    result = run(config)
    assert result.exit_code == 0
    assert result.stderr.startswith("Announcements were not heard: ")
    assert "b-9" in result.stdout


# ── into the register ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_sent_before_comes_in_with_its_times(config: Path, journal: Journal) -> None:
    ingest(config, ("box/b-9", {"p": 1500}), ("box/b-9", {"p": 2500}), ("box/b-8", {"p": 1}))
    arrivals = {group.address: (group.first, group.last) for group in quarantine.list_groups(journal.connection())}
    before = journal.head
    assert answer(config, "b-9", "--building", "A", "--name", "Box nine") == {
        "device": {
            "id": "b-9",
            "kind": "electricity_meter",
            "profile": "box",
            "name": {"en": "Box nine"},
            "building": "A",
        },
        "file": str(config / "devices.csv"),
        "messages": 2,
        "readings": 2,
        "left": 0,
    }
    first, last = arrivals["b-9"]
    assert committed(journal, before) == [
        Reading("b-9", first, first, {"power_kw": 1.5}, late=True),
        Reading("b-9", last, last, {"power_kw": 2.5}, late=True),
    ]
    assert [group.address for group in quarantine.list_groups(journal.connection())] == ["b-8"]


def test_the_ledger_moves_from_the_unknown_to_the_device(config: Path, journal: Journal) -> None:
    ingest(config, ("gw/l1", {"list": [{"no": n, "v": n} for n in (1, 2, 3)]}))
    run(config, "l1/2", "--id", "wm-2")
    ledger.fold(journal)
    rows = journal.connection().execute("SELECT device, received, quarantined FROM ledger ORDER BY device").fetchall()
    assert rows == [("", 0, 1), ("wm-1", 1, 0), ("wm-2", 1, 0)]


def test_of_a_message_about_several_devices_each_reading_is_taken_once(config: Path, journal: Journal) -> None:
    message = ("gw/l1", {"list": [{"no": n, "v": 1000 * n} for n in (3, 1, 2)]})
    (known,) = ingest(config, message)
    assert (known.device, known.values) == ("wm-1", {"volume_m3": 1.0})
    (kept,) = journal.connection().execute("SELECT count(*) FROM quarantine_message").fetchone()
    assert kept == 1
    for address, name in (("l1/2", "wm-2"), ("l1/3", "wm-3")):
        assert "1 readings of 1 messages came in" in run(config, address, "--id", name).output
    assert [(r.device, r.time - known.received, r.values["volume_m3"]) for r in committed(journal)] == [
        ("wm-1", 1, 1.0),
        ("wm-2", 2, 2.0),
        ("wm-3", 0, 3.0),
    ]
    assert journal.connection().execute("SELECT count(*) FROM quarantine_message").fetchone() == (0,)
    assert [(r.device, r.values["volume_m3"]) for r in ingest(config, message)] == [
        ("wm-3", 3.0),
        ("wm-1", 1.0),
        ("wm-2", 2.0),
    ]


def test_strangers_beyond_those_that_are_told_at_once_are_told_later(config: Path, journal: Journal) -> None:
    ingest(config, ("gw/l1", {"list": [{"no": n, "v": 1000 * n} for n in range(2, 32)]}))
    waiting = {each["address"] for each in answer(config, "--listen", "0s")}  # type: ignore[attr-defined] # a list
    assert "l1/31" not in waiting
    adopted = 0
    while found := answer(config, "--listen", "0s"):
        for each in found:  # type: ignore[attr-defined] # a list
            assert run(config, each["address"]).exit_code == 0
            adopted += 1
    assert adopted == 30
    assert sorted(reading.values["volume_m3"] for reading in committed(journal)) == [float(n) for n in range(2, 32)]
    ledger.fold(journal)
    sums = journal.connection().execute("SELECT sum(received), sum(quarantined) FROM ledger").fetchone()
    assert sums == (30, 0)


def test_what_it_sent_wrongly_stays_under_its_own_name(config: Path, journal: Journal) -> None:
    ingest(config, ("box/b-9", {"p": 1500}), ("box/b-9", {"p": "much"}))
    result = run(config, "b-9")
    assert "1 readings of 1 messages came in out of quarantine." in result.output
    assert "1 of its messages could not be read. See: siteward quarantine list" in result.output
    (group,) = quarantine.list_groups(journal.connection())
    assert (group.device, group.reason) == ("b-9", "power_kw: expected a number, got a text")
    assert journal.connection().execute("SELECT quarantined FROM ledger WHERE device = 'b-9'").fetchone() == (1,)


def test_an_id_is_made_that_is_free(config: Path) -> None:
    ingest(config, ("box/em 1", {"p": 1}))
    assert answer(config, "em 1")["device"]["id"] == "em-2"  # type: ignore[index] # an object


def test_devices_go_where_the_site_lists_them(config: Path) -> None:
    (config / "devices.csv").unlink()
    (config / "devices.yaml").write_text(
        "devices:\n  - {id: b-1, kind: door, profile: box}  # the first\n", encoding="utf-8"
    )
    ingest(config, ("box/b 9", {"d": 0}))
    assert run(config, "b 9").exit_code == 0
    assert (config / "devices.yaml").read_text(encoding="utf-8") == (
        "devices:\n"
        "  - {id: b-1, kind: door, profile: box}  # the first\n"
        "  - {id: b-9, kind: door, profile: box, address: b 9}\n"
    )


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["b-8"], "Nothing was heard of 'b-8'; did you mean b-9?"),
        (["zzz"], "Nothing was heard of 'zzz'; see what is: siteward devices adopt"),
        (
            ["l1/1"],
            "'l1/1' is in the register, as device 'wm-1'. What it sent before comes in with: siteward quarantine retry",
        ),
        (["b-9", "--id", "em-1"], "There is a device 'em-1' already; choose another --id"),
        (
            ["b-9", "--id", "门"],
            "id: expected letters a-z, digits and . _ - with a letter or digit in front, got '门'\nNothing was added.",
        ),
        (["b-9", "--kind", "dor"], "did you mean door?)\nNothing was added."),
        (["b-9", "--profile", "bax"], "There is no profile 'bax'; did you mean box?"),
        (["b-9", "--profile", "gateway"], "'b-9' is heard by profile box, not by 'gateway'."),
        (["b-9", "--building", "B"], "there is no building 'B'; known are A\nNothing was added."),
        (
            ["b-9", "--building", "A", "--floor", "2F"],
            "there is no floor '2F' in building 'A'; known are 1F\nNothing was added.",
        ),
        (["b-8", "--listen", "soon"], "--listen: expected a duration such as 30s, 15m, 12h or 7d, got 'soon'"),
    ],
)
def test_mistakes_are_said_and_change_nothing(config: Path, arguments: list[str], message: str) -> None:
    ingest(config, ("box/b-9", {"d": 1}))
    before = (config / "devices.csv").read_bytes()
    result = run(config, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.rstrip().endswith(message)
    assert (config / "devices.csv").read_bytes() == before


def test_an_address_that_two_profiles_hear_needs_one_of_them(config: Path) -> None:
    ingest(config, ("box/x-9", {"p": 1}), ("siteward/site/x-9/readings", {"power_kw": 1}))
    result = run(config, "x-9")
    assert (result.exit_code, result.stderr) == (
        2,
        "'x-9' is heard by several profiles: box, canonical. Choose one with --profile.\n",
    )
    assert run(config, "x-9", "--profile", "box").exit_code == 0
    assert load(config).register.by_id()["x-9"].profile == "box"


def test_a_folder_that_is_wrong_is_not_touched(config: Path) -> None:
    ingest(config, ("box/b-9", {"d": 1}))
    (config / "places.yaml").write_text("buildings: 5\n", encoding="utf-8")
    result = run(config, "b-9")
    assert result.exit_code == 2
    assert "places.yaml:1:12" in result.stderr


def test_a_daemon_that_does_not_take_it_over_is_said(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.commands.adopt._TAKE_OVER_S", 0.3)
    ingest(config, ("box/b-9", {"d": 1}))
    host, _, port = load(config).settings.http.listen.rpartition(":")
    state = json.dumps({"configuration": {"loaded": 0, "in_force": True}}).encode()
    with socket.create_server((host, int(port))) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(state), state))

        threading.Thread(target=serve, daemon=True).start()
        result = run(config, "b-9")
        server.shutdown(socket.SHUT_RDWR)
    assert "1 readings of 1 messages came in" in result.stdout
    assert result.stderr == "The daemon has not taken it over yet; when it has: siteward quarantine retry\n"
