"""The journal: nothing that was committed is lost, every consumer sees everything once and in order."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import ledger, quarantine
from collector.errors import CollectorError
from collector.journal import Journal
from devices.reading import Reading

MB = 1_000_000
HOUR = 3_600_000_000_000


def reading(number: int, device: str = "em-1") -> Reading:
    return Reading(device, number, number + 5, {"power_kw": float(number)})


def readings(*numbers: int) -> list[Reading]:
    return [reading(number) for number in numbers]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal(path, 10 * MB, ("store", "ledger"))
    yield journal
    journal.close()


def test_what_is_committed_is_read_in_order_with_positions_that_count_readings(journal: Journal) -> None:
    assert journal.commit(readings(1, 2)) == 2
    assert journal.commit(readings(3)) == 3
    assert journal.commit(readings(4, 5, 6)) == 6
    assert [(entry.position, [r.time for r in entry.readings]) for entry in journal.read(0, 100)] == [
        (2, [1, 2]),
        (3, [3]),
        (6, [4, 5, 6]),
    ]
    assert [entry.position for entry in journal.read(2, 100)] == [3, 6]
    assert [entry.position for entry in journal.read(0, 2)] == [2]
    assert journal.read(6, 100) == []


@given(st.lists(st.lists(st.integers(0, 2**62), min_size=1, max_size=5), max_size=8), st.integers(1, 6))
def test_reading_by_any_limit_gives_every_reading_once(
    tmp_path_factory: pytest.TempPathFactory,
    commits: list[list[int]],
    limit: int,
) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal") / "journal.db", 10 * MB, ("store",))
    for numbers in commits:
        journal.commit(readings(*numbers))
    position, times = 0, []
    while entries := journal.read(position, limit):
        position = entries[-1].position
        times += [r.time for entry in entries for r in entry.readings]
    journal.close()
    assert times == [number for numbers in commits for number in numbers]


def test_a_reading_comes_back_as_it_was(journal: Journal) -> None:
    one = Reading("door-1", 10, 20, {"event": "opened", "tamper": False, "battery_percent": 3.0}, late=True, claimed=-7)
    journal.commit([one])
    assert journal.read(0, 1)[0].readings == [one]


def test_it_goes_on_where_it_stopped(path: Path) -> None:
    first = Journal(path, 10 * MB, ("store",))
    first.commit(readings(1, 2))
    first.advance("store", 2)
    first.close()
    second = Journal(path, 10 * MB, ("store",))
    assert second.head == 2
    assert second.cursor("store") == 2
    assert second.commit(readings(3)) == 3
    second.close()


def test_a_new_consumer_begins_at_the_oldest_entry_and_a_forgotten_one_holds_nothing_back(path: Path) -> None:
    first = Journal(path, 10 * MB, ("store", "old"))
    first.commit(readings(1, 2))
    first.commit(readings(3))
    first.advance("store", 3)
    first.close()
    second = Journal(path, 10 * MB, ("store", "rules"))
    assert second.cursors() == {"rules": 0, "store": 3}
    assert [entry.position for entry in second.read(second.cursor("rules"), 10)] == [2, 3]
    with pytest.raises(KeyError, match="no consumer is called 'old'"):
        second.cursor("old")
    second.close()


def test_trimming_waits_for_the_slowest_consumer_and_keeps_what_is_young(path: Path) -> None:
    now = [HOUR]
    journal = Journal(path, 10 * MB, ("store", "rules"), clock=lambda: now[0])
    for number in range(1, 6):
        journal.commit(readings(number))
        now[0] += HOUR
    journal.advance("store", 5)
    journal.advance("rules", 3)
    assert journal.trim(keep_ns=100 * HOUR) == 0
    assert journal.trim(keep_ns=3 * HOUR) == 2  # committed at 1 h and 2 h; now it is 6 h
    assert [entry.position for entry in journal.read(0, 10)] == [3, 4, 5]
    assert journal.trim(keep_ns=0) == 1
    assert [entry.position for entry in journal.read(0, 10)] == [4, 5]
    journal.close()


def test_the_newest_entry_stays_so_that_positions_never_repeat(path: Path) -> None:
    journal = Journal(path, 10 * MB, ("store",), clock=lambda: HOUR)
    journal.commit(readings(1, 2))
    journal.commit(readings(3))
    journal.advance("store", 3)
    assert journal.trim(keep_ns=-1) == 1
    journal.close()
    again = Journal(path, 10 * MB, ("store",))
    assert again.commit(readings(4)) == 4
    again.close()


def test_a_full_journal_says_so_and_makes_room_early_when_everybody_has_read(journal: Journal) -> None:
    big = [Reading("em-1", number, number, {"alarm": "x" * 1000}) for number in range(1000)]
    while not journal.full:
        journal.commit(big)
        journal.measure()
    assert journal.used_bytes >= 10 * MB
    assert journal.trim(keep_ns=HOUR * 1000) == 0, "nobody has read it"
    for name in ("store", "ledger"):
        journal.advance(name, journal.head)
    assert journal.trim(keep_ns=HOUR * 1000) > 0
    assert not journal.full
    assert journal.used_bytes < 8 * MB


def test_a_waiting_consumer_is_woken_by_a_commit_and_by_another_process(journal: Journal, path: Path) -> None:
    assert not journal.wait(0, 0.01)
    committer = threading.Thread(target=lambda: journal.commit(readings(1)))
    committer.start()
    assert journal.wait(0, 10)
    committer.join()
    visitor = Journal(path, 10 * MB)
    visitor.commit(readings(2))
    visitor.close()
    assert journal.wait(1, 0.01)
    assert journal.commit(readings(3)) == 3


def test_progress_and_rejections_are_one_transaction(journal: Journal) -> None:
    journal.commit([reading(HOUR), reading(HOUR + 1), reading(2 * HOUR)])
    journal.advance("store", 3, stored={("em-1", 1): 2}, rejected=[(reading(2 * HOUR), "field type conflict")])
    assert journal.cursor("store") == 3
    (group,) = quarantine.list_groups(journal.connection())
    assert (group.stage, group.device, group.reason, group.times) == ("store", "em-1", "field type conflict", 1)
    rows = journal.connection().execute("SELECT device, hour, stored, rejected FROM ledger ORDER BY hour").fetchall()
    assert rows == [("em-1", 1, 2, 0), ("em-1", 2, 0, 1)]


def test_a_span_is_found_by_arrival(path: Path) -> None:
    now = [HOUR]
    journal = Journal(path, 10 * MB, ("store",), clock=lambda: now[0])
    for number in range(4):
        journal.commit(readings(number, number + 10))
        now[0] += HOUR
    assert journal.span(2 * HOUR, 4 * HOUR) == (2, 6, 4)
    assert journal.span(9 * HOUR, 10 * HOUR).readings == 0
    assert journal.oldest() == HOUR
    journal.close()


def test_a_failing_transaction_leaves_nothing(journal: Journal) -> None:
    def fail() -> None:
        with journal.transaction() as connection:
            journal.append(connection, readings(1))
            ledger.count(connection, "late", {("em-1", 1): 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert journal.read(0, 10) == []
    assert journal.connection().execute("SELECT count(*) FROM ledger").fetchone() == (0,)


def test_a_file_of_a_newer_version_is_left_alone(journal: Journal, path: Path) -> None:
    journal.remember("x", "1")
    with journal.transaction() as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(CollectorError, match=r"made by a newer Siteward \(format 99, this one knows 2\)"):
        Journal(path, 10 * MB)


def test_only_the_owner_may_look_into_the_file(journal: Journal, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert journal.damage is None


WRITER = """
import sys
from pathlib import Path
from collector.journal import Journal
from devices.reading import Reading
journal = Journal(Path(sys.argv[1]), 10**9, ("store",))
number = journal.head
while True:
    number = journal.commit([Reading("em-1", number + n, 1, {"power_kw": 1.0}) for n in range(1, 8)])
    print(number, flush=True)
"""


def test_what_was_committed_survives_being_killed_again_and_again(path: Path) -> None:
    promised = 0
    for lines in (1, 30, 3, 100, 7):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(lines):
                promised = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            rest = writer.stdout.read().split()
            promised = int(rest[-1]) if rest and rest[-1].isdigit() and int(rest[-1]) % 7 == 0 else promised
        journal = Journal(path, 10**9, ("store",))
        assert journal.damage is None
        assert journal.head >= promised
        times = [r.time for entry in journal.read(0, 10**9) for r in entry.readings]
        assert times == list(range(1, journal.head + 1))
        journal.close()
