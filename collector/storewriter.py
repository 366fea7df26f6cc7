"""The StoreWriter: drains the journal into the database, as the journal's consumer `store`.

It holds these rules:
- The cursor passes a reading only when it is stored, or rejected by the database and in quarantine.
- Storing a reading again changes nothing, so the cursor is persisted every few seconds; after a crash some are sent
  again.
- There is no terminal error state: whatever goes wrong, it waits and goes on.
"""

import random
import time
from collections import Counter, deque
from operator import attrgetter
from typing import Literal, NamedTuple, TypeAlias

import structlog

from collector import ledger
from collector.errors import BatchRejected, BatchTooLarge, StoreRefused, StoreUnavailable, StoreUnreachable
from collector.journal import Entry, Journal
from collector.store import Store
from devices.durations import NANOSECONDS
from devices.reading import Reading
from devices.register import SELF
from tickets.worker import Words, Worker

log = structlog.get_logger()

CURSOR = "store"

State: TypeAlias = Literal["idle", "draining", "unavailable", "refused"]

_PERSIST_S = 5.0
_IDLE_S = 0.25
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_REFUSED_PAUSE_S = 30.0
_LONGEST_RETRY_AFTER_S = 300.0

_Change: TypeAlias = tuple[Store, int, int]


class _Batch(NamedTuple):
    """Whole entries under way: `parts` are still to be stored, the next one last."""

    position: int
    readings: list[Reading]
    parts: list[list[Reading]]
    rejected: list[tuple[Reading, str]]


class StoreWriter(Worker[_Change]):
    """Writes what the journal holds to the database, in batches.

    Attributes:
        state: idle where nothing waits, else draining; unavailable or refused while the database takes nothing.
        position: the journal's position up to which everything is dealt with.
        written, rejected: readings since the start.
        batches, retries: writes that succeeded, attempts that failed.
        last_success: of a write, seconds since 1970; 0 before the first.
    """

    words = Words(
        refused="the database takes no readings; they wait in the journal",
        resumed="the database takes readings again",
        failed="storing failed unexpectedly; it will be tried again",
        left="the database does not answer; leaving it",
    )
    foreseen = (StoreUnavailable, StoreRefused)

    def __init__(self, journal: Journal, store: Store, batch_size: int, flush_interval: int) -> None:
        """Takes up where the persisted cursor stands.

        Args:
            journal: with a consumer `store`.
            store: the database; it is prepared before the first write.
            batch_size: most readings in one write.
            flush_interval: longest wait for more readings before a write, ns.
        """
        super().__init__("storewriter")
        self.state: State = "idle"
        self.position = self._persisted = journal.cursor(CURSOR)
        self.written = self.rejected = self.batches = self.retries = 0
        self.last_success = 0.0
        self._journal = journal
        self._ahead: deque[Entry] = deque()
        self._batch: _Batch | None = None
        self._stored: Counter[tuple[str, int]] = Counter()
        self._rejected: list[tuple[Reading, str]] = []
        self._persisted_at = time.monotonic()
        self._failures = 0
        self._most = batch_size
        self._use(store, batch_size, flush_interval)

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def swap(self, store: Store, batch_size: int, flush_interval: int) -> None:
        """Goes on with another database, at once; the former one is closed."""
        self.change((store, batch_size, flush_interval))

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def step(self) -> float:
        """Stores a batch, or waits for readings; what is not stored when the thread ends waits in the journal.

        Raises:
            StoreUnavailable, StoreRefused: the database takes nothing now.
        """
        self._take_over()
        self._drain()
        return 0.0

    def retreat(self, error: Exception) -> float:
        """Waits longer and longer, with jitter, and at least as long as is asked for within reason."""
        refused = isinstance(error, StoreRefused)
        self.state = "refused" if refused else "unavailable"
        self._prepared = False
        self.retries += 1
        self._failures += 1
        asked_s = _REFUSED_PAUSE_S if refused else (getattr(error, "retry_after_s", None) or 0.0)
        longest_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures - 1, 10))
        return max(random.uniform(longest_s / 2, longest_s), min(asked_s, _LONGEST_RETRY_AFTER_S))

    def close(self) -> None:
        """Leaves the cursor where everything is dealt with."""
        try:
            self._persist()
        except Exception:
            log.exception("the journal's cursor cannot be persisted; some readings will be sent again")

    def _use(self, store: Store, batch_size: int, flush_interval: int) -> None:
        self._store = store
        self._prepared = False
        self._batch_size = self._most = batch_size
        self._linger_s = flush_interval / NANOSECONDS["s"]

    def _take_over(self) -> None:
        following = self.take()
        if following is not None:
            former = self._store
            self._use(*following)
            former.close()
        if not self._prepared:
            self._store.prepare()
            self._prepared = True

    # ── draining ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _drain(self) -> None:
        if self._batch is None:
            self._batch = self._gather()
        if self._batch is None:
            self._idle()
            return
        while self._batch.parts:
            if self._stopping or self._next is not None:
                return
            self._put(self._batch)
        self._settle(self._batch)
        if self._rejected or time.monotonic() - self._persisted_at >= _PERSIST_S:
            self._persist()

    def _idle(self) -> None:
        self._succeed("idle")
        self._persist()
        if self._journal.wait(self.position, _IDLE_S) and not self._read_ahead():
            self.rest(_IDLE_S)  # the head of a repaired journal may lie beyond its last entry

    def _read_ahead(self) -> int:
        """Fills `_ahead` up to a batch, if the journal holds as much; returns how many readings are in it."""
        count = sum(len(entry.readings) for entry in self._ahead)
        if count < self._most:
            after = self._ahead[-1].position if self._ahead else self.position
            entries = self._journal.read(after, self._most - count)
            self._ahead += entries
            count += sum(len(entry.readings) for entry in entries)
        return count

    def _gather(self) -> _Batch | None:
        """The next entries that make up a batch, after a wait for more where they do not fill it."""
        count = self._read_ahead()
        if not self._ahead:
            return None
        if count < self._most:
            self.rest(self._linger_s)
            self._read_ahead()
        entry = self._ahead.popleft()
        readings = list(entry.readings)
        while self._ahead and len(readings) + len(self._ahead[0].readings) <= self._most:
            entry = self._ahead.popleft()
            readings += entry.readings
        return _Batch(entry.position, readings, [readings] if readings else [], [])

    def _put(self, batch: _Batch) -> None:
        """Stores the next part; one that the database does not take as it is, is split down to the bad readings."""
        whole = batch.parts[-1]
        part, left = whole[: self._most], [whole[self._most :]]
        middle = len(part) // 2
        try:
            self._store.write(part)
        except (BatchRejected, BatchTooLarge) as error:
            if isinstance(error, BatchTooLarge):
                self._most = max(1, middle)
            if middle and not (isinstance(error, BatchRejected) and error.count == len(part)):
                part = sorted(part, key=attrgetter("device"))  # the bad are often of one kind: they shall lie together
                left += [part[middle:], part[:middle]]
            else:
                batch.rejected.extend((reading, str(error)) for reading in part)
                self.rejected += len(part)
        except StoreUnreachable:
            raise
        except StoreUnavailable:
            self._most = max(1, middle)  # the size may be what breaks the connection, or takes too long
            raise
        else:
            if len(part) == self._most:
                self._most = min(self._batch_size, self._most + self._most // 8 + 1)
            self.written += len(part)
            self.batches += 1
            self.last_success = time.time()
            self._succeed("draining")
        batch.parts[-1:] = [part for part in left if part]

    def _succeed(self, state: State) -> None:
        self.recover()
        self.state, self._failures = state, 0

    def _settle(self, batch: _Batch) -> None:
        """Notes that all of a batch is stored or rejected."""
        self.position = batch.position
        stored = ledger.tally(batch.readings)
        stored.subtract(ledger.tally(reading for reading, _ in batch.rejected))
        self._stored.update({key: count for key, count in stored.items() if count and key[0] != SELF})
        self._rejected += batch.rejected
        self._batch = None

    def _persist(self) -> None:
        if self._persisted == self.position:
            return
        self._journal.advance(CURSOR, self.position, stored=self._stored, rejected=self._rejected)
        self._persisted, self._persisted_at = self.position, time.monotonic()
        self._stored = Counter()
        self._rejected = []
