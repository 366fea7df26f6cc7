"""Siteward as a Sparkplug host application, as its broker and its nodes see it."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from collector import births, quarantine
from collector.daemon import Daemon
from collector.settings import Mqtt
from devices.formats.sparkplug_payload import parse_payload, read_value
from tests.edgenode import EdgeNode, Spoken, metric
from tests.integration.peers import Driver, Seen, connect, publish, settings, watch
from tests.integration.servers import Mosquitto, wait_until
from tests.integration.test_daemon import Process, at, running
from tests.sites import write_site

HEAD = "id,kind,profile,address\n"
METER = HEAD + "em-1,electricity_meter,sparkplug_b,Plant/Gateway/Meter\n"
POWER = metric("Meter/power_kw", 1.0, alias=1)


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """For daemons in this process."""
    monkeypatch.setattr("collector.session._BACKOFF_S", (0.05, 0.2))
    monkeypatch.setattr("collector.subscriber._IDLE_S", 0.05)
    monkeypatch.setattr("collector.daemon._LOOK_S", 0.05)
    monkeypatch.setattr("devices.formats.sparkplug._ASK_INTERVAL", 0)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker of the test's own: nodes have their names at a broker."""
    with Mosquitto(tmp_path / "broker") as server:
        yield server


@pytest.fixture
def node() -> EdgeNode:
    """A node that speaks now."""
    return EdgeNode(time=time.time_ns() // 10**6 - 60_000)


def say(broker: Mosquitto, *messages: Spoken) -> None:
    for topic, payload in messages:
        publish(broker.port, topic, payload)


def report(node: EdgeNode, power: float) -> Spoken:
    """Data by alias."""
    return node.data(metric(value=power, alias=1), device="Meter")


def powers(daemon: Daemon, device: str = "em-1") -> list[float | bool | str]:
    daemon.store.prepare()
    return [sample.value for sample in daemon.store.series([device], "power_kw", 0, 2**62).get(device, [])]


def states(seen: list[Seen]) -> list[bool]:
    return [json.loads(one.payload)["online"] for one in seen]


def quarantined(daemon: Daemon) -> list[str]:
    return [group.reason for group in quarantine.list_groups(daemon.journal.connection())]


# ── births and data ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_node_is_asked_for_its_birth_and_then_understood(broker: Mosquitto, node: EdgeNode, tmp_path: Path) -> None:
    config = write_site(tmp_path, METER, **at(broker, "site"))
    with watch(broker.port, "spBv1.0/+/NCMD/#") as asked, running(config) as daemon:
        wait_until(lambda: asked)
        say(broker, report(node, 9.0))
        wait_until(lambda: daemon.pipeline.quarantined == 1)
        wait_until(lambda: len(asked) == 2)
        say(broker, node.birth(), node.device_birth("Meter", POWER), report(node, 2.0), report(node, 3.0))
        wait_until(lambda: powers(daemon) == [1, 2, 3])
        assert quarantined(daemon) == ["no BIRTH of this device yet"]
    assert {(one.topic, one.retain) for one in asked} == {("spBv1.0/Plant/NCMD/Gateway", False)}
    (rebirth,) = parse_payload(asked[0].payload).metrics
    assert (rebirth.name, read_value(rebirth, 0)) == ("Node Control/Rebirth", True)
    assert len(asked) == 2


def test_after_lost_messages_the_node_is_asked_and_its_data_kept(
    broker: Mosquitto, node: EdgeNode, tmp_path: Path
) -> None:
    config = write_site(tmp_path, METER, **at(broker, "site"))
    with watch(broker.port, "spBv1.0/+/NCMD/#") as asked, running(config) as daemon:
        wait_until(lambda: asked)
        say(broker, node.birth(), node.device_birth("Meter", POWER), report(node, 2.0))
        wait_until(lambda: powers(daemon) == [1, 2])
        assert len(asked) == 1
        report(node, 3.0)
        say(broker, report(node, 4.0))
        wait_until(lambda: len(asked) == 2)
        wait_until(lambda: powers(daemon) == [1, 2, 4])


def test_a_killed_daemon_remembers_births_and_its_end_is_seen(
    broker: Mosquitto, node: EdgeNode, tmp_path: Path
) -> None:
    config = write_site(tmp_path, METER, **at(broker, "site"))
    with watch(broker.port, "spBv1.0/STATE/site") as seen, watch(broker.port, "spBv1.0/+/NCMD/#") as asked:
        with Process(config) as process:
            wait_until(lambda: asked, 20)
            say(broker, node.birth(), node.device_birth("Meter", POWER), report(node, 2.0))
            wait_until(lambda: remembers(config, "Meter/power_kw"))
            process.child.kill()
            wait_until(lambda: states(seen) == [True, False])
        say(broker, report(node, 3.0))  # waits at the broker
        with running(config) as daemon:
            wait_until(lambda: powers(daemon) == [1, 2, 3])
            say(broker, report(node, 4.0))
            wait_until(lambda: powers(daemon) == [1, 2, 3, 4])
    wait_until(lambda: states(seen) == [True, False, True, False])
    times = [json.loads(one.payload)["timestamp"] for one in seen]
    assert times[0] == times[1] < times[2] <= times[3]


def remembers(config: Path, name: str) -> bool:
    with closing(sqlite3.connect(config.parent / "data" / "journal.db")) as connection:
        rows = connection.execute("SELECT value FROM fact WHERE name = ?", (births.FACT,)).fetchall()
    return any(name in value for (value,) in rows)


def test_a_changed_register_keeps_births_and_makes_a_host_of_us_or_not(
    broker: Mosquitto, node: EdgeNode, tmp_path: Path
) -> None:
    config = write_site(tmp_path, "id,kind\nem-0,electricity_meter\n", **at(broker, "site"))
    register = config / "devices.csv"
    with watch(broker.port, "spBv1.0/STATE/site") as seen, running(config) as daemon:
        register.write_text(METER, encoding="utf-8")
        wait_until(lambda: states(seen) == [True])
        say(broker, node.birth(), node.device_birth("Meter", POWER), node.device_birth("Sub", POWER))
        wait_until(lambda: powers(daemon) == [1])
        register.write_text(METER + "em-2,electricity_meter,sparkplug_b,Plant/Gateway/Sub\n", encoding="utf-8")
        wait_until(lambda: len(daemon.configuration.register.devices) == 2)
        say(broker, report(node, 2.0))
        wait_until(lambda: powers(daemon) == [1, 2])
        say(broker, node.data(metric(value=5.0, alias=1), device="Sub"))
        wait_until(lambda: powers(daemon, "em-2") == [5])
        assert states(seen) == [True]
        register.write_text("id,kind\nem-0,electricity_meter\n", encoding="utf-8")
        wait_until(lambda: states(seen) == [True, False])


def test_when_the_broker_has_forgotten_us_all_births_are_asked_for(
    broker: Mosquitto, node: EdgeNode, tmp_path: Path
) -> None:
    config = write_site(tmp_path, METER, **at(broker, "site"))
    with running(config) as daemon:
        wait_until(lambda: daemon.subscriber.session.state.value == "flowing")
        say(broker, node.birth(), node.device_birth("Meter", POWER))
        wait_until(lambda: powers(daemon) == [1])
        broker.stop()
        (broker.folder / "mosquitto.db").unlink()
        broker.start()
        with watch(broker.port, "spBv1.0/+/NCMD/#") as asked:
            say_when_back(broker, daemon, report(node, 2.0))
            wait_until(lambda: quarantined(daemon) == ["no BIRTH of this device yet"])
            wait_until(lambda: asked)
            say(broker, node.birth(), node.device_birth("Meter", POWER), report(node, 3.0))
            wait_until(lambda: powers(daemon) == [1, 1, 3])


def say_when_back(broker: Mosquitto, daemon: Daemon, message: Spoken) -> None:
    wait_until(lambda: daemon.subscriber.session.forgotten == 1 and daemon.obstacles() == [])
    say(broker, message)


# ── STATE ────────────────────────────────────────────────────────────────────────────────────────────────────────


def host(ours: Mqtt, site: str) -> Driver:
    """A session of a site with Sparkplug devices."""
    driver = Driver(ours, site, {"spBv1.0/Plant/+/Gateway/#"})
    driver.session.change(ours, driver.session.filters, sparkplug=True)
    return driver


def test_who_denies_that_we_are_online_is_contradicted(mosquitto: Mosquitto, fresh_name: str) -> None:
    topic = f"spBv1.0/STATE/{fresh_name}"
    with watch(mosquitto.port, topic) as seen, host(settings(mosquitto.port, fresh_name), fresh_name) as driver:
        driver.until_connected()
        driver.until(lambda: states(seen) == [True])
        for denial in (b'{"online": false, "timestamp": 1}', b"offline", b"[" * 10_000, b'{"online": 0}', b"[false]"):
            publish(mosquitto.port, topic, denial)
        driver.until(lambda: len(seen) == 7)
        assert driver.messages == [], "STATE is our own affair"
    assert [one.payload for one in seen if b"true" in one.payload] == [seen[0].payload] * 2


def test_a_stale_denial_of_an_earlier_time_is_replaced_by_the_greeting(mosquitto: Mosquitto, fresh_name: str) -> None:
    topic = f"spBv1.0/STATE/{fresh_name}"
    publish(mosquitto.port, topic, b'{"online": false, "timestamp": 1}', retain=True)
    with host(settings(mosquitto.port, fresh_name), fresh_name) as driver:
        driver.until_connected()
        with watch(mosquitto.port, topic) as seen:
            driver.until(lambda: seen and states(seen)[-1])
            assert seen[0].retain


def test_without_sparkplug_devices_there_is_no_state(mosquitto: Mosquitto, fresh_name: str) -> None:
    with (
        watch(mosquitto.port, f"spBv1.0/STATE/{fresh_name}") as seen,
        Driver(settings(mosquitto.port, fresh_name), fresh_name, {"data/+"}) as driver,
    ):
        driver.until_connected()
        publish(mosquitto.port, "data/a", b"1")
        driver.until(lambda: driver.messages)
    with connect(mosquitto.port):
        assert seen == []


def test_readings_flow_where_the_acl_denies_us_state_and_commands(node: EdgeNode, tmp_path: Path) -> None:
    rules = tmp_path / "acl"
    rules.write_text(
        "topic read spBv1.0/#\ntopic write spBv1.0/Plant/NBIRTH/#\ntopic write spBv1.0/Plant/DBIRTH/#\n",
        encoding="utf-8",
    )
    with Mosquitto(tmp_path / "broker", f"acl_file {rules}\nmax_queued_messages 1000") as broker:
        config = write_site(tmp_path, METER, **at(broker, "site"))
        with running(config) as daemon:
            wait_until(lambda: daemon.obstacles() == [])
            say(broker, node.birth(), node.device_birth("Meter", POWER))
            wait_until(lambda: powers(daemon) == [1])
