"""The desk: takes the engine's orders, and looks at the clock. Every change is one transaction. People: counter.py."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import Connection, select, update

from rules.mutes import Mute
from rules.orders import Order
from rules.rule import Rule
from rules.site import Site
from tickets import evidencebook, queue
from tickets.alertbook import AlertBook
from tickets.book import Book, Case, upsert, write_number
from tickets.database import Database
from tickets.deskplan import DeskPlan
from tickets.dispatch import Dispatch
from tickets.errors import NotAllowed, Overtaken
from tickets.evidence import Evidence
from tickets.intake import Intake
from tickets.mutebook import list_mutes
from tickets.queue import File, Filter, Member
from tickets.schedule import find_moves
from tickets.servicelevels import read_clocks
from tickets.tables import SITES
from tickets.ticket import Ticket
from tickets.titles import Language

_SHORT = re.compile(r"\d{1,5}", re.ASCII)


class Desk:
    """The service desk of one site.

    Attributes:
        database: where its tickets are.
        plan: desk.yaml.
        site: knows devices, places, calendars and the time zone.
        rules: by their ids.
        dispatch: the plan, applied.
        clock: gives now, UTC ns.
    """

    def __init__(
        self,
        database: Database,
        plan: DeskPlan,
        site: Site,
        rules: Sequence[Rule],
        *,
        language: Language,
        clock: Callable[[], int],
    ) -> None:
        """Prepares the desk.

        Args:
            database: open, with its tables up to date.
            plan: see the class.
            site: likewise.
            rules: say what their tickets are like.
            language: of titles.
            clock: see the class.

        Raises:
            DatabaseError: the database cannot be used.
        """
        self.database, self._language, self.clock = database, language, clock
        self.use(plan, site, rules)

    def use(self, plan: DeskPlan, site: Site, rules: Sequence[Rule]) -> None:
        """Takes over a changed configuration; where promises count otherwise now, deadlines are worked out anew.

        Raises:
            DatabaseError: the database cannot be used.
        """
        self.plan, self.site = plan, site
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in rules}
        self.dispatch = Dispatch(plan, site.calendars, site.zone)
        text = f"{plan.model_dump_json()}{site.calendars.model_dump_json()}{site.zone.key}"
        digest = sha256(text.encode()).hexdigest()
        with self.database.read() as connection:
            if connection.scalar(select(SITES.c.plan).where(SITES.c.site == site.id)) == digest:
                return
        with self.database.write() as connection:
            row = upsert(connection)(SITES).values(site=site.id, position=0, plan=digest)
            connection.execute(row.on_conflict_do_update(index_elements=["site"], set_={"plan": digest}))
            book = self._open_book(connection)
            book.save(book.list_open(), anew=True)

    # ── the engine and the clock ─────────────────────────────────────────────────────────────────────────────────

    def position(self) -> int:
        """The position of the journal up to where alerts were taken; 0 at first."""
        with self.database.read() as connection:
            return int(connection.scalar(select(SITES.c.position).where(SITES.c.site == self.site.id)) or 0)

    def apply(self, orders: Sequence[Order], position: int | None = None) -> list[Ticket]:
        """Does what the engine ordered. All of it is done, or nothing; done again, it changes nothing.

        Args:
            orders: in their order.
            position: of the journal, up to where it was judged; None: not known. It is kept with what was done, so that
                whoever starts again knows how far the desk came. Each call writes to the disk: call it where there are
                orders, and now and then where there are none.

        Returns:
            The tickets to which something happened.

        Raises:
            DatabaseError: the database cannot be used: try again.
        """
        with self.database.write() as connection:
            known = self._lock(connection)
            tickets: list[Ticket] = []
            if orders:
                alerts = AlertBook(connection, self.site.id)
                book, now = self._open_book(connection), self.clock()
                intake = Intake(book, alerts, self.dispatch, self.site, self.rules, self._language, now)
                tickets = intake.take(orders)
            if position is not None and position > known:
                where = SITES.c.site == self.site.id
                connection.execute(update(SITES).where(where).values(position=position))
        return tickets

    def tick(self, now: int) -> list[Ticket]:
        """Does what the clock brings: verified tickets are closed, others reopened, and people are told of deadlines.

        Args:
            now: UTC ns, up to where telemetry has been judged: a ticket is closed because nothing bad was heard.

        Returns:
            The tickets to which something happened.

        Raises:
            DatabaseError: the database cannot be used: try again.
        """
        with self.database.read() as connection:
            if not self._open_book(connection).is_due(now):
                return []
        with self.write() as book:
            cases = book.find_due(now)
            for case in cases:
                while self._move(case, now):
                    pass
            return book.save(cases, anew=True)

    def _move(self, case: Case, now: int) -> bool:
        """Does the first thing that is due for a ticket; False where nothing is."""
        hours = self.dispatch.hours(case.ticket.hours)
        moves = find_moves(case.ticket, read_clocks(case.events), self.plan.escalation, hours)
        move = min(moves, key=lambda move: move.at, default=None)
        if move is None or move.at > now:
            return False
        case.add(move.kind, now, **move.details)
        return True

    def mutes(self, now: int) -> list[Mute]:
        """The maintenance windows and shelves that are not over at a moment (UTC ns); see tickets/mutebook.py."""
        with self.database.read() as connection:
            return [entry.mute for entry in list_mutes(connection, self.site.id, now)]

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def list(self, wanted: Filter, order: queue.Order = "priority", most: int | None = None) -> list[Ticket]:
        """Tickets; see `tickets.queue.list_tickets`."""
        with self.database.read() as connection:
            return queue.list_tickets(connection, self.site.id, wanted, order, most)

    def list_members(self, tickets: Sequence[Ticket]) -> Mapping[str, Sequence[Member]]:
        """The alerts of tickets by the tickets' numbers; see `tickets.queue.list_members`."""
        with self.database.read() as connection:
            return queue.list_members(connection, self.site.id, [ticket.number for ticket in tickets])

    def read_evidence(self, number: str) -> Evidence | None:
        """The readings that are kept with a ticket; None where nothing has been looked for yet."""
        with self.database.read() as connection:
            return evidencebook.read_evidence(connection, self.site.id, self.complete(number))

    def show(self, number: str) -> File:
        """One ticket with everything about it.

        Raises:
            UnknownTicket: there is none of this number.
        """
        with self.database.read() as connection:
            return queue.open_file(connection, self.site.id, self.complete(number))

    # ── changing one ticket ──────────────────────────────────────────────────────────────────────────────────────

    def change(self, number: str, act: Callable[[Case], None], version: int | None = None) -> Ticket:
        """Lets something happen to one ticket, while nobody else can change it.

        Args:
            number: of the ticket, or the end of this year's, such as 42.
            act: adds events.
            version: of the ticket as the person saw it; None: whatever it is.

        Returns:
            The ticket afterwards.

        Raises:
            UnknownTicket: there is none.
            Overtaken: it has changed since the person saw it.
            NotAllowed: it cannot happen to the ticket as it stands.
            DatabaseError: the database cannot be used.
        """
        with self.write() as book:
            case = book.find(self.complete(number))
            before = case.ticket
            if version is not None and version != before.version:
                raise Overtaken(
                    f"{before.number} was changed meanwhile, by {case.events[-1].who or 'the desk'}; look again"
                )
            act(case)
            other = book.find_same(case.ticket) if case.ticket.open and not before.open else None
            if other is not None:
                raise NotAllowed(f"{before.number} is about the same as {other}, which is open; go on there")
            return book.save([case], anew=True)[0]

    def add(self, who: str, comment: str, **details: object) -> Ticket:
        """Opens a ticket that no rule raises; details are fields of `tickets.ticket.Ticket`."""
        with self.write() as book:
            return book.save([book.open(self.clock(), who, comment, **details)])[0]

    @contextmanager
    def write(self) -> Iterator[Book]:
        """A transaction on the site's tickets."""
        with self.database.write() as connection:
            yield self._open_book(connection)

    def _open_book(self, connection: Connection) -> Book:
        return Book(connection, self.site.id, self.site.zone, self.dispatch)

    def _lock(self, connection: Connection) -> int:
        """The position; whoever else takes orders for this site waits."""
        where = SITES.c.site == self.site.id
        return int(connection.scalars(select(SITES.c.position).where(where).with_for_update()).one())

    def complete(self, number: str) -> str:
        """The whole number of a ticket; `42` is this year's."""
        if _SHORT.fullmatch(number):
            year = datetime.fromtimestamp(self.clock() // 10**9, UTC).astimezone(self.site.zone).year
            return write_number(year, int(number))
        return number.upper()
