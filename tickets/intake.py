"""The intake: what the desk does about orders, within one transaction. Doing an order again changes nothing.

Placements (`open`, `join`, `hold`) say where an alert belongs, and are known by where it already is; `amend` and
`clear` are known by their serial. An alert may be placed anew: what opened a ticket of its own joins another later,
and its own ticket, where nothing else is left in it, ends as part of that.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from msgspec import Struct, field

from rules.alerts import Subject, Transition
from rules.orders import Order, OrderKind
from rules.rule import Rule, TicketPlan
from rules.site import Site
from tickets.alertbook import AlertBook, AlertRow, fingerprint_of, key_of, write_key
from tickets.book import Book, Case
from tickets.dispatch import Dispatch
from tickets.priority import URGENCY_OF, Impact, find_worst
from tickets.ticket import RUNNING, EventKind, Ticket
from tickets.titles import Language, find_place, plain_evidence, write_title

NAMED = 20
"""How many members an event names; the ticket's alerts name all."""


_NO_TICKET = "its rule asks for no ticket"


class _Pending(Struct):
    """What is happening to a ticket, not yet an event: a storm of joins is one line of its history."""

    kind: EventKind
    reason: str
    rows: list[AlertRow] = field(default_factory=list)


class Intake:
    """Takes the orders of one transaction."""

    def __init__(
        self,
        book: Book,
        alerts: AlertBook,
        dispatch: Dispatch,
        site: Site,
        rules: Mapping[str, Rule],
        language: Language,
        now: int,
    ) -> None:
        self._book, self._alerts, self._dispatch = book, alerts, dispatch
        self._site, self._rules, self._language, self._now = site, rules, language, now
        self._cases: dict[int, Case] = {}
        self._tickets: dict[str, int] = {}  # fingerprint -> id of the open ticket with such alerts
        self._pending: dict[int, _Pending] = {}
        self._takers: Mapping[OrderKind, Callable[[Order], None]] = {
            "open": self._open,
            "join": self._join,
            "hold": self._hold,
            "amend": self._amend,
            "clear": self._clear,
        }

    def take(self, orders: Sequence[Order]) -> list[Ticket]:
        """Does what orders say, writes it, and returns the tickets to which something happened."""
        self._load(orders)
        for order in orders:
            self._takers[order.kind](order)
        for id_ in list(self._pending):
            self._flush(id_)
        tickets = self._book.save(self._cases.values())
        self._alerts.save()
        return tickets

    def _load(self, orders: Sequence[Order]) -> None:
        keys = {key_of(order.transition) for order in orders}
        leads = {write_key(key) for order in orders for key in (order.lead, order.cause) if key is not None}
        self._alerts.load(keys | leads)
        self._alerts.load_below({key_of(order.transition) for order in orders if order.kind == "open"})
        placed = {fingerprint_of(order.transition) for order in orders if order.kind in {"open", "join"}}
        self._tickets = self._alerts.find_tickets(placed)
        rows = filter(None, map(self._alerts.find, keys | leads))
        ids = {row.ticket_id for row in rows if row.ticket_id is not None}
        self._cases = {case.id: case for case in self._book.load(ids.union(self._tickets.values()))}

    # ── placing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self, order: Order) -> None:
        row = self._begin(order.transition)
        if row is None or row.ticket_id is not None:
            return
        case = self._find_open(row.fingerprint)
        if case is None:
            plan = self._find_plan(row.rule)
            if plan is None:
                row.held = _NO_TICKET
                return
            case = self._open_ticket(plan, order.transition)
            self._put(row, case)
        else:
            self._put(row, case)
            self._gather(case, "alerted", row)
        for waiting in self._alerts.list_waiting(row.key):
            self._move(waiting, case, "")
        for explained in self._alerts.list_explained(row.key):
            self._gather(case, "affected", explained, explained.held)

    def _join(self, order: Order) -> None:
        row = self._begin(order.transition)
        if row is None or order.lead is None or (lead_key := write_key(order.lead)) in row.leads:
            return
        row.leads = [*row.leads, lead_key]
        lead = self._alerts.find(lead_key)
        if lead is not None and lead.ticket_id is not None:
            self._move(row, self._find_leading(self._case(lead.ticket_id), row, order.transition), order.reason)
            return
        row.awaits = lead_key  # the lead's own ticket is still to come
        if row.ticket_id is None:
            self._open(order)

    def _find_leading(self, lead: Case, row: AlertRow, transition: Transition) -> Case:
        """The lead's ticket; where that is over, the one that goes on from it, or one that the alert has anyway."""
        if lead.ticket.open:
            return lead
        follower = self._book.find_follower(lead.ticket.number)
        if follower is not None:
            return self._case(follower)
        plan = self._find_plan(row.rule) or TicketPlan()
        return self._find_open(row.fingerprint) or self._open_ticket(
            plan, transition, follows=lead.ticket.number, alerts=0
        )

    def _move(self, row: AlertRow, case: Case, reason: str) -> None:
        """Puts an alert into a ticket, out of the one that it is in."""
        before = None if row.ticket_id is None else self._case(row.ticket_id)
        row.awaits = ""
        self._alerts.change(row)
        if before is case:
            return
        if before is not None:
            self._flush(before.id)
            before.add("left", self._now, count=1, alerts=[_name(row)], into=case.ticket.number)
            if before.ticket.open and not before.ticket.firing:
                before.add("cancelled", self._now, into=case.ticket.number)
        self._put(row, case)
        self._gather(case, "joined", row, reason)

    def _hold(self, order: Order) -> None:
        row = self._begin(order.transition)
        cause = write_key(order.cause) if order.cause is not None else ""
        why = cause or order.reason
        if row is None or row.ticket_id is not None or why in row.holds:
            return
        row.holds = [*row.holds, why]
        row.held = order.reason if self._find_plan(row.rule) else _NO_TICKET
        row.cause = cause
        if cause:
            above = self._alerts.find(cause)
            if above is not None and above.ticket_id is not None:
                self._gather(self._case(above.ticket_id), "affected", row, order.reason)

    def _begin(self, transition: Transition) -> AlertRow | None:
        """The alert that is to be placed; None where it is over, so that this was done before."""
        row = self._alerts.find(key_of(transition))
        if row is None:
            return self._alerts.begin(transition)
        if row.cleared_at is not None:
            return None
        self._alerts.change(row)
        return row

    def _put(self, row: AlertRow, case: Case) -> None:
        row.ticket_id, row.held, row.cause = case.id, "", ""
        self._tickets[row.fingerprint] = case.id
        self._alerts.change(row)

    def _open_ticket(self, plan: TicketPlan, transition: Transition, *, follows: str = "", alerts: int = 1) -> Case:
        place = find_place(transition, self._site)
        team = self._dispatch.find_team(plan.category, place)
        impact = self._dispatch.find_impact(plan.category, place)
        promise = self._dispatch.promise(impact, URGENCY_OF[transition.severity], team)
        case = self._book.open(
            self._now,
            **promise._asdict(),
            kind="incident",
            category=plan.category,
            title=write_title(plan.title, self._name_rule(transition.rule), transition, self._site, self._language),
            place=place,
            team=team,
            assignee=self._dispatch.find_on_duty(team, self._now),
            rule=transition.rule,
            subject_kind=transition.subject.kind,
            subject_id=transition.subject.id,
            since=transition.since,
            severity=transition.severity,
            evidence=plain_evidence(transition.evidence),
            runbook=plan.runbook,
            follows=follows,
            clears=plan.clears,
            quiet_for=plan.verify.quiet_for if plan.verify else None,
            close_after=self._dispatch.plan.close_after,
            firing=alerts,
            alerts=alerts,
        )
        self._cases[case.id] = case
        return case

    # ── what happens to alerts that are placed ───────────────────────────────────────────────────────────────────

    def _amend(self, order: Order) -> None:
        row = self._step(order.transition)
        if row is None:
            return
        transition, before = order.transition, row.since
        row.since, row.evidence = transition.since, plain_evidence(transition.evidence)
        if row.ticket_id is None:
            return
        case = self._case(row.ticket_id)
        self._flush(case.id)
        details: dict[str, Any] = {
            "cause": transition.cause,
            "alert": _name(row),
            "alert_since": row.since,
            "before": before,
        }
        if row.fingerprint == case.ticket.fingerprint:
            details |= {"since": row.since, "evidence": row.evidence}
        case.add("amended", self._now, **details)

    def _clear(self, order: Order) -> None:
        row = self._step(order.transition)
        if row is None:
            return
        row.cleared_at, row.awaits = order.transition.at, ""
        if row.ticket_id is not None:
            self._gather(self._case(row.ticket_id), "cleared", row, order.transition.cause)

    def _step(self, transition: Transition) -> AlertRow | None:
        """The alert, where this step of it is new; None where it is not, or where nobody has heard of the alert."""
        row = self._alerts.find(key_of(transition))
        if row is None or transition.serial <= row.serial:
            return None
        row.serial = transition.serial
        self._alerts.change(row)
        return row

    # ── histories ────────────────────────────────────────────────────────────────────────────────────────────────

    def _gather(self, case: Case, kind: EventKind, row: AlertRow, reason: str = "") -> None:
        pending = self._pending.get(case.id)
        if pending is None or (pending.kind, pending.reason) != (kind, reason):
            self._flush(case.id)
            pending = self._pending[case.id] = _Pending(kind, reason)
        pending.rows.append(row)

    def _flush(self, id_: int) -> None:
        """Makes what was gathered for a ticket an event, and draws the conclusion from it."""
        pending = self._pending.pop(id_, None)
        if pending is None:
            return
        case, rows = self._cases[id_], pending.rows
        details: dict[str, Any] = {
            "count": len(rows),
            "alerts": [_name(row) for row in rows[:NAMED]],
            "reason": pending.reason,
        }
        if pending.kind == "cleared":
            case.add("cleared", self._now, **details, quiet_since=max(row.cleared_at or 0 for row in rows))
            if not pending.reason:
                self._settle(case)
            return
        if pending.kind == "affected":
            case.add("affected", self._now, **details)
            return
        evidence = rows[-1].evidence
        case.add(pending.kind, self._now, **details, evidence=evidence)
        if case.ticket.state in {"done", "resolved"}:
            case.add("reopened", self._now, why="alerted", evidence=evidence)
        self._raise(case, rows)

    def _raise(self, case: Case, rows: Sequence[AlertRow]) -> None:
        """An alert worse than all before raises the priority; nothing lowers it again but a person."""
        ticket = case.ticket
        worst = find_worst([ticket.severity, *(row.severity for row in rows)])
        if not ticket.open or worst == ticket.severity:
            return
        promise = self._dispatch.promise(cast("Impact", ticket.impact), URGENCY_OF[worst], ticket.team)
        if promise.priority < ticket.priority:
            case.add("prioritised", self._now, severity=worst, **promise._asdict())

    def _settle(self, case: Case) -> None:
        """The telemetry itself shows that something is over: where it was all, the ticket may be resolved."""
        ticket = case.ticket
        waits = ticket.state in RUNNING or ticket.state == "waiting"
        called_done = ticket.state == "done" and ticket.quiet_for is None
        if not ticket.firing and (called_done or (waits and ticket.clears == "resolve")):
            case.add("resolved", self._now)

    # ── looking things up ────────────────────────────────────────────────────────────────────────────────────────

    def _case(self, id_: int) -> Case:
        if id_ not in self._cases:
            self._cases[id_] = self._book.load([id_])[0]
        return self._cases[id_]

    def _find_open(self, fingerprint: str) -> Case | None:
        """The open ticket that has an alert of the same rule and subject."""
        id_ = self._tickets.get(fingerprint)
        case = None if id_ is None else self._case(id_)
        return case if case is not None and case.ticket.open else None

    def _find_plan(self, rule: str) -> TicketPlan | None:
        """What the rule says of its tickets; of one that is gone meanwhile, the defaults."""
        return self._rules[rule].ticket if rule in self._rules else TicketPlan()

    def _name_rule(self, id_: str) -> str:
        return self._rules[id_].name.pick(self._language, id_) if id_ in self._rules else id_


def _name(row: AlertRow) -> str:
    return str(Subject(row.subject_kind, row.subject_id))
