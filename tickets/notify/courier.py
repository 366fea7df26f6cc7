"""The courier: takes what the desk has to tell to people and to outside systems, in a thread of its own.

It holds these rules:
- What is to be told stands in the desk's database, written with the event. Nobody waits for the courier.
- Which letters go into a message is written before it is sent: after a crash in between, the same message goes out
  again with the same key. So everything is told at least once, and who gets it twice can see that.
- There is no terminal error state: what nobody takes is tried again, more and more rarely, until it is too old; then it
  is given up, which stands in the log, in the status and in doctor's report.
- A channel through which nothing gets is left alone for a while; the others are not.
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

import structlog

from devices.durations import NANOSECONDS
from tickets.desk import Desk
from tickets.errors import TicketsError
from tickets.notify.document import write_document
from tickets.notify.errors import NotDelivered
from tickets.notify.letterbook import Address, Backlog, Letter, LetterBook, count_letters
from tickets.notify.pacing import Pace, find_pause, find_ready
from tickets.notify.sorting import Channel, Sorter
from tickets.notify.topic import Topic
from tickets.notify.webhook import Reply, Webhook
from tickets.notify.wording import Wording
from tickets.titles import Language
from tickets.worker import Words, Worker

log = structlog.get_logger()

State: TypeAlias = Literal["starting", "idle", "sending", "refused"]

_LOOK_S = 1.0
_PAUSE_S = 5.0
_TRIM = NANOSECONDS["h"]
_KEEP = 30 * NANOSECONDS["d"]
"""How long what was sent, dropped or given up can be looked at."""


class Outfit(NamedTuple):
    """What the settings say of telling.

    Attributes:
        channels: by their names.
        pace: how much people are told.
        language: of who has none of their own.
        link: to a ticket, with `{number}`; "" for none.
    """

    channels: Mapping[str, Channel]
    pace: Pace
    language: Language
    link: str


class _Rest(NamedTuple):
    """A channel through which nothing gets."""

    until: int
    failures: int


_Change: TypeAlias = tuple[Callable[[], Desk], Outfit]


class Courier(Worker[_Change]):
    """The thread that tells. There is one for a site.

    Attributes:
        state: idle where nothing is under way; refused while the desk's database cannot be used.
        sent, failed, dropped, dead: messages taken and tries that failed; letters of no use any more and given up.
        backlogs: letters that wait or were given up, as of the last look.
    """

    words = Words(
        refused="nobody can be told; it waits in the desk's database",
        resumed="people can be told again",
        failed="telling failed unexpectedly; it will be tried again",
        left="a channel does not answer; leaving it",
    )
    foreseen = (TicketsError,)

    def __init__(self, open_desk: Callable[[], Desk], outfit: Outfit) -> None:
        """Nothing is opened yet.

        Args:
            open_desk: opens the desk, in the courier's thread; its database is closed here.
            outfit: what the settings say.
        """
        super().__init__("courier")
        self.state: State = "starting"
        self.sent = self.failed = self.dropped = self.dead = 0
        self.backlogs: Sequence[Backlog] = ()
        self._open_desk, self._outfit = open_desk, outfit
        self._desk: Desk | None = None
        self._rests: dict[str, _Rest] = {}
        self._trimmed_at = 0

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def use(self, open_desk: Callable[[], Desk], outfit: Outfit) -> None:
        """Goes on with a changed configuration."""
        self.change((open_desk, outfit))

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def retreat(self, error: Exception) -> float:  # noqa: ARG002 - all are alike here
        """Waits for the desk's database."""
        self.state = "refused"
        return _PAUSE_S

    def close(self) -> None:
        """Ends connections, once the thread is over."""
        for channel in self._outfit.channels.values():
            if isinstance(channel, Webhook):
                channel.close()
        if self._desk is not None:
            self._desk.database.close()
            self._desk = None

    def step(self) -> float:
        """Tells all that is due now; what is not told when the thread ends waits in the database.

        Raises:
            DatabaseError: the desk's database cannot be used.
        """
        self._take_over()
        if self._desk is None:
            self._desk = self._open_desk()
        desk = self._desk
        while not self._look(desk):
            self.state = "sending"
        self.state = "idle"
        now = desk.clock()
        if now - self._trimmed_at >= _TRIM:
            with desk.database.write() as connection:
                LetterBook(connection, desk.site.id).trim(now - _KEEP)
            self._trimmed_at = now
        return _LOOK_S

    def _look(self, desk: Desk) -> bool:
        """Tells for a short time, so that what is urgent is seen between slow answers; whether all was told."""
        self._sort(desk)
        now = desk.clock()
        with desk.database.read() as connection:
            letters = LetterBook(connection, desk.site.id)
            waiting = letters.list_waiting()
            sent = letters.list_sent(now) if waiting else {}
            self.backlogs = count_letters(connection, desk.site.id)
        deadline = time.monotonic() + _LOOK_S
        for address in self._rank(waiting):
            if self._stopping or self._next is not None:
                return True
            chosen = self._choose(waiting[address], sent.get(address, ()), now)
            if chosen:
                self._deliver(desk, chosen)
                if time.monotonic() > deadline:
                    return False
        return True

    def _rank(self, waiting: Mapping[Address, Sequence[Letter]]) -> Iterable[Address]:
        """What is urgent is first, then people, then outside systems; among them, whoever waits longest."""

        def weigh(address: Address) -> tuple[bool, bool, int]:
            letters = waiting[address]
            urgent = any(letter.urgent for letter in letters)
            return not urgent, isinstance(self._outfit.channels.get(address[0]), Webhook), letters[0].id

        return sorted(waiting, key=weigh)

    def _take_over(self) -> None:
        following = self.take()
        if following is not None:
            self.close()
            self._open_desk, self._outfit = following
            self._rests.clear()

    def _sort(self, desk: Desk) -> None:
        sorter = Sorter(desk.plan, desk.site.id, self._outfit.channels, self._outfit.pace)
        while not self._stopping:
            with desk.database.read() as connection:
                if not sorter.has_work(connection):
                    return
            with desk.database.write() as connection:
                sorter.sort(connection, desk.clock())

    # ── one message ──────────────────────────────────────────────────────────────────────────────────────────────

    def _choose(self, waiting: Sequence[Letter], sent: Sequence[int], now: int) -> Sequence[Letter]:
        """The letters of the next message to a recipient; none where it is not time for one."""
        name = waiting[0].channel
        if name in self._rests and self._rests[name].until > now:
            return ()
        sealed = [letter for letter in waiting if letter.batch]
        chosen = sealed or waiting
        due = [letter.due_at for letter in chosen]
        urgent = any(letter.urgent for letter in chosen)
        if isinstance(self._outfit.channels.get(name), Webhook):
            return chosen if max(due) <= now else ()
        return chosen if find_ready(due, sent, self._outfit.pace, urgent=urgent) <= now else ()

    def _deliver(self, desk: Desk, letters: Sequence[Letter]) -> None:
        channel = self._outfit.channels.get(letters[0].channel)
        key = letters[0].batch or f"{desk.site.id}-{letters[0].id}"
        with desk.database.write() as connection:
            book = LetterBook(connection, desk.site.id)
            topics = book.load_topics(letters)
            if not isinstance(channel, Webhook):
                letters = self._drop_stale(book, letters, topics, desk.clock())
            if not letters:
                return
            if channel is None:
                book.end(letters, "dropped", desk.clock(), "its channel is not in siteward.yaml any more")
                return
            book.seal(letters, key)
        try:
            reply = self._send(desk, channel, letters[0], list(topics.values()), key)
        except NotDelivered as error:
            self._note_failure(desk, letters, error)
        except Exception as error:
            log.exception("a message failed unexpectedly; the others go on", channel=channel.name, message=key)
            self._note_failure(desk, letters, NotDelivered(f"unexpected: {error!r}"))
        else:
            self._note_success(desk, letters, reply)

    def _drop_stale(
        self, book: LetterBook, letters: Sequence[Letter], topics: dict[int, Topic], now: int
    ) -> Sequence[Letter]:
        """Without what matters to nobody any more."""
        stale = [letter for letter in letters if topics[letter.ticket_id].stale]
        if not stale:
            return letters
        book.end(stale, "dropped", now, "it was over before it could be told")
        self.dropped += len(stale)
        for letter in stale:
            topics.pop(letter.ticket_id, None)
        return [letter for letter in letters if letter.ticket_id in topics]

    def _send(self, desk: Desk, channel: Channel, letter: Letter, topics: Sequence[Topic], key: str) -> Reply:
        """Sends one message.

        Raises:
            NotDelivered: it was not taken.
        """
        wording = Wording(desk.plan, desk.site, self._outfit.link)
        if isinstance(channel, Webhook):
            document = write_document(topics[0], wording.find_link(topics[0].ticket), desk.clock())
            return channel.send(document, key, desk.clock())
        contact = ""
        if not channel.room:
            person = desk.plan.people.get(letter.recipient)
            contact = person.contacts.get(channel.name, "") if person else ""
            if not contact:
                raise NotDelivered(f"{letter.recipient} has no address for {channel.name} in desk.yaml any more")
        channel.send(wording.write(topics, key, channel.language or self._outfit.language), contact)
        return Reply("", "")

    def _note_success(self, desk: Desk, letters: Sequence[Letter], reply: Reply) -> None:
        now, name = desk.clock(), letters[0].channel
        if self._rests.pop(name, None):
            log.info("a channel takes messages again", channel=name)
        if reply.remark:
            log.warning(
                "an outside system took a ticket and did not say what it calls it", channel=name, reason=reply.remark
            )
        with desk.write() as book:
            LetterBook(book.connection, desk.site.id).end(letters, "sent", now, reply.remark, reply.reference)
            if reply.reference:
                case = book.load([letters[0].ticket_id])[0]
                details = {"channel": name, "reference": reply.reference}
                if not any(event.kind == "referenced" and event.details == details for event in case.events):
                    case.add("referenced", now, **details)
                    book.save([case])
        self.sent += 1

    def _note_failure(self, desk: Desk, letters: Sequence[Letter], error: NotDelivered) -> None:
        now, name, reason = desk.clock(), letters[0].channel, str(error)
        failures = self._rests[name].failures + 1 if name in self._rests else 1
        least = round((error.retry_after_s or 0) * NANOSECONDS["s"])
        if error.whole:
            self._rests[name] = _Rest(now + find_pause(failures, random.random(), least), failures)
        if letters[0].tries == 0 and failures == 1:
            log.warning("a message was not taken; it will be tried again", channel=name, reason=reason)
        until = now + find_pause(letters[0].tries + 1, random.random(), least)
        oldest = now - self._outfit.pace.give_up_after
        dead = 0
        with desk.database.write() as connection:
            book = LetterBook(connection, desk.site.id)
            book.postpone(letters, until, reason)
            if error.whole:
                dead = book.give_up(name, oldest, now, reason)
            elif min(letter.written_at for letter in letters) < oldest:
                book.end(letters, "dead", now, reason)
                dead = len(letters)
        self.failed += 1
        if dead:
            self.dead += dead
            log.error("messages were given up; nobody was told", channel=name, letters=dead, reason=reason)
