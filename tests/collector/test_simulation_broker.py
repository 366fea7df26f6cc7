"""The demo's broker: what the demo needs of amqtt, and that it never outlives its parent."""

import os
import queue
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from collector.errors import CollectorError
from collector.simulation.broker import EmbeddedBroker, find_free_port
from tests.integration.servers import wait_until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(find_free_port(), tmp_path / "broker.log") as running:
        yield running


class Listener:
    """A subscriber with a session that lasts, which acknowledges by hand."""

    def __init__(self, broker: EmbeddedBroker, username: str = "demo") -> None:
        self.messages: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.refusal = ""
        self._subscribed = threading.Event()
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False, manual_ack=True
        )
        if username:
            self.client.username_pw_set(username)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", int(broker.url.rpartition(":")[2]))
        self.client.loop_start()
        assert self._subscribed.wait(10)

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, reason: Any, _properties: object) -> None:  # noqa: ANN401 - paho's own type
        if reason.is_failure:
            self.refusal = str(reason)
            self._subscribed.set()
        else:
            client.subscribe("site/+", qos=1)

    def _on_message(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        client.ack(message.mid, message.qos)
        self.messages.put(message)

    def take(self) -> paho.MQTTMessage:
        """The next message."""
        return self.messages.get(timeout=10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_large_batches_arrive_in_order_and_whole(broker: EmbeddedBroker) -> None:
    listener = Listener(broker)
    payloads = [f"{number:04} ".encode() * 5000 for number in range(200)]
    for payload in payloads:
        listener.client.publish("site/a", payload, qos=1)
    assert [listener.take().payload for _ in payloads] == payloads
    listener.close()


def test_a_session_keeps_what_is_published_while_its_client_is_away(broker: EmbeddedBroker) -> None:
    listener = Listener(broker)
    listener.close()
    other = paho.Client(CallbackAPIVersion.VERSION2, client_id="other")
    other.username_pw_set("demo")
    other.connect("127.0.0.1", int(broker.url.rpartition(":")[2]))
    other.loop_start()
    other.publish("site/a", b"meanwhile", qos=1).wait_for_publish(10)
    other.disconnect()
    other.loop_stop()
    back = Listener(broker)
    assert back.take().payload == b"meanwhile"
    back.close()


def test_it_listens_on_loopback_only_and_asks_for_a_name(broker: EmbeddedBroker) -> None:
    nameless = Listener(broker, username="")
    assert nameless.refusal == "Not authorized"
    nameless.close()
    port = int(broker.url.rpartition(":")[2])
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_mqtt_5_is_refused_at_once_so_that_clients_fall_back(broker: EmbeddedBroker) -> None:
    reasons: queue.Queue[str] = queue.Queue()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="five", protocol=MQTTProtocolVersion.MQTTv5)
    client.will_set("site/status", b"offline")  # this is what amqtt itself would stumble over
    client.on_connect = lambda _client, _data, _flags, reason, _properties: reasons.put(str(reason))
    client.connect("127.0.0.1", int(broker.url.rpartition(":")[2]))
    client.loop_start()
    assert reasons.get(timeout=3) == "Unsupported protocol version"
    client.disconnect()
    client.loop_stop()


def test_it_survives_what_is_no_mqtt(broker: EmbeddedBroker) -> None:
    for nonsense in (b"", b"\x10", b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\x00\x04MQTT\x04"):
        with socket.create_connection(("127.0.0.1", int(broker.url.rpartition(":")[2])), timeout=5) as connection:
            connection.sendall(nonsense)
    listener = Listener(broker)
    listener.client.publish("site/a", b"still here", qos=1)
    assert listener.take().payload == b"still here"
    listener.close()


def test_a_port_that_is_taken_is_reported_with_where_to_look(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        broker = EmbeddedBroker(taken.getsockname()[1], tmp_path / "broker.log")
        with pytest.raises(CollectorError, match=r"did not start on port \d+; .*broker\.log says why"), broker:
            pytest.fail("it started")
    assert "address already in use" in (tmp_path / "broker.log").read_text(encoding="utf-8")


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    port = find_free_port()
    program = textwrap.dedent(f"""
        import pathlib, time
        from collector.simulation.broker import EmbeddedBroker
        with EmbeddedBroker({port}, pathlib.Path({str(tmp_path / "broker.log")!r})):
            print("up", flush=True)
            time.sleep(600)
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: not _listens(port))


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True
