"""Service levels: what was promised, as a pure function of a ticket's events and the team's hours.

A clock runs while somebody should be working: it stops while the ticket waits, is done or is resolved, and goes on
where it is reopened. Only the team's hours count.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from devices.durations import NANOSECONDS
from rules.calendars import Calendars
from tickets.history import follow
from tickets.ticket import RUNNING, Event, Ticket

HORIZON = 3 * 366 * NANOSECONDS["d"]
"""How far ahead a deadline is sought; a calendar that never holds would have none."""


class Hours(Protocol):
    """The time that counts."""

    def covers(self, time: int) -> bool:
        """Whether a moment (UTC ns) counts."""

    def next_change(self, time: int) -> int:
        """The first moment after `time` at which `covers` may answer otherwise."""


class AllHours:
    """Day and night."""

    def covers(self, time: int) -> bool:  # noqa: ARG002 - see `Hours`
        """See `Hours`."""
        return True

    def next_change(self, time: int) -> int:
        """See `Hours`."""
        return time + HORIZON


class TeamHours:
    """A calendar in the site's time zone."""

    def __init__(self, calendars: Calendars, name: str, zone: ZoneInfo) -> None:
        """Raises KeyError where there is no calendar of the name."""
        self._calendar, self._zone = calendars.find(name), zone

    def covers(self, time: int) -> bool:
        """See `Hours`."""
        return self._calendar.covers(time, self._zone)

    def next_change(self, time: int) -> int:
        """See `Hours`."""
        return self._calendar.next_change(time, self._zone)


class Span(NamedTuple):
    """When a clock ran, UTC ns; without an end it still does."""

    begin: int
    end: int | None


class Clocks(NamedTuple):
    """When the two clocks of a ticket ran."""

    response: Sequence[Span]
    resolution: Sequence[Span]


def read_clocks(events: Iterable[Event]) -> Clocks:
    """When the clocks ran, from a ticket's whole history."""
    response: list[Span] = []
    resolution: list[Span] = []
    ticket: Ticket | None = None
    for event in events:
        ticket = follow(ticket, event)
        _switch(resolution, event.at, on=ticket.state in RUNNING)
        _switch(response, event.at, on=ticket.state in RUNNING and ticket.responded_at is None)
    return Clocks(response, resolution)


def _switch(spans: list[Span], time: int, *, on: bool) -> None:
    running = bool(spans) and spans[-1].end is None
    if on and not running:
        spans.append(Span(time, None))
    elif running and not on:
        spans[-1] = Span(spans[-1].begin, time)


def measure(spans: Iterable[Span], hours: Hours, now: int) -> int:
    """How long a clock has run by now, ns of the hours that count."""
    return sum(end - begin for span in spans for begin, end in _cut(span, hours, now))


def find_due(spans: Iterable[Span], hours: Hours, within: int) -> int | None:
    """When a clock has run for so long.

    Args:
        spans: when it ran; one without end goes on.
        hours: that count.
        within: ns of them.

    Returns:
        UTC ns; None where it stands still before that, or where it does not come within three years.
    """
    left = within
    for span in spans:
        for begin, end in _cut(span, hours, span.begin + within + HORIZON):
            if end - begin >= left:
                return begin + left
            left -= end - begin
    return None


def _cut(span: Span, hours: Hours, until: int) -> Iterator[tuple[int, int]]:
    """The parts of a span that count, as begin and end."""
    time, end = span.begin, until if span.end is None else min(span.end, until)
    while time < end:
        change = min(hours.next_change(time), end)
        if hours.covers(time):
            yield time, change
        time = change
