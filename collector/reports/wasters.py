"""Wasters: tickets whose alerts tell of too much power or water, and what each of them has cost within a period."""

from typing import NamedTuple

from msgspec.structs import replace

from collector.reports.context import Context
from collector.reports.timeline import Timeline
from tickets.costs import Cost, find_cost, sort_dearest
from tickets.queue import Filter, Member, list_members, list_tickets
from tickets.tariffs import Utility
from tickets.ticket import Ticket

MOST = 10


class Waster(NamedTuple):
    """A ticket, and what waiting has cost in the period; the excess as it was seen last."""

    ticket: Ticket
    cost: Cost


def find_wasters(context: Context, utility: Utility, timeline: Timeline) -> list[Waster] | None:
    """The tickets that have cost most in a period, the dearest first; None where there is no desk.

    Raises:
        DatabaseError: the desk cannot be read.
    """
    if context.desk is None:
        return None
    start, end = timeline.edges[0], timeline.edges[-1]
    site = context.site
    with context.desk.read() as connection:
        incidents = list_tickets(connection, site.id, Filter(states=(), kind="incident"))
        around = [
            ticket
            for ticket in incidents
            if (ticket.since or 0) < end and (ticket.closed_at is None or ticket.closed_at > start)
        ]
        members = list_members(connection, site.id, [ticket.number for ticket in around])
    costs: dict[str, Cost] = {}
    for ticket in around:
        its = [_clip(member, start) for member in members.get(ticket.number, ()) if _is_within(member, start, end)]
        cost = find_cost(its, context.rates, site, min(end, ticket.closed_at or end))
        if cost is not None and _find_amount(cost, utility) > 0:
            costs[ticket.number] = cost
    found = sort_dearest([ticket for ticket in around if ticket.number in costs], costs)
    return [Waster(ticket, costs[ticket.number]) for ticket in found[:MOST]]


def _find_amount(cost: Cost, utility: Utility) -> float:
    return cost.energy_kwh if utility == "electricity" else cost.water_m3


def _is_within(member: Member, start: int, end: int) -> bool:
    return member.since < end and (member.cleared_at is None or member.cleared_at > start)


def _clip(member: Member, start: int) -> Member:
    return replace(member, since=max(member.since, start))
