"""The desk on SQLite and on a real PostgreSQL: the same answers, migrations that fit, and people who come at once."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, text
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from collector.cli import app
from rules.alerts import Severity, Subject
from rules.mutes import Mute
from tests.deskbench import START, Bench
from tests.integration.postgres import PASSWORD, PostgreSQL
from tests.sites import write_site
from tickets import database as module
from tickets.book import _row
from tickets.database import HEAD, VERSION_TABLE, Database, file_url, migrate, open_database
from tickets.errors import DatabaseError, NotAllowed, Overtaken
from tickets.evidence import Samples
from tickets.evidencebook import keep_evidence
from tickets.queue import Filter
from tickets.tables import NAMES, TICKETS
from tickets.ticket import Rating

VERSIONS = [
    script.revision for script in ScriptDirectory(str(Path(module.__file__).parent / "migrations")).walk_revisions()
]

Open = Callable[[], Database]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with PostgreSQL() as postgres:
        yield postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def connect(request: pytest.FixtureRequest, tmp_path: Path, fresh_name: str) -> Iterator[Open]:
    """Opens the same fresh database again and again."""
    if request.param == "sqlite":
        url, password = file_url(tmp_path / "desk.db"), None
    else:
        url, password = request.getfixturevalue("server").make_database(fresh_name), PASSWORD
    opened: list[Database] = []

    def connect() -> Database:
        opened.append(open_database(url, password))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_migrations_make_the_tables_of_the_code(connect: Open) -> None:
    with connect().read() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, NAMES) == []


def test_the_newest_migration_is_the_one_that_is_asked_for() -> None:
    assert VERSIONS[0] == HEAD


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_can_be_brought_up_to_date(connect: Open, version: str) -> None:
    database = connect()
    with database.write() as connection:
        NAMES.drop_all(connection)
        connection.execute(text(f"DELETE FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    migrate(database, version)
    migrate(database)
    bench = Bench(database)
    bench.do("open")
    assert bench.desk.show("1").ticket.state == "new"


def test_those_who_start_together_make_the_tables_once(connect: Open) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            connect()
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with connect().read() as connection:
        assert set(NAMES.tables) <= set(inspect(connection).get_table_names())


def test_a_database_of_a_newer_version_is_left_alone(connect: Open) -> None:
    with connect().write() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608 - a constant
    with pytest.raises(DatabaseError, match="version 9999, which a newer Siteward made"):
        connect()


def test_the_database_itself_admits_one_open_ticket_for_rule_and_subject(connect: Open) -> None:
    bench = Bench(connect())
    bench.do("open")
    ticket = bench.desk.show("1").ticket
    again = _row(ticket) | {"number": "W-2026-99999"}
    with pytest.raises(DatabaseError) as caught, bench.database.write() as connection:
        connection.execute(insert(TICKETS).values(again))
    assert isinstance(caught.value.__cause__, IntegrityError)
    bench.counter.cancel("1", "li", "false alarm")
    with bench.database.write() as connection:
        connection.execute(insert(TICKETS).values(again))


def test_evidence_is_kept_and_written_anew(connect: Open) -> None:
    class Always:
        def series(self, device: str, points: Sequence[str], start: int, end: int) -> Mapping[str, Samples]:
            return {point: [(time, 230.5) for time in range(start, end, 10**12)] for point in points if device}

    bench = Bench(connect())
    bench.do("open")
    assert keep_evidence(bench.database, bench.site, Always(), bench.clock.pass_("1m")) == 1
    assert keep_evidence(bench.database, bench.site, Always(), bench.clock.pass_("30s")) == 0
    assert keep_evidence(bench.database, bench.site, Always(), bench.clock.pass_("20m")) == 1
    evidence = bench.desk.read_evidence("1")
    assert evidence is not None
    assert (evidence.ends_at, evidence.series[0].point) == (bench.clock.now, "voltage_v")
    ticket = bench.desk.show("1").ticket
    assert [member.since for member in bench.desk.list_members([ticket])[ticket.number]] == [START]


# ── work ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tickets_life(connect: Open) -> None:
    bench = Bench(connect())
    bench.desk.apply([bench.order("open", "verified")], 17)
    bench.counter.take("1", "li", "on my way ✓ 路上")
    bench.counter.wait("1", "li", "parts")
    bench.clock.pass_("3h")
    bench.counter.resume("1", "li")
    bench.counter.finish("1", "li")
    bench.do("clear", "verified")
    bench.desk.tick(bench.clock.pass_("2h"))
    bench.counter.rate("1", "li", Rating(5, 4, 3))
    file = bench.desk.show("1")
    assert (file.ticket.state, file.ticket.rating) == ("closed", Rating(5, 4, 3))
    assert file.events[1].comment == "on my way ✓ 路上"
    assert bench.desk.position() == 17
    assert Bench(connect()).desk.show("W-2026-00001") == file


def test_two_thousand_alerts_are_one_ticket(connect: Open) -> None:
    bench = Bench(connect())
    lead = bench.order("open", "silent", "gw")
    joins = [bench.order("join", "silent", f"em-{n}", lead=bench.key("silent", "gw")) for n in range(2000)]
    bench.desk.apply([lead, *joins], 1)
    assert len(bench.desk.list(Filter())) == 1
    assert len(bench.desk.show("1").members) == 2001
    assert bench.desk.apply([lead, *joins], 1) == []


def test_a_worse_alert_that_joins_raises_the_priority_and_none_lowers_it(connect: Open) -> None:
    bench = Bench(connect())
    bench.do("open", "plain", "em-0")
    lead = bench.key("plain", "em-0")
    before = bench.desk.show("1").ticket
    severities: list[Severity] = ["minor", "critical", "info", "critical", "major"]
    orders = [
        bench.order("join", "silent", f"em-{n}", lead=lead, severity=severity)
        for n, severity in enumerate(severities, 1)
    ]
    for order in orders:
        bench.desk.apply([order])
    assert bench.desk.apply(orders) == []
    file = bench.desk.show("1")
    assert (before.priority, file.ticket.priority, file.ticket.severity) == (3, 1, "critical")
    assert before.response_due is not None
    assert file.ticket.response_due is not None
    assert file.ticket.response_due < before.response_due
    kinds = [event.kind for event in file.events]
    assert kinds == ["opened", "joined", "joined", "prioritised", "joined", "joined", "joined"]
    assert (file.events[3].who, file.events[3].details["severity"]) == ("", "critical")
    bench.counter.prioritise("1", "zhao", "low", "low", "the line is not used")
    bench.do("join", "silent", "em-6", lead=lead, severity="critical")
    assert bench.desk.show("1").ticket.priority == 4  # what a person says holds


def test_of_those_who_take_a_ticket_at_once_one_owns_it(connect: Open) -> None:
    bench = Bench(connect())
    bench.do("open")
    barrier, outcomes = threading.Barrier(6), []

    def take(who: str) -> None:
        barrier.wait()
        try:
            outcomes.append(bench.counter.take("1", who).owner)
        except Overtaken as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=take, args=(f"person-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    owner = bench.desk.show("1").ticket.owner
    assert sorted(outcomes) == sorted([owner] + 5 * [f"W-2026-00001 belongs to {owner}; ask them to hand it over"])
    assert [event.kind for event in bench.desk.show("1").events] == ["opened", "taken"]


def test_numbers_are_given_once_to_those_who_ask_at_once(connect: Open) -> None:
    bench = Bench(connect())
    threads = [
        threading.Thread(target=bench.counter.open, args=("li", "repair", f"lamp {n}"), daemon=True) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [ticket.number for ticket in bench.desk.list(Filter(), "opened")]
    assert numbers == [f"W-2026-{n:05}" for n in range(8, 0, -1)]


def test_orders_and_people_at_once_lose_nothing(connect: Open) -> None:
    bench = Bench(connect())
    bench.do("open", "silent", "gw")
    lead = bench.key("silent", "gw")
    orders = [bench.order("join", "silent", f"em-{n}", lead=lead) for n in range(20)]

    def talk() -> None:
        for n in range(20):
            bench.counter.comment("1", "li", f"word {n}")

    thread = threading.Thread(target=talk)
    thread.start()
    for order in orders:
        bench.desk.apply([order])
    thread.join()
    file = bench.desk.show("1")
    assert (file.ticket.firing, file.ticket.version) == (21, 41)
    assert [event.number for event in file.events] == list(range(1, 42))


def test_sites_share_a_database_and_nothing_else(connect: Open) -> None:
    database = connect()
    bench, other = Bench(database), Bench(database)
    other.site = other.desk.site = type(other.site)("other", other.site.zone, other.site.register)
    other.desk.use(other.desk.plan, other.site, list(other.desk.rules.values()))
    bench.do("open")
    other.do("open")
    bench.counter.cancel("1", "li", "false alarm")
    assert other.desk.show("1").ticket.state == "new"
    assert [ticket.site for ticket in other.desk.list(Filter(states=()))] == ["other"]


def test_mutes_are_kept_until_they_are_over(connect: Open) -> None:
    bench = Bench(connect())
    bench.do("open")
    wanted = Mute(0, "maintenance", START, START + 100, (Subject("device", "gw"), Subject("floor", "A/1F")), ("plain",))
    entry = bench.counter.mute("li", wanted, "cable work", ticket="1")
    assert bench.desk.mutes(START) == [entry.mute]
    assert entry.mute.subjects == wanted.subjects
    assert bench.desk.mutes(START + 100) == []
    bench.counter.unmute("li", entry.mute.id)
    assert bench.desk.mutes(START) == []
    with pytest.raises(NotAllowed, match="there is no mute 1, or it is over"):
        bench.counter.unmute("li", entry.mute.id)
    with pytest.raises(NotAllowed, match="there is no device 'em-1x'; did you mean em-1"):
        bench.counter.mute("li", Mute(0, "shelf", START, START + 1, (Subject("device", "em-1x"),)), "noise")
    assert [event.kind for event in bench.desk.show("1").events] == ["opened", "muted"]


def test_commands_work_on_the_server_that_the_settings_name(
    server: PostgreSQL, fresh_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    database = {"url": server.make_database(fresh_name), "password_file": str(tmp_path / "password")}
    config = str(write_site(tmp_path, desk={"database": database}))
    opened = CliRunner().invoke(app, ["tickets", "open", "Tap drips", "--config", config])
    assert opened.exit_code == 0, opened.output
    assert not (tmp_path / "data" / "desk.db").exists()
    monkeypatch.setenv("SITEWARD_DESK_PASSWORD", "wrong")
    refused = CliRunner().invoke(app, ["tickets", "list", "--config", config])
    assert refused.exit_code == 1
    assert "password authentication failed" in refused.output


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_errors_of_the_server_say_what_to_do(server: PostgreSQL, fresh_name: str) -> None:
    url = server.make_database(fresh_name)
    with pytest.raises(DatabaseError, match=r"password authentication failed.*; look at desk.database") as caught:
        open_database(url, "wrong")
    assert "wrong" not in str(caught.value)
    with pytest.raises(DatabaseError, match="does not exist; make the database"):
        open_database(url + "-missing", PASSWORD)


def test_a_server_that_comes_back_is_used_again() -> None:
    with PostgreSQL() as server:
        database = open_database(server.make_database("desk"), PASSWORD)
        bench = Bench(database)
        bench.do("open")
        server.stop()
        with pytest.raises(DatabaseError, match=r"look whether PostgreSQL runs|terminat|closed"):
            bench.do("clear")
        server.start()
        bench.opened["plain", "em-1"] = START
        bench.do("clear")
        assert bench.desk.show("1").ticket.state == "resolved"
        database.close()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="unable to open database file; look at the folder's rights"):
        open_database(file_url(tmp_path / "missing" / "desk.db"))
    with pytest.raises(DatabaseError, match="expected postgresql://"):
        open_database("nonsense")
