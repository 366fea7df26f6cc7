"""The delivery book: what was sent to whom, kept over restarts, so that no report is sent twice and none forgotten."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from collector.reports.delivery import Due
from devices.durations import NANOSECONDS

FOLDER = "reports"
"""In data_dir: the reports that were sent, and this book."""

_FILE = "deliveries.db"
_TABLE = """
    CREATE TABLE IF NOT EXISTS delivery (
        key TEXT PRIMARY KEY,
        told_until INTEGER NOT NULL,  -- end of the last period that was sent or given up, UTC ns
        tries INTEGER NOT NULL DEFAULT 0,
        first_try INTEGER,
        retry_at INTEGER NOT NULL DEFAULT 0,
        error TEXT NOT NULL DEFAULT ''
    )
"""
_BUSY_S = 10.0
_FIRST_WAIT, _LONGEST_WAIT = 5 * NANOSECONDS["m"], 6 * NANOSECONDS["h"]


class DeliveryBook:
    """A SQLite file that daemon and sender share."""

    def __init__(self, data_dir: Path) -> None:
        """Opens it, or begins a new one.

        Raises:
            sqlite3.Error, OSError: it cannot be used.
        """
        self.folder = data_dir / FOLDER
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._connection = sqlite3.connect(self.folder / _FILE, timeout=_BUSY_S, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def list_due(self, latest: Iterable[Due], now: int) -> list[Due]:
        """Those of the latest reports that are to be sent at a moment (UTC ns).

        A delivery that is new begins with the next period: nobody is sent what was over before they were named.
        """
        found = []
        for due in {each.key: each for each in latest}.values():  # who is named twice is told once
            self._connection.execute(
                "INSERT OR IGNORE INTO delivery (key, told_until) VALUES (?, ?)", (due.key, due.period.end)
            )
            row = self._connection.execute(
                "SELECT 1 FROM delivery WHERE key = ? AND told_until < ? AND retry_at <= ?",
                (due.key, due.period.end, now),
            ).fetchone()
            if row is not None:
                found.append(due)
        return found

    def settle(self, due: Due) -> None:
        """It was sent, or given up."""
        self._connection.execute(
            "UPDATE delivery SET told_until = ?, tries = 0, first_try = NULL, retry_at = 0, error = '' WHERE key = ?",
            (due.period.end, due.key),
        )

    def postpone(self, due: Due, error: str, now: int) -> int:
        """It was not sent: it is tried again, later each time.

        Args:
            due: what.
            error: why.
            now: UTC ns.

        Returns:
            For how long it has been tried, ns.
        """
        tries, first = self._connection.execute(
            "SELECT tries, first_try FROM delivery WHERE key = ?", (due.key,)
        ).fetchone()
        wait = min(_FIRST_WAIT << min(tries, 10), _LONGEST_WAIT)
        self._connection.execute(
            "UPDATE delivery SET tries = ?, first_try = ?, retry_at = ?, error = ? WHERE key = ?",
            (tries + 1, first or now, now + wait, error, due.key),
        )
        return now - int(first or now)
