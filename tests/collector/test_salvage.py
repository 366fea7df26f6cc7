"""A damaged journal is noticed, and what can be read of it is saved."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collector import quarantine
from collector.journal import Journal
from collector.quarantine import Rejection
from devices.errors import Stranger
from devices.reading import Reading

QUOTA = 10**9


def fill(path: Path, commits: int) -> None:
    """A journal whose process ended without closing it, all of it in the main file."""
    journal = Journal(path, QUOTA, ("store",))
    for number in range(commits):
        journal.commit([Reading("em-1", number, number, {"alarm": "x" * 900})])
    journal.remember("note", "kept")
    abandon(journal)


def abandon(journal: Journal) -> None:
    """Ends without closing, with everything in the main file."""
    journal.connection().execute("PRAGMA query_only = OFF").close()
    with closing(sqlite3.connect(journal.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for connection in [*journal._readers, journal._writer]:
        connection.close()


def damage(path: Path) -> None:
    """Overwrites eight pages in the middle."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 8 * 4096] = b"\xa5" * (8 * 4096)
    path.write_bytes(data)


def times(journal: Journal) -> list[int]:
    return [r.time for entry in journal.read(0, 10**9) for r in entry.readings]


def test_an_unclean_stop_alone_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    fill(path, 50)
    journal = Journal(path, QUOTA, ("store",))
    assert journal.damage is None
    assert times(journal) == list(range(50))
    journal.close()


def test_entries_around_a_damaged_place_are_saved(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    fill(path, 400)
    damage(path)
    journal = Journal(path, QUOTA, ("store",))
    assert journal.damage is not None
    assert journal.damage.moved_to.exists()
    saved = times(journal)
    assert saved == sorted(set(saved))
    assert {0, 399} <= set(saved)
    assert 300 < len(saved) < 400
    assert journal.damage.saved["entry"] == len(saved)
    assert journal.damage.incomplete == ["entry"]
    assert journal.facts()["note"] == "kept"
    assert journal.commit([Reading("em-1", 400, 400, {"alarm": ""})]) == 401
    journal.close()


def test_of_a_damaged_quarantine_messages_and_groups_are_saved_together(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path, QUOTA, ("store",))
    with journal.transaction() as connection:
        for number in range(600):
            who = (Stranger("box", f"b{number % 3}"), Stranger("box", "all"))
            quarantine.record(connection, [Rejection("decode", "", "no", "", number, "a/b", b"x" * 900, who)])
    abandon(journal)
    damage(path)
    journal = Journal(path, QUOTA, ("store",))
    assert journal.damage is not None
    assert 400 < journal.damage.saved["quarantine_message"] < 600
    everybody, *boxes = quarantine.list_groups(journal.connection())
    kept = [number for number, _ in quarantine.messages(journal.connection(), everybody)]
    assert len(kept) == journal.damage.saved["quarantine_message"]
    assert sorted(n for box in boxes for n, _ in quarantine.messages(journal.connection(), box)) == kept
    journal.close()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000, b"SQLite format 3\0" + b"\0" * 5000])
def test_a_file_that_is_none_does_not_keep_the_daemon_from_starting(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    journal = Journal(path, QUOTA, ("store",))
    assert journal.commit([Reading("em-1", 1, 1, {"alarm": ""})]) == 1
    journal.close()
    assert len(list(tmp_path.glob("journal.damaged-*.db"))) == bool(content)


def test_a_flipped_bit_in_an_entry_is_noticed_and_its_remains_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", QUOTA, ("store",))
    for number in (1, 2, 3):
        journal.commit([Reading("em-1", number, number, {"power_kw": 1.5})])
    with journal.transaction() as connection:
        (body,) = connection.execute("SELECT body FROM entry WHERE position = 2").fetchone()
        connection.execute("UPDATE entry SET body = ? WHERE position = 2", (bytes([body[0] ^ 1]) + body[1:],))
    assert [(entry.position, len(entry.readings)) for entry in journal.read(0, 10)] == [(1, 1), (2, 0), (3, 1)]
    (group,) = quarantine.list_groups(journal.connection())
    assert group.reason == "journal entry damaged on disk"
    journal.close()
