"""The journal's file: made once, brought up from former versions with all that it holds, whoever opens it first."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from collector import quarantine, schema
from collector.journal import Journal
from collector.quarantine import Rejection
from devices.errors import Stranger
from devices.reading import Reading

CONSUMERS = ("store", "ledger")

VERSION_1 = """
DROP TABLE quarantine_entry;
DROP TABLE quarantine_message;
DROP TABLE quarantine_group;
CREATE TABLE quarantine_group (
    id INTEGER PRIMARY KEY,
    stage TEXT NOT NULL,
    device TEXT NOT NULL,
    reason TEXT NOT NULL,
    hint TEXT NOT NULL,
    count INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    UNIQUE (stage, device, reason)
);
CREATE TABLE quarantine_message (
    id INTEGER PRIMARY KEY,
    group_id INTEGER NOT NULL REFERENCES quarantine_group (id) ON DELETE CASCADE,
    received INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX quarantine_message_group ON quarantine_message (group_id, id);
INSERT INTO quarantine_group VALUES (3, 'decode', '', 'unknown', 'add it', 9, 100, 900);
INSERT INTO quarantine_group VALUES (5, 'store', 'em-1', 'conflict', '', 1, 200, 200);
INSERT INTO quarantine_message VALUES (7, 3, 800, 'a/b', x'01');
INSERT INTO quarantine_message VALUES (8, 5, 200, 'em-1', x'02');
INSERT INTO quarantine_message VALUES (9, 3, 900, 'a/b', x'03');
PRAGMA user_version = 1;
"""


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """A file as version 1 left it, with a reading and three messages in quarantine."""
    path = tmp_path / "journal.db"
    journal = Journal(path, 10**8, CONSUMERS)
    journal.commit([Reading("em-1", 1, 1, {"power_kw": 1.0})])
    journal.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
    return path


@pytest.fixture
def journal(former: Path) -> Iterator[Journal]:
    journal = Journal(former, 10**8, CONSUMERS)
    yield journal
    journal.close()


def tables(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").fetchall()


def test_a_file_of_version_1_keeps_its_readings_and_its_quarantine(journal: Journal) -> None:
    assert [reading.time for entry in journal.read(0, 10) for reading in entry.readings] == [1]
    unknown, conflict = quarantine.list_groups(journal.connection())
    assert unknown == (3, "decode", "", "unknown", "add it", 9, 2, 100, 900, "", "")
    assert conflict == (5, "store", "em-1", "conflict", "", 1, 1, 200, 200, "", "")
    assert list(quarantine.messages(journal.connection(), unknown)) == [
        (7, Rejection("decode", "", "unknown", "add it", 800, "a/b", b"\1")),
        (9, Rejection("decode", "", "unknown", "add it", 900, "a/b", b"\3")),
    ]
    assert [number for number, _ in quarantine.messages(journal.connection(), conflict)] == [8]


def test_a_file_of_version_1_goes_on_as_one_of_this_version(journal: Journal) -> None:
    with journal.transaction() as connection:
        quarantine.record(connection, [Rejection("decode", "", "unknown", "", 950, "a/b", b"\4")])
        strangers = (Stranger("box", "b1"), Stranger("box", "b2"))
        quarantine.record(connection, [Rejection("decode", "", "unknown", "", 960, "a/b", b"\5", strangers)])
    groups = quarantine.list_groups(journal.connection())
    assert [(group.id, group.times, group.kept, group.address) for group in groups] == [
        (3, 10, 3, ""),
        (5, 1, 1, ""),
        (6, 1, 1, "b1"),
        (7, 1, 1, "b2"),
    ]


def test_a_file_that_was_brought_up_has_the_tables_of_a_new_one(journal: Journal, tmp_path: Path) -> None:
    fresh = Journal(tmp_path / "fresh.db", 10**8, CONSUMERS)
    fresh.close()
    assert tables(journal.path) == tables(fresh.path)


def test_what_fails_on_the_way_leaves_the_file_as_it_was(former: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tables(former)
    monkeypatch.setattr(schema, "_STEPS", (f"{schema._STEPS[0]}DROP TABLE absent;\n",))
    with closing(schema.connect(former)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="absent"):
            schema.prepare(connection, former)
        assert not connection.in_transaction
    assert tables(former) == before


@pytest.mark.parametrize("version", [0, 1])
def test_processes_that_open_a_file_at_once_prepare_it_once(former: Path, tmp_path: Path, version: int) -> None:
    path = former if version else tmp_path / "new.db"
    connections = [schema.connect(path) for _ in range(4)]
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def prepare(connection: sqlite3.Connection) -> None:
        start.wait(10)
        try:
            schema.prepare(connection, path)
        except sqlite3.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=prepare, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for connection in connections:
        connection.close()
    assert failures == []
    with closing(schema.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
        assert connection.execute("SELECT count(*) FROM quarantine_message").fetchone() == (3 * version,)
