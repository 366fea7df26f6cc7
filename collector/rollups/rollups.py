"""Rollups: keeps what dashboards draw up to date in the store; every row may be written again and stays one.

Each quarter of an hour people and the desk are counted; each hour consumption is worked out for the last day, so that
what came late is in it; and each night for as long as a reading may be late.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from collector.accounts import QUARTER, Rows
from collector.configuration import Configuration
from collector.deskopening import open_desk_database
from collector.errors import CollectorError
from collector.rollups.consumption import Prices, roll_consumption
from collector.rollups.occupancy import roll_occupancy
from collector.rollups.service import roll_desk, roll_service
from collector.settings import EmbeddedStore
from collector.store import Annotation, Store
from devices.durations import NANOSECONDS
from rules.localtime import find_hour, find_midnight, show_time
from tickets.database import Database
from tickets.errors import TicketsError
from tickets.rates import Rates
from tickets.worker import Words, Worker

_HOUR, _DAY = NANOSECONDS["h"], NANOSECONDS["d"]
_WAIT = 5 * NANOSECONDS["m"]
"""An hour's last readings need as long to be stored."""

_DAYTIME_H = 26
_NIGHT_H = 3
"""The local hour from which on the long look back is taken, once a day."""

_LOOK_S = 60.0
_PIECE = 7 * _DAY
_BATCH = 5_000


class Rollups(Worker[tuple[Configuration, Store]]):
    """The thread that writes them; it does nothing where the store is embedded, which no dashboard reads.

    Attributes:
        written: rows since the start.
    """

    words = Words(
        refused="figures for dashboards cannot be written; they will be, once this is over",
        resumed="figures for dashboards can be written again",
        failed="figures for dashboards failed unexpectedly; they will be tried again",
        left="figures for dashboards are not finished; the next start goes on",
    )
    foreseen = (CollectorError, TicketsError)

    def __init__(
        self,
        configuration: Configuration,
        store: Store,
        open_database: Callable[[Configuration], Database] = open_desk_database,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Nothing is opened yet.

        Args:
            configuration: in force.
            store: somebody else prepares and closes it.
            open_database: opens the desk's.
            clock: gives now, UTC ns.
        """
        super().__init__("rollups")
        self.written = 0
        self._configuration, self._store, self._open, self._clock = configuration, store, open_database, clock
        self._quarter = self._hour = 0
        self._night: object = None

    def use(self, configuration: Configuration, store: Store) -> None:
        """Goes on with a changed configuration or another store."""
        self.change((configuration, store))

    def run(self) -> None:
        """Works until `stop`; the first minute belongs to the store's preparation and to what has waited for it."""
        self.rest(_LOOK_S)
        super().run()

    def retreat(self, error: Exception) -> float:  # noqa: ARG002 - all are alike here
        """Waits for the store, or for the desk's database."""
        return _LOOK_S

    def close(self) -> None:
        """Nothing stays open between two steps."""

    def step(self) -> float:
        """Writes what has become due.

        Raises:
            StoreError, DatabaseError: one of the two cannot be used; what was due is still due.
        """
        self._configuration, self._store = self.take() or (self._configuration, self._store)
        if not isinstance(self._configuration.settings.store, EmbeddedStore):
            self._catch_up(self._clock())
        return _LOOK_S

    def _catch_up(self, now: int) -> None:
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
        rows, hours = Rows.of(configuration, self._store, now), configuration.reports.working_hours
        prices = Prices(
            Rates(configuration.tariffs, configuration.settings.site.zone),
            configuration.calendars.find(hours) if hours else None,
        )
        for first in range(start, end, _PIECE):
            self._write(roll_consumption(configuration, rows, prices, first, min(first + _PIECE, end)))

    def _write(self, rows: Iterable[Annotation]) -> None:
        source: Iterator[Annotation] = iter(rows)
        while not self._stopping and (batch := list(islice(source, _BATCH))):
            self._store.annotate(batch)
            self.written += len(batch)
