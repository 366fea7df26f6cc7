"""The evidence book: what is kept with tickets in the database, whose is to be looked for now, and doing so.

Looking asks the store, which may take its time; the database is written in a short transaction afterwards, so that
nobody who takes alerts waits.
"""

from zlib import compress, decompress

from msgspec import msgpack
from sqlalchemy import Connection, Row, and_, func, or_, select

from devices.durations import NANOSECONDS
from rules.site import Site
from tickets.book import upsert
from tickets.database import Database
from tickets.evidence import AFTER, BEFORE, Evidence, History, Samples, Series, find_points, merge
from tickets.queue import list_members
from tickets.tables import EVIDENCE, TICKETS
from tickets.ticket import OVER

_REFRESH_MIN, _REFRESH_MAX = NANOSECONDS["m"], 15 * NANOSECONDS["m"]
_REFRESHES = 4
"""While an alert lasts it is looked for after each further quarter of the time that it lasted, within these limits."""

_OVERLAP = 5 * NANOSECONDS["m"]
"""So long readings may be on their way to the store."""

_MOST = 5
"""Tickets in one go."""

_SERIES = msgpack.Decoder(list[Series])


def read_evidence(connection: Connection, site: str, number: str) -> Evidence | None:
    """What is kept with a ticket; None where nothing has been looked for yet."""
    where = (TICKETS.c.site == site, TICKETS.c.number == number)
    row = connection.execute(select(EVIDENCE).join(TICKETS, TICKETS.c.id == EVIDENCE.c.ticket_id).where(*where)).first()
    return None if row is None else _read(row)


def keep_evidence(database: Database, site: Site, history: History, now: int) -> int:
    """Looks for the evidence of tickets that have none, whose alert goes on, or is over.

    Args:
        database: of the desk.
        site: whose tickets.
        history: where readings are.
        now: UTC ns.

    Returns:
        Of how many tickets it was looked for; call again until there are none.

    Raises:
        DatabaseError: the database cannot be used; what was kept before stays.
    """
    with database.read() as connection:
        due = _list_due(connection, site.id, now)
        members = list_members(connection, site.id, [row.number for row in due])
    for row in due:
        before = _read(row) if row.series is not None else None
        begins_at, ends_at = row.since - BEFORE, now if row.ended_at is None else min(now, row.ended_at + AFTER)
        start = begins_at if before is None or begins_at < before.begins_at else before.ends_at - _OVERLAP
        found: dict[tuple[str, str], Samples] = {}
        for device, points in find_points(members.get(row.number, ()), site).items():
            first = begins_at if before and all(series.device != device for series in before.series) else start
            for point, samples in history.series(device, points, first, ends_at).items():
                found[device, point] = samples
        _write(database, site.id, row.id, merge(before, begins_at, ends_at, found))
    return len(due)


def _list_due(connection: Connection, site: str, now: int) -> list[Row[tuple[object, ...]]]:
    """Tickets to look for, those without any evidence first; `ended_at` is when the last alert was over."""
    ticket, kept = TICKETS.c, EVIDENCE.c
    lasts = and_(ticket.firing > 0, ticket.state.not_in(OVER))
    ended_at = func.coalesce(ticket.quiet_since, ticket.closed_at)
    due = or_(
        kept.ticket_id.is_(None),
        kept.begins_at > ticket.since - BEFORE,
        and_(lasts, kept.ends_at <= now - _REFRESH_MAX),
        and_(
            lasts, kept.ends_at <= now - _REFRESH_MIN, (now - kept.ends_at) * _REFRESHES >= kept.ends_at - ticket.since
        ),
        and_(~lasts, kept.ends_at < ended_at),
        and_(~lasts, kept.ends_at < ended_at + AFTER, ended_at + AFTER <= now),
    )
    wanted = (
        select(
            ticket.id,
            ticket.number,
            ticket.since,
            ended_at.label("ended_at"),
            kept.begins_at,
            kept.ends_at,
            kept.series,
        )
        .outerjoin_from(TICKETS, EVIDENCE, ticket.id == kept.ticket_id)
        .where(ticket.site == site, ticket.since.is_not(None), due)
        .order_by(kept.ticket_id.is_not(None), ticket.id.desc())
        .limit(_MOST)
    )
    return list(connection.execute(wanted))


def _read(row: Row[tuple[object, ...]]) -> Evidence:
    return Evidence(row.begins_at, row.ends_at, _SERIES.decode(decompress(row.series)))


def _write(database: Database, site: str, id_: int, evidence: Evidence) -> None:
    facts = {
        "site": site,
        "begins_at": evidence.begins_at,
        "ends_at": evidence.ends_at,
        "series": compress(msgpack.encode(evidence.series)),
    }
    with database.write() as connection:
        row = upsert(connection)(EVIDENCE).values(ticket_id=id_, **facts)
        connection.execute(row.on_conflict_do_update(index_elements=["ticket_id"], set_=facts))
