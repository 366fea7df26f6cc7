"""What doctor learns about the rules: whether they are judged in time, which are set aside, whether state is saved."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import urllib3

from collector import snapshots
from collector.configuration import Configuration
from collector.journal import Journal
from collector.judging import CURSOR, SNAPSHOT_FILE
from collector.store import Finding
from devices.durations import NANOSECONDS, format_duration
from rules.errors import SnapshotError

_ANSWER_S = 3.0
_LATE = NANOSECONDS["m"]
_STALE = 2 * NANOSECONDS["m"]
"""A running daemon saves the state every 30 s."""


class Lag(NamedTuple):
    """How far judging is behind.

    Attributes:
        judged_at: arrival of the last reading that was judged, UTC ns; None where it is not in the journal any more.
        waiting: readings that were not.
        oldest_at: arrival of the first of them; None where none waits.
    """

    judged_at: int | None
    waiting: int
    oldest_at: int | None


def check_rules(configuration: Configuration, journal: Journal | None) -> Iterator[Finding]:
    """Findings about the rules and what judges by them.

    Args:
        configuration: valid.
        journal: None where there is none yet.
    """
    count = len(configuration.rules)
    words = f"{count:,} are in force" if count else "none: readings are stored, and nobody is told of anything"
    yield Finding("rules", good=True, message=words)
    live = ask_daemon(configuration)
    if live is not None:
        yield judge_set_aside(live["rules"]["set_aside"])
    if journal is None:
        return
    now = time.time_ns()
    position = journal.cursors().get(CURSOR, 0) if live is None else live["rules"]["judged"]
    yield judge_lag(measure_lag(journal, position), now, running=live is not None)
    uptime = 0 if live is None else now - live["started"]
    yield check_snapshot(configuration.settings.data_dir / SNAPSHOT_FILE, now, uptime)


def ask_daemon(configuration: Configuration) -> dict[str, Any] | None:
    """What the running daemon says of itself; None where none answers."""
    address = configuration.settings.http.listen
    try:
        answer = urllib3.request("GET", f"http://{address}/live", timeout=_ANSWER_S, retries=False)
        live: dict[str, Any] = orjson.loads(answer.data)
    except (urllib3.exceptions.HTTPError, orjson.JSONDecodeError):
        return None
    return live


def judge_set_aside(failed: Mapping[str, str]) -> Finding:
    """Whether rules failed; by their ids, why."""
    if not failed:
        return Finding("set aside", good=True, message="no rule has failed")
    told = "; ".join(f"{rule}: {reason}" for rule, reason in failed.items())
    return Finding("set aside", good=False, message=f"{told}. Change the rule: then it is tried again")


def measure_lag(journal: Journal, judged: int) -> Lag:
    """How far behind judging is that has come to a position of the journal."""
    connection = journal.connection()
    before = connection.execute(
        "SELECT received FROM entry WHERE position <= ? ORDER BY position DESC LIMIT 1", (judged,)
    ).fetchone()
    after = connection.execute(
        "SELECT received FROM entry WHERE position > ? ORDER BY position LIMIT 1", (judged,)
    ).fetchone()
    (head,) = connection.execute("SELECT max(position) FROM entry").fetchone()
    waiting = max(0, (head or 0) - judged)
    return Lag(before[0] if before else None, waiting, after[0] if after and waiting else None)


def judge_lag(lag: Lag, now: int, *, running: bool) -> Finding:
    """Whether readings are judged in time; now: UTC ns."""
    if not running:
        words = f"{lag.waiting:,} readings are judged at its next start" if lag.waiting else "nothing waits"
        return Finding("judging", good=True, message=f"the daemon does not run; {words}")
    if lag.oldest_at is None:
        return Finding("judging", good=True, message="everything that has arrived is judged")
    age = max(0, now - lag.oldest_at)
    message = f"{lag.waiting:,} readings wait, the oldest for {format_duration(age)}"
    if age > _LATE:
        advice = "alerts come late; look at `siteward status`, the load of this machine and the desk's database"
        return Finding("judging", good=False, message=f"{message}: {advice}")
    return Finding("judging", good=True, message=message)


def check_snapshot(path: Path, now: int, uptime: int) -> Finding:
    """Whether a restart can go on from the state of the rules on disk.

    Args:
        path: of the snapshot.
        now: UTC ns.
        uptime: of the daemon, ns; 0 where it does not run.
    """
    try:
        snapshot = snapshots.read(path)
    except (SnapshotError, OSError) as error:
        message = f"{error}; at the next start the journal is judged anew, and what was learned before it is lost"
        return Finding("snapshot", good=False, message=message)
    if snapshot is None:
        if uptime > _STALE:
            message = f"{path} was never written; look at `siteward status` and at the folder's rights"
            return Finding("snapshot", good=False, message=message)
        return Finding("snapshot", good=True, message="none yet; the rules begin anew")
    status = path.stat()
    age = max(0, now - status.st_mtime_ns)
    message = f"{status.st_size / 1e6:,.1f} MB, saved {format_duration(age)} ago"
    if min(age, uptime) > _STALE:
        message += ", and should be every 30 s; look at `siteward status`, the disk and the desk's database"
        return Finding("snapshot", good=False, message=message)
    return Finding("snapshot", good=True, message=message)
