"""Judging anew: a snapshot that cannot be used changes no ticket, doubles none, and lets each end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from collector.judging import SNAPSHOT_FILE
from tests.integration.servers import wait_until
from tests.integration.test_judging import Site

_RULES = """
rules:
  - id: voltage-high
    when: {threshold: {point: voltage_v, above: 253 V}}
"""
_DEVICES = "em-1,electricity_meter\nem-2,electricity_meter\nem-3,electricity_meter"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """One whose em-1 has been too high for a while, and whose em-2 was."""
    site = Site(tmp_path, _RULES, _DEVICES)
    site.start()
    wait_until(lambda: site.judging.state == "idle")
    site.say("em-1", "em-2", voltage_v=260.0)
    site.await_tickets(2)
    site.say("em-2", voltage_v=230.0)
    wait_until(lambda: states(site)["em-2"] == "resolved")
    site.say("em-1", voltage_v=261.0)
    wait_until(lambda: site.judging.position == site.journal.head)
    site.stop()
    yield site
    site.stop()
    site.journal.close()


def states(site: Site) -> dict[str, str]:
    return {ticket.subject_id: ticket.state for ticket in site.tickets()}


def snapshot(site: Site) -> Path:
    return site.config.parent / "data" / SNAPSHOT_FILE


def make_older(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"siteward-rules-2\n", b"siteward-rules-1\n", 1))


def make_newer(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"siteward-rules-2\n", b"siteward-rules-3\n", 1))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (make_older, "of version 1, and this Siteward knows version 2"),
        (make_newer, "of version 3, and this Siteward knows version 2"),
        (cut, "damaged"),
        (Path.unlink, "there is none"),
    ],
)
def test_what_the_journal_shows_whole_leaves_every_ticket_as_it_is(
    site: Site, spoil: Callable[[Path], None], reason: str
) -> None:
    before = [(ticket, site.file(ticket.number).events) for ticket in site.tickets()]
    spoil(snapshot(site))
    with capture_logs() as logs:
        site.start()
        wait_until(lambda: site.judging.state == "idle")
    told = [entry for entry in logs if entry["event"].startswith("the rules' state cannot be read; the journal is")]
    assert [entry["reason"].rpartition(": ")[2] for entry in told] == [reason]
    assert [(ticket, site.file(ticket.number).events) for ticket in site.tickets()] == before
    site.say("em-1", voltage_v=230.0)
    wait_until(lambda: states(site)["em-1"] == "resolved")


def test_an_alert_older_than_the_journal_goes_on_in_its_ticket_and_ends_there(site: Site) -> None:
    site.journal.trim(0)  # the newest entry stays: em-1 is too high
    snapshot(site).unlink()
    site.start()
    wait_until(lambda: site.judging.state == "idle")
    tickets = {ticket.subject_id: ticket for ticket in site.tickets()}
    assert len(site.tickets()) == 2
    assert (tickets["em-1"].firing, tickets["em-1"].alerts) == (1, 2)
    site.say("em-1", voltage_v=230.0)
    wait_until(lambda: states(site)["em-1"] == "resolved")


def test_an_alert_of_which_nothing_is_known_any_more_ends_without_a_conclusion(site: Site) -> None:
    site.start()
    site.say("em-3", voltage_v=230.0)
    wait_until(lambda: site.judging.position == site.journal.head)
    site.stop()
    site.journal.trim(0)
    snapshot(site).unlink()
    site.start()
    wait_until(lambda: site.judging.state == "idle")
    [ticket] = [ticket for ticket in site.tickets() if ticket.subject_id == "em-1"]
    assert (ticket.firing, ticket.state) == (0, "new")
    assert site.file(ticket.number).events[-1].details["reason"] == "state lost"
    site.say("em-1", voltage_v=262.0)
    wait_until(lambda: states(site)["em-1"] == "new" and len(site.tickets()) == 2)
    site.say("em-1", voltage_v=230.0)
    wait_until(lambda: states(site)["em-1"] == "resolved")


def test_a_crash_before_the_first_snapshot_ends_no_alert(site: Site) -> None:
    snapshot(site).unlink()
    with site.journal.transaction() as connection:
        connection.execute("UPDATE cursor SET position = 0")
    before = [(ticket, site.file(ticket.number).events) for ticket in site.tickets()]
    site.start()
    wait_until(lambda: site.judging.position == site.journal.head and site.judging.state == "idle")
    assert [(ticket, site.file(ticket.number).events) for ticket in site.tickets()] == before
    site.say("em-1", voltage_v=230.0)
    wait_until(lambda: states(site)["em-1"] == "resolved")
