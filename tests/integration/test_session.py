"""The session at real brokers: subscribed on every connection, alive only where data flows, nothing lost in between."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from structlog.typing import EventDict

from collector.mqtt import Protocol
from collector.session import backoff_s
from collector.simulation.broker import EmbeddedBroker
from collector.states import State
from tests.integration.peers import Driver, Wire, publish, settings, watch
from tests.integration.servers import Mosquitto, find_free_port, wait_until

NUMBERS = [b"%d" % number for number in range(100)]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that the test may stop."""
    with Mosquitto(tmp_path / "broker") as server:
        yield server


@pytest.fixture
def amqtt(tmp_path: Path) -> Iterator[int]:
    """The port of a broker that knows MQTT 3.1.1 only."""
    port = find_free_port()
    with EmbeddedBroker(port, tmp_path / "amqtt.log"):
        yield port


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait is short."""
    monkeypatch.setattr("collector.session._BACKOFF_S", (0.02, 0.1))
    monkeypatch.setattr("collector.session._HEARTBEAT_S", 0.1)
    monkeypatch.setattr("collector.session._SILENCE_S", 0.5)
    monkeypatch.setattr("collector.session._ANSWER_S", 0.5)


def complaints(logs: list[EventDict]) -> list[str]:
    """Why there was no connection, as often as it was said."""
    return [entry["why"] for entry in logs if entry["event"] == "no connection to the broker"]


# ── the session outlives its connections ─────────────────────────────────────────────────────────────────────────


def test_with_mqtt_5_thousands_are_in_flight_before_the_first_is_acknowledged(
    mosquitto: Mosquitto,
    fresh_name: str,
) -> None:
    with Driver(settings(mosquitto.port, fresh_name), fresh_name, {f"{fresh_name}/+"}) as driver:
        driver.acknowledging = False
        driver.until_connected()
        publish(mosquitto.port, f"{fresh_name}/a", *(b"%d" % number for number in range(5000)))
        driver.until(lambda: len(driver.messages) == 5000)
        assert len({message.mid for message in driver.messages}) == 5000
        assert driver.session._protocol == Protocol.MQTTv5


def test_a_broker_without_mqtt_5_is_spoken_to_in_its_own_way(amqtt: int) -> None:
    with capture_logs() as logs, Driver(settings(amqtt, "us", username="us"), "site", {"data/+"}) as driver:
        driver.until_connected()
        publish(amqtt, "data/a", *NUMBERS, username="peer")
        driver.until(lambda: len(driver.messages) == 100)
        assert driver.payloads == NUMBERS
        assert driver.session._protocol == Protocol.MQTTv311
    assert complaints(logs) == []


def test_a_broker_that_hangs_up_is_asked_once_more_with_the_older_version() -> None:
    versions = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            for _ in range(3):
                near, _ = server.accept()
                with near:
                    versions.append(near.recv(100)[8])  # the protocol level in CONNECT

        thread = threading.Thread(target=hang_up)
        thread.start()
        port = server.getsockname()[1]
        with capture_logs() as logs, Driver(settings(port, "us"), "site", {"data/+"}) as driver:
            driver.until(lambda: len(versions) == 3)
        thread.join()
    assert versions == [5, 4, 5]
    assert complaints(logs) == [f"127.0.0.1:{port} hangs up before a word; does this port want TLS (mqtts://)?"]


def test_a_broker_that_is_silent_is_asked_once_more_with_the_older_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.session._ANSWER_S", 0.2)
    monkeypatch.setattr("collector.session._BACKOFF_S", (0.01, 0.01))
    versions = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            for _ in range(3):
                near, _ = server.accept()
                with near:
                    versions.append(near.recv(100)[8])  # the protocol level in CONNECT
                    near.recv(100)  # until the other side gives up

        thread = threading.Thread(target=listen)
        thread.start()
        with Driver(settings(server.getsockname()[1], "us"), "site", {"data/+"}) as driver:
            driver.until(lambda: len(versions) == 3)
        thread.join()
    assert versions == [5, 4, 5]


def test_what_is_published_while_we_are_away_arrives(mosquitto: Mosquitto, fresh_name: str) -> None:
    ours = settings(mosquitto.port, fresh_name)
    with Driver(ours, fresh_name, {f"{fresh_name}/+"}) as driver:
        driver.until_connected()
    publish(mosquitto.port, f"{fresh_name}/a", *NUMBERS)
    with Driver(ours, fresh_name, {f"{fresh_name}/+"}, driver.memory) as again:
        again.until(lambda: len(again.messages) == 100)
        assert again.payloads == NUMBERS
        assert (driver.session.forgotten, again.session.forgotten) == (0, 0)


def test_what_is_published_while_we_are_away_arrives_with_the_older_version(amqtt: int) -> None:
    ours = settings(amqtt, "us", username="us")
    with Driver(ours, "site", {"data/+"}) as driver:
        driver.until_connected()
    publish(amqtt, "data/a", *NUMBERS, username="peer")
    with Driver(ours, "site", {"data/+"}, driver.memory) as again:
        again.until(lambda: len(again.messages) == 100)
        assert sorted(again.payloads) == sorted(NUMBERS)
        assert again.session.forgotten == 0


@pytest.mark.parametrize(("keepalive", "session_expiry"), [("2d", "9000w"), ("1ms", "1ms")])
def test_times_beyond_what_the_protocol_can_say_are_shortened(
    mosquitto: Mosquitto,
    fresh_name: str,
    keepalive: str,
    session_expiry: str,
) -> None:
    ours = settings(mosquitto.port, fresh_name, keepalive=keepalive, session_expiry=session_expiry)
    with Driver(ours, fresh_name, {f"{fresh_name}/+"}) as driver:
        driver.until_connected()
        assert driver.session.connects == 1


# ── subscriptions ────────────────────────────────────────────────────────────────────────────────────────────────


def test_filters_that_are_no_longer_wanted_are_dropped_and_new_ones_added(
    mosquitto: Mosquitto,
    fresh_name: str,
) -> None:
    old, kept, new = (f"{fresh_name}/{name}" for name in ("old", "kept", "new"))
    ours = settings(mosquitto.port, fresh_name)
    with Driver(ours, fresh_name, {old, kept}) as driver:
        driver.until_connected()
        driver.session.change(ours, frozenset({kept, new}))
        driver.until_connected()
        for topic in (old, new, kept):
            publish(mosquitto.port, topic, topic.encode())
        driver.until(lambda: kept.encode() in driver.payloads)
        assert driver.payloads == [new.encode(), kept.encode()]
        assert driver.session.connects == 1


def test_a_change_that_comes_while_subscribing_counts(mosquitto: Mosquitto, fresh_name: str) -> None:
    first, second, third = (f"{fresh_name}/{name}" for name in ("first", "second", "third"))
    ours = settings(mosquitto.port, fresh_name)
    with Driver(ours, fresh_name, {first}) as driver:
        driver.until(lambda: driver.session.state is State.SUBSCRIBING)
        driver.session.change(ours, frozenset({second}))
        driver.session.change(ours, frozenset({third}))
        driver.until_connected()
        for topic in (first, second, third):
            publish(mosquitto.port, topic, topic.encode())
        driver.until(lambda: driver.messages)
        assert driver.payloads == [third.encode()]
        assert driver.memory[ours.url] == {third, f"siteward/{fresh_name}/heartbeat"}


def test_filters_that_a_former_process_left_are_dropped(mosquitto: Mosquitto, fresh_name: str) -> None:
    old, kept = f"{fresh_name}/old", f"{fresh_name}/kept"
    ours = settings(mosquitto.port, fresh_name)
    with Driver(ours, fresh_name, {old, kept}) as driver:
        driver.until_connected()
    with Driver(ours, fresh_name, {kept}, driver.memory) as again:
        again.until_connected()
        publish(mosquitto.port, old, b"old")
        publish(mosquitto.port, kept, b"kept")
        again.until(lambda: again.messages)
        assert again.payloads == [b"kept"]


def test_a_process_that_died_while_subscribing_leaves_no_unknown_filter(mosquitto: Mosquitto, fresh_name: str) -> None:
    old, kept = f"{fresh_name}/old", f"{fresh_name}/kept"
    ours = settings(mosquitto.port, fresh_name)
    driver = Driver(ours, fresh_name, {old, kept})
    driver.until(lambda: driver.session.state is State.SUBSCRIBING)
    driver.session.flush()
    assert driver.session._client is not None
    driver.session._client.on_disconnect = None
    driver.session._client._sock_close()  # as the kernel does for a killed process
    with Driver(ours, fresh_name, {kept}, driver.memory) as again:
        again.until_connected()
        publish(mosquitto.port, old, b"old")
        publish(mosquitto.port, kept, b"kept")
        again.until(lambda: again.messages)
        assert again.payloads == [b"kept"]


@pytest.mark.usefixtures("impatient")
def test_after_the_broker_lost_its_state_everything_is_subscribed_anew_and_said(broker: Mosquitto) -> None:
    with capture_logs() as logs, Driver(settings(broker.port, "us"), "site", {"data/+"}) as driver:
        driver.until_connected()
        broker.stop()
        (broker.folder / "mosquitto.db").unlink()
        broker.start()
        driver.until(lambda: driver.session.connects == 2)
        driver.until_connected()
        publish(broker.port, "data/a", b"1")
        driver.until(lambda: driver.messages)
        assert driver.session.forgotten == 1
    (warning,) = [entry for entry in logs if "forgotten" in entry["event"]]
    assert warning["event"] == "the broker had forgotten this session: what it held for us is lost"


@pytest.mark.usefixtures("impatient")
def test_after_a_restart_of_the_broker_everything_is_subscribed_anew(broker: Mosquitto) -> None:
    with Driver(settings(broker.port, "us"), "site", {"data/+"}) as driver:
        driver.until_connected()
        broker.stop()
        broker.start()
        publish(broker.port, "data/a", b"1")
        driver.until(lambda: driver.messages)
        assert (driver.session.connects, driver.session.forgotten) == (2, 0)


def test_another_broker_has_not_forgotten_us(mosquitto: Mosquitto, broker: Mosquitto, fresh_name: str) -> None:
    status = f"siteward/{fresh_name}/status"
    with Driver(settings(mosquitto.port, fresh_name), fresh_name, {f"{fresh_name}/+"}) as driver:
        driver.until_connected()
        driver.session.change(settings(broker.port, fresh_name), driver.session.filters)
        driver.until_connected()
        assert (driver.session.connects, driver.session.forgotten) == (2, 0)
        with watch(mosquitto.port, status) as old, watch(broker.port, status) as new:
            driver.until(lambda: old and new)
        assert json.loads(old[0].payload) == {"state": "offline"}
        assert json.loads(new[0].payload)["state"] == "online"


REFUSING = {
    "defaultACLAccess": {"publishClientSend": True, "publishClientReceive": True, "subscribe": False},
    "anonymousGroup": "all",
    "groups": [{"groupname": "all", "roles": [{"rolename": "some"}]}],
    "roles": [{"rolename": "some", "acls": [{"acltype": "subscribePattern", "topic": "data/+", "allow": True}]}],
}
"""For Mosquitto's plugin dynamic-security: of all filters it grants one."""


def test_a_subscription_that_the_broker_refuses_is_said_and_the_others_work(tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps(REFUSING), encoding="utf-8")
    (plugin,) = Path("/usr/lib").glob("**/mosquitto_dynamic_security.so")
    extra = f"plugin {plugin}\nplugin_opt_config_file {rules}"
    with (
        Mosquitto(tmp_path / "broker", extra) as broker,
        capture_logs() as logs,
        Driver(settings(broker.port, "us"), "site", {"data/+", "secret/+"}) as driver,
    ):
        driver.until_connected()
        publish(broker.port, "data/a", b"1")
        driver.until(lambda: driver.messages)
        assert driver.session.refused == {"secret/+": "Not authorized"}
    (error,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert (error["event"], error["filter"]) == ("the broker refuses a subscription", "secret/+")


# ── staying alive ────────────────────────────────────────────────────────────────────────────────────────────────


def test_start_and_stop_are_told(mosquitto: Mosquitto, fresh_name: str) -> None:
    with watch(mosquitto.port, f"siteward/{fresh_name}/status") as seen:
        with Driver(settings(mosquitto.port, fresh_name), fresh_name, {f"{fresh_name}/+"}) as driver:
            driver.until_connected()
            driver.until(lambda: seen)
        wait_until(lambda: len(seen) == 2)
    assert [json.loads(status.payload)["state"] for status in seen] == ["online", "offline"]


@pytest.mark.parametrize("count", [1, 5000])
def test_a_goodbye_is_heard_also_while_messages_are_on_their_way(
    mosquitto: Mosquitto,
    fresh_name: str,
    count: int,
) -> None:
    status = f"siteward/{fresh_name}/status"
    with watch(mosquitto.port, status) as seen:
        with Driver(settings(mosquitto.port, fresh_name), fresh_name, {f"{fresh_name}/+"}) as driver:
            driver.until_connected()
            publish(mosquitto.port, f"{fresh_name}/a", *[b"x" * 100] * count)
        publish(mosquitto.port, status, b'{"state": "the end"}')
        wait_until(lambda: b"the end" in seen[-1].payload)
    # A last will would be another one.
    assert [json.loads(one.payload)["state"] for one in seen] == ["online", "offline", "the end"]


def test_quiet_becomes_flowing_with_the_first_heartbeat(mosquitto: Mosquitto, fresh_name: str) -> None:
    with Driver(settings(mosquitto.port, fresh_name), fresh_name, {f"{fresh_name}/+"}) as driver:
        driver.until(lambda: driver.session.state is State.QUIET)
        driver.until(lambda: driver.session.state is State.FLOWING)
        assert driver.messages == [], "heartbeats are our own affair"


@pytest.mark.usefixtures("impatient")
def test_a_connection_through_which_nothing_comes_any_more_is_made_anew(mosquitto: Mosquitto, fresh_name: str) -> None:
    with (
        Wire(mosquitto.port) as wire,
        capture_logs() as logs,
        Driver(settings(wire.port, fresh_name), fresh_name, {f"{fresh_name}/+"}) as driver,
    ):
        driver.until(lambda: driver.session.state is State.FLOWING)
        wire.silent = True
        publish(mosquitto.port, f"{fresh_name}/a", b"1")  # sent into the void
        driver.until(lambda: driver.session.state is State.DOWN)
        wire.silent = False
        driver.until(lambda: driver.messages)
        assert driver.payloads == [b"1"]
        assert (driver.session.connects, wire.connections) == (2, 2)
    assert complaints(logs) == ["nothing came for 1 s, not even our own heartbeat"]


@pytest.mark.usefixtures("impatient")
def test_a_broker_that_hangs_is_waited_for(broker: Mosquitto) -> None:
    with Driver(settings(broker.port, "us"), "site", {"data/+"}) as driver:
        driver.until(lambda: driver.session.state is State.FLOWING)
        broker.pause()
        driver.until(lambda: driver.session._attempts >= 3)
        assert driver.session.trouble == f"127.0.0.1:{broker.port} says nothing; is it an MQTT broker?"
        broker.resume()
        driver.until(lambda: driver.session.state is State.FLOWING)
        publish(broker.port, "data/a", b"1")
        driver.until(lambda: driver.messages)
        assert (driver.session.trouble, driver.session.forgotten) == ("", 0)


@pytest.mark.usefixtures("impatient")
def test_where_the_broker_forbids_our_heartbeat_silence_proves_nothing(tmp_path: Path) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic readwrite data/#\n", encoding="utf-8")
    # Mosquitto 2.0.11 takes 0 for a full queue and hangs up on whoever publishes what is forbidden.
    with (
        Mosquitto(tmp_path / "broker", f"acl_file {rules}\nmax_queued_messages 1000") as broker,
        Driver(settings(broker.port, "us"), "site", {"data/+"}) as driver,
    ):
        driver.until_connected()
        publish(broker.port, "data/a", b"1")
        driver.until(lambda: driver.session.state is State.FLOWING)
        driver.until(lambda: driver.session.state is State.QUIET)
        end = time.monotonic() + 1  # twice the silence after which others reconnect
        driver.until(lambda: time.monotonic() > end)
        assert (driver.session.state, driver.session.connects) == (State.QUIET, 1)
        publish(broker.port, "data/a", b"2")
        driver.until(lambda: driver.payloads == [b"1", b"2"])


# ── no connection ────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 10**9))
def test_attempts_become_rarer_but_never_rarer_than_every_30_s(attempts: int) -> None:
    longest = {1: 1.0, 2: 2.0, 3: 4.0, 4: 8.0, 5: 16.0}.get(attempts, 30.0)
    assert longest / 2 <= backoff_s(attempts) <= longest


def test_sites_do_not_all_come_back_at_once() -> None:
    assert len({backoff_s(9) for _ in range(100)}) > 90


@pytest.mark.usefixtures("impatient")
def test_a_broker_that_is_not_there_is_said_once_and_found_when_it_comes(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker")
    with capture_logs() as logs, Driver(settings(broker.port, "us"), "site", {"data/+"}) as driver:
        driver.until(lambda: driver.session._attempts >= 5)
        words = f"127.0.0.1:{broker.port} refuses connections: start the broker there, or check mqtt.url"
        assert driver.session.trouble == words
        with broker:
            driver.until_connected()
            assert driver.session.trouble == ""
            assert driver.session._attempts == 0
            assert complaints(logs) == [words]


@pytest.mark.usefixtures("impatient")
def test_a_wrong_password_is_said_once_without_it_and_the_right_one_is_taken_when_it_is_there(tmp_path: Path) -> None:
    passwords, secret = tmp_path / "passwords", tmp_path / "secret"
    passwords.write_text("siteward:right\n", encoding="utf-8")
    passwords.chmod(0o600)
    subprocess.run(["/usr/bin/mosquitto_passwd", "-U", str(passwords)], check=True)
    secret.write_text("wrong-and-secret\n", encoding="utf-8")
    extra = f"allow_anonymous false\npassword_file {passwords}"
    with Mosquitto(tmp_path / "broker", extra) as broker, capture_logs() as logs:
        with Driver(settings(broker.port, "us"), "site", {"data/+"}) as driver:
            driver.until(lambda: driver.session._attempts >= 3)
        ours = settings(broker.port, "us", username="siteward", password_file=secret)
        with Driver(ours, "site", {"data/+"}) as driver:
            driver.until(lambda: driver.session._attempts >= 3)
            secret.unlink()
            driver.until(lambda: str(secret) in driver.session.trouble)
            secret.write_text("right\n", encoding="utf-8")
            driver.until_connected()
    where = f"127.0.0.1:{broker.port}"
    assert complaints(logs) == [
        f"{where} does not let anybody without a user name in (Not authorized): give username and password_file",
        f"{where} does not let user 'siteward' in (Not authorized): check username and password_file",
        f"{secret}: cannot read the secret: No such file or directory; mend the file or set SITEWARD_MQTT_PASSWORD",
    ]
    assert "wrong-and-secret" not in str(logs)


@pytest.mark.usefixtures("impatient")
def test_an_unknown_host_is_said_in_plain_words() -> None:
    ours = settings(1883, "us", url="mqtt://broker.invalid")
    with Driver(ours, "site", {"data/+"}) as driver:
        driver.until(lambda: driver.session.trouble)
        assert driver.session.trouble == (
            "broker.invalid:1883 leads nowhere (Name or service not known); check mqtt.url and the name server"
        )


def test_changed_settings_are_tried_at_once(
    mosquitto: Mosquitto,
    fresh_name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collector.session._BACKOFF_S", (1000.0, 1000.0))
    with Driver(settings(find_free_port(), fresh_name), fresh_name, {f"{fresh_name}/+"}) as driver:
        driver.until(lambda: driver.session.trouble)
        driver.session.change(settings(mosquitto.port, fresh_name), driver.session.filters)
        driver.until_connected()
        assert driver.session.trouble == ""


def test_two_clients_with_one_name_are_told_so() -> None:
    accepted, taken_over = b"\x20\x03\x00\x00\x00", b"\xe0\x02\x8e\x00"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def exchange() -> None:
            near, _ = server.accept()
            with near:
                near.recv(1000)
                near.sendall(accepted + taken_over)

        thread = threading.Thread(target=exchange)
        thread.start()
        port = server.getsockname()[1]
        with Driver(settings(port, "us"), "site", {"data/+"}) as driver:
            driver.until(lambda: driver.session.trouble)
            assert driver.session.trouble == (
                f"another client comes to 127.0.0.1:{port} as 'us': each needs a client_id of its own"
            )
        thread.join()
