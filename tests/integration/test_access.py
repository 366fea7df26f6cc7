"""Doors, from the broker to the store: who may know what, one event for its frames, and people counted right."""

import json
import stat
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path

import pytest
import urllib3
from structlog.testing import capture_logs

from collector import ledger
from collector.configuration import load
from collector.credentialkeys import find_file, read, rotate
from collector.daemon import Daemon
from devices.credentials import Hasher
from tests.integration.peers import publish
from tests.integration.servers import Mosquitto, wait_until
from tests.sites import write_site

NOW_S = int(time.time()) - 600
LI, WANG, ZHAO = "1C0044CF23", "04A1B2C3D4E580", "0012345678"

# One door with a reader on either side, another one whose controller knows the way, and a contact that repeats itself.
DOORS = """\
id,kind,profile,address,area,outside,direction
front-in,door,esp_rfid,front-in,hall,yard,in
front-out,door,esp_rfid,front-out,hall,yard,out
back,door,,,hall,yard,
contact,door,radio,,hall,yard,
"""
RADIO = """\
id: radio
topics: ["radio/{device}"]
time: {path: ms, format: epoch_ms}
repeats: 2s
points:
  door: {path: open, map: {true: open, false: closed}}
  event: {path: open, map: {true: opened, false: closed}}
  battery_percent: battery
"""


@pytest.fixture
def daemon(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A running one at the shared broker."""
    monkeypatch.setattr("collector.daemon._LOOK_S", 0.05)
    with run(mosquitto, fresh_name, tmp_path) as daemon:
        yield daemon


@contextmanager
def run(broker: Mosquitto, name: str, folder: Path) -> Iterator[Daemon]:
    config = write_site(folder, DOORS, site={"id": name}, mqtt={"url": broker.url, "client_id": name})
    (config / "profiles").mkdir(exist_ok=True)
    (config / "profiles" / "radio.yaml").write_text(RADIO, encoding="utf-8")
    daemon = Daemon(load(config))
    daemon.start()
    try:
        wait_until(lambda: daemon.obstacles() == [])
        yield daemon
    finally:
        daemon.stop()


def swipe(broker: Mosquitto, reader: str, second: int, card: str, access: str = "Always") -> None:
    message = {"type": "access", "time": NOW_S + second, "isKnown": "true", "access": access, "username": "somebody"}
    publish(broker.port, "/rfid/send", json.dumps(message | {"uid": card, "hostname": reader}).encode())


def pass_back_door(broker: Mosquitto, site: str, second: int, card: str, **said: str) -> None:
    message = {"time": (NOW_S + second) * 1000, "credential": card, **said}
    publish(broker.port, f"siteward/{site}/back/readings", json.dumps(message).encode())


def stored(daemon: Daemon, point: str, device: str) -> list[object]:
    daemon.store.prepare()  # a question must not come before the tables
    return [sample.value for sample in daemon.store.series([device], point, 0, 2**62).get(device, [])]


def await_stored(daemon: Daemon, readings: int) -> None:
    wait_until(lambda: daemon.pipeline.messages >= readings and daemon.writer.position == daemon.journal.head)


def count_inside(daemon: Daemon) -> int:
    """Entries minus exits, from what is stored."""
    daemon.store.prepare()
    doors = ["front-in", "front-out", "back"]
    events = daemon.store.series(doors, "event", 0, 2**62)
    ways = daemon.store.series(doors, "direction", 0, 2**62)
    passages: Counter[object] = Counter()
    for door, samples in events.items():
        way = {sample.time: sample.value for sample in ways.get(door, [])}
        passages.update(way[sample.time] for sample in samples if sample.value == "granted")
    return passages["in"] - passages["out"]


def test_people_are_counted_from_entries_and_exits(mosquitto: Mosquitto, fresh_name: str, daemon: Daemon) -> None:
    swipe(mosquitto, "front-in", 0, LI)
    swipe(mosquitto, "front-in", 0, WANG)  # in the same second of a clock that has only seconds
    swipe(mosquitto, "front-in", 5, ZHAO, "Denied")
    pass_back_door(mosquitto, fresh_name, 7, ZHAO, event="denied", direction="in")
    pass_back_door(mosquitto, fresh_name, 8, ZHAO, event="granted", direction="in")
    await_stored(daemon, 5)
    assert count_inside(daemon) == 3
    swipe(mosquitto, "front-out", 20, WANG)
    swipe(mosquitto, "front-out", 20, WANG)  # sent again by the reader
    pass_back_door(mosquitto, fresh_name, 30, LI, event="granted", direction="out")
    await_stored(daemon, 8)
    assert count_inside(daemon) == 1
    assert stored(daemon, "reason", "front-in") == ["unknown credential"]


def test_a_card_is_one_credential_and_its_number_is_nowhere(
    mosquitto: Mosquitto, fresh_name: str, daemon: Daemon, tmp_path: Path
) -> None:
    with capture_logs() as logs:
        swipe(mosquitto, "front-in", 0, LI)
        swipe(mosquitto, "front-out", 60, "1c:00:44:cf:23")
        pass_back_door(mosquitto, fresh_name, 90, LI.lower(), event="granted", direction="in")
        await_stored(daemon, 3)
    expected = Hasher(read(find_file(daemon.configuration.settings))).hash(LI)
    assert [stored(daemon, "credential", door) for door in ("front-in", "front-out", "back")] == [[expected]] * 3
    assert expected.startswith("k1:")
    live = urllib3.request("GET", f"http://{daemon.http.address}/live").data
    metrics = urllib3.request("GET", f"http://{daemon.http.address}/metrics").data
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {"journal.db", "credential.keys"} < {path.name for path in files}
    for content in (live, metrics, str(logs).encode(), *(path.read_bytes() for path in files)):
        assert LI.encode() not in content
        assert LI.lower().encode() not in content
        assert b"1c:00:44:cf:23" not in content
        assert b"somebody" not in content


def test_what_holds_card_numbers_or_keys_is_for_one_user(
    mosquitto: Mosquitto, fresh_name: str, daemon: Daemon, tmp_path: Path
) -> None:
    publish(mosquitto.port, f"siteward/{fresh_name}/back/readings", b'{"credential": "1C0044CF23", "event": 1}')
    await_stored(daemon, 1)
    assert daemon.pipeline.quarantined == 1
    files = [path for path in (tmp_path / "data").iterdir() if path.is_file()]
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in files} == {
        path.name: "0o600" for path in files
    }


def test_a_new_key_is_taken_while_running_and_a_bad_one_is_not(mosquitto: Mosquitto, daemon: Daemon) -> None:
    path = find_file(daemon.configuration.settings)
    swipe(mosquitto, "front-in", 0, LI)
    await_stored(daemon, 1)
    first = daemon.configuration
    rotate(path)
    wait_until(lambda: daemon.pipeline.decoder is not first.decoder())
    swipe(mosquitto, "front-in", 10, LI)
    await_stored(daemon, 2)
    good = path.read_text()
    with capture_logs() as logs:
        path.write_text("hunter2")
        wait_until(lambda: daemon.reload_failures == 1)
    assert "expected a key such as `k1`" in logs[-1]["problem"]
    assert "hunter2" not in str(logs)
    swipe(mosquitto, "front-in", 20, LI)
    await_stored(daemon, 3)
    path.write_text(good)
    hashes = stored(daemon, "credential", "front-in")
    assert [str(value)[:3] for value in hashes] == ["k1:", "k2:", "k2:"]
    assert list(Hasher(read(path)).candidates(LI)) == [hashes[1], hashes[0]]


def test_a_restart_keeps_the_key(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path) -> None:
    for second in (0, 10):
        with run(mosquitto, fresh_name, tmp_path) as daemon:
            swipe(mosquitto, "front-in", second, LI)
            await_stored(daemon, 1)
            hashes = stored(daemon, "credential", "front-in")
    assert len(hashes) == 2
    assert len(set(hashes)) == 1


def test_six_frames_of_one_opening_are_one_event(mosquitto: Mosquitto, daemon: Daemon) -> None:
    begin_ms = NOW_S * 1000
    offsets_ms = [0, 130, 260, 390, 520, 650]
    frames: list[tuple[int, dict[str, object]]] = [(offset, {"open": True}) for offset in offsets_ms]
    frames += [(300, {"battery": 80})]
    frames += [(1500 + offset, {"open": False}) for offset in offsets_ms]
    frames += [(5000 + offset, {"open": True}) for offset in offsets_ms]
    payloads = [
        json.dumps({"ms": begin_ms + offset, **values}).encode() for offset, values in sorted(frames, key=itemgetter(0))
    ]
    publish(mosquitto.port, "radio/contact", *payloads)
    await_stored(daemon, 19)
    assert sorted(map(str, stored(daemon, "event", "contact"))) == ["closed", "opened", "opened"]
    assert stored(daemon, "battery_percent", "contact") == [80]
    assert daemon.pipeline.duplicates == 15
    ledger.fold(daemon.journal)
    lines = ledger.lines(daemon.journal, {}, start=0, end=time.time_ns(), now=time.time_ns())
    assert sum(line.duplicate for line in lines if line.device == "contact") == 15
    assert all(line.unexplained == 0 for line in lines if line.device == "contact")
