"""Runs the daemon and kills it, from within, at one step of the life of a message: runner.py CONFIG STEP NUMBER.

The step is reached NUMBER times before the process kills itself as a power cut would: no handler, no flush.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from collector import judging, service, snapshots
from collector.configuration import load
from collector.daemon import Daemon
from collector.influx import InfluxDatabase
from collector.journal import Journal
from collector.pipeline import Pipeline
from collector.session import Session
from tickets.book import Book
from tickets.desk import Desk

STEPS: dict[str, tuple[object, str, str]] = {
    "received, not decoded": (Pipeline, "ingest", "before"),
    "decoded, not committed": (Journal, "append", "before"),
    "written, not committed": (Journal, "append", "after"),
    "committed, not acknowledged": (Session, "acknowledge", "before"),
    "acknowledged": (Session, "acknowledge", "after"),
    "read, not stored": (InfluxDatabase, "write", "before"),
    "stored, cursor not moved": (InfluxDatabase, "write", "after"),
    "cursor about to move": (Journal, "advance", "before"),
    "cursor moved": (Journal, "advance", "after"),
}


TICKET_STEPS: dict[str, tuple[object, str, str]] = {
    "judged, no ticket yet": (Desk, "apply", "before"),
    "ticket being written": (Book, "save", "after"),
    "ticket written": (Desk, "apply", "after"),
    "snapshot about to be written": (snapshots, "write", "before"),
    "snapshot written, cursor not moved": (snapshots, "write", "after"),
}
"""Likewise, for an alert on its way to a ticket."""


def die_at(owner: object, name: str, when: str, number: int) -> None:
    """Replaces a method by one that kills the process before or after its NUMBERth call."""
    method = getattr(owner, name)
    calls = 0

    def replacement(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - any method
        nonlocal calls
        calls += 1
        if when == "before" and calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(*args, **options)
        if when == "after" and calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, replacement)


if __name__ == "__main__":
    die_at(*(STEPS | TICKET_STEPS)[sys.argv[2]], int(sys.argv[3]))
    judging._SNAPSHOT_S = 0.2  # so that these steps are reached soon
    with service.holding_signals():
        sys.exit(Daemon(load(Path(sys.argv[1]))).run())
