"""The postman: looks in the daemon whether reports are due, and has them made and sent by a process of its own.

A report takes many seconds of a processor and hundreds of megabytes; a process gives both back, and whatever goes wrong
in it stays in it.
"""

import os
import subprocess
import sys
import threading
from contextlib import suppress

import structlog

from collector.configuration import Configuration
from collector.reports.delivery import list_latest
from collector.reports.deliverybook import DeliveryBook
from devices.durations import NANOSECONDS

log = structlog.get_logger()

_WAIT = 5 * NANOSECONDS["m"]
"""After a process that failed as a whole, such as for a configuration that is being edited."""

_NICE = 10
"""Readings come first."""

_STOP_S = 1.0


class Postman:
    """What the daemon runs every minute.

    Attributes:
        configuration: in force.
    """

    def __init__(self, configuration: Configuration) -> None:
        """Nothing is started yet."""
        self.configuration = configuration
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0
        self._is_stopped = False
        self._lock = threading.Lock()

    def step(self, now: int) -> None:
        """Starts a process where something is due (UTC ns), and looks what became of the last one.

        Raises:
            sqlite3.Error, OSError: the book of deliveries cannot be used, or no process can be started.
        """
        settings, deliveries = self.configuration.settings, self.configuration.reports.deliveries
        with self._lock:
            if self._is_stopped or not self._has_ended(now) or not deliveries or now < self._not_before:
                return
            with DeliveryBook(settings.data_dir) as book:
                due = book.list_due(list_latest(deliveries, settings.site.zone, now), now)
            if due:
                command = [sys.executable, "-m", "collector.cli", "report", "deliver"]
                self._process = subprocess.Popen(  # noqa: S603 - our own command
                    [*command, "--config", str(self.configuration.folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )
                with suppress(OSError):  # a hardened unit forbids it, or the process has ended already
                    os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)

    def stop(self) -> None:
        """Ends the process; what it has not sent is sent after the next start."""
        with self._lock:
            self._is_stopped = True
            if self._process is None or self._process.poll() is not None:
                return
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _has_ended(self, now: int) -> bool:
        """Whether no process is under way."""
        if self._process is None:
            return True
        code = self._process.poll()
        if code is None:
            return False
        self._process = None
        if code:
            self._not_before = now + _WAIT
            log.warning("not all reports were sent; it is tried again", exit_code=code)
        return True
