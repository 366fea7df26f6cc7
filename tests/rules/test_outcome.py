"""The outcome of orders: which alerts and tickets there would be."""

from hypothesis import given
from hypothesis import strategies as st

from rules.alerts import NOTHING, Subject, Transition
from rules.judge import Judge
from rules.orders import AlertKey, Order, OrderKind
from rules.outcome import Outcome
from tests.rulebench import START, after, make_site, read_rules, reading

RULES = read_rules("""
- {id: a, when: {threshold: {point: power_kw, above: 5 kW}}}
- {id: wait, when: {threshold: {point: power_kw, above: 5 kW}}, ticket: {clears: wait}}
- {id: none, when: {threshold: {point: power_kw, above: 5 kW}}, ticket: null}
- {id: group, when: {threshold: {point: power_kw, above: 5 kW}}, ticket: {group: {by: site, within: 1h}}}
""")


def key(rule: str, device: str, opened: int) -> AlertKey:
    return rule, ("device", device), opened


def order(
    kind: OrderKind, rule: str, device: str, opened: int, at: int = 0, lead: AlertKey | None = None, reason: str = ""
) -> Order:
    step = {"amend": "amended", "clear": "resolved"}.get(kind, "fired")
    told = Transition(step, rule, Subject("device", device), opened, 0, at or opened, opened, "minor", NOTHING)  # type: ignore[arg-type] # one of its words
    return Order(kind, told, lead, reason)


def test_an_alert_opens_a_ticket_and_ends_it() -> None:
    outcome = Outcome(RULES)
    outcome.take([order("open", "a", "m", 10)], 60)
    (ticket,) = outcome.open_tickets()
    assert (ticket.opened, ticket.over, ticket.first.key) == (10, None, key("a", "m", 10))
    assert outcome.firing() == ticket.alerts
    outcome.take([order("clear", "a", "m", 10, 25)], 60)
    assert (ticket.over, outcome.open_tickets(), outcome.firing()) == (25, [], [])
    outcome.take([order("open", "a", "m", 30)], 60)
    assert len(outcome.tickets) == 2


def test_a_ticket_that_waits_for_people_takes_the_next_alert() -> None:
    outcome = Outcome(RULES)
    outcome.take(
        [order("open", "wait", "m", 10), order("clear", "wait", "m", 10, 20), order("open", "wait", "m", 30)], 60
    )
    (ticket,) = outcome.open_tickets()
    assert [alert.transition.opened for alert in ticket.alerts] == [10, 30]


def test_held_and_then_placed() -> None:
    outcome = Outcome(RULES)
    outcome.take([order("hold", "a", "m", 10, reason="maintenance 1")], 60)
    (alert,) = outcome.firing()
    assert (alert.reason, alert.ticket, outcome.open_tickets()) == ("maintenance 1", None, [])
    outcome.take([order("open", "a", "m", 10)], 60)
    assert (alert.ticket, outcome.open_tickets()[0].opened) == (alert.key, 60)


def test_what_joins_another_takes_its_ticket_away() -> None:
    outcome = Outcome(RULES)
    outcome.take([order("open", "a", "m", 10), order("open", "a", "gw", 20)], 60)
    outcome.take([order("join", "a", "m", 10, lead=key("a", "gw", 20), reason="device gw")], 60)
    (ticket,) = outcome.open_tickets()
    assert (ticket.lead, [alert.key[1][1] for alert in ticket.alerts]) == (key("a", "gw", 20), ["gw", "m"])
    outcome.take([order("clear", "a", "gw", 20, 30)], 60)
    assert ticket.over is None  # one of them is still there
    outcome.take([order("clear", "a", "m", 10, 40)], 60)
    assert ticket.over == 40


def test_a_lead_without_a_ticket_gives_none() -> None:
    outcome = Outcome(RULES)
    outcome.take([order("open", "none", "gw", 10), order("join", "none", "m", 20, lead=key("none", "gw", 10))], 60)
    assert outcome.tickets == {}
    assert [alert.reason for alert in outcome.firing()] == ["its rule asks for no ticket"] * 2


def test_amendments_are_kept() -> None:
    outcome = Outcome(RULES)
    outcome.take([order("open", "a", "m", 10), order("amend", "a", "m", 10, 15)], 60)
    assert outcome.firing()[0].transition.kind == "amended"


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.booleans()), max_size=30))
def test_orders_of_a_judge_leave_every_alert_in_one_ticket_or_none(steps: list[tuple[str, bool]]) -> None:
    site = make_site([{"id": name, "kind": "electricity_meter"} for name in "xyz"])
    judge, outcome = Judge(RULES, site, after("0s", START)), Outcome(RULES)
    for minute, (device, high) in enumerate(steps):
        outcome.take(judge.evaluate(reading(device, after(f"{minute}m"), power_kw=6 if high else 1)), 0)
    members = [alert.key for ticket in outcome.tickets.values() for alert in ticket.alerts]
    assert len(members) == len(set(members))
    assert set(members) == {alert.key for alert in outcome.alerts.values() if alert.ticket is not None}
    assert {alert.key for alert in outcome.firing()} == {
        (alert.rule, tuple(alert.subject), alert.opened) for alert in judge.alerts() if alert.opened is not None
    }
    assert all(alert.transition.rule != "none" or alert.ticket is None for alert in outcome.alerts.values())
