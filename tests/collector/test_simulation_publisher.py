"""Publishing the campus to a real broker: all of it arrives, as the decoder reads it, at QoS 1."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from collector.errors import CollectorError
from collector.settings import Mqtt
from collector.simulation.broker import EmbeddedBroker, find_free_port
from collector.simulation.campus import Campus
from collector.simulation.publisher import Publisher, fill_back, go_live
from collector.simulation.report import Report, encode, find_topic
from collector.simulation.rhythm import Rhythm
from devices.formats.canonical import read_canonical
from devices.register import Device, Register
from tests.integration.servers import wait_until

DAY = 86_400_000_000_000
NOW = 1_795_332_000_000_000_000
REGISTER = Register(
    devices=[
        Device(id="em-1", kind="electricity_meter", building="A"),
        Device(id="wm-1", kind="water_meter", building="A", address="water-address"),
        Device(id="gw-1", kind="gateway", building="A", topic="own/topic"),
        Device(id="door-1", kind="door", building="A"),
    ],
)
TOPICS = {
    "siteward/test/em-1/readings",
    "siteward/test/water-address/readings",
    "own/topic",
    "siteward/test/door-1/readings",
}


class Arrivals:
    """Everything that a broker gives to a subscriber to all topics."""

    def __init__(self, port: int) -> None:
        self.batches: dict[str, list[bytes]] = {}
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="arrivals")
        self._client.username_pw_set("test")
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _client, _data, message: self.batches.setdefault(message.topic, []).append(
            bytes(message.payload)
        )
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("#", qos=1)
        self._client.loop_start()
        assert self._ready.wait(10)

    def count(self) -> int:
        """Messages so far."""
        return sum(map(len, self.batches.values()))

    def times(self, topic: str) -> list[int]:
        """Times of a topic's readings, as the decoder reads them, in order of arrival."""
        records = [record for payload in self.batches[topic] for record in read_canonical(payload, NOW)]
        return [moment[0] for moment, _, _ in records if moment is not None]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _make_campus(days: float) -> Campus:
    return Campus(REGISTER, Rhythm(ZoneInfo("Asia/Shanghai")), NOW - round(days * DAY), NOW)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(find_free_port(), tmp_path / "broker.log") as running:
        yield running


@pytest.fixture
def arrivals(broker: EmbeddedBroker) -> Iterator[Arrivals]:
    listener = Arrivals(int(broker.url.rpartition(":")[2]))
    yield listener
    listener.close()


def _settings(url: str) -> Mqtt:
    return Mqtt(url=url, client_id="test", username="test")


# ── payloads ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_report_is_an_object_and_several_are_a_batch() -> None:
    first = Report(1_795_332_000_000_000_000, {"power_kw": 1.5, "event": "granted"})
    second = Report(1_795_332_000_025_000_000, {"power_kw": 2.0})
    assert json.loads(encode([first])) == {"time": "2026-11-22T07:20:00.000Z", "power_kw": 1.5, "event": "granted"}
    assert json.loads(encode([first, second]))[1] == {"time": "2026-11-22T07:20:00.025Z", "power_kw": 2.0}


def test_topics_follow_address_and_own_topic() -> None:
    assert {find_topic(device, "test") for device in REGISTER} == TOPICS


# ── publishing ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_back_fill_arrives_whole_in_batches_of_a_day(broker: EmbeddedBroker, arrivals: Arrivals) -> None:
    campus, shares = _make_campus(3), list[float]()
    with Publisher(_settings(broker.url), "test") as publisher:
        fill_back(publisher, campus, NOW, shares.append)
    wait_until(lambda: arrivals.count() == publisher.messages)
    assert set(arrivals.batches) == TOPICS
    sent = {topic: arrivals.times(topic) for topic in TOPICS}
    assert sum(map(len, sent.values())) == publisher.readings
    assert len(sent["siteward/test/em-1/readings"]) == 3 * 96
    assert len(arrivals.batches["siteward/test/em-1/readings"]) <= 5  # four days touched, and the silent hour
    assert all(len(times) == len(set(times)) for times in sent.values())
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_live_goes_on_where_the_back_fill_ended_until_it_is_told_to_stop(
    broker: EmbeddedBroker, arrivals: Arrivals
) -> None:
    now = time.time_ns()
    began = now - 60 * 1_000_000_000
    campus = Campus(REGISTER, Rhythm(ZoneInfo("Asia/Shanghai")), began, now)
    stopping = threading.Event()
    topic = "siteward/test/em-1/readings"
    with Publisher(_settings(broker.url), "test") as publisher:
        thread = threading.Thread(
            target=go_live, args=(publisher, campus, began), kwargs={"interval": 1_000_000_000, "stopping": stopping}
        )
        thread.start()
        wait_until(lambda: topic in arrivals.batches and len(arrivals.times(topic)) >= 62)
        stopping.set()
        thread.join(5)
        assert not thread.is_alive()
    times = arrivals.times(topic)
    assert times == list(range(times[0], times[-1] + 1, 1_000_000_000))
    assert began < times[0] <= began + 1_000_000_000


# ── trouble ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_broker_that_is_not_there_is_named() -> None:
    url = f"mqtt://127.0.0.1:{find_free_port()}"
    with pytest.raises(CollectorError, match=f"cannot reach the broker at {url}: .*refused"):
        Publisher(_settings(url), "test").__enter__()


def test_a_broker_that_refuses_is_quoted(broker: EmbeddedBroker) -> None:
    settings = Mqtt(url=broker.url, client_id="test")  # without the name that the broker asks for
    with pytest.raises(CollectorError, match="does not let the simulator in: Not authorized"):
        Publisher(settings, "test").__enter__()
