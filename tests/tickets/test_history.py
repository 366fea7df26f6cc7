"""Whatever happens to tickets: their rows are what their events say, and nothing is lost or counted twice."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from rules.alerts import SEVERITIES
from rules.orders import Order, OrderKind
from tests.deskbench import DEVICES, Bench, open_file
from tickets.book import read_event, read_ticket
from tickets.database import Database
from tickets.errors import NotAllowed, Overtaken, UnknownTicket
from tickets.history import find_step, follow, replay
from tickets.schedule import plan_ticket
from tickets.tables import ALERTS, EVENTS, NAMES, OUTBOX, TICKETS
from tickets.ticket import OVER, PAUSES, STATES, STEPS, Event, Rating, State, Ticket

PLAN: dict[str, object] = {
    "people": {"li": {}, "wang": {}, "zhao": {}},
    "teams": {"t": {"members": ["li", "wang"], "lead": "zhao", "calendar": "day"}},
    "categories": {"other": {"team": "t"}},
}
CALENDARS = {"calendars": {"day": {"days": ["mon", "tue", "wed"], "hours": "08:00-18:00"}}}
RULE_IDS = ["plain", "verified", "waits", "waits-verified", "silent", "no-ticket"]
DEVICE_IDS = ["gw", "em-1", "em-2"]
PEOPLE = ["li", "wang", "zhao", "guest"]

alerts = st.tuples(
    st.sampled_from(["open", "join", "hold", "amend", "clear", "clear"]),
    st.sampled_from(RULE_IDS),
    st.sampled_from(DEVICE_IDS),
    st.integers(0, 5),
)
times = st.tuples(st.just("pass"), st.sampled_from(["1m", "30m", "2h", "25h", "4d"]))
REQUESTS = [
    "acknowledge", "take", "assign", "hand_over", "comment", "wait", "resume", "finish", "resolve", "close", "reopen",
    "cancel", "rate", "prioritise", "open",
]  # fmt: skip
requests = st.tuples(
    st.sampled_from(REQUESTS),
    st.integers(1, 4),
    st.sampled_from(PEOPLE),
)
days = st.lists(st.one_of(alerts, alerts, requests, times), max_size=30)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = open_file(Path(tmp_path_factory.mktemp("history")))
    yield database
    database.close()


class Office:
    """Does what a drawn day says, as the dispatcher and people would."""

    def __init__(self, database: Database) -> None:
        with database.write() as connection:
            for table in reversed(NAMES.sorted_tables):
                connection.execute(delete(table))
        self.bench = Bench(database, PLAN, DEVICES, calendars=CALENDARS)
        self.orders: list[Order] = []
        self._serials: dict[tuple[str, str], int] = {}
        self._leads: list[Any] = []
        self._placed: set[tuple[str, str]] = set()

    def do(self, action: tuple[Any, ...]) -> None:
        if action[0] == "pass":
            self.bench.desk.tick(self.bench.clock.pass_(action[1]))
        elif len(action) == 4:
            self._alert(*action)
        else:
            with suppress(NotAllowed, Overtaken, UnknownTicket):
                self._ask(*action)

    def _alert(self, kind: OrderKind, rule: str, device: str, choice: int) -> None:
        key = (rule, device)
        known = key in self.bench.opened
        details: dict[str, Any] = {}
        if key in self._placed and kind in {"open", "hold"}:
            kind = "join"  # the dispatcher places once; later it only moves
        leads = [lead for lead in self._leads if lead[:2] != (rule, ("device", device))]
        if kind == "join" and leads:
            details["lead"] = leads[choice % len(leads)]
        elif kind == "join":
            kind = "open"
        elif kind == "hold":
            details["reason"] = f"maintenance {choice}"
            if leads and choice % 2:
                details["cause"] = leads[choice % len(leads)]
        if kind in {"amend", "clear"}:
            if not known:
                return
            self._serials[key] = details["serial"] = self._serials.get(key, 0) + 1
        elif not known:
            self._serials[key] = 0
        details["severity"] = SEVERITIES[choice % len(SEVERITIES)]
        order = self.bench.order(kind, rule, device, **details)
        self.orders.append(order)
        if kind in {"open", "join"}:
            self._leads.append(self.bench.key(rule, device))
            self._placed.add(key)
        self._placed -= {key} if kind == "clear" else set()
        self.bench.desk.apply([order], len(self.orders))

    def _ask(self, what: str, number: int, who: str) -> None:
        counter, ticket = self.bench.counter, str(number)
        match what:
            case "assign" | "hand_over":
                getattr(counter, what)(ticket, who, PEOPLE[number - 1])
            case "wait":
                counter.wait(ticket, who, PAUSES[number % len(PAUSES)])
            case "rate":
                counter.rate(ticket, who, Rating(number, 1, 5))
            case "prioritise":
                counter.prioritise(ticket, who, "high", "critical", "it floods")
            case "open":
                counter.open(who, "repair", f"lamp {number}")
            case _:
                getattr(counter, what)(ticket, who, "because")


@given(days)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_rows_are_what_events_say(database: Database, day: list[tuple[Any, ...]]) -> None:
    office = Office(database)
    for action in day:
        office.do(action)
    with database.read() as connection:
        rows = list(connection.execute(select(TICKETS).order_by(TICKETS.c.id)))
        for row in rows:
            history = select(EVENTS).where(EVENTS.c.ticket_id == row.id).order_by(EVENTS.c.number)
            events = [read_event(each) for each in connection.execute(history)]
            dispatch = office.bench.desk.dispatch
            ticket = replay(events)
            assert [event.number for event in events] == list(range(1, len(events) + 1))
            assert sorted(event.at for event in events) == [event.at for event in events]
            assert plan_ticket(ticket, events, dispatch.plan.escalation, dispatch.hours(ticket.hours)) == read_ticket(
                row
            )
            members = list(connection.execute(select(ALERTS).where(ALERTS.c.ticket_id == row.id)))
            assert sum(member.cleared_at is None for member in members) == row.firing
        waiting = [row.fingerprint for row in rows if row.state not in OVER and row.fingerprint]
        assert len(waiting) == len(set(waiting))
        for alert in connection.execute(select(ALERTS)):
            assert (alert.ticket_id is None) == bool(alert.held)
        before = {table.name: list(connection.execute(select(table))) for table in (TICKETS, EVENTS, ALERTS, OUTBOX)}
    office.bench.clock.pass_("1m")
    office.bench.desk.apply(office.orders, 0)
    for order in office.orders:
        office.bench.desk.apply([order])
    office.bench.desk.use(office.bench.desk.plan, office.bench.site, list(office.bench.desk.rules.values()))
    with database.read() as connection:
        for table in (TICKETS, EVENTS, ALERTS, OUTBOX):
            assert list(connection.execute(select(table))) == before[table.name]


# ── states ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def make(state: State, owner: str = "") -> Ticket:
    return Ticket(
        site="s", number="W-2026-00001", kind="repair", category="other", title="t", opened_at=0, version=1,
        updated_at=0, state=state, owner=owner,
    )  # fmt: skip


def test_every_state_that_is_not_over_leads_to_an_end() -> None:
    reached = set(OVER)
    for _ in STATES:
        reached |= {before for (before, _), after in STEPS.items() if after in reached}
    assert reached == set(STATES)


def test_what_cannot_happen_says_what_can() -> None:
    with pytest.raises(NotAllowed, match="W-2026-00001 is waiting and cannot be taken; possible: handed_over, resumed"):
        find_step(make("waiting"), "taken")
    with pytest.raises(NotAllowed, match="only one that is closed, resolved can be rated"):
        find_step(make("new"), "rated")
    with pytest.raises(NotAllowed, match="begins with being opened"):
        follow(None, Event(1, 0, "", "taken"))
    with pytest.raises(NotAllowed, match="cannot be opened"):
        find_step(make("new"), "opened")
    with pytest.raises(ValueError, match="without events"):
        replay([])


def test_reopened_work_goes_back_to_its_owner_and_to_nobody_where_there_is_none() -> None:
    assert find_step(make("done", owner="li"), "reopened") == "in_progress"
    assert find_step(make("resolved"), "reopened") == "new"
    after = follow(make("closed", owner="li"), Event(2, 5, "li", "reopened"))
    assert (after.state, after.owner) == ("new", "")
