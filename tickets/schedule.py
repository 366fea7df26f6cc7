"""Schedules: what the clock does to a ticket: verification, closing, deadlines and escalation. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from tickets.deskplan import Escalation
from tickets.priority import PRIORITIES
from tickets.servicelevels import Clocks, Hours, find_due, read_clocks
from tickets.ticket import Event, EventKind, Ticket


class Move(NamedTuple):
    """What the clock will do.

    Attributes:
        at: when, UTC ns.
        kind: of the event.
        details: of the event.
    """

    at: int
    kind: EventKind
    details: dict[str, Any]


def plan_ticket(ticket: Ticket, events: Sequence[Event], steps: Sequence[Escalation], hours: Hours) -> Ticket:
    """The ticket with its deadlines, and with the time at which the clock does something next.

    Args:
        ticket: as its events leave it.
        events: all of them.
        steps: of escalation.
        hours: that count for the ticket.
    """
    clocks = read_clocks(events)
    return replace(
        ticket,
        response_due=_find_deadline(clocks.response, hours, ticket.response_within),
        resolution_due=_find_deadline(clocks.resolution, hours, ticket.resolution_within),
        wake_at=min((move.at for move in find_moves(ticket, clocks, steps, hours)), default=None),
    )


def find_moves(ticket: Ticket, clocks: Clocks, steps: Sequence[Escalation], hours: Hours) -> Iterator[Move]:
    """What the clock will do if nothing else happens before."""
    if ticket.state == "done":
        yield _verify(ticket)
    elif ticket.state == "resolved":
        yield Move((ticket.resolved_at or 0) + _rest(ticket), "closed", {})
    if not ticket.open:
        return
    priority = PRIORITIES[ticket.priority - 1]
    for step in steps:
        name = f"{step.clock} {step.at}%"
        if name in ticket.escalations or (step.priority is not None and priority not in step.priority):
            continue
        spans, within = (
            (clocks.response, ticket.response_within)
            if step.clock == "response"
            else (clocks.resolution, ticket.resolution_within)
        )
        if within is None or not spans or spans[-1].end is not None:
            continue  # nothing is promised, or the clock stands still
        at = find_due(spans, hours, within * step.at // 100)
        if at is not None:
            yield Move(at, "escalated", {"step": name, "notify": list(step.notify)})


def _verify(ticket: Ticket) -> Move:
    """Telemetry must have stayed good since both: the work was called done, and the last alert was over."""
    done = ticket.done_at or 0
    if ticket.firing:
        return Move(done + _rest(ticket), "reopened", {"why": "still_firing", "evidence": ticket.evidence})
    return Move(max(done, ticket.quiet_since or 0) + _rest(ticket), "closed", {"quiet_for": _rest(ticket)})


def _rest(ticket: Ticket) -> int:
    return ticket.close_after if ticket.quiet_for is None else ticket.quiet_for


def _find_deadline(spans: Sequence[Any], hours: Hours, within: int | None) -> int | None:
    return None if within is None else find_due(spans, hours, within)
