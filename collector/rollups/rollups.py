"""Rollups: keeps what dashboards draw up to date in the store; every row may be written again and stays one.

Each quarter of an hour people and the desk are counted; each hour consumption is worked out for the last day, so that
what came late is in it; and each night for as long as a reading may be late.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import structlog

from collector.accounts import QUARTER, Rows
from collector.configuration import Configuration
from collector.deskopening import open_desk_database
from collector.rollups.consumption import Prices, roll_consumption
from collector.rollups.occupancy import roll_occupancy
from collector.rollups.service import roll_desk, roll_service
from collector.settings import EmbeddedStore
from collector.store import Annotation, Store
from devices.durations import NANOSECONDS
from rules.localtime import find_hour, find_midnight, show_time
from tickets.database import Database
from tickets.rates import Rates

log = structlog.get_logger()

_HOUR, _DAY = NANOSECONDS["h"], NANOSECONDS["d"]
_WAIT = 5 * NANOSECONDS["m"]
"""An hour's last readings need as long to be stored."""

_DAYTIME_H = 26
_NIGHT_H = 3
"""The local hour from which on the long look back is taken, once a day."""

_PIECE = 7 * _DAY
_BATCH = 5_000


class Rollups:
    """What the daemon runs every minute; nothing is done where the store is embedded, which no dashboard reads.

    Attributes:
        written: rows since the start.
    """

    def __init__(
        self,
        configuration: Configuration,
        store: Store,
        stopping: Callable[[], bool],
        open_database: Callable[[Configuration], Database] = open_desk_database,
    ) -> None:
        """Nothing is opened yet.

        Args:
            configuration: in force.
            store: somebody else prepares and closes it.
            stopping: whether the daemon ends; then what is not written is written after the next start.
            open_database: opens the desk's.
        """
        self.written = 0
        self._configuration, self._store, self._stopping, self._open = configuration, store, stopping, open_database
        self._quarter = self._hour = 0
        self._night: object = None

    def use(self, configuration: Configuration, store: Store) -> None:
        """Goes on with a changed configuration or another store."""
        self._configuration, self._store = configuration, store

    def step(self, now: int) -> None:
        """Writes what has become due at a time (UTC ns).

        Raises:
            StoreError, DatabaseError: one of the two cannot be used; what was due is still due.
        """
        if isinstance(self._configuration.settings.store, EmbeddedStore):
            return
        zone = self._configuration.settings.site.zone
        quarter, hour = now // QUARTER * QUARTER, find_hour(now - _WAIT, zone)
        if quarter > self._quarter:
            self.count(now)
            self._quarter = quarter
        if hour > self._hour:
            self.roll(hour - _DAYTIME_H * _HOUR, hour, now)
            self._hour = hour
        shown = show_time(now, zone)
        if self._night is None and shown.hour >= _NIGHT_H:
            self._night = shown.date()  # the daemon has just begun; the coming night does it
        if shown.hour >= _NIGHT_H and shown.date() != self._night:
            past = self._configuration.settings.time.past
            self.roll(find_midnight(show_time(now - past, zone).date(), zone), hour, now)
            self._night = shown.date()

    def count(self, now: int) -> None:
        """Counts people and tickets.

        Raises:
            StoreError, DatabaseError: one of the two cannot be used.
        """
        configuration = self._configuration
        site, end = configuration.rule_site(), now // QUARTER * QUARTER
        self._write(roll_occupancy(self._store, site, end - 4 * QUARTER, end + QUARTER))
        database = self._open(configuration)
        try:
            with database.read() as connection:
                self._write(roll_desk(connection, site.id, configuration.desk.teams, now))
                self._write(roll_service(connection, site, now - 2 * _DAY, now))
        finally:
            database.close()

    def roll(self, start: int, end: int, now: int) -> None:
        """Works out consumption from a local hour to another, as the rows up to now tell it (UTC ns).

        Raises:
            StoreError: the database cannot be used.
        """
        configuration = self._configuration
        rows = Rows.of(configuration, self._store, now)
        prices = Prices(Rates(configuration.tariffs, configuration.settings.site.zone), None)
        for first in range(start, end, _PIECE):
            self._write(roll_consumption(configuration, rows, prices, first, min(first + _PIECE, end)))

    def _write(self, rows: Iterable[Annotation]) -> None:
        source: Iterator[Annotation] = iter(rows)
        while not self._stopping() and (batch := list(islice(source, _BATCH))):
            self._store.annotate(batch)
            self.written += len(batch)
