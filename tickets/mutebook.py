"""Mutes in the database: who keeps what quiet, until when, and why. The engine asks for them every second."""

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Row, insert, select, update

from rules.alerts import Subject, SubjectKind
from rules.mutes import Mute
from rules.site import Site
from tickets.errors import NotAllowed, check_known
from tickets.tables import MUTES, TICKETS


class MuteEntry(Struct, frozen=True):
    """A mute, and how it came about.

    Attributes:
        mute: what is kept quiet, and for how long.
        who: opened it.
        reason: why.
        ticket: number of the ticket whose work it is for; "" where there is none.
    """

    mute: Mute
    who: str
    reason: str
    ticket: str


def list_mutes(connection: Connection, site: str, now: int) -> list[MuteEntry]:
    """The mutes of a site that are not over at a moment (UTC ns), in the order in which they begin."""
    question = (
        select(MUTES, TICKETS.c.number)
        .outerjoin(TICKETS, TICKETS.c.id == MUTES.c.ticket_id)
        .where(MUTES.c.site == site, MUTES.c.ends_at > now)
        .order_by(MUTES.c.begins_at, MUTES.c.id)
    )
    return [MuteEntry(_read(row), row.who, row.reason, row.number or "") for row in connection.execute(question)]


def write_mute(connection: Connection, site: str, entry: MuteEntry, ticket_id: int | None) -> MuteEntry:
    """Keeps a mute, and gives it its id."""
    mute = entry.mute
    columns = {
        "site": site,
        "kind": mute.kind,
        "begins_at": mute.begin,
        "ends_at": mute.end,
        "subjects": [list(subject) for subject in mute.subjects],
        "rules": list(mute.rules),
        "ticket_id": ticket_id,
        "who": entry.who,
        "reason": entry.reason,
    }
    id_ = connection.scalar(insert(MUTES).values(columns).returning(MUTES.c.id))
    return replace(entry, mute=replace(mute, id=id_))


def end_mute(connection: Connection, site: str, id_: int, now: int) -> None:
    """Ends a mute early.

    Raises:
        NotAllowed: there is none of this id that is not over.
    """
    where = (MUTES.c.site == site, MUTES.c.id == id_, MUTES.c.ends_at > now)
    if connection.execute(update(MUTES).where(*where).values(ends_at=now)).rowcount != 1:
        raise NotAllowed(f"there is no mute {id_}, or it is over; see: siteward mutes list")


def check_mute(mute: Mute, now: int, site: Site, rules: Collection[str]) -> None:
    """Looks at what somebody wants to keep quiet.

    Raises:
        NotAllowed: it keeps nothing quiet, or what does not exist.
    """
    if mute.end <= mute.begin or mute.end <= now:
        raise NotAllowed("expected an end after the beginning and after now")
    if not mute.subjects:
        raise NotAllowed("expected a device, a place or the site to keep quiet, got none")
    for subject in mute.subjects:
        if subject.kind != "site":
            known = site.devices if subject.kind == "device" else {*_list_places(site), *site.devices}
            check_known(subject.id, known, "device" if subject.kind == "device" else "device or place")
    for rule in mute.rules:
        check_known(rule, rules, "rule")


def _list_places(site: Site) -> Iterator[str]:
    """Every place in which a device stands: ids from the building down, joined with `/`."""
    kinds: tuple[SubjectKind, ...] = ("building", "floor", "area")
    for device in site.register:
        yield from (place.id for kind in kinds if (place := site.subject_of(device, kind)) is not None)


def _read(row: "Row[tuple[object, ...]]") -> Mute:
    subjects: Sequence[Sequence[str]] = row.subjects
    return Mute(
        row.id,
        row.kind,
        row.begins_at,
        row.ends_at,
        tuple(Subject(kind, id_) for kind, id_ in subjects),  # type: ignore[arg-type] # as it was written
        tuple(row.rules),
    )
