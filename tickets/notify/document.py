"""The document that a webhook sends: a ticket as it is, and what happened to it. docs/notifications.md describes it."""

from collections.abc import Mapping
from datetime import UTC, datetime

from tickets.notify.topic import Topic
from tickets.priority import PRIORITIES

TYPE = "ticket.changed"

_PLAIN = (
    "number", "kind", "state", "title", "category", "place", "impact", "urgency", "team", "assignee", "owner",
    "requester", "rule", "subject_kind", "subject_id", "severity", "evidence", "runbook", "follows", "waiting_for",
    "firing", "alerts", "reopened", "version",
)  # fmt: skip
_MOMENTS = (
    "since", "opened_at", "responded_at", "acknowledged_at", "done_at", "resolved_at", "closed_at", "updated_at",
    "response_due", "resolution_due",
)  # fmt: skip


def write_document(topic: Topic, link: str, now: int) -> Mapping[str, object]:
    """What becomes JSON; times are RFC 3339 in UTC, and null where there are none.

    Args:
        topic: what to tell.
        link: where the ticket can be seen; may be "".
        now: UTC ns.
    """
    ticket = topic.ticket
    facts: dict[str, object] = {name: getattr(ticket, name) for name in _PLAIN}
    facts |= {name: _write_time(getattr(ticket, name)) for name in _MOMENTS}
    facts |= {"priority": PRIORITIES[ticket.priority - 1], "link": link}
    events = [
        {
            "number": event.number,
            "at": _write_time(event.at),
            "who": event.who,
            "kind": event.kind,
            "comment": event.comment,
            "details": event.details,
        }
        for event in topic.events
    ]
    data = {"site": ticket.site, "ticket": facts, "events": events}
    return {"type": TYPE, "timestamp": _write_time(now), "data": data}


def _write_time(time: int | None) -> str | None:
    if time is None:
        return None
    moment = datetime.fromtimestamp(time // 10**9, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time % 10**9 // 10**6:03}Z"
