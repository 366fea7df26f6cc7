"""Adoption at a real broker, beside a running daemon: what was sent before comes in, what is announced is proposed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from paho.mqtt.enums import MQTTProtocolVersion
from typer.testing import CliRunner, Result

from collector import announcements, quarantine
from collector.checks.conversation import Conversation, Identity
from collector.checks.reach import BrokerTrouble
from collector.commands.adopt import adopt
from collector.configuration import load
from collector.daemon import Daemon
from collector.quarantine import Rejection
from collector.simulation.broker import EmbeddedBroker
from tests.integration.peers import publish
from tests.integration.servers import Mosquitto, find_free_port, wait_until
from tests.sites import write_site

GATEWAY = """id: gateway
topics: ["{site}-gw/{line}"]
each: list
device: "{line}/{no}"
points: {volume_m3: {path: v, unit: L}}
"""
SECOND = 10**9


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.session._BACKOFF_S", (0.05, 0.2))
    monkeypatch.setattr("collector.subscriber._IDLE_S", 0.05)
    monkeypatch.setattr("collector.daemon._LOOK_S", 0.05)
    monkeypatch.setattr("collector.commands.adopt._PAUSE_S", 0.02)
    monkeypatch.setattr("collector.announcements._QUIET_S", 0.3)


@contextmanager
def running(config: Path) -> Iterator[Daemon]:
    """A daemon in this process, subscribed at the broker."""
    daemon = Daemon(load(config))
    daemon.start()
    try:
        wait_until(lambda: daemon.obstacles() == [])
        yield daemon
    finally:
        daemon.stop()


def configure(folder: Path, broker: Mosquitto | EmbeddedBroker, name: str, devices: str, **mqtt: str) -> Path:
    config = write_site(folder, devices, site={"id": name}, mqtt={"url": broker.url, "client_id": name, **mqtt})
    (config / "profiles").mkdir()
    (config / "profiles" / "gateway.yaml").write_text(GATEWAY, encoding="utf-8")
    return config


def run(config: Path, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(adopt)
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


def answer(config: Path, *arguments: str) -> Any:  # noqa: ANN401 - JSON is anything
    result = run(config, "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def rows(daemon: Daemon, device: str, point: str) -> list[tuple[int, object]]:
    daemon.store.prepare()  # a question must not come before the tables
    return [(sample.time, sample.value) for sample in daemon.store.series([device], point, 0, 2**62).get(device, [])]


def kept(daemon: Daemon, address: str) -> list[Rejection]:
    """What a device sent that is in quarantine."""
    connection = daemon.journal.connection()
    groups = [group for group in quarantine.list_groups(connection) if group.address == address]
    return [item for group in groups for _, item in quarantine.messages(connection, group)]


# ── what was sent before ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_device_is_adopted_while_the_daemon_runs(
    mosquitto: Mosquitto, fresh_name: str, tmp_path: Path
) -> None:
    config = configure(tmp_path, mosquitto, fresh_name, "id,kind\nem-1,electricity_meter\n")
    topic = f"siteward/{fresh_name}/em-9/readings"
    with running(config) as daemon:
        begin = daemon.started_ns // SECOND * SECOND - 3600 * SECOND
        timed = [json.dumps({"time": (begin + n * SECOND) // 10**6, "power_kw": n}).encode() for n in (1, 2, 3)]
        publish(mosquitto.port, topic, *timed, b'{"voltage_v": 230}')
        wait_until(lambda: daemon.pipeline.quarantined == 4)
        (bare,) = [item for item in kept(daemon, "em-9") if b"voltage" in item.payload]
        done = answer(config, "em-9")
        assert (done["messages"], done["readings"], done["left"]) == (4, 4, 0)
        assert done["device"] == {"id": "em-9", "kind": "electricity_meter"}
        assert quarantine.list_groups(daemon.journal.connection()) == []
        publish(mosquitto.port, topic, json.dumps({"time": (begin + 4 * SECOND) // 10**6, "power_kw": 4}).encode())
        expected = [(begin + n * SECOND, float(n)) for n in (1, 2, 3, 4)]
        wait_until(lambda: rows(daemon, "em-9", "power_kw") == expected)
        assert rows(daemon, "em-9", "voltage_v") == [(bare.received, 230.0)]
        assert daemon.pipeline.quarantined == 4, "nothing of it was unknown any more"


def test_messages_that_come_during_the_adoption_are_not_left_behind(
    mosquitto: Mosquitto, fresh_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure(tmp_path, mosquitto, fresh_name, "id,kind\nem-1,electricity_meter\n")
    topic = f"siteward/{fresh_name}/em-9/readings"
    with running(config) as daemon:
        publish(mosquitto.port, topic, b'{"power_kw": 1}')
        wait_until(lambda: daemon.pipeline.quarantined == 1)
        take_over = daemon.use

        def delay(configuration: Any) -> None:  # noqa: ANN401 - the daemon's own
            publish(mosquitto.port, topic, b'{"power_kw": 2}')
            wait_until(lambda: daemon.pipeline.quarantined == 2)
            take_over(configuration)

        monkeypatch.setattr(daemon, "use", delay)
        assert answer(config, "em-9")["readings"] == 2
        wait_until(lambda: [value for _, value in rows(daemon, "em-9", "power_kw")] == [1.0, 2.0])


def test_a_message_that_is_known_in_part_is_stored_once(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path) -> None:
    config = configure(tmp_path, mosquitto, fresh_name, "id,kind,profile,address\nwm-1,water_meter,gateway,l1/1\n")
    payload = json.dumps({"list": [{"no": n, "v": 1000 * n} for n in (3, 1, 2)]}).encode()
    with running(config) as daemon:
        publish(mosquitto.port, f"{fresh_name}-gw/l1", payload)
        wait_until(lambda: [value for _, value in rows(daemon, "wm-1", "volume_m3")] == [1.0])
        assert answer(config, "l1/2", "--id", "wm-2")["readings"] == 1
        assert answer(config, "l1/3", "--id", "wm-3")["readings"] == 1
        wait_until(lambda: [value for _, value in rows(daemon, "wm-3", "volume_m3")] == [3.0])
        assert len(rows(daemon, "wm-1", "volume_m3")) == len(rows(daemon, "wm-2", "volume_m3")) == 1
        publish(mosquitto.port, f"{fresh_name}-gw/l1", payload)
        wait_until(lambda: [len(rows(daemon, f"wm-{n}", "volume_m3")) for n in (1, 2, 3)] == [2, 2, 2])
        assert daemon.pipeline.quarantined == 1


# ── what is announced ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker of the test's own: announcements have topics that all sites share."""
    with Mosquitto(tmp_path / "broker") as server:
        yield server


def announce(broker: Mosquitto, topic: str, content: object) -> None:
    publish(broker.port, topic, json.dumps(content).encode(), retain=True)


def announce_tasmota(broker: Mosquitto) -> None:
    config = {"dn": "Washer", "t": "plug7", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"]}
    announce(broker, "tasmota/discovery/00AABBCCDDEE/config", config)
    sample = {"Time": "2026-11-22T08:00:00", "ENERGY": {"Total": 1.5, "Power": 20}}
    announce(broker, "tasmota/discovery/00AABBCCDDEE/sensors", {"sn": sample})


def test_an_announced_device_is_listed_adopted_and_heard(broker: Mosquitto, tmp_path: Path) -> None:
    config = configure(tmp_path, broker, "site", "id,kind\nem-1,electricity_meter\n")
    announce_tasmota(broker)
    (found,) = answer(config)
    assert [found[name] for name in ("address", "profile", "source", "messages", "id", "kind", "name")] == [
        "plug7", "tasmota", "Tasmota", 0, "plug7", "electricity_meter", "Washer"
    ]  # fmt: skip
    with running(config) as daemon:
        done = answer(config, "plug7", "--id", "em-7")
        assert done["device"] == {
            "id": "em-7",
            "kind": "electricity_meter",
            "profile": "tasmota",
            "address": "plug7",
            "name": {"en": "Washer"},
        }
        publish(broker.port, "tele/plug7/SENSOR", b'{"ENERGY": {"Total": 2.5}}', retain=True)
        wait_until(lambda: [value for _, value in rows(daemon, "em-7", "energy_import_kwh")] == [2.5])
    assert answer(config) == []


def test_a_sketch_that_is_saved_reads_the_device(broker: Mosquitto, tmp_path: Path) -> None:
    config = configure(tmp_path, broker, "site", "id,kind\nem-1,electricity_meter\n")
    common = {"stat_t": "acme/m1/data", "unit_of_meas": "W", "dev": {"ids": "m1", "name": "Main"}}
    announce(
        broker,
        "homeassistant/sensor/m1/p/config",
        common | {"dev_cla": "power", "val_tpl": "{{ value_json.now.p | float }}"},
    )
    result = run(config, "m1")
    assert result.exit_code == 1
    assert "save it as profiles/main.yaml" in result.stderr
    assert (config / "devices.csv").read_text(encoding="utf-8") == "id,kind\nem-1,electricity_meter\n"
    (config / "profiles" / "main.yaml").write_text(result.stdout, encoding="utf-8")
    assert answer(config, "m1")["device"]["profile"] == "main"
    with running(config) as daemon:
        publish(broker.port, "acme/m1/data", b'{"now": {"p": 1500}}')
        wait_until(lambda: [value for _, value in rows(daemon, "m1", "power_kw")] == [1.5])


def test_a_sketch_for_a_topic_of_its_own_is_named_with_its_profile(broker: Mosquitto, tmp_path: Path) -> None:
    config = configure(tmp_path, broker, "site", "id,kind\nem-1,electricity_meter\n")
    announce(
        broker,
        "homeassistant/sensor/x/config",
        {"name": "Boiler", "stat_t": "cellar/1", "dev_cla": "temperature", "unit_of_meas": "°C"},
    )
    result = run(config, "cellar/1")
    assert "then: siteward devices adopt cellar/1 --profile boiler" in result.stderr
    (config / "profiles" / "boiler.yaml").write_text(result.stdout, encoding="utf-8")
    assert answer(config, "cellar/1", "--profile", "boiler")["device"] == {
        "id": "Boiler",
        "kind": "sensor",
        "profile": "boiler",
        "topic": "cellar/1",
        "name": {"en": "Boiler"},
    }
    assert answer(config) == []


# ── the broker ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_listening_does_not_end_a_session_that_is_shared_by_user(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker", "use_username_as_clientid true") as broker:
        mqtt = load(configure(tmp_path, broker, "site", "id,kind\n", username="siteward")).settings.mqtt
        identity = Identity("any", MQTTProtocolVersion.MQTTv5)
        with Conversation(mqtt, identity, keep_s=600) as daemon:
            daemon.subscribe(["a/b"], retained=False)
        publish(broker.port, "a/b", b"waits", username="device")
        with pytest.raises(BrokerTrouble, match="use_username_as_clientid"):
            announcements.listen(mqtt, SECOND)
        with Conversation(mqtt, identity, keep_s=600) as daemon:
            assert daemon.resumed
            assert daemon.wait(lambda: [message.payload for message in daemon.messages] == [b"waits"], 10)


def test_what_the_broker_does_not_let_us_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text("topic readwrite tasmota/#\ntopic deny homie/#\n", encoding="utf-8")
    with Mosquitto(tmp_path / "broker", f"acl_file {tmp_path}/acl") as broker:
        announce_tasmota(broker)
        mqtt = load(configure(tmp_path, broker, "site", "id,kind\n")).settings.mqtt
        heard = announcements.listen(mqtt, 5 * SECOND)
    assert sorted(topic for topic, _ in heard.messages) == [
        "tasmota/discovery/00AABBCCDDEE/config",
        "tasmota/discovery/00AABBCCDDEE/sensors",
    ]


def test_a_broker_without_mqtt_5_is_heard_too(tmp_path: Path) -> None:
    port = find_free_port()
    with EmbeddedBroker(port, tmp_path / "log") as broker:
        publish(port, "zigbee2mqtt/bridge/devices", b"[]", retain=True, username="device")
        mqtt = load(configure(tmp_path, broker, "site", "id,kind\n", username="siteward")).settings.mqtt
        assert announcements.listen(mqtt, 5 * SECOND).messages == [("zigbee2mqtt/bridge/devices", b"[]")]


def test_a_flood_of_announcements_is_listened_to_for_a_bounded_time(broker: Mosquitto, tmp_path: Path) -> None:
    mqtt = load(configure(tmp_path, broker, "site", "id,kind\n")).settings.mqtt
    for number in range(50):
        publish(broker.port, f"homeassistant/sensor/{number}/config", b"{}", retain=True)
    heard = announcements.listen(mqtt, SECOND // 1000)
    assert len(heard.messages) <= 50
    assert len(announcements.listen(mqtt, 5 * SECOND).messages) == 50
