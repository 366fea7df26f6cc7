"""Backups of a living site: made under load, and brought back they lose nothing of their moment and double nothing."""

import sqlite3
import subprocess
import sys
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from collector import snapshots
from collector.backup.archive import BackupError
from collector.backup.deskrows import delete_rows
from collector.backup.restoring import restore_backup
from collector.backup.taking import take_backup
from collector.cli import app
from collector.configuration import load
from collector.journal import Journal
from collector.judging import SNAPSHOT_FILE
from tests.chaos.site import DEVICES, Site
from tests.deskbench import RULES, Bench
from tests.integration.postgres import PASSWORD, PostgreSQL
from tests.integration.servers import InfluxDB, Mosquitto, find_free_port, wait_until
from tests.rulebench import read_rules
from tests.sites import write_site
from tickets.database import Database, file_url, open_database
from tickets.desk import Desk
from tickets.deskplan import DeskPlan
from tickets.errors import DatabaseError
from tickets.queue import Filter, list_tickets
from tickets.tables import ALERTS, EVENTS, NAMES, NUMBERS, TICKETS

FIRST, LATE = 600, 1_500
BACKUPS = 8
_RULES = """
rules:
  - id: early
    when: {threshold: {point: energy_import_kwh, above: 400 kWh}}
  - id: late
    when: {threshold: {point: energy_import_kwh, above: 1500 kWh}}
"""
_RUNNER = """
import sys
from pathlib import Path
from collector import judging, logs
from collector.configuration import load
from collector.daemon import Daemon
logs.configure()
judging._SNAPSHOT_S = 0.05  # so that backups meet snapshots
sys.exit(Daemon(load(Path(sys.argv[1]))).run())
"""


class Silent:
    """Progress that nobody watches."""

    def expect(self, count: int) -> None:
        pass

    def advance(self, count: int) -> None:
        pass


class Ticket(NamedTuple):
    number: str
    rule: str
    subject: str
    opened_at: int


def read_tickets(path: Path, site: str) -> list[Ticket]:
    database = open_database(file_url(path))
    try:
        with database.read() as connection:
            found = list_tickets(connection, site, Filter(states=()), most=1_000)
            return sorted(Ticket(each.number, each.rule, each.subject_id, each.opened_at) for each in found)
    finally:
        database.close()


def read_journal(path: Path) -> tuple[int, list[int]]:
    """Its end, and the numbers of the readings in it."""
    with closing(Journal(path, 10**9)) as journal:
        entries = journal.read(0, 10**9)
    readings = [reading for entry in entries for reading in entry.readings]
    return journal.head, [int(r.values["energy_import_kwh"] - 0.5) for r in readings if "energy_import_kwh" in r.values]  # type: ignore[operator] # a number


def read_stored(site: Site) -> list[int]:
    """The number of each row in the database; a row that is just being written may not have its own yet."""
    rows = site.database.rows(site.name, "electricity_meter")
    return [int(row["energy_import_kwh"] - 0.5) for row in rows if "energy_import_kwh" in row]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Mosquitto(tmp_path / "broker") as broker, InfluxDB(tmp_path / "influxdb") as database:
        site = Site(tmp_path, "campus", broker, database)
        (site.config / "rules").mkdir()
        (site.config / "rules" / "rules.yaml").write_text(_RULES, encoding="utf-8")
        yield site
        site.kill_daemon()


def test_a_backup_under_load_comes_back_without_loss_and_without_doubles(site: Site, tmp_path: Path) -> None:
    data = tmp_path / "data"
    site.start_daemon("-c", _RUNNER, str(site.config))
    site.await_subscription()
    site.publish(range(FIRST // 2))
    wait_until(lambda: site.stored() == FIRST // 2, 20)
    site.database.stop()  # from here on everything waits in the journal
    site.publish(range(FIRST // 2, FIRST))
    wait_until(lambda: len(read_journal(data / "journal.db")[1]) == FIRST, 20)
    wait_until(lambda: len(read_tickets(data / "desk.db", site.name)) == DEVICES, 20)
    before = read_tickets(data / "desk.db", site.name)

    published, enough = FIRST, threading.Event()

    def stream() -> None:
        nonlocal published
        while not enough.is_set():
            site.publish(range(published, published + 10))
            published += 10

    publisher = threading.Thread(target=stream)
    publisher.start()
    configuration = load(site.config)
    archives = [tmp_path / f"{number}.tar.gz" for number in range(BACKUPS)]
    for archive in archives:
        take_backup(configuration, archive, Silent())
    enough.set()
    publisher.join()
    site.kill_daemon()
    for archive in archives:
        check_moment(archive, tmp_path / archive.stem, site.name, before)

    data.rename(tmp_path / "lost")
    site.config.rename(tmp_path / "lost-config")
    command = ["restore", str(archives[-1]), "--config", str(site.config)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    in_backup = read_journal(data / "journal.db")[1]
    tickets = read_tickets(data / "desk.db", site.name)
    site.database.start()
    site.start_daemon()
    last = range(published, max(published, LATE) + 2 * DEVICES)
    site.publish(last)
    expected = {*range(FIRST), *in_backup, *last}
    wait_until(lambda: expected <= set(read_stored(site)), 60)
    assert max(Counter(read_stored(site)).values()) == 1
    wait_until(lambda: len(read_tickets(data / "desk.db", site.name)) == 2 * DEVICES, 60)
    after = read_tickets(data / "desk.db", site.name)
    assert set(tickets) <= set(after)
    assert max(Counter((ticket.rule, ticket.subject) for ticket in after).values()) == 1
    assert site.stop_daemon() == 0


def check_moment(archive: Path, folder: Path, site: str, before: list[Ticket]) -> None:
    """What the parts of a backup say of the moment goes together as after a power cut."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    head, numbers = read_journal(folder / "data" / "journal.db")
    assert sorted(numbers) == list(range(len(numbers)))
    assert len(numbers) >= FIRST
    assert set(before) <= set(read_tickets(folder / "data" / "desk.db", site))
    with closing(sqlite3.connect(folder / "data" / "journal.db")) as journal:
        ((cursor,),) = journal.execute("SELECT position FROM cursor WHERE name = 'rules'")
        ((oldest,),) = journal.execute("SELECT min(position - count) FROM entry")
    with closing(sqlite3.connect(folder / "data" / "desk.db")) as desk:
        ((judged,),) = desk.execute("SELECT position FROM desk_site")
    snapshot = snapshots.read(folder / "data" / SNAPSHOT_FILE)
    assert snapshot is not None
    assert oldest <= cursor <= snapshot.position <= head
    assert judged <= head


def test_a_killed_backup_leaves_nothing_that_looks_like_one(site: Site, tmp_path: Path) -> None:
    site.start_daemon()
    site.await_subscription()
    target = tmp_path / "backup.tar.gz"
    script = (
        "import os, signal\n"
        "from collector.backup import taking\n"
        "taking._publish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from collector.cli import main\n"
        "main()\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", script, "backup", str(target), "--config", str(site.config)], check=False
    )
    assert child.returncode < 0
    assert not target.exists()
    assert site.stop_daemon() == 0
    take_backup(load(site.config), target, Silent())
    assert target.stat().st_mode & 0o777 == 0o600


# ── the desk on a server ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with PostgreSQL() as postgres:
        yield postgres


def write_server_site(folder: Path, url: str, site: str = "site") -> Path:
    folder.mkdir()
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    (folder / "password").chmod(0o600)
    return write_site(
        folder, site={"id": site}, desk={"database": {"url": url, "password_file": str(folder / "password")}}
    )


def fill(database: Database, name: str, tickets: int) -> None:
    """Tickets of a site, with histories and messages that wait."""
    bench = Bench(database)
    bench.site = replace(bench.site, id=name)
    bench.desk = Desk(database, DeskPlan(), bench.site, read_rules(RULES), language="en", clock=bench.clock)
    for number in range(tickets):
        bench.do("open", device=f"em-{number}")
        bench.clock.pass_("1m")
    bench.do("clear", device="em-0")


def read_rows(database: Database, site: str) -> dict[str, list[tuple[object, ...]]]:
    """All of a site, but the number that comes next."""
    with database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table).where(table.c.site == site))), key=repr)
            for table in NAMES.sorted_tables
            if table is not NUMBERS
        }


def test_a_desk_on_a_server_comes_back_there_and_in_a_file(server: PostgreSQL, tmp_path: Path, fresh_name: str) -> None:
    url = server.make_database(fresh_name)
    first = open_database(url, PASSWORD)
    fill(first, "site", 5)
    fill(first, "other", 3)
    rows, others = read_rows(first, "site"), read_rows(first, "other")
    config = write_server_site(tmp_path / "first", url)
    archive = tmp_path / "backup.tar.gz"
    take_backup(load(config), archive, Silent())

    with pytest.raises(BackupError, match=r"in the way: .* rows of this site in postgresql://"):
        restore_backup(archive, config, Silent())
    fill(first, "site", 7)  # what happens after the backup
    later = read_rows(first, "site")
    restored = restore_backup(archive, config, Silent(), replace=True)
    assert read_rows(first, "site") == rows
    assert read_rows(first, "other") == others
    assert restored.aside is not None
    kept = open_database(file_url(restored.aside / "desk.db"))
    assert read_rows(kept, "site") == later
    kept.close()

    first.close()


def test_rows_whose_ids_other_sites_have_taken_move_up_together(
    server: PostgreSQL, tmp_path: Path, fresh_name: str
) -> None:
    url = server.make_database(fresh_name)
    source = open_database(url, PASSWORD)
    fill(source, "site", 5)
    rows = read_rows(source, "site")
    archive = tmp_path / "backup.tar.gz"
    take_backup(load(write_server_site(tmp_path / "old", url)), archive, Silent())
    source.close()

    url = server.make_database(f"{fresh_name}-new")
    target = open_database(url, PASSWORD)
    fill(target, "other", 4)
    with target.write() as connection:
        delete_rows(connection, "site")  # whose desk the bench has opened, too
    others = read_rows(target, "other")
    config = write_server_site(tmp_path / "new", url)
    restore_backup(archive, config, Silent(), keep_config=True)
    assert read_rows(target, "other") == others
    moved = read_rows(target, "site")
    assert [row[2:] for row in moved["ticket"]] == [row[2:] for row in rows["ticket"]]
    with target.read() as connection:
        question = select(TICKETS.c.id, func.count()).join(ALERTS).join(EVENTS, EVENTS.c.ticket_id == TICKETS.c.id)
        told = connection.execute(question.where(TICKETS.c.site == "site").group_by(TICKETS.c.id)).all()
    assert [id_ for id_, _ in told] == [5, 6, 7, 8, 9]
    fill(target, "other", 6)  # ids go on behind them
    fill(target, "site", 7)
    target.close()


def test_a_desk_moves_from_a_server_to_a_file_and_back(server: PostgreSQL, tmp_path: Path, fresh_name: str) -> None:
    url = server.make_database(fresh_name)
    source = open_database(url, PASSWORD)
    fill(source, "site", 5)
    rows = read_rows(source, "site")
    there, here = write_server_site(tmp_path / "server", url), write_site(tmp_path / "file")
    take_backup(load(there), tmp_path / "1.tar.gz", Silent())
    restore_backup(tmp_path / "1.tar.gz", here, Silent(), keep_config=True)
    file = open_database(file_url(tmp_path / "file" / "data" / "desk.db"))
    assert read_rows(file, "site") == rows
    file.close()
    take_backup(load(here), tmp_path / "2.tar.gz", Silent())
    restore_backup(tmp_path / "2.tar.gz", there, Silent(), keep_config=True, replace=True)
    assert read_rows(source, "site") == rows
    source.close()


def test_a_server_that_is_away(tmp_path: Path) -> None:
    config = write_server_site(tmp_path / "site", f"postgresql://siteward@127.0.0.1:{find_free_port()}/desk")
    with pytest.raises(DatabaseError, match="look whether PostgreSQL runs"):
        take_backup(load(config), tmp_path / "backup.tar.gz", Silent())
    assert list(tmp_path.glob("*backup*")) == []
