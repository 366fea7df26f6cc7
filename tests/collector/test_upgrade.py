"""An update of a whole site: files of the first versions come up with all they hold; those of newer ones are told."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text
from typer.testing import CliRunner

from collector import embedded_file, schema
from collector.cli import app
from collector.configuration import load
from collector.daemon import Daemon
from collector.journal import Journal
from devices.reading import Reading
from tests.collector.test_schema import VERSION_1 as JOURNAL_1
from tests.sites import write_site
from tickets.database import HEAD, VERSION_TABLE, Database, file_url, migrate, open_database
from tickets.tables import NUMBERS

HOUR = 3_600 * 10**9
BEGIN = 1_790_000_000 * 10**9


def write_journal_1(path: Path) -> None:
    """With a reading that is not in the store yet."""
    journal = Journal(path, 10**8, ("store", "ledger", "rules"))
    journal.commit([Reading("em-1", BEGIN + HOUR, BEGIN + HOUR, {"power_kw": 2.0})])
    journal.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(JOURNAL_1)


def write_store_1(path: Path) -> None:
    """With a reading."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(embedded_file._STEPS[0])
        connection.execute("INSERT INTO series VALUES (1, 'em-1', 'power_kw')")
        connection.execute("INSERT INTO sample VALUES (?, 1, ?, 1.0)", (BEGIN // (900 * 10**9), BEGIN))
        connection.execute("PRAGMA user_version = 1")
        connection.commit()


def write_desk_1(path: Path) -> None:
    """With a number that was given."""
    database = Database(create_engine(file_url(path)), str(path))
    migrate(database, "0001")
    with database.write() as connection:
        connection.execute(text("INSERT INTO ticket_number (site, year, last) VALUES ('site', 2026, 7)"))
    database.close()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return write_site(tmp_path)


def read_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def test_a_site_of_the_first_versions_comes_up_whole(config: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_journal_1(data / "journal.db")
    write_store_1(data / "store.db")
    write_desk_1(data / "desk.db")
    (data / "rules.snapshot").write_bytes(b"siteward-rules-1\n1234what it was then")
    daemon = Daemon(load(config))
    daemon.start()
    try:
        journal = daemon.journal
        while journal.cursor("store") < 1 or daemon.judging.state == "starting":
            journal.wait(journal.head, 0.05)
        values = daemon.store.series(["em-1"], "power_kw", 0, 2**62)["em-1"]
    finally:
        daemon.stop()
    assert [sample.value for sample in values] == [1.0, 2.0]
    assert read_version(data / "journal.db") == schema.VERSION
    assert read_version(data / "store.db") == embedded_file.VERSION
    database = open_database(file_url(data / "desk.db"))
    with database.read() as connection:
        assert connection.scalar(select(NUMBERS.c.last)) == 7
        assert connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")) == HEAD  # noqa: S608 - a constant
    database.close()


def set_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def set_revision(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")  # noqa: S608 - a constant
        connection.commit()


@pytest.mark.parametrize(
    ("file", "make_newer", "subject", "message"),
    [
        ("journal.db", set_version, "journal", "made by a newer Siteward (format 99, this one knows 2)"),
        ("store.db", set_version, "embedded store", "made by a newer Siteward (format 99, this one knows 2)"),
        ("desk.db", set_revision, "desk tables", "of version 9999, which a newer Siteward made"),
    ],
)
def test_doctor_tells_what_a_newer_version_made(
    config: Path, tmp_path: Path, file: str, make_newer: Callable[[Path], None], subject: str, message: str
) -> None:
    daemon = Daemon(load(config))
    daemon.start()
    daemon.stop()
    make_newer(tmp_path / "data" / file)
    result = CliRunner().invoke(app, ["doctor", "--json", "--config", str(config)])
    assert result.exit_code == 1
    [found] = [each for each in json.loads(result.stdout)["findings"] if each["subject"] == subject]
    assert not found["good"]
    assert message in found["message"]


def test_the_daemon_does_not_start_on_a_journal_of_a_newer_version(config: Path, tmp_path: Path) -> None:
    Journal(tmp_path / "data" / "journal.db", 10**8, ("store",)).close()
    set_version(tmp_path / "data" / "journal.db")
    command = [sys.executable, "-m", "collector.cli", "run", "--config", str(config)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "journal.db: made by a newer Siteward (format 99, this one knows 2); install that version" in result.stderr
    assert read_version(tmp_path / "data" / "journal.db") == 99
