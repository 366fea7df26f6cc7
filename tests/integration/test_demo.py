"""`siteward demo` and `siteward simulate` as a user starts them: real broker, real daemon, real store."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from collector.commands.demo import furnish
from collector.configuration import load
from collector.stores import open_store
from tests.integration.servers import Mosquitto, wait_until

SITEWARD = Path(sys.executable).with_name("siteward")
CONFIG = Path("config")
DAY = 86_400_000_000_000
FOREVER = 2**62


@contextmanager
def _started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command with its temporary files in a folder, ended at the end in any case."""
    process = subprocess.Popen(
        [SITEWARD, *arguments],
        env=os.environ | {"TMPDIR": str(folder), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _read_until(stream: IO[str] | None, pattern: str) -> str:
    """Lines of a stream up to one that has the pattern."""
    assert stream is not None
    read = ""
    for line in stream:
        read += line
        if re.search(pattern, line):
            return read
    pytest.fail(f"it ended without {pattern!r}:\n{read}")


def _series(config: Path, device: str, point: str) -> list[tuple[int, object]]:
    """What a demo has in its store."""
    configuration = load(config)
    store = open_store(configuration)
    try:
        samples = store.series([device], point, 0, FOREVER)
    finally:
        store.close()
    return [(sample.time, sample.value) for sample in samples.get(device, [])]


def test_the_demo_fills_days_back_and_has_every_reading_in_its_store(tmp_path: Path) -> None:
    with _started(tmp_path, "demo", "--no-live", "--days", "5") as process:
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    published = re.search(r"([\d,]+) readings of 80 devices, published and stored in", said)
    assert published, said
    assert f"{published[1]} readings arrived, 0 wait for the store" in said
    assert "0 are in quarantine" in said
    (folder,) = tmp_path.glob("siteward-demo-*")
    assert str(folder) in said
    energy = _series(folder / "config", "em-a-01", "energy_import_kwh")
    assert len(energy) == 5 * 96
    assert [value for _, value in energy] == sorted(float(str(value)) for _, value in energy)
    voltages = _series(folder / "config", "em-c-01", "voltage_l1_v")
    assert [float(str(value)) > 257 for _, value in voltages].count(True) == 2  # half past seven, four days ago
    assert {value for _, value in _series(folder / "config", "door-a-01", "event")} >= {"granted", "opened", "closed"}


def test_the_demo_goes_live_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    with _started(tmp_path, "demo", "--days", "1", "--interval", "1s") as process:
        head = _read_until(process.stdout, r"messages/s")
        address = re.search(r"mqtt://127\.0\.0\.1:(\d+)", head)
        assert address
        assert "258 V on phase L1" in head
        _read_until(process.stdout, r"^\d\d:\d\d:\d\d  [1-9]\d*\.\d messages/s")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    assert process.returncode == 0, rest
    assert re.search(r"[\d,]+ readings arrived, [\d,]+ wait for the store, .* 0 are in quarantine", rest)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(address[1])), timeout=5)


def test_the_demo_leaves_the_site_s_own_broker_and_data_alone(tmp_path: Path) -> None:
    original = load(CONFIG)
    copy = furnish(original, tmp_path, 45_678)
    assert copy.folder == tmp_path / "config"
    assert copy.register == original.register
    assert copy.settings.site == original.settings.site
    assert copy.settings.mqtt.url == "mqtt://127.0.0.1:45678"
    assert copy.settings.store.kind == "embedded"
    assert copy.settings.data_dir == tmp_path / "data"


def test_simulate_publishes_to_any_broker(mosquitto: Mosquitto, tmp_path: Path) -> None:
    topics: set[str] = set()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="onlooker")
    subscribed: list[object] = []
    client.on_subscribe = lambda *_: subscribed.append(1)
    client.on_message = lambda _client, _data, message: topics.add(message.topic)
    client.connect("127.0.0.1", mosquitto.port)
    client.subscribe("siteward/campus/+/readings", qos=1)
    client.loop_start()
    wait_until(lambda: subscribed)
    with _started(tmp_path, "simulate", "--broker", mosquitto.url, "--no-live", "--days", "1") as process:
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert re.search(r"Published [\d,]+ messages with [\d,]+ readings", said)
    meters = {device.id for device in load(CONFIG).register if device.kind != "door"}
    wait_until(lambda: topics >= {f"siteward/campus/{meter}/readings" for meter in meters})
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--broker", "http://127.0.0.1:1"), "--broker: url: expected mqtts://HOST:PORT or mqtt://HOST:PORT"),
        (("--broker", "mqtt://127.0.0.1:1", "--days", "0"), "cannot reach the broker at mqtt://127.0.0.1:1"),
        (("--days", "40"), "--days 40: older than 35d, which is all that time.past believes"),
        (("--interval", "soon"), "--interval: expected a duration such as"),
        (("--interval", "10ms"), "--interval: a second is the least"),
    ],
)
def test_what_cannot_be_done_is_said_in_plain_words(arguments: tuple[str, ...], complaint: str, tmp_path: Path) -> None:
    with _started(tmp_path, "simulate", *arguments) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode in {1, 2}
    assert complaint in said
    assert "Traceback" not in said
