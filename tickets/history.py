"""Histories: from a ticket's events to the ticket. Pure; the only way in which a ticket comes about or changes."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from msgspec import convert
from msgspec.structs import replace

from tickets.errors import NotAllowed
from tickets.ticket import REMARKS, RESPONSES, STEPS, Event, EventKind, Rating, State, Ticket

_Changes: TypeAlias = dict[str, Any]


def replay(events: Iterable[Event]) -> Ticket:
    """The ticket that a history leaves.

    Raises:
        NotAllowed: the history could not have happened.
        ValueError: it is empty.
    """
    ticket = None
    for event in events:
        ticket = follow(ticket, event)
    if ticket is None:
        raise ValueError("a history without events is no ticket's")
    return ticket


def follow(ticket: Ticket | None, event: Event) -> Ticket:
    """The ticket after one more event.

    Raises:
        NotAllowed: it cannot happen to the ticket as it stands.
    """
    if ticket is None:
        if event.kind != "opened":
            raise NotAllowed(f"a ticket begins with being opened, not {event.kind}")
        begin = {"opened_at": event.at, "version": event.number, "updated_at": event.at}
        return convert(event.details | begin, Ticket)
    state = find_step(ticket, event.kind)
    changes: _Changes = {"state": state, "version": event.number, "updated_at": event.at}
    if event.kind in RESPONSES and event.who and ticket.responded_at is None:
        changes["responded_at"] = event.at
    if state != "waiting":
        changes["waiting_for"] = ""
    change = _CHANGES.get(event.kind)
    if change is not None:
        changes |= change(ticket, event)
    return replace(ticket, **changes)


def find_step(ticket: Ticket, kind: EventKind) -> State:
    """The state after an event of a kind.

    Raises:
        NotAllowed: it cannot happen in the ticket's state; says what could.
    """
    if kind in REMARKS:
        if ticket.state in REMARKS[kind]:
            return ticket.state
        states = ", ".join(sorted(REMARKS[kind]))
        raise NotAllowed(f"{ticket.number} is {ticket.state}; only one that is {states} can be {kind}")
    state = STEPS.get((ticket.state, kind))
    if state is None:
        possible = ", ".join(step for before, step in STEPS if before == ticket.state)
        raise NotAllowed(f"{ticket.number} is {ticket.state} and cannot be {kind}; possible: {possible}")
    return "new" if state == "in_progress" and kind == "reopened" and not ticket.owner else state


def _alert(ticket: Ticket, event: Event) -> _Changes:
    count = event.details["count"]
    changes: _Changes = {"firing": ticket.firing + count, "alerts": ticket.alerts + count, "quiet_since": None}
    if event.kind == "alerted":
        changes["evidence"] = event.details["evidence"]
    return changes


def _leave(ticket: Ticket, event: Event) -> _Changes:
    count = event.details["count"]
    return {"firing": ticket.firing - count, "alerts": ticket.alerts - count}


def _clear(ticket: Ticket, event: Event) -> _Changes:
    firing = ticket.firing - event.details["count"]
    return {"firing": firing, "quiet_since": event.details["quiet_since"] if firing == 0 else None}


def _amend(_: Ticket, event: Event) -> _Changes:
    return {name: event.details[name] for name in ("since", "evidence") if name in event.details}


def _give(_: Ticket, event: Event) -> _Changes:
    return {"owner": event.details["owner"]}


def _take(_: Ticket, event: Event) -> _Changes:
    return {"owner": event.who}


def _acknowledge(ticket: Ticket, event: Event) -> _Changes:
    return {"acknowledged_at": ticket.acknowledged_at or event.at}


def _pause(_: Ticket, event: Event) -> _Changes:
    return {"waiting_for": event.details["reason"]}


def _finish(ticket: Ticket, event: Event) -> _Changes:
    return {"done_at": event.at, "owner": ticket.owner or event.who}


def _resolve(_: Ticket, event: Event) -> _Changes:
    return {"resolved_at": event.at}


def _close(_: Ticket, event: Event) -> _Changes:
    return {"closed_at": event.at}


def _reopen(ticket: Ticket, _: Event) -> _Changes:
    changes: _Changes = {"reopened": ticket.reopened + 1, "done_at": None, "resolved_at": None, "closed_at": None}
    return changes if ticket.open else changes | {"owner": ""}


def _prioritise(_: Ticket, event: Event) -> _Changes:
    names = ("impact", "urgency", "priority", "response_within", "resolution_within", "hours")
    changes = {name: event.details[name] for name in names}
    if "severity" in event.details:  # it was an alert, not a person
        changes["severity"] = event.details["severity"]
    return changes


def _rate(_: Ticket, event: Event) -> _Changes:
    return {"rating": convert(event.details, Rating)}


def _escalate(ticket: Ticket, event: Event) -> _Changes:
    return {"escalations": [*ticket.escalations, event.details["step"]]}


_CHANGES: dict[EventKind, Callable[[Ticket, Event], _Changes]] = {
    "alerted": _alert,
    "joined": _alert,
    "left": _leave,
    "cleared": _clear,
    "amended": _amend,
    "acknowledged": _acknowledge,
    "taken": _take,
    "assigned": _give,
    "handed_over": _give,
    "paused": _pause,
    "done": _finish,
    "resolved": _resolve,
    "closed": _close,
    "cancelled": _close,
    "reopened": _reopen,
    "prioritised": _prioritise,
    "rated": _rate,
    "escalated": _escalate,
}
"""What an event changes beside the state."""
