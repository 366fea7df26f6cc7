"""Reviews: how tickets that a span of time concerns were worked on, one by one, from their histories."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean, median
from typing import NamedTuple

from sqlalchemy import Connection, func, or_, select

from tickets.book import read_event, read_ticket
from tickets.history import replay
from tickets.servicelevels import Hours, measure, read_clocks
from tickets.tables import EVENTS, TICKETS
from tickets.ticket import RUNNING, Event, EventKind, Rating, Ticket

_FINISHED = frozenset({"done", "resolved", "closed"})
_UNDONE = RUNNING | {"waiting"}
_SATISFIED = 4
"""Of 5: a rating whose three marks have such a mean, or more, is of somebody who is satisfied."""


class Review(NamedTuple):
    """A ticket as it is known now, with everything that happened to it."""

    ticket: Ticket
    events: Sequence[Event]

    @property
    def finished_at(self) -> int | None:
        """When the work was done, UTC ns; None where it is not, and where the ticket was cancelled."""
        ticket = self.ticket
        if ticket.state not in _FINISHED:
            return None
        return ticket.done_at or ticket.resolved_at or ticket.closed_at

    def is_undone_at(self, time: int) -> bool:
        """Whether there was work left to do just before a moment (UTC ns): what is done may still wait to be closed."""
        events = [event for event in self.events if event.at < time]
        return bool(events) and replay(events).state in _UNDONE

    def count_events(self, kind: EventKind, start: int, end: int) -> int:
        """How often something happened to it in a span (UTC ns)."""
        return sum(event.kind == kind and start <= event.at < end for event in self.events)

    def was_rated(self, start: int, end: int) -> Rating | None:
        """Its rating, where that was given in a span (UTC ns)."""
        return self.ticket.rating if self.count_events("rated", start, end) else None

    def measure_response(self, hours: Hours) -> int | None:
        """Until somebody answered, ns of the hours that count; None where nobody has."""
        if self.ticket.responded_at is None:
            return None
        return measure(read_clocks(self.events).response, hours, self.ticket.responded_at)

    def measure_resolution(self, hours: Hours) -> int | None:
        """Until the work was done, ns of the hours that count, without waiting; None where it is not."""
        finished = self.finished_at
        return None if finished is None else measure(read_clocks(self.events).resolution, hours, finished)


def read_reviews(connection: Connection, site: str, start: int, end: int) -> list[Review]:
    """Tickets that were opened before the end of a span and to which something happened in it, or that were open.

    Args:
        connection: to the desk's database.
        site: id.
        start: first nanosecond, UTC.
        end: first nanosecond after.
    """
    columns = TICKETS.c
    concerned = (
        columns.site == site,
        columns.opened_at < end,
        or_(columns.closed_at.is_(None), columns.updated_at >= start),
    )
    tickets = {row.id: read_ticket(row) for row in connection.execute(select(TICKETS).where(*concerned))}
    histories: dict[int, list[Event]] = {id_: [] for id_ in tickets}
    wanted = select(columns.id).where(*concerned)
    found = select(EVENTS).where(EVENTS.c.ticket_id.in_(wanted)).order_by(EVENTS.c.ticket_id, EVENTS.c.number)
    for row in connection.execute(found):
        if row.ticket_id in histories:  # else it was opened between the two questions
            histories[row.ticket_id].append(read_event(row))
    return [Review(tickets[id_], events) for id_, events in histories.items()]


def find_beginning(connection: Connection, site: str) -> int | None:
    """When the first ticket of a site was opened, UTC ns; None where there is none."""
    first: int | None = connection.scalar(select(func.min(TICKETS.c.opened_at)).where(TICKETS.c.site == site))
    return first


@dataclass(frozen=True)
class Speed:
    """How long something took.

    Attributes:
        count: of what it is told of.
        median: ns; None where there is nothing.
        most: within which nine of ten were, ns: the smallest time that at least 90 % did not exceed.
    """

    count: int
    median: float | None
    most: float | None


def sum_up_speed(times: Sequence[int]) -> Speed:
    """Median and 90th percentile, the latter by the nearest rank."""
    ordered = sorted(times)
    if not ordered:
        return Speed(0, None, None)
    return Speed(len(ordered), median(ordered), float(ordered[ceil(0.9 * len(ordered)) - 1]))


@dataclass(frozen=True)
class Marks:
    """Ratings, 1 to 5; None where nobody rated.

    Attributes:
        count: how many.
        speed: mean.
        attitude: likewise.
        resolution: likewise.
        satisfied: share of those whose three marks have a mean of 4 or more, 0 to 1.
    """

    count: int
    speed: float | None
    attitude: float | None
    resolution: float | None
    satisfied: float | None


def sum_up_ratings(ratings: Sequence[Rating]) -> Marks:
    """Means, and how many are satisfied."""
    if not ratings:
        return Marks(0, None, None, None, None)
    satisfied = sum(each.speed + each.attitude + each.resolution >= 3 * _SATISFIED for each in ratings)
    return Marks(
        len(ratings),
        fmean(each.speed for each in ratings),
        fmean(each.attitude for each in ratings),
        fmean(each.resolution for each in ratings),
        satisfied / len(ratings),
    )
