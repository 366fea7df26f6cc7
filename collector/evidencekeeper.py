"""Keeps the readings around alerts with their tickets: a job of the daemon, which judging never waits for."""

import time
from collections.abc import Callable, Mapping, Sequence

from collector.configuration import Configuration
from collector.deskopening import open_desk_database
from collector.store import Store
from devices.reading import Reading, Value
from tickets.database import Database
from tickets.evidence import Samples
from tickets.evidencebook import keep_evidence


class EvidenceKeeper:
    """Looks in the store for what tickets are about."""

    def __init__(
        self,
        open_database: Callable[[Configuration], Database] = open_desk_database,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Opens nothing yet.

        Args:
            open_database: of the desk.
            clock: UTC nanoseconds.
        """
        self._open, self._clock = open_database, clock
        self._database: Database | None = None

    def keep(self, configuration: Configuration, store: Store, latest: Mapping[str, Reading]) -> int:
        """Looks for what is to be looked for now; of how many tickets.

        Args:
            configuration: in force.
            store: of the site.
            latest: each device's newest reading, which may not be in the store yet.

        Raises:
            CollectorError: the store does not answer, or the database's password cannot be read: try again.
            DatabaseError: the database cannot be used: likewise.
        """
        if self._database is None:
            self._database = self._open(configuration)
        return keep_evidence(self._database, configuration.rule_site(), StoredHistory(store, latest), self._clock())

    def close(self) -> None:
        """Gives the connections back."""
        if self._database is not None:
            self._database.close()


class StoredHistory:
    """What the store has, and the newest of each device."""

    def __init__(self, store: Store, latest: Mapping[str, Reading]) -> None:
        self._store, self._latest = store, latest

    def series(self, device: str, points: Sequence[str], start: int, end: int) -> Mapping[str, Samples]:
        """See `tickets.evidence.History`."""
        found: dict[str, Samples] = {}
        newest = self._latest.get(device)
        for point in points:
            samples: list[tuple[int, Value]] = list(self._store.series([device], point, start, end).get(device, ()))
            if newest is not None and point in newest.values and start <= newest.time < end:
                values = dict(samples) | {newest.time: newest.values[point]}
                samples = sorted(values.items())
            if samples:
                found[point] = samples
        return found
