"""The daemon: puts the parts together, starts and stops them in order, takes over changed configuration."""

import threading
import time
from collections.abc import Callable

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from watchfiles import watch

from collector import ledger, quarantine, service, telemetry
from collector.configuration import Configuration, ConfigurationError, load
from collector.embedded import EmbeddedDatabase
from collector.http import HttpServer
from collector.journal import Journal
from collector.pipeline import Pipeline
from collector.session import State
from collector.stores import open_store
from collector.storewriter import StoreWriter
from collector.subscriber import Subscriber
from devices.durations import NANOSECONDS

log = structlog.get_logger()

CONSUMERS = ("store", ledger.CURSOR)
"""Who holds back the trimming of the journal."""

_LEDGER_KEEP = 30 * NANOSECONDS["d"]
_STOP_S = 2.0
_STUCK_S = 30.0


class Daemon:
    """All parts of one running Siteward.

    Attributes:
        configuration: what is in force now.
        reload_failures: changed configurations that had errors.
    """

    def __init__(self, configuration: Configuration) -> None:
        """Opens the journal and the parts; nothing runs yet.

        Raises:
            CollectorError: the HTTP address or the journal cannot be used.
            OSError: data_dir cannot be used.
        """
        settings = configuration.settings
        self.configuration = configuration
        self.reload_failures = 0
        self.stopping = threading.Event()
        self._started_ns = time.time_ns()
        self._clock_skews: dict[str, int] = {}
        self.journal = Journal(settings.data_dir / "journal.db", settings.journal.quota, CONSUMERS)
        self.pipeline = Pipeline(configuration.decoder(), self.journal, settings.quarantine, self.stopping)
        self.store = open_store(configuration)
        self.writer = StoreWriter(self.journal, self.store, *self._pace())
        self.subscriber = Subscriber(settings.mqtt, settings.site.id, self.pipeline, self.journal, self.stopping)
        self.http = HttpServer(settings.http.listen, self)
        self._scheduler = self._plan()
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Starts all parts; returns at once."""
        self.http.start()
        self.writer.start()
        self.subscriber.start()
        self._scheduler.start()
        self._watcher.start()
        log.info("started", devices=len(self.configuration.register.devices), http=f"http://{self.http.address}")

    def run(self) -> int:
        """Starts, waits until `stopping` is set or ingestion fails, stops; the exit code."""
        self.start()
        service.notify("READY=1")
        while not self.stopping.wait(0.5):
            if self.subscriber.failure is not None:
                break
        service.notify("STOPPING=1")
        self.stop()
        return 0 if self.subscriber.failure is None else 1

    def stop(self) -> None:
        """Stops all parts, in less than 5 s; what is under way is in the journal or still at the broker."""
        self.stopping.set()
        if not self.subscriber.join(_STOP_S):
            log.warning("the broker does not answer; leaving without goodbye")
        self._scheduler.shutdown()
        self.writer.stop()
        self.http.stop()
        self.store.close()
        self.journal.close()
        log.info("stopped", messages=self.pipeline.messages, waiting=self.journal.head - self.writer.position)

    # ── periodic work ────────────────────────────────────────────────────────────────────────────────────────────

    def _plan(self) -> BackgroundScheduler:
        """A job that was missed runs once, however late; jobs do not pile up."""
        scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
            timezone="UTC",
        )
        jobs: list[tuple[Callable[[], object], float]] = [
            (self._fold, 10),
            (self._trim, 10),
            (self._record_self, 30),
        ]
        if isinstance(self.store, EmbeddedDatabase):
            jobs += [(self.store.summarize, 60), (self._expire, 3600)]
        beat_s = service.watchdog_s()
        if beat_s is not None:
            jobs.append((self._beat, beat_s))
        for job, interval_s in jobs:
            scheduler.add_job(_guard(job), "interval", seconds=interval_s, id=job.__name__)
        return scheduler

    def _fold(self) -> None:
        ledger.fold(self.journal)
        self._clock_skews = ledger.clock_skews(self.journal.connection())

    def _trim(self) -> None:
        settings, now = self.configuration.settings, time.time_ns()
        self.journal.trim(settings.journal.keep)
        with self.journal.transaction() as connection:
            quarantine.trim(connection, now - settings.quarantine.keep, settings.quarantine.max_size)
            ledger.trim(connection, now - _LEDGER_KEEP)

    def _record_self(self) -> None:
        self.journal.commit([telemetry.self_reading(self, time.time_ns())])

    def _expire(self) -> None:
        if isinstance(self.store, EmbeddedDatabase):
            self.store.expire(time.time_ns())

    def _beat(self) -> None:
        if not self.ailments():
            service.notify("WATCHDOG=1")

    # ── changed configuration ────────────────────────────────────────────────────────────────────────────────────

    def _pace(self) -> tuple[int, int]:
        """Batch size and flush interval (ns) of the store."""
        store = self.configuration.settings.store
        return (store.batch_size, store.flush_interval) if store.kind == "influxdb" else (5000, 250_000_000)

    def _watch(self) -> None:
        for _ in watch(self.configuration.folder, stop_event=self.stopping, raise_interrupt=False, recursive=True):
            self.reload()

    def reload(self) -> None:
        """Reads the folder again; a good configuration is taken over whole, a bad one is reported and left."""
        try:
            configuration = load(self.configuration.folder)
        except ConfigurationError as error:
            self.reload_failures += 1
            for problem in error.problems:
                log.error("changed configuration has an error; the running one stays", problem=str(problem))  # noqa: TRY400 - for people
            return
        self.use(configuration)

    def use(self, configuration: Configuration) -> None:
        """Takes over a configuration as a whole."""
        old, new = self.configuration.settings, configuration.settings
        for name, before, after in (
            ("data_dir", old.data_dir, new.data_dir),
            ("http.listen", old.http.listen, new.http.listen),
            ("site.id", old.site.id, new.site.id),
        ):
            if before != after:
                log.warning("this change takes effect at the next start", setting=name)
        self.configuration = configuration
        self.journal.quota_bytes = new.journal.quota
        self.pipeline.limits = new.quarantine
        self.pipeline.decoder = configuration.decoder()
        if (old.store, old.site) != (new.store, new.site):
            self.store = open_store(configuration)
            self.writer.swap(self.store, *self._pace())
        else:
            self.store.use(configuration.register)
        self.subscriber.change(new.mqtt)
        log.info("configuration taken over", devices=len(configuration.register.devices))

    # ── looking at it ────────────────────────────────────────────────────────────────────────────────────────────

    def ailments(self) -> list[str]:
        """What a restart might cure."""
        found = []
        if self.subscriber.failure is not None:
            found.append(f"ingestion ended: {self.subscriber.failure}")
        elif time.monotonic() - self.subscriber.beat > _STUCK_S:
            found.append(f"ingestion has not moved for {_STUCK_S:.0f} s")
        if not self.writer.is_alive():
            found.append("the store writer ended")
        return found

    def obstacles(self) -> list[str]:
        """Why readings cannot be taken right now."""
        found = self.ailments()
        session = self.subscriber.session
        if session.state not in {State.QUIET, State.FLOWING}:
            found.append(f"broker: {session.trouble or session.state.value}")
        found += [f"broker refuses {name}: {reason}" for name, reason in session.refused.items()]
        if self.pipeline.trouble:
            found.append(f"journal: {self.pipeline.trouble}")
        if self.subscriber.held:
            found.append("journal: full; the database does not take readings")
        return found

    def live(self) -> dict[str, object]:
        """The state of everything, for `status`, the portal and the demo; times in UTC ns."""
        session, writer, pipeline = self.subscriber.session, self.writer, self.pipeline
        return {
            "site": self.configuration.settings.site.id,
            "started": self._started_ns,
            "problems": self.obstacles(),
            "broker": {"state": session.state.value, "connects": session.connects, "trouble": session.trouble},
            "store": {"state": writer.state, "trouble": writer.trouble, "written": writer.written},
            "journal": {
                "head": self.journal.head,
                "store": writer.position,
                "bytes": self.journal.used_bytes,
                "quota_bytes": int(self.journal.quota_bytes),
            },
            "counts": {
                "messages": pipeline.messages,
                "readings": pipeline.readings,
                "late": pipeline.late,
                "duplicates": pipeline.duplicates,
                "quarantined": pipeline.quarantined,
            },
            "clock_skew_s": {device: skew / NANOSECONDS["s"] for device, skew in self._clock_skews.items()},
            "devices": {
                device: {"time": reading.time, "values": reading.values}
                for device, reading in list(pipeline.latest.items())
            },
        }


def _guard(job: Callable[[], object]) -> Callable[[], None]:
    """A job that fails is logged and runs again next time."""

    def run() -> None:
        try:
            job()
        except Exception:
            log.exception("periodic work failed; it will be tried again", job=job.__name__)

    return run
