"""The queue: tickets to look at, by what they are and in which order; and one ticket with everything about it."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, and_, case, or_, select

from tickets.book import read_event, read_ticket
from tickets.errors import UnknownTicket
from tickets.tables import ALERTS, EVENTS, TICKETS
from tickets.ticket import OVER, RUNNING, STATES, Event, Kind, State, Ticket

Order: TypeAlias = Literal["priority", "deadline", "opened"]

_CHUNK = 500
"""Numbers in one question: every database takes so many."""

OPEN: tuple[State, ...] = tuple(state for state in STATES if state not in OVER)


class Filter(Struct, frozen=True, kw_only=True):
    """Which tickets; what is left out is any.

    Attributes:
        states: one of these; without any, all.
        kind: see `tickets.ticket.Kind`.
        team: id.
        owner: id of a person.
        requester: likewise.
        category: id.
        overdue_at: those whose response or work is late at this time, UTC ns.
    """

    states: Sequence[State] = OPEN
    kind: Kind | None = None
    team: str | None = None
    owner: str | None = None
    requester: str | None = None
    category: str | None = None
    overdue_at: int | None = None


class Member(Struct, frozen=True):
    """An alert of a ticket, or one that is its consequence.

    Attributes:
        rule: id.
        subject_kind: what it is about.
        subject_id: likewise.
        since: when the condition came true, UTC ns.
        severity: the rule's.
        evidence: the latest.
        cleared_at: when it was over; None while it is not.
        affected: it has no ticket, because this one explains it.
    """

    rule: str
    subject_kind: str
    subject_id: str
    since: int
    severity: str
    evidence: dict[str, Any]
    cleared_at: int | None
    affected: bool


class File(Struct, frozen=True):
    """One ticket with everything about it."""

    ticket: Ticket
    events: list[Event]
    members: list[Member]


def list_tickets(
    connection: Connection, site: str, wanted: Filter, order: Order = "priority", most: int | None = None
) -> list[Ticket]:
    """Tickets of a site.

    Args:
        connection: to the desk's database.
        site: id.
        wanted: which.
        order: priority: the most important, of these the nearest deadline first; deadline: the nearest first;
            opened: the newest first.
        most: how many at most.
    """
    columns = TICKETS.c
    waiting = columns.responded_at.is_(None)
    deadline = case(
        (columns.state.not_in(RUNNING), None),
        (and_(waiting, columns.response_due < columns.resolution_due), columns.response_due),
        (and_(waiting, columns.resolution_due.is_(None)), columns.response_due),
        else_=columns.resolution_due,
    )
    orders: dict[Order, tuple[ColumnElement[Any], ...]] = {
        "priority": (columns.priority, deadline.asc().nulls_last(), columns.id),
        "deadline": (deadline.asc().nulls_last(), columns.priority, columns.id),
        "opened": (columns.id.desc(),),
    }
    found = select(TICKETS).where(columns.site == site, *_conditions(wanted)).order_by(*orders[order]).limit(most)
    return [read_ticket(row) for row in connection.execute(found)]


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    columns = TICKETS.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.states:
        conditions.append(columns.state.in_(wanted.states))
    for name in ("kind", "team", "owner", "requester", "category"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(columns[name] == value)
    if wanted.overdue_at is not None:
        unanswered = and_(columns.responded_at.is_(None), columns.response_due <= wanted.overdue_at)
        unfinished = columns.resolution_due <= wanted.overdue_at
        conditions += [columns.state.in_(RUNNING), or_(unanswered, unfinished)]
    return conditions


def open_file(connection: Connection, site: str, number: str) -> File:
    """One ticket with its history, its alerts and their consequences.

    Raises:
        UnknownTicket: there is none of this number.
    """
    row = connection.execute(select(TICKETS).where(TICKETS.c.site == site, TICKETS.c.number == number)).first()
    if row is None:
        raise UnknownTicket(f"there is no ticket {number}; see: siteward tickets list --state all")
    history = select(EVENTS).where(EVENTS.c.ticket_id == row.id).order_by(EVENTS.c.number)
    keys = select(ALERTS.c.key).where(ALERTS.c.ticket_id == row.id)
    its = or_(ALERTS.c.ticket_id == row.id, and_(ALERTS.c.site == site, ALERTS.c.cause.in_(keys)))
    members = [_read_member(alert) for alert in connection.execute(select(ALERTS).where(its).order_by(ALERTS.c.id))]
    return File(read_ticket(row), [read_event(each) for each in connection.execute(history)], members)


def list_members(connection: Connection, site: str, numbers: Sequence[str]) -> dict[str, list[Member]]:
    """The alerts of tickets by their numbers, without consequences; a ticket that has none is absent."""
    found: dict[str, list[Member]] = {}
    for at in range(0, len(numbers), _CHUNK):
        its = (TICKETS.c.site == site, TICKETS.c.number.in_(numbers[at : at + _CHUNK]))
        alerts = select(ALERTS, TICKETS.c.number).join(TICKETS, ALERTS.c.ticket_id == TICKETS.c.id).where(*its)
        for alert in connection.execute(alerts.order_by(ALERTS.c.id)):
            found.setdefault(alert.number, []).append(_read_member(alert))
    return found


def _read_member(alert: Row[Any]) -> Member:
    return Member(
        alert.rule,
        alert.subject_kind,
        alert.subject_id,
        alert.since,
        alert.severity,
        alert.evidence,
        alert.cleared_at,
        alert.ticket_id is None,
    )
