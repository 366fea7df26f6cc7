"""What an outage would cost: how long the broker and the journal hold out at the present rate."""

from collections.abc import Iterator
from typing import NamedTuple

from collector.checks.brokerqueue import Queue
from collector.journal import Journal
from collector.store import Finding
from devices.durations import NANOSECONDS, format_duration
from devices.register import SELF, Register

_SHORTEST_S = 600
_SAMPLE_READINGS = 5000
_ENTRY_BYTES = 48
_PAGE_SHARE = 1.15
_TYPICAL_BYTES = 150.0
_LEAST_AT_BROKER_S = 3600
_LEAST_IN_JOURNAL_S = 3 * 86_400
_SPANS = ((172_800, 86_400, "days"), (7_200, 3_600, "hours"), (120, 60, "minutes"))


class Load(NamedTuple):
    """What comes in.

    Attributes:
        source: where this is known from: "at today's rate".
        messages_per_s: from the broker.
        readings_per_s: into the journal.
        reading_bytes: what one takes there.
    """

    source: str
    messages_per_s: float
    readings_per_s: float
    reading_bytes: float


def check_outage(
    register: Register, journal: Journal | None, queue: Queue | None, *, quota: int, free: int, expiry: int, now: int
) -> Iterator[Finding]:
    """How long an outage of Siteward or of the database goes without loss.

    Args:
        register: its intervals stand in for a rate that is not known yet.
        journal: None where there is none yet.
        queue: what the broker keeps; None where that is not known.
        quota: of the journal, bytes.
        free: on its disk, bytes.
        expiry: how long the broker keeps the session, ns.
        now: UTC ns.
    """
    load = None if journal is None else measure_load(journal, now)
    if load is None:
        load = expect_load(register)
        if load is None:
            advice = "run this again after ten minutes of readings, or give the register's devices their intervals"
            yield Finding("rate", good=True, message=f"none yet, so nothing can be said; {advice}")
            return
        yield Finding(
            "rate", good=True, message="none yet: the register's intervals stand in for ten minutes of readings"
        )
    yield judge_broker(load, queue, expiry)
    room = min(quota, free) if journal is None else _find_room(journal, load, quota, free)
    yield judge_journal(load, room)


# ── how much comes in ────────────────────────────────────────────────────────────────────────────────────────────


def measure_load(journal: Journal, now: int) -> Load | None:
    """The load of the last 24 hours, or of what there is of them; None for less than ten minutes of messages.

    Args:
        journal: of the site.
        now: UTC ns.
    """
    connection = journal.connection()
    first = connection.execute(
        "SELECT position, received FROM entry WHERE received >= ? ORDER BY received LIMIT 1",
        (now - NANOSECONDS["d"],),
    ).fetchone()
    last = connection.execute("SELECT position, received FROM entry ORDER BY position DESC LIMIT 1").fetchone()
    if first is None or last[1] - first[1] < _SHORTEST_S * NANOSECONDS["s"]:
        return None
    after = max(first[0], last[0] - _SAMPLE_READINGS)
    readings = [reading for entry in journal.read(after, _SAMPLE_READINGS) for reading in entry.readings]
    # All readings of a message have its arrival, and no other message has the same.
    messages = len({reading.received for reading in readings if reading.device != SELF})
    if messages == 0:
        return None
    readings_per_s = (last[0] - first[0]) / (last[1] - first[1]) * NANOSECONDS["s"]
    reading_bytes = _measure_entries(journal, after) / len(readings)
    return Load("at today's rate", readings_per_s * messages / len(readings), readings_per_s, reading_bytes)


def _measure_entries(journal: Journal, after: int) -> float:
    """Bytes on disk of the entries after a position, about.

    Each takes its body, some bytes around it, and its share of the pages that are not quite full. The constants fit
    files with 1 to 2,000 readings an entry within 15 %.
    """
    bodies, entries = (
        journal.connection()
        .execute("SELECT sum(length(body)), count(*) FROM entry WHERE position > ?", (after,))
        .fetchone()
    )
    return float(bodies * _PAGE_SHARE + entries * _ENTRY_BYTES)


def expect_load(register: Register) -> Load | None:
    """The load that the register's intervals promise; None where no device has one."""
    per_s = sum(NANOSECONDS["s"] / device.interval for device in register if device.interval)
    return Load("at the rate that the register expects", per_s, per_s, _TYPICAL_BYTES) if per_s else None


def _find_room(journal: Journal, load: Load, quota: int, free: int) -> int:
    """Bytes for an outage: what is unused, and what is only kept for a replay, which gives way."""
    oldest = journal.connection().execute("SELECT position - count FROM entry ORDER BY position LIMIT 1").fetchone()
    passed = min(journal.cursors().values(), default=0) - (oldest[0] if oldest else 0)
    return max(0, min(quota - journal.used_bytes, free)) + round(max(0, passed) * load.reading_bytes)


# ── how long it lasts ────────────────────────────────────────────────────────────────────────────────────────────


def judge_broker(load: Load, queue: Queue | None, expiry: int) -> Finding:
    """How long the broker keeps everything while Siteward is down; `expiry` of the session in ns."""
    start = f"{load.source} ({show_rate(load.messages_per_s)})"
    if queue is None:
        message = f"not known {start}: the broker's queue was not measured"
        return Finding("Siteward down", good=True, message=message)
    lasts_s = queue.kept / load.messages_per_s
    if queue.limited:
        message = f"{start} the broker drops after {show_span(lasts_s)} while Siteward is down"
        return Finding("Siteward down", good=lasts_s >= _LEAST_AT_BROKER_S, message=message)
    message = (
        f"{start} the broker keeps {show_span(lasts_s)} at least while Siteward is down;"
        f" after {format_duration(expiry)} it may forget the session"
    )
    return Finding("Siteward down", good=True, message=message)


def judge_journal(load: Load, room: int) -> Finding:
    """How long the journal takes readings while the database does not; `room` in bytes."""
    bytes_per_s = load.readings_per_s * load.reading_bytes
    lasts_s = room / bytes_per_s
    message = (
        f"{load.source} ({bytes_per_s * 86_400 / 1e6:,.1f} MB a day) the journal is full after {show_span(lasts_s)}"
        " without the database; then the broker keeps what follows"
    )
    return Finding("database down", good=lasts_s >= _LEAST_IN_JOURNAL_S, message=message)


def show_span(seconds: float) -> str:
    """A time in one unit, rounded down: `83 s`, `19 days`."""
    for least, unit, name in _SPANS:
        if seconds >= least:
            return f"{int(seconds // unit):,} {name}"
    return f"{int(seconds)} s"


def show_rate(messages_per_s: float) -> str:
    """A rate in a unit that leaves a number to read: `12.0 messages/s`, `4.0 messages/min`."""
    for factor, unit in ((1, "s"), (60, "min")):
        if messages_per_s * factor >= 1:
            return f"{messages_per_s * factor:,.1f} messages/{unit}"
    return f"{messages_per_s * 3600:,.1f} messages/h"
