"""The ingest thread with a real journal and real brokers: committed, then acknowledged, in the order of receipt."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from structlog.testing import capture_logs

from collector.journal import Journal
from collector.mqtt import Message
from collector.pipeline import Pipeline
from collector.settings import Mqtt, Quarantine
from collector.simulation.broker import EmbeddedBroker
from collector.states import State
from collector.subscriber import Subscriber
from devices.decoder import Decoder
from devices.language.catalog import Catalog
from devices.reading import Reading
from devices.register import Device, Register
from devices.timestamps import TimeLimits
from tests.integration.peers import Wire, publish, settings, watch
from tests.integration.servers import Mosquitto, find_free_port, wait_until

DAY = 86_400_000_000_000


class Station:
    """Journal, pipeline and subscriber of a site with one meter, em-1; a later one on the same folder goes on."""

    def __init__(self, folder: Path, ours: Mqtt, site: str) -> None:
        register = Register(devices=[Device(id="em-1", kind="electricity_meter")])
        self.stopping = threading.Event()
        self.journal = Journal(folder / "journal.db", 10**9, ("store", "ledger"))
        decoder = Decoder(register, Catalog(), site, TimeLimits(35 * DAY, DAY))
        self.pipeline = Pipeline(decoder, self.journal, Quarantine(), self.stopping)
        self.subscriber = Subscriber(ours, site, self.pipeline, self.journal, self.stopping)

    def readings(self) -> list[Reading]:
        return [reading for entry in self.journal.read(0, 10**6) for reading in entry.readings]

    def numbers(self) -> list[float | bool | str]:
        return [reading.values["power_kw"] for reading in self.readings()]

    def __enter__(self) -> Self:
        self.subscriber.start()
        wait_until(lambda: self.subscriber.session.state in {State.QUIET, State.FLOWING} or self.subscriber.failure)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        assert self.subscriber.join(5)
        self.journal.close()
        assert self.subscriber.failure is None


def encode(number: float) -> bytes:
    return json.dumps({"power_kw": number}).encode()


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.subscriber._MEASURE_S", 0.01)
    monkeypatch.setattr("collector.subscriber._IDLE_S", 0.05)
    monkeypatch.setattr("collector.pipeline._RETRY_S", 0.05)
    monkeypatch.setattr("collector.session._BACKOFF_S", (0.02, 0.1))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that the test may stop."""
    with Mosquitto(tmp_path / "broker") as server:
        yield server


def test_acknowledgements_leave_in_the_order_of_receipt_and_rows_are_in_it(
    mosquitto: Mosquitto,
    fresh_name: str,
    tmp_path: Path,
) -> None:
    with Wire(mosquitto.port) as wire, Station(tmp_path, settings(wire.port, fresh_name), fresh_name) as station:
        publish(mosquitto.port, f"siteward/{fresh_name}/em-1/readings", *map(encode, range(500)))
        wait_until(lambda: len(find_acknowledged(wire.sent)) == 500)
        assert station.numbers() == list(range(500))
    assert find_acknowledged(wire.sent) == list(range(1, 501))  # Mosquitto counts a session's messages from 1


def find_acknowledged(sent: bytearray) -> list[int]:
    """The packet identifiers of all PUBACKs in what a client sent."""
    found, at = [], 0
    while at < len(sent):
        head, length, shift, byte = sent[at], 0, 0, 0x80
        at += 1
        while byte & 0x80:
            byte = sent[at]
            length |= (byte & 0x7F) << shift
            shift += 7
            at += 1
        if head == 0x40:
            found.append(int.from_bytes(sent[at : at + 2]))
        at += length
    return found


def test_what_was_not_committed_is_not_acknowledged_and_comes_again(
    mosquitto: Mosquitto,
    fresh_name: str,
    tmp_path: Path,
) -> None:
    ours = settings(mosquitto.port, fresh_name)
    topic = f"siteward/{fresh_name}/em-1/readings"
    with Station(tmp_path, ours, fresh_name) as station:
        station.journal._writer.execute("PRAGMA query_only = ON")  # a disk that takes nothing
        publish(mosquitto.port, topic, *map(encode, range(100)))
        wait_until(lambda: station.pipeline.trouble)
        assert station.numbers() == []
        station.stopping.set()
        assert station.subscriber.join(5)
        station.journal._writer.execute("PRAGMA query_only = OFF")
    with Station(tmp_path, ours, fresh_name) as again:
        wait_until(lambda: again.pipeline.messages >= 100)
        assert again.numbers() == list(range(100))


def test_a_disk_that_takes_nothing_is_waited_for_and_does_not_end_ingestion(
    mosquitto: Mosquitto,
    fresh_name: str,
    tmp_path: Path,
) -> None:
    station = Station(tmp_path, settings(mosquitto.port, fresh_name), fresh_name)
    station.journal._writer.execute("PRAGMA query_only = ON")
    with capture_logs() as logs, station:
        publish(mosquitto.port, f"siteward/{fresh_name}/em-1/readings", encode(1))
        wait_until(lambda: station.pipeline.trouble)
        station.journal._writer.execute("PRAGMA query_only = OFF")
        wait_until(lambda: station.numbers() == [1])
        assert station.pipeline.trouble == ""
    events = [entry["event"] for entry in logs if entry["log_level"] in {"warning", "error"}]
    assert events == [
        "what is subscribed at the broker could not be noted",
        "the journal cannot be written; messages stay at the broker until it can",
        "the journal can be written again",
    ]


def test_while_the_journal_is_full_nothing_is_read_or_lost_and_the_connection_stays(
    mosquitto: Mosquitto,
    fresh_name: str,
    tmp_path: Path,
) -> None:
    topic, count = f"siteward/{fresh_name}/em-1/readings", 3000
    ours = settings(mosquitto.port, fresh_name, keepalive="1s")
    with Station(tmp_path, ours, fresh_name) as station, watch(mosquitto.port, f"siteward/{fresh_name}/status") as seen:
        station.journal.quota_bytes = station.journal.measure() + 100_000
        payloads = [json.dumps({"power_kw": number, "alarm": "x" * 200}).encode() for number in range(count)]
        with capture_logs() as logs:
            publish(mosquitto.port, topic, *payloads[: count // 2])
            wait_until(lambda: station.subscriber.held)
            publish(mosquitto.port, topic, *payloads[count // 2 :])
            taken = station.pipeline.messages
            assert 0 < taken < count
            end = time.monotonic() + 2.5  # a broker gives up after 1.5 times the keepalive
            wait_until(lambda: time.monotonic() > end)
            assert station.pipeline.messages == taken
            station.journal.quota_bytes = 10**9  # room
            wait_until(lambda: station.pipeline.messages == count)
        assert station.numbers() == list(range(count))
        assert station.subscriber.session.connects == 1
        assert [json.loads(status.payload)["state"] for status in seen] == ["online"]
        events = [entry["event"] for entry in logs]
        assert events == [
            "the journal is full: nothing is read until the database takes readings again",
            "the journal has room again",
        ]


def test_a_broker_that_ends_while_the_journal_is_full_is_found_again(broker: Mosquitto, tmp_path: Path) -> None:
    with Station(tmp_path, settings(broker.port, "us", keepalive="1s"), "site") as station:
        station.journal.quota_bytes = 0
        wait_until(lambda: station.subscriber.held)
        broker.stop()
        broker.start()
        publish(broker.port, "siteward/site/em-1/readings", encode(1))
        station.journal.quota_bytes = 10**9
        wait_until(lambda: station.numbers() == [1])
        assert station.subscriber.session.connects == 2


def test_a_broker_that_is_restarted_between_commit_and_acknowledgement_costs_nothing(
    broker: Mosquitto,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, topic, count = settings(broker.port, "us"), "siteward/site/em-1/readings", 10_000
    with Station(tmp_path, ours, "site"):
        pass
    publish(broker.port, topic, *map(encode, range(count)))
    station = Station(tmp_path, ours, "site")
    ingest = station.pipeline.ingest
    restarted = False

    def ingest_and_restart(messages: list[Message]) -> bool:
        nonlocal restarted
        done = ingest(messages)
        if station.pipeline.messages > 500 and not restarted:
            restarted = True
            broker.stop()
            broker.start()
        return done

    monkeypatch.setattr(station.pipeline, "ingest", ingest_and_restart)
    with station:
        wait_until(lambda: station.subscriber.session.connects == 2)
        publish(broker.port, topic, encode(count))  # comes behind whatever comes again
        wait_until(lambda: station.pipeline.readings > count)
        assert station.numbers() == list(range(count + 1))
        assert station.pipeline.duplicates > 0


def test_a_retained_message_is_taken_once(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path) -> None:
    topic = f"siteward/{fresh_name}/em-1/readings"
    publish(mosquitto.port, topic, encode(1), retain=True)
    with Station(tmp_path, settings(mosquitto.port, fresh_name), fresh_name) as station:
        wait_until(lambda: station.numbers() == [1])
    with Station(tmp_path, settings(mosquitto.port, fresh_name), fresh_name) as station:  # the same session
        publish(mosquitto.port, topic, encode(2), retain=True)
        wait_until(lambda: station.pipeline.messages)
        assert station.numbers() == [1, 2]
    other = settings(mosquitto.port, f"{fresh_name}-again")  # a new one gets what is retained once more
    with Station(tmp_path, other, fresh_name) as station:
        wait_until(lambda: station.pipeline.messages)
        publish(mosquitto.port, topic, encode(3))
        wait_until(lambda: station.pipeline.messages == 2)
        assert station.numbers() == [1, 2, 3]


def test_a_retained_message_is_taken_once_with_the_older_version(tmp_path: Path) -> None:
    port = find_free_port()
    ours, topic = settings(port, "us", username="us"), "siteward/site/em-1/readings"
    with EmbeddedBroker(port, tmp_path / "amqtt.log"):
        publish(port, topic, encode(1), retain=True, username="peer")
        for _ in range(3):  # every subscription brings it again
            with Station(tmp_path, ours, "site") as station:
                wait_until(lambda: station.pipeline.messages)
                assert station.numbers() == [1]


def test_the_end_of_ingestion_is_known_and_said(
    mosquitto: Mosquitto,
    fresh_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_messages: object) -> bool:
        raise RuntimeError("broken")

    station = Station(tmp_path, settings(mosquitto.port, fresh_name), fresh_name)
    monkeypatch.setattr(station.pipeline, "ingest", fail)
    station.subscriber.start()
    wait_until(lambda: station.subscriber.session.state in {State.QUIET, State.FLOWING})
    with capture_logs() as logs:
        publish(mosquitto.port, f"siteward/{fresh_name}/em-1/readings", encode(1))
        wait_until(lambda: station.subscriber.failure)
    assert repr(station.subscriber.failure) == "RuntimeError('broken')"
    assert [entry["event"] for entry in logs] == ["ingestion ended"]
    station.subscriber.session.close()
    station.journal.close()
