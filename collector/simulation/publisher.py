"""Publishes what the campus says: a stock paho client at QoS 1 with few messages under way."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from paho.mqtt import client as paho
from paho.mqtt.client import ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.errors import CollectorError
from collector.mqtt import introduce
from collector.settings import Mqtt
from collector.simulation.campus import Campus, Delivery
from collector.simulation.report import encode, find_topic
from devices.durations import NANOSECONDS

UNDER_WAY = 40
"""Most messages that are not acknowledged yet."""

ANSWER_TIMEOUT_S = 60.0

_CONNECT_TIMEOUT_S = 10.0
_GOODBYE_TIMEOUT_S = 2.0
_TICK_S = 0.5
_CHUNK = NANOSECONDS["d"]


class Publisher:
    """A connection to a broker; used with `with`.

    Attributes:
        messages: how many were handed to it.
        readings: how many were in them.
    """

    def __init__(self, settings: Mqtt, site: str) -> None:
        self.messages = 0
        self.readings = 0
        self._site = site
        self._url = settings.url
        self._room = threading.Semaphore(UNDER_WAY)
        self._answered = threading.Event()
        self._refusal = ""
        self._client = self._make_client(settings)
        self._address = settings.host, settings.port

    def __enter__(self) -> Self:
        """Connects.

        Raises:
            CollectorError: the broker cannot be reached or refuses.
        """
        try:
            self._client.connect(*self._address)
        except OSError as error:
            raise CollectorError(f"cannot reach the broker at {self._url}: {error}; is it running?") from error
        self._client.loop_start()
        if not self._answered.wait(_CONNECT_TIMEOUT_S):
            self._refusal = f"no answer within {_CONNECT_TIMEOUT_S:.0f} s"
        if self._refusal:
            self._client.loop_stop()
            raise CollectorError(f"the broker at {self._url} does not let the simulator in: {self._refusal}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Says goodbye; what is not acknowledged yet may be lost, see `flush`."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, delivery: Delivery) -> None:
        """Sends a delivery as one message; waits while too many are under way.

        Raises:
            CollectorError: the broker acknowledges nothing any more.
        """
        self._wait_for_room()
        self.messages += 1
        self.readings += len(delivery.reports)
        self._client.publish(find_topic(delivery.device, self._site), encode(delivery.reports), qos=1)

    def flush(self, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """Waits until every message is acknowledged.

        Raises:
            CollectorError: the broker acknowledges nothing any more.
        """
        for _ in range(UNDER_WAY):
            self._wait_for_room(timeout_s)
        self._room.release(UNDER_WAY)

    def _wait_for_room(self, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        if not self._room.acquire(timeout=timeout_s):
            raise CollectorError(f"the broker at {self._url} has acknowledged nothing for {timeout_s:.0f} s")

    def _make_client(self, settings: Mqtt) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{settings.client_id}-simulator",
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        client.max_inflight_messages_set(UNDER_WAY)
        client.reconnect_delay_set(1, 30)
        introduce(client, settings)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        return client

    def _on_connect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._refusal = str(reason) if reason.is_failure else ""
        self._answered.set()

    def _on_publish(self, *_: object) -> None:
        self._room.release()


def fill_back(publisher: Publisher, campus: Campus, until: int, progress: Callable[[float], None]) -> None:
    """Publishes everything from the campus's start to a moment, a message for a device's day.

    It returns when all is acknowledged.

    Args:
        publisher: connected.
        campus: what to publish.
        until: UTC nanoseconds.
        progress: called with the share that is done, 0 to 1.

    Raises:
        CollectorError: the broker acknowledges nothing any more.
    """
    span = max(1, until - campus.start)
    for after in range(campus.start, until, _CHUNK):
        end = min(after + _CHUNK, until)
        for count, delivery in enumerate(campus.deliver(after, end), start=1):
            publisher.publish(delivery)
            progress((after - campus.start + (end - after) * min(1.0, count / len(campus.devices))) / span)
    publisher.flush()
    progress(1.0)


def go_live(
    publisher: Publisher,
    campus: Campus,
    after: int,
    *,
    interval: int,
    stopping: threading.Event,
) -> None:
    """Publishes what happens as it happens, until it is told to stop.

    Args:
        publisher: connected.
        campus: what to publish.
        after: what happened until then is published already, UTC nanoseconds.
        interval: how often meters report at least, nanoseconds.
        stopping: set from outside.

    Raises:
        CollectorError: the broker acknowledges nothing any more.
    """
    while not stopping.wait(_TICK_S):
        now = time.time_ns()
        for delivery in campus.deliver(after, now, interval):
            publisher.publish(delivery)
        after = max(after, now)
    publisher.flush(_GOODBYE_TIMEOUT_S)
