"""Promises: whether the service levels of tickets were kept, one by one and counted. Pure."""

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from tickets.ticket import RUNNING, Ticket

Verdict: TypeAlias = Literal["none", "open", "kept", "broken"]
"""none: nothing was promised, or the ticket was cancelled in time; open: it can still be kept."""


class Tally(NamedTuple):
    """How many promises were kept and broken, of those that are decided."""

    kept: int = 0
    broken: int = 0

    @property
    def ratio(self) -> float | None:
        """Share of the decided ones that were kept, 0 to 1; None where none is decided."""
        decided = self.kept + self.broken
        return self.kept / decided if decided else None


def judge_response(ticket: Ticket, now: int) -> Verdict:
    """Whether somebody answered in time, as known at a time (UTC ns)."""
    if ticket.response_within is None:
        return "none"
    return _judge(ticket, ticket.response_due, now, over=ticket.responded_at is not None)


def judge_resolution(ticket: Ticket, now: int) -> Verdict:
    """Likewise whether the work was done in time."""
    if ticket.resolution_within is None:
        return "none"
    return _judge(ticket, ticket.resolution_due, now, over=ticket.state not in RUNNING and ticket.state != "waiting")


def _judge(ticket: Ticket, due: int | None, now: int, *, over: bool) -> Verdict:
    # A deadline that passed stays where it was; one that was met is no more, as its clock stands still before it.
    if due is not None and due <= now:
        return "broken"
    if over:
        return "none" if ticket.state == "cancelled" else "kept"
    return "open"


def count_verdicts(verdicts: Iterable[Verdict]) -> Tally:
    """How many were kept and broken."""
    found = list(verdicts)
    return Tally(found.count("kept"), found.count("broken"))
