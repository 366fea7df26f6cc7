"""What becomes of orders and of time, on a SQLite file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.orders import Order
from tests.deskbench import START, Bench, open_file
from tickets.queue import Filter


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    database = open_file(tmp_path)
    yield Bench(database)
    database.close()


def kinds(bench: Bench, number: str = "1") -> list[str]:
    return [event.kind for event in bench.desk.show(number).events]


def everything(bench: Bench) -> list[str]:
    return [ticket.number for ticket in bench.desk.list(Filter(states=()), "opened")]


# ── alerts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alert_opens_one_ticket_and_its_end_resolves_it(bench: Bench) -> None:
    bench.do("open")
    ticket = bench.desk.show("W-2026-00001").ticket
    assert (ticket.state, ticket.title, ticket.place, ticket.firing) == ("new", "Voltage high: em-1", "A/1F", 1)
    assert ticket.evidence == {"device": "em-1", "point": "voltage_v", "value": 260.0, "limit": 253.0, "unit": "V"}
    bench.clock.pass_("10m")
    bench.do("clear")
    ticket = bench.desk.show("1").ticket
    assert (ticket.state, ticket.firing, ticket.resolved_at) == ("resolved", 0, bench.clock.now)
    assert kinds(bench) == ["opened", "cleared", "resolved"]


def test_orders_done_again_change_nothing(bench: Bench) -> None:
    orders = [
        bench.order("hold", "silent", "em-2", reason="inhibited by device gw"),
        bench.order("open", "silent", "gw"),
        bench.order("open", "silent", "em-1"),
        bench.order("join", "silent", "em-1", lead=bench.key("silent", "gw"), reason="device gw"),
        bench.order("amend", "silent", "gw", since=START - 1),
        bench.order("open", "silent", "em-2"),
    ]
    orders.append(bench.order("clear", "silent", "gw", serial=2))
    bench.desk.apply(orders, 70)
    before = [bench.desk.show(number) for number in everything(bench)]
    bench.clock.pass_("1h")
    for begin in range(len(orders)):
        assert bench.desk.apply(orders[begin:], 60) == []
    assert [bench.desk.show(number) for number in everything(bench)] == before
    assert bench.desk.position() == 70


def test_an_alert_that_comes_again_goes_on_in_the_open_ticket(bench: Bench) -> None:
    bench.do("open")
    bench.do("clear")
    bench.clock.pass_("1h")
    bench.do("open", value=270.0)
    file = bench.desk.show("1")
    assert everything(bench) == ["W-2026-00001"]
    assert (file.ticket.state, file.ticket.alerts, file.ticket.reopened) == ("new", 2, 1)
    assert kinds(bench) == ["opened", "cleared", "resolved", "alerted", "reopened"]
    assert file.events[-1].details["evidence"]["value"] == 270.0


def test_after_the_ticket_is_closed_the_next_alert_opens_another(bench: Bench) -> None:
    bench.do("open")
    bench.do("clear")
    bench.desk.tick(bench.clock.pass_("3d"))
    assert bench.desk.show("1").ticket.state == "closed"
    bench.do("open")
    assert everything(bench) == ["W-2026-00002", "W-2026-00001"]


def test_a_storm_is_one_ticket_with_one_line_of_history(bench: Bench) -> None:
    lead = bench.order("open", "silent", "gw")
    joins = [
        bench.order("join", "silent", f"em-{n}", lead=bench.key("silent", "gw"), reason="device gw")
        for n in range(2000)
    ]
    bench.desk.apply([lead, *joins])
    file = bench.desk.show("1")
    assert everything(bench) == ["W-2026-00001"]
    assert (file.ticket.title, file.ticket.firing, len(file.members)) == ("Gateway A gone", 2001, 2001)
    assert kinds(bench) == ["opened", "joined"]
    assert file.events[1].details["count"] == 2000
    bench.desk.apply([bench.order("clear", "silent", f"em-{n}") for n in range(2000)])
    assert bench.desk.show("1").ticket.state == "new"
    bench.do("clear", "silent", "gw")
    assert bench.desk.show("1").ticket.state == "resolved"


def test_what_is_held_has_no_ticket_and_stands_with_its_cause(bench: Bench) -> None:
    bench.do("open", "silent", "gw")
    bench.do("hold", "silent", "em-1", reason="inhibited by device gw", cause=bench.key("silent", "gw"))
    members = bench.desk.show("1").members
    assert [(member.subject_id, member.affected) for member in members] == [("gw", False), ("em-1", True)]
    assert kinds(bench) == ["opened", "affected"]
    bench.do("open", "silent", "em-1")
    assert len(everything(bench)) == 2
    assert [member.subject_id for member in bench.desk.show("1").members] == ["gw"]


def test_what_a_failure_explains_is_counted_in_its_history_though_it_was_told_before(bench: Bench) -> None:
    cause = ("silent", ("device", "gw"), START)
    orders = [
        bench.order("hold", "silent", f"em-{n}", reason="inhibited by device gw", cause=cause) for n in range(2000)
    ]
    bench.desk.apply(orders[:1000])
    bench.desk.apply([*orders[1000:], bench.order("open", "silent", "gw")])
    file = bench.desk.show("1")
    assert everything(bench) == ["W-2026-00001"]
    assert [(event.kind, event.details.get("count")) for event in file.events] == [("opened", None), ("affected", 2000)]
    assert len(file.members) == 2001
    assert bench.desk.apply(orders) == []


def test_a_ticket_whose_cause_is_found_later_ends_in_the_causes_ticket(bench: Bench) -> None:
    bench.do("open", "silent", "em-1")
    opened = bench.opened["silent", "gw"] = bench.clock.pass_("4s")
    lead = ("silent", ("device", "gw"), opened)
    # the dispatcher tells what joins before it opens the lead's ticket, seconds later at times
    bench.do("join", "silent", "em-1", lead=lead, reason="device gw")
    assert bench.desk.show("1").ticket.open
    bench.do("open", "silent", "gw")
    first, second = bench.desk.show("1"), bench.desk.show("2")
    assert (first.ticket.state, first.events[-1].details) == ("cancelled", {"into": "W-2026-00002"})
    assert (second.ticket.firing, [member.subject_id for member in second.members]) == (2, ["em-1", "gw"])
    bench.do("clear", "silent", "em-1")
    bench.do("clear", "silent", "gw")
    assert bench.desk.show("2").ticket.state == "resolved"


def test_what_joins_a_ticket_that_is_over_opens_one_that_follows_it(bench: Bench) -> None:
    bench.do("open", "silent", "gw")
    lead = bench.key("silent", "gw")
    bench.counter.cancel("1", "li", "false alarm")
    bench.desk.apply([bench.order("join", "silent", f"em-{n}", lead=lead) for n in range(5)])
    ticket = bench.desk.show("2").ticket
    assert everything(bench) == ["W-2026-00002", "W-2026-00001"]
    assert (ticket.follows, ticket.firing) == ("W-2026-00001", 5)


def test_of_orders_one_of_which_cannot_be_done_none_is(bench: Bench) -> None:
    orders = [bench.order("open"), bench.order("open", device="em-2", severity="huge")]  # type: ignore[arg-type] # wrong on purpose
    with pytest.raises(KeyError):
        bench.desk.apply(orders, 9)
    assert (everything(bench), bench.desk.position()) == ([], 0)
    bench.desk.apply(orders[:1], 9)
    assert (everything(bench), bench.desk.position()) == (["W-2026-00001"], 9)


def test_what_joins_before_its_lead_is_told_goes_to_the_leads_ticket(bench: Bench) -> None:
    opened = bench.opened["silent", "gw"] = START
    bench.do("join", "silent", "em-1", lead=("silent", ("device", "gw"), opened))
    assert bench.desk.show("1").ticket.subject_id == "em-1"
    bench.do("open", "silent", "gw")
    assert bench.desk.show("1").ticket.state == "cancelled"
    assert bench.desk.show("2").ticket.firing == 2


def test_a_rule_without_ticket_opens_none(bench: Bench) -> None:
    bench.do("hold", "no-ticket", reason="maintenance 1")
    bench.do("open", "no-ticket")
    bench.do("clear", "no-ticket")
    assert everything(bench) == []


def test_an_alert_of_a_rule_that_is_gone_still_opens_a_ticket(bench: Bench) -> None:
    bench.do("open", "gone-since")
    assert bench.desk.show("1").ticket.title == "gone-since: em-1"


def test_an_amendment_is_seen_in_the_history(bench: Bench) -> None:
    bench.do("open")
    bench.do("amend", since=START - 60, why="began_earlier")
    file = bench.desk.show("1")
    assert file.ticket.since == START - 60
    assert file.events[-1].kind == "amended"
    assert file.events[-1].details["before"] == START
    assert file.events[-1].details["cause"] == "began_earlier"


def test_an_alert_that_ends_with_its_rule_proves_nothing(bench: Bench) -> None:
    bench.do("open")
    bench.do("clear", why="rule changed")
    assert bench.desk.show("1").ticket.state == "new"
    assert bench.counter.resolve("1", "li").state == "resolved"


def test_an_end_that_nobody_waits_for_changes_nothing(bench: Bench) -> None:
    bench.opened["plain", "em-1"] = START
    assert bench.desk.apply([bench.order("amend"), bench.order("clear")]) == []


# ── verification ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_done_is_closed_once_the_telemetry_has_stayed_good(bench: Bench) -> None:
    bench.do("open", "waits-verified")
    bench.counter.take("1", "li")
    bench.do("clear", "waits-verified")
    assert bench.desk.show("1").ticket.state == "in_progress"
    bench.clock.pass_("5h")
    assert bench.counter.finish("1", "li").state == "done"
    assert bench.desk.tick(bench.clock.pass_("119m")) == []
    assert [ticket.state for ticket in bench.desk.tick(bench.clock.pass_("1m"))] == ["closed"]
    assert bench.desk.show("1").ticket.owner == "li"


def test_done_is_reopened_with_the_evidence_where_the_alert_comes_back(bench: Bench) -> None:
    bench.do("open", "verified")
    bench.counter.take("1", "li")
    bench.counter.finish("1", "li")
    bench.do("clear", "verified")
    assert bench.desk.show("1").ticket.state == "done"
    bench.clock.pass_("90m")
    bench.do("open", "verified", value=281.0)
    file = bench.desk.show("1")
    assert (file.ticket.state, file.ticket.owner) == ("in_progress", "li")
    assert file.events[-1].details == {"why": "alerted", "evidence": file.ticket.evidence}
    assert file.ticket.evidence["value"] == 281.0


def test_done_is_reopened_where_the_alert_does_not_end(bench: Bench) -> None:
    bench.do("open", "verified")
    bench.counter.take("1", "li")
    bench.counter.finish("1", "li")
    bench.desk.tick(bench.clock.pass_("2h"))
    file = bench.desk.show("1")
    assert file.ticket.state == "in_progress"
    assert file.events[-1].details["why"] == "still_firing"


def test_without_verification_done_is_resolved_when_the_alert_ends(bench: Bench) -> None:
    bench.do("open", "waits")
    assert bench.counter.finish("1", "li").state == "done"
    bench.do("clear", "waits")
    assert bench.desk.show("1").ticket.state == "resolved"


# ── deadlines ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_acknowledging_stops_the_first_clock_and_not_the_second(bench: Bench) -> None:
    bench.do("open", "silent", severity="critical")  # P1: 15 minutes, 4 hours
    bench.desk.tick(bench.clock.pass_("8m"))
    assert bench.desk.show("1").ticket.escalations == ["response 50%"]
    bench.counter.acknowledge("1", "li")
    bench.desk.tick(bench.clock.pass_("3h20m"))
    ticket = bench.desk.show("1").ticket
    assert ticket.escalations == ["response 50%", "resolution 80%"]
    assert (ticket.state, ticket.response_due, ticket.resolution_due) == ("new", None, START + 4 * 3_600_000_000_000)


def test_a_changed_plan_works_deadlines_out_anew(tmp_path: Path) -> None:
    team = {
        "people": {"li": {}},
        "teams": {"t": {"members": ["li"], "calendar": "day"}},
        "categories": {"other": {"team": "t"}},
    }
    database = open_file(tmp_path)
    day = {"calendars": {"day": {"hours": "09:00-17:00"}}}
    bench = Bench(database, team, calendars=day)
    bench.do("open")
    assert bench.desk.show("1").ticket.response_due == START + 5 * 3_600_000_000_000  # from 9 o'clock, within 4 h
    again = Bench(database, team, calendars={"calendars": {"day": {"hours": "10:00-17:00"}}})
    assert again.desk.show("1").ticket.response_due == START + 6 * 3_600_000_000_000
    database.close()


def test_overdue_tickets_are_found_and_the_most_urgent_come_first(bench: Bench) -> None:
    bench.do("open", "plain", "em-1")
    bench.do("open", "plain", "em-2", severity="critical")
    bench.do("open", "plain", "em-3", severity="major")
    assert [ticket.priority for ticket in bench.desk.list(Filter())] == [1, 2, 3]
    late = bench.desk.list(Filter(overdue_at=bench.clock.pass_("30m")))
    assert [ticket.number for ticket in late] == ["W-2026-00002"]
    bench.counter.acknowledge("2", "li")
    assert bench.desk.list(Filter(overdue_at=bench.clock.now)) == []
    assert [t.number for t in bench.desk.list(Filter(overdue_at=bench.clock.pass_("4h")), "deadline")] == [
        "W-2026-00003",
        "W-2026-00002",
        "W-2026-00001",
    ]


def test_orders_of_another_kind_of_subject(bench: Bench) -> None:
    bench.do("open", "plain", "A/1F", subject="floor")
    assert bench.desk.show("1").ticket.place == "A/1F"
    assert isinstance(bench.order("clear", "plain", "A/1F", subject="floor"), Order)
