"""Topics: a ticket, and which of its events are to be told."""

from typing import NamedTuple

from tickets.ticket import Event, EventKind, State, Ticket

_BEGINNINGS: frozenset[EventKind] = frozenset({"opened", "reopened"})
_ENDINGS: frozenset[EventKind] = frozenset({"done", "resolved", "closed", "cancelled"})
_SETTLED: frozenset[State] = frozenset({"resolved", "closed", "cancelled"})
_MATTERS = 2
"""Up to this priority people are told of what is over, too."""


class Topic(NamedTuple):
    """What is to be told of one ticket.

    Attributes:
        ticket: as it is now.
        events: of its history, in their order; at least one.
    """

    ticket: Ticket
    events: list[Event]

    @property
    def passed(self) -> bool:
        """Whether it began and was over before it could be told."""
        kinds = {event.kind for event in self.events}
        return self.ticket.state in _SETTLED and bool(kinds & _BEGINNINGS)

    @property
    def stale(self) -> bool:
        """Whether it matters to nobody any more: over, of low priority, and its reader never knew of it or knows."""
        if self.ticket.state not in _SETTLED or self.ticket.priority <= _MATTERS:
            return False
        return self.passed or not any(event.kind in _ENDINGS or event.comment for event in self.events)
