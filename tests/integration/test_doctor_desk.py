"""Doctor and status at a real desk: its file, a real PostgreSQL, and a daemon that judges."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector.checks.desk import check_desk
from collector.checks.rules import check_rules
from collector.cli import app
from collector.configuration import Configuration, load
from collector.daemon import Daemon
from collector.desklook import look_at_desk
from collector.deskopening import open_desk_database
from collector.journal import Journal
from collector.judging import CURSOR
from collector.store import Finding
from tests.integration.peers import publish
from tests.integration.postgres import PASSWORD, PostgreSQL
from tests.integration.servers import Mosquitto, find_free_port, wait_until
from tests.sites import write_site
from tickets.database import HEAD
from tickets.tables import NAMES

RULES = """
rules:
  - {id: voltage-high, when: {threshold: {point: voltage_v, above: 253 V}}, severity: critical}
  - {id: voltage-low, when: {threshold: {point: voltage_v, below: 207 V}}, for: 1h}
  - {id: stuck, when: {stuck: {point: voltage_v, for: 1d}}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with PostgreSQL() as postgres:
        yield postgres


def write_rules(config: Path) -> None:
    (config / "rules").mkdir()
    (config / "rules" / "rules.yaml").write_text(RULES, encoding="utf-8")


def look(configuration: Configuration) -> dict[str, Finding]:
    return {finding.subject: finding for finding in check_desk(configuration)}


def wrong(findings: dict[str, Finding]) -> set[str]:
    return {subject for subject, finding in findings.items() if not finding.good}


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


# ── a file ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_desk_before_its_first_start_is_good_and_untouched(tmp_path: Path) -> None:
    configuration = load(write_site(tmp_path))
    assert look(configuration) == {
        "desk database": Finding(
            "desk database",
            good=True,
            message=f"{configuration.settings.data_dir / 'desk.db'} is made at the first start",
        ),
    }
    assert not configuration.settings.data_dir.exists()


def test_a_good_file_is_good(tmp_path: Path) -> None:
    configuration = load(write_site(tmp_path / "a folder with ? and %"))
    open_desk_database(configuration).close()
    found = look(configuration)
    assert wrong(found) == set()
    assert list(found) == ["desk database", "desk room", "desk tables", "mutes"]
    assert found["desk tables"].message == f"of version {HEAD}, as they should be"


def test_older_tables_stay_as_they_are(tmp_path: Path) -> None:
    configuration = load(write_site(tmp_path))
    open_desk_database(configuration).close()
    path = configuration.settings.data_dir / "desk.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE desk_version SET version_num = '0001'")
    found = look(configuration)
    assert found["desk tables"].message.startswith("of version 0001; the next start brings them to")
    assert "mutes" not in found
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM desk_version").fetchone() == ("0001",)


def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    configuration = load(write_site(tmp_path))
    configuration.settings.data_dir.mkdir(parents=True)
    (configuration.settings.data_dir / "desk.db").write_bytes(b"not a database, and long enough to look into" * 100)
    found = look(configuration)
    assert wrong(found) == {"desk database"}
    assert "file is not a database" in found["desk database"].message


def test_a_file_that_somebody_holds_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.desklook._ANSWER_S", 0.05)
    configuration = load(write_site(tmp_path))
    open_desk_database(configuration).close()
    path = configuration.settings.data_dir / "desk.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        found = look(configuration)
    assert found["desk database"].message == f"{path}: database is locked; another process holds it; try again"


def test_a_mute_without_end_in_sight_is_found(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    shelved = run("mutes", "shelve", "em-1", "--for", "30d", "-m", "noise", "--as", "li", "--config", str(config))
    assert shelved.exit_code == 0, shelved.output
    found = look(load(config))
    assert wrong(found) == {"mutes"}
    assert found["mutes"].message.startswith("shelf 1 keeps device em-1 quiet for another ")
    assert " (li: noise). Is that meant?" in found["mutes"].message


# ── PostgreSQL ───────────────────────────────────────────────────────────────────────────────────────────────────


def configure(folder: Path, url: str, password: str = PASSWORD) -> Configuration:
    secret = folder / "password"
    secret.write_text(password, encoding="utf-8")
    return load(write_site(folder, desk={"database": {"url": url, "password_file": str(secret)}}))


def test_a_good_server_is_good(tmp_path: Path, server: PostgreSQL, fresh_name: str) -> None:
    configuration = configure(tmp_path, server.make_database(fresh_name))
    empty = look(configuration)
    assert wrong(empty) == set()
    assert empty["desk tables"].message == "none yet; they are made at the next start"
    open_desk_database(configuration).close()
    found = look(configuration)
    assert wrong(found) == set()
    assert list(found) == ["desk database", "desk clock", "desk tables", "desk rights", "mutes"]
    assert "PostgreSQL 1" in found["desk database"].message
    assert PASSWORD not in str(found)


def test_missing_rights_are_named(tmp_path: Path, server: PostgreSQL, fresh_name: str) -> None:
    url = server.make_database(fresh_name)
    for name in ("owner", "visitor"):
        (tmp_path / name).mkdir()
    owner = configure(tmp_path / "owner", url)
    open_desk_database(owner).close()
    visitor = f"v{fresh_name}"
    with server.connect() as connection:
        connection.execute(f"CREATE USER {visitor} PASSWORD 'x'".encode())
    database = look_at_desk(owner)
    assert database is not None
    with closing(database), database.write() as connection:
        connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {visitor}")
        connection.exec_driver_sql(f"GRANT INSERT, UPDATE, DELETE ON ticket TO {visitor}")
    found = look(configure(tmp_path / "visitor", url.replace("siteward@", f"{visitor}@"), "x"))
    assert wrong(found) == {"desk rights"}
    message = found["desk rights"].message
    assert message.startswith(f"{visitor} may not: INSERT on alert")
    assert "CREATE on schema public, which updates need" in message
    assert "on ticket," not in message
    assert sum(f"DELETE on {name}" in message for name in NAMES.tables) >= len(NAMES.tables) - 1


def test_a_server_that_takes_no_changes_is_found(tmp_path: Path, server: PostgreSQL, fresh_name: str) -> None:
    configuration = configure(tmp_path, server.make_database(fresh_name))
    open_desk_database(configuration).close()
    with server.connect() as connection:
        connection.execute(f'ALTER DATABASE "{fresh_name}" SET default_transaction_read_only = on'.encode())
    assert wrong(look(configuration)) == {"desk writing"}


def test_another_encoding_is_found(tmp_path: Path, server: PostgreSQL, fresh_name: str) -> None:
    with server.connect() as connection:
        create = f"CREATE DATABASE \"{fresh_name}\" ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
        connection.execute(create.encode())
    found = look(configure(tmp_path, f"postgresql://siteward@127.0.0.1:{server.port}/{fresh_name}"))
    assert wrong(found) == {"desk encoding"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"name": "absent"}, 'database "absent" does not exist; make the database and its user first'),
        ({"port": "0"}, "look whether PostgreSQL runs and listens there"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_said_in_plain_words(
    tmp_path: Path, server: PostgreSQL, change: dict[str, str], words: str
) -> None:
    port = find_free_port() if "port" in change else server.port
    url = f"postgresql://siteward@127.0.0.1:{port}/{change.get('name', 'postgres')}"
    found = look(configure(tmp_path, url, change.get("password", PASSWORD)))
    assert wrong(found) == {"desk database"}
    assert words in found["desk database"].message


# ── beside a daemon ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def config(tmp_path: Path, mosquitto: Mosquitto, fresh_name: str) -> Path:
    """Of a site with two meters and three rules."""
    config = write_site(
        tmp_path,
        "id,kind\nem-1,electricity_meter\nem-2,electricity_meter\n",
        site={"id": fresh_name, "language": "zh"},
        mqtt={"url": mosquitto.url, "client_id": fresh_name},
    )
    write_rules(config)
    return config


@contextmanager
def running(config: Path) -> Iterator[Daemon]:
    """A daemon in this process, which is well and has opened its desk."""
    daemon = Daemon(load(config))
    daemon.start()
    try:
        wait_until(lambda: not daemon.obstacles() and daemon.judging.state == "idle", 20)
        yield daemon
    finally:
        daemon.stop()


def say(mosquitto: Mosquitto, site: str, device: str, volts: float) -> None:
    publish(mosquitto.port, f"siteward/{site}/{device}/readings", json.dumps({"voltage_v": volts}).encode())


def test_status_shows_rules_and_tickets(config: Path, mosquitto: Mosquitto, fresh_name: str) -> None:
    with running(config) as daemon:
        quiet = run("status", "--config", str(config))
        assert quiet.exit_code == 0, quiet.output
        assert "Tickets   none open" in quiet.output
        say(mosquitto, fresh_name, "em-1", 260)
        say(mosquitto, fresh_name, "em-2", 200)
        wait_until(lambda: len(daemon.judging.tickets(5)) == 1 and len(daemon.judging.alerts()) == 2)
        shown = run("status", "--config", str(config)).output
        told = json.loads(run("status", "--config", str(config), "--json").output)
    assert "Rules     3 rules, judged up to 20" in shown
    assert "1 firing, 1 pending" in shown
    assert "Tickets   1 open: 1 P" in shown
    assert sum(told["desk"]["open"].values()) == 1
    assert told["desk"]["overdue"] == 0
    assert told["rules"]["waiting"] == 0
    assert told["rules"]["alerts"] == {"firing": 1, "pending": 1}
    assert told["rules"]["set_aside"] == {}


def test_status_says_that_the_desk_cannot_be_looked_at(config: Path) -> None:
    with running(config):
        with closing(sqlite3.connect(config.parent / "data" / "desk.db")) as connection, connection:
            connection.execute("UPDATE desk_version SET version_num = '9999'")
        shown = run("status", "--config", str(config)).output
    assert "Tickets   the tables are of version 9999" in shown


def test_a_rule_that_fails_is_seen(
    config: Path, mosquitto: Mosquitto, fresh_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("of nothing")

    monkeypatch.setattr("rules.conditions.stuck._Stuck.take", fail)
    with running(config) as daemon:
        say(mosquitto, fresh_name, "em-1", 260)
        wait_until(lambda: daemon.judging.failed)
        with closing(Journal(config.parent / "data" / "journal.db", 10**9)) as journal:
            found = {finding.subject: finding for finding in check_rules(load(config), journal)}
        shown = run("status", "--config", str(config))
    assert wrong(found) == {"set aside"}
    assert "of nothing" in found["set aside"].message
    assert "set aside: stuck" in shown.output
    assert shown.exit_code == 1


def test_what_was_not_judged_waits_for_the_next_start(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    write_rules(config)
    configuration = load(config)
    with closing(Journal(configuration.settings.data_dir / "journal.db", 10**9, (CURSOR,))) as journal:
        found = {finding.subject: finding for finding in check_rules(configuration, journal)}
    assert wrong(found) == set()
    assert found["rules"].message == "3 are in force"
    assert found["judging"].message == "the daemon does not run; nothing waits"
