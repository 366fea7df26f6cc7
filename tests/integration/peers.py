"""Who else speaks MQTT in tests: a session driven step by step, a watcher, a publisher, and a wire that can be cut."""

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from collector.session import Session
from collector.settings import Mqtt
from collector.states import State
from tests.integration.servers import wait_until

if TYPE_CHECKING:
    from collector.mqtt import Message

_CONNECTED = {State.QUIET, State.FLOWING}


class Driver:
    """Drives a session as the subscriber does, in the caller's thread, and collects what comes.

    Attributes:
        session: what is driven.
        messages: received so far.
        memory: what the session asked to remember, by broker; given to the next driver it makes it a later process.
        acknowledging: False leaves messages unacknowledged.
    """

    def __init__(
        self,
        settings: Mqtt,
        site: str,
        filters: set[str],
        memory: dict[str, frozenset[str]] | None = None,
    ) -> None:
        self.messages: list[Message] = []
        self.memory = {} if memory is None else memory
        self.acknowledging = True
        self.session = Session(
            settings,
            site,
            frozenset(filters),
            lambda settings: self.memory.get(settings.url, frozenset()),
            lambda settings, filters: self.memory.update({settings.url: filters}),
        )

    def turn(self) -> None:
        """One round."""
        self.session.step()
        readable, writable, _ = select.select(*self.session.sockets(), [], 0.01)
        if writable:
            self.session.flush()
        if readable:
            messages = self.session.receive()
            self.messages += messages
            if self.acknowledging:
                self.session.acknowledge()

    def until(self, condition: Callable[[], object], timeout_s: float = 10.0) -> None:
        """Goes round until the condition holds.

        Raises:
            TimeoutError: it did not within the time.
        """

        def look() -> object:
            self.turn()
            return condition()

        wait_until(look, timeout_s)

    def until_connected(self) -> None:
        """Goes round until it is subscribed."""
        self.until(lambda: self.session.state in _CONNECTED)

    @property
    def payloads(self) -> list[bytes]:
        """Of the messages received so far."""
        return [message.payload for message in self.messages]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()


class Seen(NamedTuple):
    """What a watcher saw."""

    topic: str
    payload: bytes
    retain: bool


@contextmanager
def watch(port: int, topic: str) -> Iterator[list[Seen]]:
    """What arrives under a filter, the retained message first, as it comes in; the broker has subscribed us already."""
    seen: list[Seen] = []
    subscribed = threading.Event()
    with connect(port) as client:
        client.on_message = lambda _client, _data, m: seen.append(Seen(m.topic, bytes(m.payload), m.retain))
        client.on_subscribe = lambda *_: subscribed.set()
        client.subscribe(topic, qos=1)
        assert subscribed.wait(10)
        yield seen


def publish(port: int, topic: str, *payloads: bytes, retain: bool = False, username: str = "") -> None:
    """Publishes at QoS 1 and waits until the broker has acknowledged all."""
    with connect(port, username) as client:
        for info in [client.publish(topic, payload, qos=1, retain=retain) for payload in payloads]:
            info.wait_for_publish(10)
            assert info.is_published()


@contextmanager
def connect(port: int, username: str = "") -> Iterator[paho.Client]:
    """A plain client. amqtt lets nobody in without a user name."""
    name = f"peer-{time.monotonic_ns()}"
    client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv311)
    if username:
        client.username_pw_set(username)
    accepted = threading.Event()
    client.on_connect = lambda *_: accepted.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert accepted.wait(10)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


class Wire:
    """A TCP connection between a client and a server, through a proxy that can stop passing on what the server says.

    Attributes:
        port: where the client connects.
        silent: the server's bytes vanish; connections stay open.
        connections: that were accepted.
        sent: what the client sent.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self.port: int = self._listener.getsockname()[1]
        self.silent = False
        self.connections = 0
        self.sent = bytearray()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._sockets:
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(("127.0.0.1", self._server_port))
            self._sockets += [near, far]
            for source, target, from_server in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pass, args=(source, target, from_server), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, from_server: bool) -> None:
        try:
            while data := source.recv(65536):
                if not from_server:
                    self.sent += data
                if not (from_server and self.silent):
                    target.sendall(data)
        except OSError:
            pass
        for sock in (source, target):
            sock.close()


def settings(port: int, client_id: str, **others: Any) -> Mqtt:  # noqa: ANN401 - settings of every type
    """The settings of a session at a broker on this machine."""
    return Mqtt.model_validate({"url": f"mqtt://127.0.0.1:{port}", "client_id": client_id, **others})
