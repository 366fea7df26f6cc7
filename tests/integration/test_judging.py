"""Judging: from the journal to tickets, with a real journal and a real desk, over reloads, restarts and outages."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from collector.configuration import load
from collector.deskopening import open_desk_database
from collector.journal import Journal
from collector.judging import CURSOR, SNAPSHOT_FILE, Judging
from devices.reading import Reading
from rules.conditions.node import Node
from tests.integration.postgres import PASSWORD, PostgreSQL
from tests.integration.servers import wait_until
from tests.sites import write_site
from tickets.queue import File, Filter, list_tickets, open_file
from tickets.ticket import Ticket

STORM = 2_000
_VOLTAGE = """
rules:
  - id: voltage-high
    name: {en: Voltage too high, zh: 电压过高}
    when: {threshold: {point: voltage_v, above: 253 V}}
"""
_SILENT = """
rules:
  - {id: silent, when: {silent: {for: 3s}}, severity: critical}
"""


class Site:
    """A journal, the thread that judges it, and the desk's database to look into."""

    def __init__(self, folder: Path, rules: str, devices: str, **settings: object) -> None:
        self.config = write_site(folder, f"id,kind\n{devices}\n", **settings)
        (self.config / "rules").mkdir()
        self.write_rules(rules)
        self.journal = Journal(folder / "data" / "journal.db", 10**9, (CURSOR,))

    def write_rules(self, text: str) -> None:
        (self.config / "rules" / "rules.yaml").write_text(text, encoding="utf-8")

    def start(self) -> None:
        self.judging = Judging(self.journal, load(self.config))
        self.judging.start()

    def stop(self) -> None:
        self.judging.stop()
        assert not self.judging.is_alive()

    def say(self, *devices: str, **values: float) -> None:
        now = time.time_ns()
        position = self.journal.commit([Reading(device, now, now, dict(values)) for device in devices])
        assert position <= self.journal.head

    def tickets(self) -> list[Ticket]:
        """All, also those that are over."""
        with closing(open_desk_database(load(self.config))) as database, database.read() as connection:
            return list_tickets(connection, "site", Filter(states=()))

    def file(self, number: str) -> File:
        with closing(open_desk_database(load(self.config))) as database, database.read() as connection:
            return open_file(connection, "site", number)

    def await_tickets(self, count: int, timeout_s: float = 10) -> list[Ticket]:
        wait_until(lambda: len(self.tickets()) >= count, timeout_s)
        return self.tickets()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    sites: list[Site] = []

    def make_site(
        rules: str, devices: str = "em-1,electricity_meter\nem-2,electricity_meter", **settings: object
    ) -> Site:
        site = Site(tmp_path, rules, devices, **settings)
        sites.append(site)
        site.start()
        return site

    yield make_site
    for site in sites:
        site.stop()
        site.journal.close()


def test_a_reading_opens_a_ticket_and_the_next_one_resolves_it(make: Callable[..., Site]) -> None:
    site = make(_VOLTAGE)
    site.say("em-1", voltage_v=260.0)
    [ticket] = site.await_tickets(1)
    assert (ticket.rule, ticket.subject_id, ticket.state) == ("voltage-high", "em-1", "new")
    assert ticket.evidence["value"] == 260.0
    site.say("em-1", voltage_v=230.0)
    wait_until(lambda: site.tickets()[0].state == "resolved")


def test_after_a_restart_it_goes_on_and_opens_nothing_twice(make: Callable[..., Site]) -> None:
    site = make(_VOLTAGE)
    site.say("em-1", voltage_v=260.0)
    site.await_tickets(1)
    site.stop()
    assert (site.config.parent / "data" / SNAPSHOT_FILE).stat().st_mode & 0o777 == 0o600
    assert site.journal.cursor(CURSOR) == site.journal.head
    site.say("em-2", voltage_v=261.0)
    site.say("em-1", voltage_v=230.0)
    site.start()
    tickets = site.await_tickets(2)
    wait_until(lambda: {ticket.subject_id: ticket.state for ticket in site.tickets()}["em-1"] == "resolved")
    assert {ticket.subject_id for ticket in tickets} == {"em-1", "em-2"}


def test_a_damaged_snapshot_is_left_and_the_open_ticket_stays_the_only_one(make: Callable[..., Site]) -> None:
    site = make(_VOLTAGE)
    site.say("em-1", voltage_v=260.0)
    site.await_tickets(1)
    site.stop()
    file = site.config.parent / "data" / SNAPSHOT_FILE
    file.write_bytes(file.read_bytes()[:-3] + b"xyz")
    site.start()
    site.say("em-1", voltage_v=262.0)
    site.say("em-2", voltage_v=262.0)
    site.await_tickets(2)
    assert sorted(ticket.subject_id for ticket in site.tickets()) == ["em-1", "em-2"]


def test_a_changed_rule_is_taken_over_and_an_alert_of_one_that_is_gone_ends(make: Callable[..., Site]) -> None:
    site = make(_VOLTAGE)
    site.say("em-1", voltage_v=260.0)
    [ticket] = site.await_tickets(1)
    site.write_rules(_VOLTAGE.replace("voltage-high", "voltage-very-high").replace("253 V", "270 V"))
    site.judging.use(load(site.config))
    wait_until(lambda: site.tickets()[0].firing == 0)
    assert site.file(ticket.number).events[-1].details["reason"] == "rule removed"
    site.say("em-1", voltage_v=260.0)
    site.say("em-1", voltage_v=280.0)
    tickets = site.await_tickets(2)
    assert {each.rule for each in tickets} == {"voltage-high", "voltage-very-high"}


def test_a_rule_that_fails_is_set_aside_and_the_others_go_on(
    make: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make(_VOLTAGE + "  - {id: broken, when: {stuck: {point: power_kw, for: 1h}}}\n")

    def fail(_self: Node) -> None:
        raise ZeroDivisionError("so it goes")

    monkeypatch.setattr("rules.conditions.stuck._Stuck.take", fail)
    site.stop()
    site.start()
    site.say("em-1", power_kw=1.0)
    site.say("em-1", voltage_v=260.0)
    [ticket] = site.await_tickets(1)
    assert ticket.rule == "voltage-high"
    assert set(site.judging.failed) == {"broken"}


def test_what_is_said_while_the_desks_database_is_down_becomes_tickets_later(
    make: Callable[..., Site], tmp_path: Path
) -> None:
    with PostgreSQL() as server:
        secret = tmp_path / "desk.password"
        secret.write_text(PASSWORD, encoding="utf-8")
        database = {"url": server.make_database("desk"), "password_file": str(secret)}
        site = make(_VOLTAGE, desk={"database": database})
        site.say("em-1", voltage_v=260.0)
        site.await_tickets(1)
        server.stop()
        site.say("em-2", voltage_v=260.0)
        wait_until(lambda: site.judging.trouble)
        assert "desk" in site.judging.trouble
        server.start()
        assert {ticket.subject_id for ticket in site.await_tickets(2, 20)} == {"em-1", "em-2"}
        wait_until(lambda: not site.judging.trouble)
        site.stop()
        site.start()  # the fixture stops it, and its database is gone then


def test_when_a_main_fails_two_thousand_silent_meters_are_one_ticket(make: Callable[..., Site]) -> None:
    names = [f"em-{number}" for number in range(STORM)]
    rows = "\n".join(f"{name},electricity_meter" for name in ("main", *names))
    site = make(_VOLTAGE, rows)
    site.stop()
    subs = ", ".join(names)
    (site.config / "places.yaml").write_text(f"feeds:\n  - {{main: main, subs: [{subs}]}}\n", encoding="utf-8")
    site.write_rules(_SILENT)
    site.start()
    site.say("main", *names, voltage_v=230.0)
    wait_until(lambda: [ticket.subject_id for ticket in site.tickets()] == ["main"], 30)
    [ticket] = site.tickets()
    wait_until(lambda: len(site.file(ticket.number).members) == STORM + 1, 30)
    site.say("main", *names, voltage_v=230.0)
    wait_until(lambda: site.tickets()[0].state == "resolved", 30)
    assert len(site.tickets()) == 1
