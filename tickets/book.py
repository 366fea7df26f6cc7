"""The book: tickets in the database, within one transaction. What is written is an event and what follows from it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import convert
from msgspec.structs import asdict
from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tickets.dispatch import Dispatch
from tickets.errors import Overtaken, UnknownTicket
from tickets.history import follow, replay
from tickets.outbox import find_people
from tickets.schedule import plan_ticket
from tickets.tables import EVENTS, NUMBERS, OUTBOX, TICKETS
from tickets.ticket import Event, EventKind, Ticket

_CHUNK = 500
"""Keys in one question: every database takes so many."""

_INSERT = insert(TICKETS)
_UPDATE = update(TICKETS).where(TICKETS.c.id == bindparam("row"), TICKETS.c.version == bindparam("before"))
"""Their values are parameters: a ticket has so many that putting them into a statement takes longer than writing it."""


class Case:
    """One ticket, and what happens to it within a transaction.

    Attributes:
        id: of its row.
        events: its whole history.
        written: how many of the events are in the database.
        ticket: as all events leave it.
    """

    __slots__ = ("events", "id", "ticket", "written")

    def __init__(self, id_: int, events: list[Event], ticket: Ticket, written: int) -> None:
        self.id, self.events, self.ticket, self.written = id_, events, ticket, written

    def add(self, kind: EventKind, at: int, who: str = "", comment: str = "", **details: Any) -> None:  # noqa: ANN401 - plain values
        """One more event.

        Args:
            kind: what happens.
            at: UTC ns; no earlier than the last event, else it counts as that.
            who: the person; "" for the desk itself.
            comment: what they say.
            details: what belongs to the kind.

        Raises:
            NotAllowed: it cannot happen to the ticket as it stands.
        """
        event = Event(len(self.events) + 1, max(at, self.ticket.updated_at), who, kind, comment, details)
        self.ticket = follow(self.ticket, event)
        self.events.append(event)


class Book:
    """A site's tickets, within one transaction.

    Attributes:
        connection: of the transaction.
    """

    def __init__(self, connection: Connection, site: str, zone: ZoneInfo, dispatch: Dispatch) -> None:
        self.connection, self._site, self._zone, self._dispatch = connection, site, zone, dispatch

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def find(self, number: str) -> Case:
        """The ticket of a number, held until the transaction ends, so that nobody else changes it.

        Raises:
            UnknownTicket: there is none.
        """
        where = (TICKETS.c.site == self._site) & (TICKETS.c.number == number)
        row = self.connection.execute(select(TICKETS).where(where).with_for_update()).first()
        if row is None:
            raise UnknownTicket(f"there is no ticket {number}; see: siteward tickets list --state all")
        return self._join([row])[0]

    def load(self, ids: Iterable[int]) -> list[Case]:
        """Tickets by the ids of their rows, held like that of `find`."""
        wanted = sorted(set(ids))
        rows: list[Row[Any]] = []
        for at in range(0, len(wanted), _CHUNK):
            chunk = wanted[at : at + _CHUNK]
            found = select(TICKETS).where(TICKETS.c.id.in_(chunk)).order_by(TICKETS.c.id).with_for_update()
            rows += self.connection.execute(found)
        return self._join(rows)

    def find_follower(self, number: str) -> int | None:
        """Id of the open ticket that goes on from another."""
        where = (TICKETS.c.site == self._site, TICKETS.c.follows == number, TICKETS.c.closed_at.is_(None))
        found: int | None = self.connection.scalar(select(TICKETS.c.id).where(*where))
        return found

    def find_same(self, ticket: Ticket) -> str | None:
        """Number of another open ticket of the same rule and subject."""
        if ticket.fingerprint is None:
            return None
        where = (
            TICKETS.c.site == self._site,
            TICKETS.c.fingerprint == ticket.fingerprint,
            TICKETS.c.closed_at.is_(None),
        )
        found: str | None = self.connection.scalar(
            select(TICKETS.c.number).where(*where, TICKETS.c.number != ticket.number)
        )
        return found

    def find_due(self, now: int) -> list[Case]:
        """Tickets at which the clock must look."""
        return self.load(self.connection.scalars(self._ask_due(now)))

    def is_due(self, now: int) -> bool:
        """Whether there are any such tickets."""
        return self.connection.execute(self._ask_due(now).limit(1)).first() is not None

    def _ask_due(self, now: int) -> Select[tuple[int]]:
        return select(TICKETS.c.id).where(TICKETS.c.site == self._site, TICKETS.c.wake_at <= now)

    def list_open(self) -> list[Case]:
        """Every ticket that is not over."""
        where = (TICKETS.c.site == self._site, TICKETS.c.closed_at.is_(None))
        return self.load(self.connection.scalars(select(TICKETS.c.id).where(*where)))

    def _join(self, rows: Sequence[Row[Any]]) -> list[Case]:
        """Rows of tickets with their histories."""
        histories: dict[int, list[Event]] = {row.id: [] for row in rows}
        for at in range(0, len(rows), _CHUNK):
            ids = [row.id for row in rows[at : at + _CHUNK]]
            found = select(EVENTS).where(EVENTS.c.ticket_id.in_(ids)).order_by(EVENTS.c.ticket_id, EVENTS.c.number)
            for row in self.connection.execute(found):
                histories[row.ticket_id].append(read_event(row))
        return [Case(id_, events, replay(events), len(events)) for id_, events in histories.items()]

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def open(self, at: int, who: str = "", comment: str = "", **details: Any) -> Case:  # noqa: ANN401 - fields of a ticket
        """A new ticket; its number is the next of the site's year."""
        facts = details | {"site": self._site, "number": self._next_number(at)}
        event = Event(1, at, who, "opened", comment, facts)
        ticket = follow(None, event)
        id_ = self.connection.execute(_INSERT, _row(ticket)).inserted_primary_key
        assert id_ is not None  # noqa: S101 - both databases give it
        return Case(int(id_[0]), [event], ticket, 0)

    def save(self, cases: Iterable[Case], *, anew: bool = False) -> list[Ticket]:
        """Writes what has happened to tickets, what follows from it, and who is to be told.

        Args:
            cases: of this transaction.
            anew: work out what follows for those to whom nothing has happened, too.

        Returns:
            The tickets that were written.

        Raises:
            Overtaken: one was changed by somebody else meanwhile.
        """
        events: list[dict[str, Any]] = []
        letters: list[dict[str, Any]] = []
        tickets: list[Ticket] = []
        for case in cases:
            if case.written == len(case.events) and not anew:
                continue
            fresh = case.events[case.written :]
            ticket = self._plan(case)
            events += [{"ticket_id": case.id, "site": self._site, **asdict(event)} for event in fresh]
            letters += [letter for event in fresh if (letter := self._address(case, event))]
            self._update(case, ticket)
            tickets.append(ticket)
            case.written, case.ticket = len(case.events), ticket
        if events:
            self.connection.execute(insert(EVENTS), events)
        if letters:
            self.connection.execute(insert(OUTBOX), letters)
        return tickets

    def _plan(self, case: Case) -> Ticket:
        hours = self._dispatch.hours(case.ticket.hours)
        return plan_ticket(case.ticket, case.events, self._dispatch.plan.escalation, hours)

    def _update(self, case: Case, ticket: Ticket) -> None:
        before = max(case.written, 1)  # a new row was written with its first event in mind
        if self.connection.execute(_UPDATE, _row(ticket) | {"row": case.id, "before": before}).rowcount != 1:
            raise Overtaken(f"{ticket.number} was changed meanwhile; look at it again")

    def _address(self, case: Case, event: Event) -> dict[str, Any] | None:
        people = find_people(event, case.ticket, self._dispatch.plan)
        if not people:
            return None
        return {
            "site": self._site,
            "ticket_id": case.id,
            "event": event.number,
            "people": people,
            "written_at": event.at,
            "due_at": event.at,
            "tries": 0,
            "error": "",
        }

    def _next_number(self, at: int) -> str:
        year = datetime.fromtimestamp(at // 1_000_000_000, UTC).astimezone(self._zone).year
        last = self.connection.scalar(self._count, {"site": self._site, "year": year, "last": 1})
        return write_number(year, last)

    @cached_property
    def _count(self) -> Any:  # noqa: ANN401 - see upsert
        """The question for the next number of a year."""
        count = upsert(self.connection)(NUMBERS).on_conflict_do_update(
            index_elements=["site", "year"], set_={"last": NUMBERS.c.last + 1}
        )
        return count.returning(NUMBERS.c.last)


def write_number(year: int, count: int) -> str:
    """A ticket's number for people."""
    return f"W-{year}-{count:05}"


def read_event(row: Row[Any]) -> Event:
    """An event from its row."""
    return Event(row.number, row.at, row.who, row.kind, row.comment, row.details)


def read_ticket(row: Row[Any]) -> Ticket:
    """A ticket from its row."""
    return convert({name: getattr(row, name) for name in Ticket.__struct_fields__}, Ticket)


def _row(ticket: Ticket) -> dict[str, Any]:
    rating = None if ticket.rating is None else asdict(ticket.rating)
    return asdict(ticket) | {"fingerprint": ticket.fingerprint, "rating": rating}


def upsert(connection: Connection) -> Any:  # noqa: ANN401 - two dialects, one form
    """The database's `insert` that knows what to do where the row exists."""
    return {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[connection.dialect.name]
