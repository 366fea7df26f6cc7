"""Letters in the database, within one transaction: one event for one recipient over one channel."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from sqlalchemy import Connection, delete, func, select, update

from tickets.book import read_event, read_ticket, upsert
from tickets.notify.pacing import HOUR, URGENT
from tickets.notify.topic import Topic
from tickets.tables import EVENTS, LETTERS, OUTBOX, TICKETS

if TYPE_CHECKING:
    from tickets.ticket import Event

Ending: TypeAlias = Literal["sent", "dropped", "dead"]
"""Taken by the channel; of no use any more; given up."""

Address: TypeAlias = tuple[str, str]
"""Channel and recipient."""

_CHUNK = 500
_MOST_WAITING = 20_000
"""Letters that are looked at in one go; the oldest."""


class Letter(NamedTuple):
    """One that waits; the names are those of the table's columns.

    Attributes:
        urgent: whether its ticket is of the first priority.
    """

    id: int
    ticket_id: int
    event: int
    channel: str
    recipient: str
    batch: str
    written_at: int
    due_at: int
    tries: int
    urgent: bool


class Backlog(NamedTuple):
    """How the letters of a channel stand.

    Attributes:
        channel: its name.
        waiting: letters.
        oldest_at: when the oldest of them was written, UTC ns; None where none waits.
        dead: letters that were given up.
        error: of the newest try that failed, among those that wait or were given up; may be "".
    """

    channel: str
    waiting: int
    oldest_at: int | None
    dead: int
    error: str


class LetterBook:
    """A site's letters, within one transaction."""

    def __init__(self, connection: Connection, site: str) -> None:
        self._connection, self._site = connection, site

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def list_waiting(self) -> Mapping[Address, list[Letter]]:
        """Letters that wait, by channel and recipient, the oldest first."""
        columns = [LETTERS.c[name] for name in Letter._fields if name != "urgent"]
        found = (
            select(*columns, (TICKETS.c.priority <= URGENT).label("urgent"))
            .join(TICKETS, TICKETS.c.id == LETTERS.c.ticket_id)
            .where(LETTERS.c.site == self._site, LETTERS.c.state == "waiting")
            .order_by(LETTERS.c.id)
            .limit(_MOST_WAITING)
        )
        waiting: dict[Address, list[Letter]] = defaultdict(list)
        for row in self._connection.execute(found):
            waiting[row.channel, row.recipient].append(Letter._make(row))
        return waiting

    def list_sent(self, now: int) -> Mapping[Address, list[int]]:
        """When messages were sent within the last hour, by channel and recipient, the oldest first."""
        found = (
            select(LETTERS.c.channel, LETTERS.c.recipient, func.max(LETTERS.c.ended_at))
            .where(LETTERS.c.site == self._site, LETTERS.c.ended_at > now - HOUR, LETTERS.c.state == "sent")
            .group_by(LETTERS.c.channel, LETTERS.c.recipient, LETTERS.c.batch)
        )
        sent: dict[Address, list[int]] = defaultdict(list)
        for channel, recipient, at in self._connection.execute(found):
            sent[channel, recipient].append(at)
        return {address: sorted(times) for address, times in sent.items()}

    def load_topics(self, letters: Sequence[Letter]) -> dict[int, Topic]:
        """What letters tell, by the ids of the tickets' rows."""
        wanted = {(letter.ticket_id, letter.event) for letter in letters}
        ids = sorted({letter.ticket_id for letter in letters})
        topics: dict[int, Topic] = {}
        for chunk in _cut(ids):
            events: dict[int, list[Event]] = {id_: [] for id_ in chunk}
            history = select(EVENTS).where(EVENTS.c.ticket_id.in_(chunk)).order_by(EVENTS.c.ticket_id, EVENTS.c.number)
            for row in self._connection.execute(history):
                if (row.ticket_id, row.number) in wanted:
                    events[row.ticket_id].append(read_event(row))
            rows = self._connection.execute(select(TICKETS).where(TICKETS.c.id.in_(chunk)).order_by(TICKETS.c.id))
            topics |= {row.id: Topic(read_ticket(row), events[row.id]) for row in rows}
        return topics

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, letters: Sequence[Mapping[str, Any]]) -> None:
        """Writes letters that wait; those that were written before stay as they are.

        Args:
            letters: ticket_id, event, channel, recipient, written_at, due_at.
        """
        fresh = {"site": self._site, "batch": "", "state": "waiting", "tries": 0, "error": "", "answer": ""}
        if letters:
            statement = upsert(self._connection)(LETTERS).on_conflict_do_nothing()
            self._connection.execute(statement, [fresh | dict(letter) for letter in letters])

    def seal(self, letters: Sequence[Letter], batch: str) -> None:
        """Says which letters go into one message, before it is sent: whoever sends it again sends the same."""
        self._change(letters, batch=batch)

    def end(self, letters: Sequence[Letter], state: Ending, now: int, error: str = "", answer: str = "") -> None:
        """Says what became of letters."""
        self._change(letters, state=state, ended_at=now, error=error, answer=answer)

    def postpone(self, letters: Sequence[Letter], until: int, error: str) -> None:
        """A try failed; the next one is not before a time (UTC ns)."""
        self._change(letters, due_at=until, error=error, tries=LETTERS.c.tries + 1)

    def give_up(self, channel: str, before: int, now: int, error: str) -> int:
        """Gives up what was written before a time (UTC ns) and waits for a channel; returns how many."""
        where = (
            LETTERS.c.site == self._site,
            LETTERS.c.state == "waiting",
            LETTERS.c.channel == channel,
            LETTERS.c.written_at < before,
        )
        values = {"state": "dead", "ended_at": now, "error": error}
        return self._connection.execute(update(LETTERS).where(*where).values(**values)).rowcount

    def trim(self, before: int) -> None:
        """Deletes what ended before a time (UTC ns)."""
        self._connection.execute(delete(LETTERS).where(LETTERS.c.site == self._site, LETTERS.c.ended_at < before))
        self._connection.execute(delete(OUTBOX).where(OUTBOX.c.site == self._site, OUTBOX.c.sent_at < before))

    def _change(self, letters: Iterable[Letter], **values: Any) -> None:  # noqa: ANN401 - columns
        for chunk in _cut([letter.id for letter in letters]):
            self._connection.execute(update(LETTERS).where(LETTERS.c.id.in_(chunk)).values(**values))


def count_letters(connection: Connection, site: str) -> list[Backlog]:
    """How the letters of each channel stand, for `status` and `doctor`."""
    columns = LETTERS.c
    bad = (columns.site == site, columns.state.in_(("waiting", "dead")))
    newest = select(func.max(columns.id)).where(*bad, columns.error != "").group_by(columns.channel)
    errors = {
        row.channel: row.error
        for row in connection.execute(select(columns.channel, columns.error).where(columns.id.in_(newest)))
    }
    counts = select(columns.channel, columns.state, func.count(), func.min(columns.written_at)).where(*bad)
    found: dict[str, Backlog] = {}
    for channel, state, count, oldest in connection.execute(counts.group_by(columns.channel, columns.state)):
        backlog = found.get(channel) or Backlog(channel, 0, None, 0, errors.get(channel, ""))
        changes = {"dead": count} if state == "dead" else {"waiting": count, "oldest_at": oldest}
        found[channel] = backlog._replace(**changes)
    return [found[channel] for channel in sorted(found)]


def _cut(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[at : at + _CHUNK] for at in range(0, len(ids), _CHUNK))
