"""Doctor: examines everything that a site depends on, side by side, and gives up on what does not answer."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from collector.checks.broker import BrokerCheck
from collector.checks.desk import check_desk
from collector.checks.gateway import check_gateway, find_existing
from collector.checks.outage import check_outage
from collector.checks.rules import check_rules
from collector.checks.telling import check_telling
from collector.configuration import Configuration
from collector.errors import CollectorError
from collector.journal import Journal
from collector.settings import Settings
from collector.store import Finding
from collector.stores import open_store

_LIMIT_S = 16.0
"""Longest time for the whole examination; its single steps end well before, unless several of them are slow."""

_EXPECTED_ERRORS = (CollectorError, OSError, sqlite3.Error)


class Section(NamedTuple):
    """Findings about one subject: broker, database, gateway, rules, desk, outage."""

    name: str
    findings: list[Finding]


def examine(configuration: Configuration) -> list[Section]:
    """Examines a site, also while its daemon runs; takes seconds."""
    settings = configuration.settings
    journal, trouble = _visit_journal(settings)
    broker = BrokerCheck(settings, configuration.decoder().filters)
    try:
        examinations = [
            _Examination("broker", broker.run),
            _Examination("database", lambda: _inspect_store(configuration)),
            _Examination("gateway", lambda: [*trouble, *check_gateway(settings, journal)]),
            _Examination("rules", lambda: check_rules(configuration, journal)),
            _Examination("desk", lambda: _inspect_desk(configuration)),
        ]
        deadline = time.monotonic() + _LIMIT_S
        sections = [examination.finish(deadline) for examination in examinations]
        outage = check_outage(
            configuration.register,
            journal,
            broker.queue,
            quota=int(settings.journal.quota),
            free=shutil.disk_usage(find_existing(settings.data_dir)).free,
            expiry=settings.mqtt.session_expiry,
            now=time.time_ns(),
        )
        return [*sections, Section("outage", list(outage))]
    finally:
        if journal is not None:
            journal.close()


def _visit_journal(settings: Settings) -> tuple[Journal | None, list[Finding]]:
    """The journal, or None where there is none yet or where it cannot be read, which is a finding."""
    path = settings.data_dir / "journal.db"
    try:
        return (Journal(path, settings.journal.quota) if path.exists() else None), []
    except _EXPECTED_ERRORS as error:
        message = f"{path} cannot be used: {error}; run doctor as the user who runs Siteward"
        return None, [Finding("journal", good=False, message=message)]


def _inspect_store(configuration: Configuration) -> Iterator[Finding]:
    store = open_store(configuration)
    try:
        yield from store.inspect()
    finally:
        store.close()


def _inspect_desk(configuration: Configuration) -> Iterator[Finding]:
    if (yield from check_desk(configuration)):
        yield from check_telling(configuration)


class _Examination:
    """One check in a thread of its own, which does not hold up the program's end."""

    def __init__(self, name: str, check: Callable[[], Iterable[Finding]]) -> None:
        self._name = name
        self._check = check
        self._findings: list[Finding] = []
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for finding in self._check():
                self._findings.append(finding)
        except _EXPECTED_ERRORS as error:
            self._findings.append(Finding(self._name, good=False, message=str(error)))
        except Exception as error:  # noqa: BLE001 - raised again where somebody sees it
            self._failure = error

    def finish(self, deadline: float) -> Section:
        """What it found until `time.monotonic` reaches a deadline."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        findings = list(self._findings)
        if self._failure is not None:
            raise self._failure
        if self._thread.is_alive():
            message = (
                f"gave up after {_LIMIT_S:.0f} s without an answer; look at the network, and at the load over there"
            )
            findings.append(Finding(self._name, good=False, message=message))
        return Section(self._name, findings)
