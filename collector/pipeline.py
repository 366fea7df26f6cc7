"""The hot path: messages become readings, one commit, then the acknowledgement. Keep it on one screen."""

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from threading import Event

import structlog
from msgspec import Struct, field

from collector import ledger, quarantine
from collector.journal import Journal
from collector.mqtt import Message
from collector.quarantine import Rejection
from collector.repeats import Repeats
from collector.settings import Quarantine
from devices.decoder import Decoder
from devices.durations import NANOSECONDS
from devices.errors import Undecodable
from devices.reading import Reading

log = structlog.get_logger()

_RETRY_S = 1.0
_CRC = 0xFFFFFFFF
_COARSE = NANOSECONDS["s"]
"""Of events within so long their arrival tells the order: on a coarse clock the digits below are no time."""


class Batch(Struct):
    """What one commit holds: new readings, rejected messages, readings that came again, and what tells that they do."""

    readings: list[Reading] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    repeats: list[Reading] = field(default_factory=list)
    ignored: int = 0
    keys: list[int] = field(default_factory=list)
    retained: dict[str, int] = field(default_factory=dict)


class Pipeline:
    """Turns messages into committed readings.

    Attributes:
        decoder: may be exchanged at any time.
        limits: how much quarantine may keep; likewise.
        latest: each device's newest reading.
        messages, readings, late, duplicates, quarantined, ignored, commits: counted since the start.
        generation: of the newest commit that holds messages which the broker may send again.
        trouble: why nothing can be committed at the moment, else "".
    """

    def __init__(
        self,
        decoder: Decoder,
        journal: Journal,
        limits: Quarantine,
        stopping: Event,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Takes up where the journal's file says that the last process stopped.

        Args:
            decoder: see devices/decoder.py.
            journal: opened by the daemon.
            limits: how much quarantine may keep.
            stopping: set when the daemon stops.
            clock: UTC nanoseconds.
        """
        self.decoder = decoder
        self._journal = journal
        self.limits = limits
        self._stopping = stopping
        self._clock = clock
        self._arrival = 0
        self._repeats = Repeats()
        self._quarantined_bytes = 0
        connection = journal.connection()
        rows = connection.execute("SELECT generation, keys FROM unacknowledged ORDER BY generation")
        self._unsettled = deque((generation, frozenset(_unpack(keys))) for generation, keys in rows)
        self._settled = 0
        self.generation: int = self._unsettled[-1][0] if self._unsettled else 0
        self._retained: dict[str, int] = dict(connection.execute("SELECT topic, key FROM retained"))
        ledger.fold(journal)
        self.latest = {
            device: Reading(device, newest, newest, {}) for device, newest in ledger.newest_times(connection).items()
        }
        self.messages = self.readings = self.late = self.duplicates = self.quarantined = self.commits = 0
        self.ignored = 0
        self.trouble = ""

    def ingest(self, messages: list[Message]) -> bool:
        """Commits what the messages say; True when it is on the disk and they may be acknowledged.

        False only where the daemon is stopping and the disk does not take anything: the broker keeps the messages.
        """
        batch = Batch()
        decode = self.decoder.decode
        arrival = max(self._clock(), self._arrival)
        for message in messages:
            arrival += 1  # unique, so that readings without a time of their own never share a row
            known = self._is_known(message, batch)
            try:
                readings = decode(message.topic, message.payload, arrival)
            except Undecodable as error:
                readings = list(error.readings)
                if not known:
                    batch.rejections.append(_reject(message, error, arrival))
                arrival += len(message.payload)  # room for all that a retry may find in it
            else:
                batch.ignored += not readings
                arrival += len(readings)  # those of a batch without times follow a nanosecond apart
            if known:
                batch.repeats += readings
            else:
                self._judge(readings, batch)
        self._arrival = arrival
        if not self._commit(batch):
            return False
        self.messages += len(messages)
        self.readings += len(batch.readings)
        self.late += sum([reading.late for reading in batch.readings])
        self.duplicates += len(batch.repeats)
        self.quarantined += len(batch.rejections)
        self.ignored += batch.ignored
        self.commits += 1
        return True

    def _is_known(self, message: Message, batch: Batch) -> bool:
        """Whether a message was committed before: sent again, or retained and taken already."""
        if message.mid:
            if message.dup and any(message.key in keys for _, keys in self._unsettled):
                return True
            batch.keys.append(message.key)
        if message.retain or message.topic in self._retained:
            key = message.key & _CRC
            if message.retain and self._retained.get(message.topic) == key:
                return True
            self._retained[message.topic] = batch.retained[message.topic] = key
        return False

    def _judge(self, readings: list[Reading], batch: Batch) -> None:
        """Tells late readings and repeated ones from new ones."""
        latest, windows = self.latest, self.decoder.windows
        for reading in readings:
            if windows and (window := windows.get(reading.device)) and self._repeats.recognizes(reading, window):
                batch.repeats.append(reading)
                continue
            newest = latest.get(reading.device)
            if newest is None or reading.time > newest.time:
                latest[reading.device] = reading
            elif reading.time < newest.time:
                reading.late = "event" not in reading.values or newest.time - reading.time >= _COARSE
            elif reading.values == newest.values:
                batch.repeats.append(reading)
                continue
            batch.readings.append(reading)

    # ── one transaction ──────────────────────────────────────────────────────────────────────────────────────────

    def _commit(self, batch: Batch) -> bool:
        """Writes a batch, trying again until the disk takes it; False where the daemon stops first.

        Raises:
            sqlite3.DatabaseError: the file is damaged; the next start repairs it.
        """
        while True:
            try:
                position = self._write(batch)
            except sqlite3.OperationalError as error:
                if not self.trouble:
                    log.error(  # noqa: TRY400 - the message says it all
                        "the journal cannot be written; messages stay at the broker until it can",
                        path=str(self._journal.path),
                        error=str(error),
                    )
                self.trouble = str(error)
                if self._stopping.wait(_RETRY_S):
                    return False
                continue
            if self.trouble:
                log.warning("the journal can be written again")
                self.trouble = ""
            if batch.keys:
                self.generation += 1
                self._unsettled.append((self.generation, frozenset(batch.keys)))
            if position:
                self._journal.announce(position)
            return True

    def _write(self, batch: Batch) -> int:
        """The transaction itself; the position of its entry, 0 where there is none."""
        position = 0
        with self._journal.transaction() as connection:
            if batch.readings:
                position = self._journal.append(connection, batch.readings)
            if batch.rejections:
                self._quarantine(connection, batch.rejections)
            if batch.repeats:
                ledger.count(connection, "duplicate", ledger.tally(batch.repeats))
            if batch.retained:
                connection.executemany("INSERT OR REPLACE INTO retained VALUES (?, ?)", batch.retained.items())
            if batch.keys:
                packed = b"".join([key.to_bytes(8) for key in batch.keys])
                connection.execute("INSERT INTO unacknowledged VALUES (?, ?)", (self.generation + 1, packed))
            connection.execute("DELETE FROM unacknowledged WHERE generation <= ?", (self._settled,))
        return position

    def _quarantine(self, connection: sqlite3.Connection, rejections: list[Rejection]) -> None:
        quarantine.record(connection, rejections)
        ledger.count(connection, "quarantined", quarantine.tally(rejections))
        self._quarantined_bytes += sum(len(item.payload) for item in rejections)
        if self._quarantined_bytes > self.limits.max_size // 10:  # a flood does not wait for the housekeeping
            quarantine.trim(connection, self._clock() - self.limits.keep, self.limits.max_size)
            self._quarantined_bytes = 0

    @property
    def unsettled(self) -> bool:
        """Whether there are messages that the broker may send again."""
        return bool(self._unsettled)

    def settle(self, generation: int) -> None:
        """The broker has the acknowledgements of all commits up to this one and will not send their messages again."""
        while self._unsettled and self._unsettled[0][0] <= generation:
            self._settled, _ = self._unsettled.popleft()


def _unpack(keys: bytes) -> list[int]:
    return [int.from_bytes(keys[at : at + 8]) for at in range(0, len(keys), 8)]


def _reject(message: Message, error: Undecodable, arrival: int) -> Rejection:
    return Rejection(
        "decode", error.device, error.reason, error.hint, arrival, message.topic, message.payload, error.strangers
    )
