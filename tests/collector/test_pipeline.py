"""The hot path: each message becomes committed readings once, or goes to quarantine with its reason."""

import json
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import ledger, quarantine
from collector.journal import Journal
from collector.mqtt import Message
from collector.pipeline import Pipeline
from collector.settings import Quarantine
from devices.decoder import Decoder
from devices.language.catalog import Catalog
from devices.language.profile import Profile
from devices.reading import Reading
from devices.register import Device, Register
from devices.timestamps import TimeLimits

SECOND = 1_000_000_000
NOW = 1_795_000_000 * SECOND  # 2026-11-18T11:06:40Z
HOUR = ledger.HOUR
DAY = 24 * HOUR


def decoder(*ids: str) -> Decoder:
    register = Register(devices=[Device(id=name, kind="electricity_meter") for name in ids])
    return Decoder(register, Catalog(), "campus", TimeLimits(35 * DAY, 300 * SECOND))


def message(
    device: str = "em-1",
    *,
    mid: int = 0,
    dup: bool = False,
    retain: bool = False,
    payload: bytes | None = None,
    **values: object,
) -> Message:
    topic = f"siteward/campus/{device}/readings"
    payload = json.dumps(values).encode() if payload is None else payload
    return Message(topic, payload, mid, dup, retain, mid << 32 | zlib.crc32(payload, zlib.crc32(topic.encode())))


class Site:
    """A pipeline on a real journal, restartable as after a crash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = NOW
        self.stopping = threading.Event()
        self.open()

    def open(self) -> None:
        self.journal = Journal(self.path / "journal.db", 10**8, ("store", "ledger"))
        self.pipeline = Pipeline(
            decoder("em-1", "em-2"),
            self.journal,
            Quarantine(),
            self.stopping,
            clock=lambda: self.now,
        )

    def crash(self) -> None:
        for connection in [*self.journal._readers, self.journal._writer]:
            connection.close()
        self.open()

    def readings(self) -> list[Reading]:
        return [reading for entry in self.journal.read(0, 10**6) for reading in entry.readings]

    def column(self, name: str) -> dict[tuple[str, int], int]:
        rows = self.journal.connection().execute(f"SELECT device, hour, {name} FROM ledger WHERE {name} != 0")  # noqa: S608 - a column's name
        return {(device, hour): count for device, hour, count in rows}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.journal.close()


def test_messages_of_one_batch_are_one_commit(site: Site) -> None:
    assert site.pipeline.ingest([message(mid=n, power_kw=n) for n in range(1, 4)])
    assert [r.values for r in site.readings()] == [{"power_kw": 1.0}, {"power_kw": 2.0}, {"power_kw": 3.0}]
    assert (site.pipeline.commits, site.pipeline.messages, site.pipeline.readings) == (1, 3, 3)


def test_readings_without_a_time_get_arrivals_that_never_repeat(site: Site) -> None:
    for _ in range(2):
        site.pipeline.ingest([message(power_kw=1.0), message(power_kw=1.0)])
    site.now -= SECOND  # the clock was set back
    site.pipeline.ingest([message(power_kw=1.0)])
    times = [r.time for r in site.readings()]
    assert len(set(times)) == 5
    assert times == sorted(times)


def test_batches_without_times_never_share_a_row(site: Site) -> None:
    batch = json.dumps([{"power_kw": 1.0}, {"power_kw": 2.0}, {"power_kw": 3.0}]).encode()
    site.pipeline.ingest([message(payload=batch), message(payload=batch), message(power_kw=4.0)])
    times = [r.time for r in site.readings()]
    assert len(times) == len(set(times)) == 7


def test_bad_messages_go_to_quarantine_beside_good_ones(site: Site) -> None:
    bad = message(payload=b'{"power_kw": "much"}', mid=2)
    assert site.pipeline.ingest([message(mid=1, power_kw=1.0), bad, message("em-9", mid=3, power_kw=2.0)])
    assert len(site.readings()) == 1
    groups = {group.device: group for group in quarantine.list_groups(site.journal.connection())}
    assert groups["em-1"].reason == "power_kw: expected a number, got a text"
    assert groups[""].stranger == ("canonical", "em-9")
    ((_, kept),) = quarantine.messages(site.journal.connection(), groups["em-1"])
    assert (kept.topic, kept.payload) == (bad.topic, bad.payload)
    hour = NOW // HOUR
    assert site.column("quarantined") == {("em-1", hour): 1, ("", hour): 1}


BUS = Profile.model_validate(
    {
        "id": "bus",
        "messages": [
            {"topics": ["bus/{line}"], "each": "list", "device": "no", "points": {"power_kw": "p"}},
            {"topics": ["bus/{line}/alive"], "ignore": "a sign of life"},
        ],
    }
)


def use_bus(site: Site, *addresses: str) -> None:
    """Devices whose gateway sends for several of them at once."""
    register = Register(devices=[Device(id=name, kind="sensor", profile="bus") for name in addresses])
    limits = TimeLimits(35 * DAY, 300 * SECOND)
    site.pipeline.decoder = Decoder(register, {"bus": BUS}, "campus", limits)


def bus(*values: tuple[str, float], mid: int = 0, dup: bool = False, topic: str = "bus/1") -> Message:
    payload = json.dumps({"list": [{"no": name, "p": value} for name, value in values]}).encode()
    return Message(topic, payload, mid, dup, False, mid << 32 | zlib.crc32(payload, zlib.crc32(topic.encode())))


def test_what_a_message_says_of_known_devices_is_taken_and_its_strangers_wait(site: Site) -> None:
    use_bus(site, "a", "b")
    site.pipeline.ingest([bus(("x", 1), ("a", 2), ("y", 3), ("b", 4), ("a", 5))])
    start = site.readings()[0].received
    assert [(r.device, r.time - start, r.values["power_kw"]) for r in site.readings()] == [
        ("a", 1, 2.0),
        ("b", 3, 4.0),
        ("a", 4, 5.0),
    ]
    groups = quarantine.list_groups(site.journal.connection())
    assert [group.stranger for group in groups] == [("bus", "x"), ("bus", "y")]
    assert (site.pipeline.readings, site.pipeline.quarantined) == (3, 1), "one message, in part"
    assert site.column("quarantined") == {("", NOW // HOUR): 2}


def test_a_message_known_in_part_that_comes_again_is_a_repeat(site: Site) -> None:
    use_bus(site, "a")
    site.pipeline.ingest([bus(("x", 1), ("a", 2), mid=7)])
    site.crash()
    use_bus(site, "a")
    site.pipeline.ingest([bus(("x", 1), ("a", 2), mid=7, dup=True)])
    assert (len(site.readings()), site.pipeline.duplicates, site.pipeline.quarantined) == (1, 1, 0)
    assert [group.times for group in quarantine.list_groups(site.journal.connection())] == [1]


def test_readings_of_messages_in_quarantine_will_not_share_a_row(site: Site) -> None:
    batch = json.dumps([{"power_kw": 1.0}, {"power_kw": 2.0}]).encode()
    site.pipeline.ingest([message("em-9", payload=batch)] * 3 + [message(power_kw=1.0)])
    (group,) = quarantine.list_groups(site.journal.connection())
    known = decoder("em-9")
    times = [
        reading.time
        for _, item in quarantine.messages(site.journal.connection(), group)
        for reading in known.decode(item.topic, item.payload, item.received)
    ]
    times += [reading.time for reading in site.readings()]
    assert len(set(times)) == 7


def test_messages_that_hold_no_reading_are_counted_and_go_nowhere(site: Site) -> None:
    use_bus(site, "a")
    alive = bus(topic="bus/1/alive")
    site.pipeline.ingest([alive, bus(("a", 1)), alive, alive, bus(("a", 2))])
    assert (site.pipeline.messages, site.pipeline.ignored, site.pipeline.readings) == (5, 3, 2)
    assert quarantine.list_groups(site.journal.connection()) == []
    first, second = site.readings()
    assert first.time < second.time


def test_a_redelivery_after_a_crash_before_the_acknowledgement_is_not_stored_twice(site: Site) -> None:
    site.pipeline.ingest([message(mid=7, power_kw=1.0), message(mid=8, power_kw=1.0)])
    site.crash()
    again = [message(mid=7, dup=True, power_kw=1.0), message(mid=8, dup=True, power_kw=1.0)]
    assert site.pipeline.ingest([*again, message(mid=9, dup=True, power_kw=1.0)])
    assert len(site.readings()) == 3, "mid 9 had been sent, but never arrived here"
    assert site.pipeline.duplicates == 2
    assert sum(site.column("duplicate").values()) == 2


def test_a_redelivery_of_what_is_in_quarantine_is_not_counted_twice(site: Site) -> None:
    site.pipeline.ingest([message(mid=7, payload=b"{")])
    site.crash()
    site.pipeline.ingest([message(mid=7, dup=True, payload=b"{")])
    (group,) = quarantine.list_groups(site.journal.connection())
    assert group.times == 1


def test_what_is_settled_is_forgotten_so_that_a_later_message_with_the_same_identifier_counts(site: Site) -> None:
    site.pipeline.ingest([message(mid=7, power_kw=1.0)])
    site.pipeline.settle(site.pipeline.generation)
    assert not site.pipeline.unsettled
    site.pipeline.ingest([message("em-2", mid=1, power_kw=5.0)])
    site.crash()
    site.pipeline.ingest([message(mid=7, dup=True, power_kw=1.0)])
    assert len(site.readings()) == 3


def test_a_retained_message_is_taken_once(site: Site) -> None:
    first = message(retain=True, power_kw=1.0)
    site.pipeline.ingest([first])
    site.pipeline.ingest([first])  # subscribed again
    assert len(site.readings()) == 1
    site.pipeline.ingest([message(power_kw=2.0)])  # the next one comes live
    site.crash()
    site.pipeline.ingest([message(retain=True, power_kw=2.0)])
    assert [r.values["power_kw"] for r in site.readings()] == [1.0, 2.0]
    site.pipeline.ingest([message(retain=True, power_kw=3.0)])  # published while we were away
    assert [r.values["power_kw"] for r in site.readings()] == [1.0, 2.0, 3.0]


def test_late_readings_are_marked_also_after_a_restart(site: Site) -> None:
    site.pipeline.ingest([message(time="2026-11-18T11:00:00Z", power_kw=2.0)])
    site.crash()
    site.pipeline.ingest(
        [
            message(time="2026-11-18T10:00:00Z", power_kw=1.0),
            message(time="2026-11-18T11:05:00Z", power_kw=3.0),
            message("em-2", time="2026-11-18T09:00:00Z", power_kw=3.0),
        ],
    )
    assert [(r.values["power_kw"], r.late) for r in site.readings()] == [
        (2.0, False),
        (1.0, True),
        (3.0, False),
        (3.0, False),
    ]
    assert site.pipeline.late == 1


def test_events_within_one_second_of_a_coarse_clock_are_in_order_of_arrival(site: Site) -> None:
    second = "2026-11-18T11:00:00Z"
    events = ["granted", "opened", "closed", "forced_open", "opened", "duress"]
    site.pipeline.ingest([message(time=second, event=event, reason=str(n)) for n, event in enumerate(events)])
    site.pipeline.ingest([message(time="2026-11-18T10:59:58Z", event="denied")])
    assert [(r.values["event"], r.late) for r in site.readings()] == [
        *((event, False) for event in events),
        ("denied", True),
    ]


def test_the_same_reading_sent_again_is_a_duplicate_and_a_correction_is_not(site: Site) -> None:
    site.pipeline.ingest([message(time="2026-11-18T11:00:00Z", power_kw=2.0)] * 2)
    assert (len(site.readings()), site.pipeline.duplicates) == (1, 1)
    site.pipeline.ingest([message(time="2026-11-18T11:00:00Z", power_kw=2.5)])
    assert [r.values["power_kw"] for r in site.readings()] == [2.0, 2.5]


def test_a_disk_that_takes_nothing_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.pipeline._RETRY_S", 0.01)
    (pages,) = site.journal._writer.execute("PRAGMA page_count").fetchone()
    site.journal._writer.execute(f"PRAGMA max_page_count = {pages + 3}")  # SQLite's own "disk full"
    batch = [message(payload=json.dumps({"alarm": "x" * 200}).encode(), mid=n) for n in range(1, 300)]
    done: list[bool] = []
    thread = threading.Thread(target=lambda: done.append(site.pipeline.ingest(batch)))
    thread.start()
    deadline = threading.Event()
    while not site.pipeline.trouble:
        deadline.wait(0.005)
    assert site.pipeline.trouble == "database or disk is full"
    assert done == []
    with site.journal._lock:
        site.journal._writer.execute("PRAGMA max_page_count = 1000000")
    thread.join(10)
    assert done == [True]
    assert site.pipeline.trouble == ""
    assert len(site.readings()) == 299


def test_stopping_ends_the_wait_without_an_acknowledgement(site: Site) -> None:
    (pages,) = site.journal._writer.execute("PRAGMA page_count").fetchone()
    site.journal._writer.execute(f"PRAGMA max_page_count = {pages}")
    site.stopping.set()
    batch = [message(payload=json.dumps({"alarm": "x" * 250}).encode(), mid=n) for n in range(1, 300)]
    assert site.pipeline.ingest(batch) is False
    with site.journal._lock:
        site.journal._writer.execute("PRAGMA max_page_count = 1000000")
    assert site.readings() == []


def test_a_flood_of_bad_messages_takes_bounded_room(site: Site) -> None:
    site.pipeline.limits = Quarantine(max_size=1_000_000)
    for _ in range(30):
        site.pipeline.ingest([message(payload=b"\xff" * 1000) for _ in range(100)])
    (group,) = quarantine.list_groups(site.journal.connection())
    assert group.times == 3000
    assert 500 < group.kept < 1300
    assert group.reason
