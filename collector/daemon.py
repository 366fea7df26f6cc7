"""The daemon: puts the parts together, starts and stops them in order, takes over changed configuration."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from collector import credentialkeys, judging, ledger, quarantine, service, telemetry, vitals
from collector.annotations import Annotator
from collector.claim import claim
from collector.configuration import Configuration, load
from collector.embedded import EmbeddedDatabase
from collector.errors import CollectorError
from collector.evidencekeeper import EvidenceKeeper
from collector.folder import ConfigurationError
from collector.http import HttpServer
from collector.journal import Journal
from collector.judging import Judging
from collector.notifying import change_courier, make_courier
from collector.pipeline import Pipeline
from collector.reports.postman import Postman
from collector.rollups.rollups import Rollups
from collector.settings import BATCH_SIZE, FLUSH_INTERVAL
from collector.states import State
from collector.stores import open_store
from collector.storewriter import StoreWriter
from collector.subscriber import Subscriber
from devices.durations import NANOSECONDS

log = structlog.get_logger()

CONSUMERS = ("store", ledger.CURSOR, judging.CURSOR)
"""Who holds back the trimming of the journal."""

_LEDGER_KEEP = 63 * NANOSECONDS["d"]
"""On the last day of a month the whole month before it can still be reported on."""

_LOOK_S = 0.5
_STOP_S = 4.0
_STUCK_S = 90.0
"""Longer than a slow name server keeps an attempt to connect."""


class Daemon:
    """All parts of one running Siteward.

    Attributes:
        configuration: what is in force now.
        reload_failures: changed configurations that had errors.
        started_ns, loaded_ns: when it was made, and when the configuration was read, UTC ns.
        clock_skews: of devices whose clocks are wrong, ns.
    """

    configuration: Configuration
    reload_failures: int
    journal: Journal
    pipeline: Pipeline
    writer: StoreWriter
    judging: Judging
    subscriber: Subscriber

    def __init__(self, configuration: Configuration) -> None:
        """Opens the journal and the parts; nothing runs yet.

        Raises:
            CollectorError: the HTTP address, the journal or the keys cannot be used, or another daemon uses data_dir.
            OSError: data_dir cannot be used.
        """
        settings = configuration.settings
        self._claim = claim(settings.data_dir)
        credentialkeys.prepare(settings)
        self._surveyed = _survey(configuration)
        self.configuration = configuration = configuration.with_keys()
        self.reload_failures = 0
        self.stopping = threading.Event()
        self.started_ns = self.loaded_ns = time.time_ns()
        self.clock_skews: dict[str, int] = {}
        self._problems: list[str] = []
        self._reloading = threading.Lock()
        self.http = HttpServer(settings.http.listen, self)
        self.journal = Journal(settings.data_dir / "journal.db", settings.journal.quota, CONSUMERS)
        self.pipeline = Pipeline(configuration.decoder(), self.journal, settings.quarantine, self.stopping)
        self.store = open_store(configuration)
        self.writer = StoreWriter(self.journal, self.store, *self._pace())
        self.judging = Judging(self.journal, configuration)
        self.courier = make_courier(configuration)
        self.annotator = Annotator(configuration, self.store)
        self.rollups = Rollups(configuration, self.store)
        self._evidence = EvidenceKeeper()
        self._postman = Postman(configuration)
        self.subscriber = Subscriber(settings.mqtt, settings.site.id, self.pipeline, self.journal, self.stopping)
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(2)},
            # A job that was missed runs once, however late; jobs do not pile up.
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
            timezone="UTC",
        )
        self._plan()
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Starts all parts; returns at once."""
        self.http.start()
        _guard(self._record_self)()  # before anything is judged: what follows tells how long nobody could be heard
        self.writer.start()
        self.judging.start()
        self.courier.start()
        self.annotator.start()
        self.rollups.start()
        log.info("started", devices=len(self.configuration.register.devices), http=f"http://{self.http.address}")
        self.subscriber.start()
        self._scheduler.start()
        self._watcher.start()

    def run(self) -> int:
        """Runs until SIGTERM or SIGINT, or until only a restart helps; SIGHUP reloads. The exit code.

        To be called, and the daemon to be made, with `service.holding_signals`: its parts load libraries.
        """
        self.start()
        service.notify("READY=1")
        beat_s = service.watchdog_s()
        if beat_s is not None:
            self._schedule(self._beat, beat_s)
        while not (ill := self.ailments()):
            order = service.await_order(_LOOK_S)
            if order == "stop":
                break
            if order == "reload":
                _guard(self.reload)()
        service.notify("STOPPING=1")
        for ailment in ill:
            log.error("only a restart helps; whoever watches over us starts us again", reason=ailment)
        self.stop()
        return 1 if ill else 0

    def stop(self) -> None:
        """Stops all parts, in less than 5 s; what is under way is in the journal or still at the broker."""
        deadline = time.monotonic() + _STOP_S
        self.stopping.set()
        self.subscriber.wake()
        self._scheduler.shutdown()
        ending = [
            threading.Thread(target=each.stop, name="ending")
            for each in (self.writer, self.judging, self.courier, self.annotator, self.rollups, self._postman)
        ]
        for each in ending:
            each.start()
        for each in ending:
            each.join()
        if not self.subscriber.join(max(0.1, deadline - time.monotonic())):
            log.warning("the broker does not answer; leaving without goodbye")
        self.http.stop()
        self._evidence.close()
        self.store.close()
        try:
            self.journal.close()
        except sqlite3.Error as error:
            log.warning("the journal could not be closed; it is checked at the next start", error=str(error))
        os.close(self._claim)
        log.info("stopped", messages=self.pipeline.messages, waiting=self.journal.head - self.writer.position)

    # ── periodic work ────────────────────────────────────────────────────────────────────────────────────────────

    def _plan(self) -> None:
        jobs: list[tuple[Callable[[], object], float]] = [
            (self._fold, 10),
            (self._trim, 10),
            (self._keep_evidence, 10),
            (self._record_self, 30),
            (self._post_reports, 30),
            (self._summarize, 60),
            (self._expire, 600),
        ]
        for job, interval_s in jobs:
            self._schedule(job, interval_s)

    def _schedule(self, job: Callable[[], object], interval_s: float) -> None:
        self._scheduler.add_job(_guard(job), "interval", seconds=interval_s, id=job.__name__)

    def _fold(self) -> None:
        ledger.fold(self.journal)
        self.clock_skews = ledger.clock_skews(self.journal.connection())

    def _trim(self) -> None:
        settings, now = self.configuration.settings, time.time_ns()
        self.journal.trim(settings.journal.keep)
        with self.journal.transaction() as connection:
            quarantine.trim(connection, now - settings.quarantine.keep, settings.quarantine.max_size)
            ledger.trim(connection, now - _LEDGER_KEEP)

    def _keep_evidence(self) -> None:
        self._evidence.keep(self.configuration, self.store, self.pipeline.latest)

    def _post_reports(self) -> None:
        self._postman.step(time.time_ns())

    def _record_self(self) -> None:
        self.journal.commit([telemetry.self_reading(self, time.time_ns())])

    def _summarize(self) -> None:
        if isinstance(self.store, EmbeddedDatabase):
            self.store.summarize()

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
        return (store.batch_size, store.flush_interval) if store.kind == "influxdb" else (BATCH_SIZE, FLUSH_INTERVAL)

    def _watch(self) -> None:
        """Looks by itself: the folder may be exchanged as a whole, or lie where the kernel reports no changes."""
        reload = _guard(self.reload)
        known = seen = self._surveyed
        while not self.stopping.wait(_LOOK_S):
            before, seen = seen, _survey(self.configuration)
            if seen == before and seen != known:  # changed, and nobody is writing any more
                known = seen
                reload()

    def reload(self) -> None:
        """Reads the folder and the keys again; what is good is taken over whole, what is bad is reported and left."""
        with self._reloading:
            began_ns = time.time_ns()
            try:
                configuration = self._fix(load(self.configuration.folder)).with_keys()
            except CollectorError as error:
                self.reload_failures += 1
                problems = error.problems if isinstance(error, ConfigurationError) else [error]
                known, self._problems = self._problems, [str(problem) for problem in problems]
                for problem in self._problems:
                    if problem not in known:
                        log.error("changed configuration has an error; the running one stays", problem=problem)  # noqa: TRY400 - for people
                return
            if self._problems:
                log.info("the configuration has no errors any more")
                self._problems = []
            self.use(configuration)
            self.loaded_ns = began_ns

    def use(self, configuration: Configuration) -> None:
        """Takes over a configuration as a whole."""
        old, new = self.configuration.settings, configuration.settings
        if configuration == self.configuration:
            return
        self.configuration = configuration
        self.journal.quota_bytes = new.journal.quota
        self.pipeline.limits = new.quarantine
        self.subscriber.change(new.mqtt, configuration.decoder())
        self.judging.use(configuration)
        change_courier(self.courier, configuration)
        if (old.store, old.site, old.retention) != (new.store, new.site, new.retention):
            self.store = open_store(configuration)
            self.writer.swap(self.store, *self._pace())
        else:
            self.store.use(configuration.register)
        self.annotator.use(configuration, self.store)
        self.rollups.use(configuration, self.store)
        self._postman.configuration = configuration
        log.info("configuration taken over", devices=len(configuration.register.devices))

    def _fix(self, configuration: Configuration) -> Configuration:
        """A new configuration with the old values of what cannot change while we run."""
        old, new = self.configuration.settings, configuration.settings
        fixed = {
            "data_dir": old.data_dir,
            "http": old.http,
            "desk": old.desk,
            "site": new.site.model_copy(update={"id": old.site.id}),
        }
        for name, value in fixed.items():
            if getattr(new, name) != value:
                log.warning("this change takes effect at the next start", setting="site.id" if name == "site" else name)
        settings = new.model_copy(update=fixed)
        return configuration if settings == new else replace(configuration, settings=settings)

    # ── looking at it ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def uptime_s(self) -> float:
        """Seconds since the start."""
        return (time.time_ns() - self.started_ns) / NANOSECONDS["s"]

    def ailments(self) -> list[str]:
        """What a restart might cure."""
        found = []
        if self.subscriber.failure is not None:
            found.append(f"ingestion ended: {self.subscriber.failure}")
        elif time.monotonic() - self.subscriber.beat > _STUCK_S and not self.pipeline.trouble:
            found.append(f"ingestion has not moved for {_STUCK_S:.0f} s")
        workers: dict[str, threading.Thread] = {
            "the store writer": self.writer,
            "judging": self.judging,
            "the courier": self.courier,
            "the annotator": self.annotator,
            "the rollups": self.rollups,
        }
        return found + [f"{name} ended" for name, worker in workers.items() if not worker.is_alive()]

    def obstacles(self) -> list[str]:
        """Why readings cannot be taken right now."""
        found = self.ailments()
        session = self.subscriber.session
        if session.state not in {State.QUIET, State.FLOWING}:
            found.append(f"broker: {session.trouble or session.state.value}")
        found += [f"broker refuses {name}: {reason}" for name, reason in session.refused.copy().items()]
        if self.pipeline.trouble:
            found.append(f"journal: {self.pipeline.trouble}")
        if self.subscriber.held:
            found.append("journal: full; the database does not take readings")
        if self.judging.trouble:
            found.append(f"desk: {self.judging.trouble}")
        found += [f"rule {rule} is set aside: {reason}" for rule, reason in self.judging.failed.copy().items()]
        return found

    def live(self) -> dict[str, object]:
        """The state of everything, for `status`, the portal and the demo; times in UTC ns."""
        return vitals.tell(self)


def _survey(configuration: Configuration) -> frozenset[tuple[str, int, int, int]]:
    """What tells one state of a configuration from another: each file with its inode, size and time, and the keys'."""
    found = []
    patterns = ("*.yaml", "*.csv", "*/*.yaml", "*/*.js")
    files = [path for pattern in patterns for path in configuration.folder.glob(pattern)]
    for path in [*files, credentialkeys.find_file(configuration.settings)]:
        with suppress(OSError):  # it has just gone
            status = path.stat()
            found.append((str(path), status.st_ino, status.st_size, status.st_mtime_ns))
    return frozenset(found)


def _guard(job: Callable[[], object]) -> Callable[[], None]:
    """A job that fails is done again next time; that it fails is logged once until it succeeds."""
    failing = False

    def run() -> None:
        nonlocal failing
        try:
            job()
        except Exception:
            if not failing:
                log.exception("work failed; it will be tried again", job=job.__name__)
            failing = True
        else:
            failing = False

    return run
