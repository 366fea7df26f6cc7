"""The StoreWriter with a real journal and a database in memory, which does what no real server does on demand.

With real servers: tests/integration/test_draining.py.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from collector import quarantine, storewriter
from collector.errors import BatchRejected, BatchTooLarge, StoreRefused, StoreUnavailable, StoreUnreachable
from collector.journal import Journal
from collector.store import Aggregate, Annotation, Finding, Sample
from collector.storewriter import StoreWriter
from devices.reading import Reading
from devices.register import Register
from tests.integration.servers import wait_until

MB = 1_000_000
NO_WAIT = 1_000_000  # ns


def reading(number: int, device: str = "em-1") -> Reading:
    return Reading(device, number, number, {"power_kw": float(number)})


def readings(numbers: Sequence[int]) -> list[Reading]:
    return [reading(number) for number in numbers]


class Memory:
    """A database in memory.

    Attributes:
        rows: what it holds: (device, time) to values.
        writes: how many readings each successful write had.
        attempts: how many readings each write had.
        fault: called with the readings before they are stored; raises what shall go wrong.
        prepared, closed: how often.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], object] = {}
        self.writes: list[int] = []
        self.attempts: list[int] = []
        self.fault: Callable[[Sequence[Reading]], None] = lambda _: None
        self.prepared = self.closed = 0

    def write(self, readings: Sequence[Reading]) -> None:
        self.attempts.append(len(readings))
        self.fault(readings)
        self.rows.update({(reading.device, reading.time): reading.values for reading in readings})
        self.writes.append(len(readings))

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        raise NotImplementedError

    def prepare(self) -> None:
        self.prepared += 1

    def close(self) -> None:
        self.closed += 1

    def use(self, register: Register) -> None:
        raise NotImplementedError

    def inspect(self) -> list[Finding]:
        raise NotImplementedError

    def series(
        self,
        devices: Sequence[str],
        point: str,
        start: int,
        end: int,
        *,
        interval: str | None = None,
        aggregate: Aggregate = "mean",
    ) -> Mapping[str, list[Sample]]:
        raise NotImplementedError

    @property
    def times(self) -> list[int]:
        return sorted(time for _, time in self.rows)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal(path, 10 * MB, ("store", "ledger"))
    yield journal
    journal.close()


@pytest.fixture
def store() -> Memory:
    return Memory()


@pytest.fixture
def writer(journal: Journal, store: Memory) -> Iterator[StoreWriter]:
    """Not started yet."""
    writer = StoreWriter(journal, store, 10, NO_WAIT)
    yield writer
    writer.stop()


def drain(writer: StoreWriter, journal: Journal) -> None:
    """Runs it until it has dealt with everything."""
    writer.start()
    wait_until(lambda: writer.position == journal.head)
    writer.stop()


def rejections(journal: Journal) -> dict[str, int]:
    return {group.reason: group.times for group in quarantine.list_groups(journal.connection())}


def stored_by_the_ledger(journal: Journal) -> dict[str, int]:
    return dict(journal.connection().execute("SELECT device, sum(stored) FROM ledger GROUP BY device"))


# ── the way of things ────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_is_stored_and_counted(journal: Journal, store: Memory, writer: StoreWriter) -> None:
    for first in range(0, 100, 4):
        journal.commit(readings(range(first, first + 4)))
    before = time.time()
    drain(writer, journal)
    assert store.times == list(range(100))
    assert store.prepared == 1
    assert (writer.written, writer.rejected, writer.retries) == (100, 0, 0)
    assert writer.batches == len(store.writes)
    assert before <= writer.last_success <= time.time()
    assert journal.cursor("store") == 100
    assert stored_by_the_ledger(journal) == {"em-1": 100}


def test_entries_make_up_batches_of_at_most_the_size_that_is_set(
    journal: Journal, store: Memory, writer: StoreWriter
) -> None:
    for size in (4, 4, 4, 3, 7, 1, 25, 2):
        journal.commit(readings(range(journal.head, journal.head + size)))
    drain(writer, journal)
    assert store.writes == [8, 7, 8, 10, 10, 5, 2]
    assert store.times == list(range(50))


def test_a_few_readings_wait_for_more(journal: Journal, store: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        journal.commit(readings([4, 5]))

    writer = StoreWriter(journal, store, 10, 250_000_000)
    monkeypatch.setattr(writer, "rest", pause)
    journal.commit(readings([1, 2, 3]))
    writer._attempt()
    assert (pauses, store.writes) == ([0.25], [5])


def test_a_full_batch_waits_for_nothing(journal: Journal, store: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    writer = StoreWriter(journal, store, 10, 250_000_000)
    monkeypatch.setattr(writer, "rest", pauses.append)
    journal.commit(readings(range(10)))
    writer._attempt()
    assert (pauses, store.writes) == ([], [10])


def test_when_nothing_waits_the_cursor_is_persisted(journal: Journal, writer: StoreWriter) -> None:
    journal.commit(readings([1]))
    writer.start()
    wait_until(lambda: journal.cursor("store") == 1)
    wait_until(lambda: writer.state == "idle")
    journal.commit(readings([2]))
    wait_until(lambda: journal.cursor("store") == 2)
    assert writer.written == 2


def test_readings_of_the_daemon_itself_are_not_in_the_ledger(
    journal: Journal, store: Memory, writer: StoreWriter
) -> None:
    journal.commit([reading(1), reading(2, device="siteward")])
    drain(writer, journal)
    assert store.times == [1, 2]
    assert stored_by_the_ledger(journal) == {"em-1": 1}


def test_a_damaged_entry_is_passed(journal: Journal, store: Memory, writer: StoreWriter) -> None:
    journal.commit(readings([1, 2]))
    journal.commit(readings([3]))
    journal.commit(readings([4]))
    with journal.transaction() as connection:
        connection.execute("UPDATE entry SET body = x'72757374' WHERE position = 2")
    drain(writer, journal)
    assert store.times == [3, 4]


def test_a_head_beyond_the_last_entry_is_waited_for_calmly(
    journal: Journal, store: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    writer = StoreWriter(journal, store, 10, NO_WAIT)
    monkeypatch.setattr(writer, "rest", pauses.append)
    journal.announce(7)
    writer._attempt()
    assert pauses == [0.25]


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_not_persisted_is_sent_again(journal: Journal, store: Memory, writer: StoreWriter) -> None:
    journal.commit(readings(range(10)))
    writer._attempt()
    assert store.writes == [10]
    assert journal.cursor("store") == 0
    following = StoreWriter(journal, store, 10, NO_WAIT)
    drain(following, journal)
    assert store.writes == [10, 10]
    assert store.times == list(range(10))
    assert stored_by_the_ledger(journal) == {"em-1": 10}


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    bad=st.sets(st.integers(0, 240)),
    limit=st.integers(1, 12),
    counting=st.booleans(),
)
def test_only_bad_readings_are_rejected(
    tmp_path_factory: pytest.TempPathFactory, *, sizes: list[int], bad: set[int], limit: int, counting: bool
) -> None:
    def fault(part: Sequence[Reading]) -> None:
        if len(part) > limit:
            raise BatchTooLarge("too large")
        if count := sum(reading.time in bad for reading in part):
            raise BatchRejected("bad number", count if counting else None)

    journal = Journal(tmp_path_factory.mktemp("journal") / "journal.db", 10 * MB, ("store", "ledger"))
    store = Memory()
    store.fault = fault
    for size in sizes:
        journal.commit(readings(range(journal.head, journal.head + size)))
    writer = StoreWriter(journal, store, 10, 1)
    while writer.position < journal.head:
        assert writer._attempt() == 0.0
    writer._persist()
    numbers = set(range(sum(sizes)))
    assert store.times == sorted(numbers - bad)
    assert writer.written == len(numbers - bad)
    assert rejections(journal) == ({"bad number": len(numbers & bad)} if numbers & bad else {})
    assert stored_by_the_ledger(journal) == {"em-1": len(numbers - bad)}
    assert max(store.writes, default=0) <= limit
    journal.close()


def test_bad_readings_of_one_device_are_found_in_few_writes(
    journal: Journal, store: Memory, writer: StoreWriter
) -> None:
    def fault(part: Sequence[Reading]) -> None:
        if count := sum(reading.device == "em-3" for reading in part):
            raise BatchRejected("bad number", count)

    store.fault = fault
    writer = StoreWriter(journal, store, 5000, NO_WAIT)
    journal.commit([reading(number, device=f"em-{number % 10}") for number in range(5000)])
    writer._attempt()
    assert (writer.written, writer.rejected) == (4500, 500)
    assert len(store.attempts) < 50


def test_a_database_that_is_away_does_not_make_batches_smaller(
    journal: Journal, store: Memory, writer: StoreWriter
) -> None:
    journal.commit([reading(number) for number in range(40)])
    faults: list[Exception] = [StoreUnreachable("nobody there"), StoreUnreachable("nobody there")]

    def fault(_part: Sequence[Reading]) -> None:
        if faults:
            raise faults.pop()

    store.fault = fault
    writer = StoreWriter(journal, store, 40, NO_WAIT)
    for _ in range(3):
        writer._attempt()
    assert (writer.written, writer.batches, writer.retries) == (40, 1, 2)


def test_a_rejection_is_in_quarantine_at_once(journal: Journal, store: Memory, writer: StoreWriter) -> None:
    def fault(part: Sequence[Reading]) -> None:
        if part[0].time == 2:
            raise BatchRejected("no number")

    store.fault = fault
    journal.commit(readings([2]))
    writer._attempt()
    assert rejections(journal) == {"no number": 1}
    assert journal.cursor("store") == 1


def test_a_reading_that_is_too_large_by_itself_is_rejected(
    journal: Journal, store: Memory, writer: StoreWriter
) -> None:
    def fault(part: Sequence[Reading]) -> None:
        if any(reading.time == 2 for reading in part):
            raise BatchTooLarge("2 MB and no more")

    store.fault = fault
    journal.commit(readings([1, 2, 3]))
    drain(writer, journal)
    assert store.times == [1, 3]
    assert rejections(journal) == {"2 MB and no more": 1}


def test_the_size_that_is_taken_is_found_and_kept_near(journal: Journal, store: Memory) -> None:
    def fault(part: Sequence[Reading]) -> None:
        if len(part) > 300:
            raise BatchTooLarge("too large")

    store.fault = fault
    for _ in range(200):
        journal.commit(readings(range(journal.head, journal.head + 100)))
    drain(StoreWriter(journal, store, 5000, NO_WAIT), journal)
    failures = len(store.attempts) - len(store.writes)
    assert failures < len(store.writes) / 4
    assert store.times == list(range(20_000))


def test_an_outage_is_waited_for_longer_and_longer_and_said_once(
    journal: Journal, store: Memory, writer: StoreWriter
) -> None:
    def fault(_: Sequence[Reading]) -> None:
        raise StoreUnavailable("the database is away")

    store.fault = fault
    journal.commit(readings(range(10)))
    with capture_logs() as logs:
        pauses = [writer._attempt() for _ in range(9)]
    for pause, longest in zip(pauses, (0.5, 1, 2, 4, 8, 16, 30, 30, 30), strict=True):
        assert longest / 2 <= pause <= longest
    assert [(entry["log_level"], entry["reason"]) for entry in logs] == [("warning", "the database is away")]
    assert (writer.state, writer.trouble, writer.retries) == ("unavailable", "the database is away", 9)
    store.fault = lambda _: None
    with capture_logs() as logs:
        drain(writer, journal)
    assert [entry["event"] for entry in logs] == ["the database takes readings again"]
    assert store.times == list(range(10))
    assert writer.trouble == ""


@pytest.mark.parametrize(("asked_s", "pause_s"), [(17.0, 17.0), (86_400.0, 300.0)])
def test_the_pause_that_the_database_asks_for_is_kept(
    journal: Journal, store: Memory, writer: StoreWriter, asked_s: float, pause_s: float
) -> None:
    def fault(_: Sequence[Reading]) -> None:
        raise StoreUnavailable("too busy", asked_s)

    store.fault = fault
    journal.commit(readings([1]))
    assert writer._attempt() == pause_s


def test_a_database_that_asks_for_no_pause_gets_one(journal: Journal, store: Memory, writer: StoreWriter) -> None:
    def fault(_: Sequence[Reading]) -> None:
        raise StoreUnavailable("too busy", 0.0)

    store.fault = fault
    journal.commit(readings([1]))
    assert 0.25 <= writer._attempt() <= 0.5


def test_a_refusal_is_said_once_and_prepared_for_again(
    journal: Journal, store: Memory, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storewriter, "_REFUSED_PAUSE_S", 0.001)
    monkeypatch.setattr(storewriter, "_FIRST_PAUSE_S", 0.001)

    def fault(_: Sequence[Reading]) -> None:
        if store.prepared < 4:
            raise StoreRefused("no bucket")

    store.fault = fault
    journal.commit(readings([1]))
    with capture_logs() as logs:
        drain(writer, journal)
    assert [entry["event"] for entry in logs] == [
        "the database takes no readings; they wait in the journal",
        "the database takes readings again",
    ]
    assert (store.prepared, writer.retries, store.times) == (4, 3, [1])


def test_a_refusal_waits_half_a_minute(store: Memory, writer: StoreWriter) -> None:
    def refuse() -> None:
        raise StoreRefused("who are you?")

    store.prepare = refuse  # type: ignore[method-assign] # a fault of its own
    assert writer._attempt() == 30.0
    assert (writer.state, writer.trouble) == ("refused", "who are you?")


def test_a_bug_ends_nothing(
    journal: Journal, store: Memory, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storewriter, "_FIRST_PAUSE_S", 0.001)
    faults = iter([MemoryError(), ZeroDivisionError("division by zero"), KeyError("x")])

    def fault(_: Sequence[Reading]) -> None:
        for error in faults:
            raise error

    store.fault = fault
    journal.commit(readings([1]))
    with capture_logs() as logs:
        drain(writer, journal)
    assert store.times == [1]
    assert sum(entry["event"].startswith("storing failed unexpectedly") for entry in logs) == 3


def test_a_journal_that_fails_keeps_the_counts_for_later(
    journal: Journal, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    journal.commit(readings([1, 2]))
    writer._attempt()
    with monkeypatch.context() as patched:
        patched.setattr(journal, "advance", fail)
        assert writer._attempt() > 0
        assert "No space left on device" in writer.trouble
    writer._persist()
    assert journal.cursor("store") == 2
    assert stored_by_the_ledger(journal) == {"em-1": 2}


# ── stopping and swapping ────────────────────────────────────────────────────────────────────────────────────────


def test_stopping_does_not_wait_for_a_pause(journal: Journal, store: Memory, writer: StoreWriter) -> None:
    def fault(_: Sequence[Reading]) -> None:
        raise StoreUnavailable("come back tomorrow", 86_400.0)

    store.fault = fault
    journal.commit(readings([1]))
    writer.start()
    wait_until(lambda: writer.state == "unavailable")
    before = time.monotonic()
    writer.stop()
    assert not writer.is_alive()
    assert time.monotonic() - before < 1
    assert journal.cursor("store") == 0


def test_stopping_does_not_wait_for_a_database_that_hangs(
    journal: Journal, store: Memory, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StoreWriter, "patience_s", 0.1)
    hanging, answer = threading.Event(), threading.Event()

    def fault(_: Sequence[Reading]) -> None:
        hanging.set()
        answer.wait()

    store.fault = fault
    journal.commit(readings([1]))
    writer.start()
    assert hanging.wait(10)
    with capture_logs() as logs:
        writer.stop()
    assert [entry["event"] for entry in logs] == ["the database does not answer; leaving it"]
    answer.set()
    writer.join(10)
    assert not writer.is_alive()


def test_stopping_ends_a_search_for_bad_readings(journal: Journal, store: Memory, writer: StoreWriter) -> None:
    def fault(part: Sequence[Reading]) -> None:
        if len(part) == 1:
            writer.stop()
        raise BatchRejected("all of them")

    store.fault = fault
    journal.commit(readings(range(10)))
    writer._attempt()
    assert store.attempts == [10, 5, 2, 1]
    assert journal.cursor("store") == 0


def test_another_database_takes_over(journal: Journal, store: Memory, writer: StoreWriter) -> None:
    def fault(_: Sequence[Reading]) -> None:
        raise StoreUnavailable("gone for good", 300.0)

    journal.commit(readings([1]))
    writer.start()
    wait_until(lambda: store.times == [1])
    store.fault = fault
    journal.commit(readings([2, 3]))
    wait_until(lambda: writer.state == "unavailable")
    following = Memory()
    writer.swap(following, 1, NO_WAIT)
    wait_until(lambda: following.times == [2, 3])
    assert (store.closed, following.prepared, following.writes) == (1, 1, [1, 1])
    assert writer.trouble == ""
