"""The outbox: who is told of which event. Rows are written with the event; whoever sends them does it later."""

from collections.abc import Iterable, Mapping

from tickets.deskplan import DeskPlan
from tickets.ticket import Event, EventKind, Ticket

AUDIENCE: Mapping[EventKind, tuple[str, ...]] = {
    "opened": ("assignee",),
    "amended": ("owner",),
    "assigned": ("owner",),
    "handed_over": ("owner",),
    "commented": ("owner", "requester"),
    "paused": ("requester",),
    "done": ("requester",),
    "resolved": ("owner", "requester"),
    "closed": ("requester",),
    "reopened": ("owner",),
    "cancelled": ("owner", "requester"),
    "prioritised": ("owner",),
    "escalated": (),  # the step says whom
}
"""Roles that each kind of event concerns; what is not here is only kept in the history."""

_FALL_BACK = {"assignee": "team", "owner": "assignee"}
"""Who is told where nobody has a role."""


def find_people(event: Event, ticket: Ticket, plan: DeskPlan) -> list[str]:
    """Ids of those whom an event concerns, each once, without the one who caused it.

    Args:
        event: what happened.
        ticket: after it.
        plan: says who is in the team.
    """
    roles: Iterable[str] = AUDIENCE.get(event.kind, ())
    if event.kind == "escalated":
        roles = event.details["notify"]
    found = dict.fromkeys(person for role in roles for person in _find(role, ticket, plan))
    return [person for person in found if person != event.who]


def _find(role: str, ticket: Ticket, plan: DeskPlan) -> list[str]:
    team = plan.teams.get(ticket.team)
    people = {
        "assignee": [ticket.assignee],
        "owner": [ticket.owner],
        "requester": [ticket.requester],
        "lead": [team.lead] if team else [],
        "team": team.members if team else [],
    }
    found = [person for person in people.get(role, [role]) if person]
    if not found and role in _FALL_BACK:
        return _find(_FALL_BACK[role], ticket, plan)
    return found
