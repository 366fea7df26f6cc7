"""Rollups of the desk: what is open at each team, and by the day how its promises were kept."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, or_, select

from collector.accounts import QUARTER
from collector.store import Annotation
from rules.localtime import Periods
from rules.site import Site
from tickets.book import read_ticket
from tickets.priority import PRIORITIES
from tickets.promises import count_verdicts, judge_resolution, judge_response
from tickets.queue import Filter, list_tickets
from tickets.tables import TICKETS
from tickets.ticket import Ticket

_COUNTS = ("open", "unowned", "response_overdue", "resolution_overdue")


def roll_desk(connection: Connection, site: str, teams: Iterable[str], now: int) -> Iterator[Annotation]:
    """Rows of `desk`: tickets that are open at a quarter of an hour, by team, kind and priority.

    Args:
        connection: to the desk's database.
        site: id.
        teams: those that have nothing to do have a row that says so.
        now: UTC ns.
    """
    quarter = now // QUARTER * QUARTER
    groups: dict[tuple[str, str, int], list[Ticket]] = defaultdict(list)
    for ticket in list_tickets(connection, site, Filter()):
        groups[ticket.team, ticket.kind, ticket.priority].append(ticket)
    for team in set(teams) - {team for team, _, _ in groups}:
        yield Annotation("desk", quarter, {"site": site, "team": team}, dict.fromkeys(_COUNTS, 0.0))
    for (team, kind, priority), found in groups.items():
        tags = {"site": site, "team": team, "kind": kind, "priority": PRIORITIES[priority - 1]}
        counts = (
            len(found),
            sum(not ticket.owner for ticket in found),
            sum(judge_response(ticket, now) == "broken" for ticket in found),
            sum(judge_resolution(ticket, now) == "broken" for ticket in found),
        )
        yield Annotation("desk", quarter, tags, dict(zip(_COUNTS, map(float, counts), strict=True)))


def roll_service(connection: Connection, site: Site, start: int, now: int) -> Iterator[Annotation]:
    """Rows of `service`: for each local day since a start and each team, tickets opened and resolved, promises kept.

    A promise belongs to the day on which its ticket was opened; what is not decided yet is in no ratio.
    """
    days = Periods("day", site.zone)
    time = days.bounds(start)[0]
    columns = TICKETS.c
    recent = select(TICKETS).where(
        columns.site == site.id,
        or_(columns.opened_at >= time, columns.resolved_at >= time, columns.closed_at >= time),
    )
    tickets = [read_ticket(row) for row in connection.execute(recent)]
    teams = sorted({ticket.team for ticket in tickets})
    while time <= now:
        _, after = days.bounds(time)
        for team in teams:
            yield _count_day([each for each in tickets if each.team == team], site.id, team, (time, after), now)
        time = after


def _count_day(tickets: Sequence[Ticket], site: str, team: str, day: tuple[int, int], now: int) -> Annotation:
    start, end = day
    opened = [ticket for ticket in tickets if start <= ticket.opened_at < end]
    ended = [ticket.resolved_at or ticket.closed_at or 0 for ticket in tickets if ticket.state != "cancelled"]
    fields: dict[str, float] = {
        "opened": float(len(opened)),
        "resolved": float(sum(start <= moment < end for moment in ended)),
    }
    for name, judge in (("response_met_ratio", judge_response), ("resolution_met_ratio", judge_resolution)):
        ratio = count_verdicts(judge(ticket, now) for ticket in opened).ratio
        if ratio is not None:
            fields[name] = ratio
    return Annotation("service", start, {"site": site, "team": team}, fields)
