"""The loss ledger: what became of every reading, by device and hour of its own time.

Three independent witnesses write it: the pipeline (duplicate, quarantined), this module as the journal's consumer
`ledger` (received, late), and the StoreWriter (stored, rejected). What they leave open is `unexplained`.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from devices.durations import NANOSECONDS
from devices.register import SELF

if TYPE_CHECKING:
    from collector.journal import Journal
    from devices.reading import Reading
    from devices.register import Device

HOUR = NANOSECONDS["h"]
CURSOR = "ledger"

Tally: TypeAlias = Mapping[tuple[str, int], int]
"""Counts by device and hour since 1970."""

Column: TypeAlias = Literal["received", "stored", "duplicate", "late", "quarantined", "rejected"]

_FOLD_READINGS = 20_000


class Line(NamedTuple):
    """One device in one hour, in readings.

    Attributes:
        device: id in the register.
        hour: hours since 1970, of the readings' own time.
        expected: from the register's interval; None where it gives none.
        received: decoded and committed to the journal, each once.
        stored: taken by the database.
        duplicate: came again and was left out.
        late: older than the device's newest, when it came; still stored.
        quarantined: could not be decoded, or not be stored.
        waiting: in the journal, on the way to the database.
        unexplained: what should be in the database and is not, for no reason known here.
    """

    device: str
    hour: int
    expected: int | None
    received: int
    stored: int
    duplicate: int
    late: int
    quarantined: int
    waiting: int
    unexplained: int


def count(connection: sqlite3.Connection, column: Column, tally: Tally) -> None:
    """Adds counts to one column within the caller's transaction."""
    connection.executemany(
        f"INSERT INTO ledger (device, hour, {column}) VALUES (?, ?, ?)"  # noqa: S608 - column is one of five words
        f" ON CONFLICT (device, hour) DO UPDATE SET {column} = {column} + excluded.{column}",
        ((device, hour, number) for (device, hour), number in tally.items()),
    )


def tally(readings: Iterable["Reading"]) -> Counter[tuple[str, int]]:
    """Counts readings by device and hour."""
    return Counter((reading.device, reading.time // HOUR) for reading in readings)


def take_back(connection: sqlite3.Connection, readings: Sequence["Reading"]) -> None:
    """Uncounts readings that the database rejected, before they are committed once more."""
    others = [reading for reading in readings if reading.device != SELF]  # only these are counted as received
    late = [reading for reading in others if reading.late]
    columns: tuple[tuple[Column, Sequence[Reading]], ...] = (
        ("rejected", readings),
        ("received", others),
        ("late", late),
    )
    for column, part in columns:
        count(connection, column, {key: -number for key, number in tally(part).items()})


def fold(journal: "Journal") -> None:
    """Counts what was committed since the last call, and remembers each device's newest time and clock skew."""
    position = journal.cursor(CURSOR)
    while entries := journal.read(position, _FOLD_READINGS):
        before, position = position, entries[-1].position
        readings = [reading for entry in entries for reading in entry.readings if reading.device != SELF]
        with journal.transaction() as connection:
            (now,) = connection.execute("SELECT position FROM cursor WHERE name = ?", (CURSOR,)).fetchone()
            if now != before:  # another process has counted them meanwhile
                position = now
                continue
            count(connection, "received", tally(readings))
            count(connection, "late", tally(reading for reading in readings if reading.late))
            _remember(connection, readings)
            journal.move(connection, CURSOR, position)


def _remember(connection: sqlite3.Connection, readings: Iterable["Reading"]) -> None:
    newest: dict[str, int] = {}
    skews: dict[tuple[str, int], int] = {}
    for reading in readings:
        if reading.time > newest.get(reading.device, -1):
            newest[reading.device] = reading.time
        if not reading.late:
            key = (reading.device, reading.received // HOUR)
            measured = reading.time if reading.claimed is None else reading.claimed
            skews[key] = min(skews.get(key, reading.received - measured), reading.received - measured)
    for (device, hour), skew in sorted(skews.items()):
        connection.execute(
            "INSERT INTO device_state (device, newest, skew_hour, skew, skew_before) VALUES (?1, ?2, ?3, ?4, 0)"
            " ON CONFLICT (device) DO UPDATE SET newest = max(newest, ?2),"
            " skew_before = iif(skew_hour < ?3, skew, skew_before),"
            " skew = iif(skew_hour < ?3, ?4, min(skew, ?4)), skew_hour = max(skew_hour, ?3)",
            (device, newest[device], hour, skew),
        )


def trim(connection: sqlite3.Connection, before: int) -> None:
    """Drops what is older than a time (ns)."""
    connection.execute("DELETE FROM ledger WHERE hour < ?", (before // HOUR,))


def newest_times(connection: sqlite3.Connection) -> dict[str, int]:
    """The time of each device's newest reading, ns."""
    return dict(connection.execute("SELECT device, newest FROM device_state"))


def clock_skews(connection: sqlite3.Connection) -> dict[str, int]:
    """How far each device's clock is behind ours, ns, transport included; negative: it is ahead.

    Being behind takes two hours to show: within one, a reading may as well have been held back.
    """
    return dict(connection.execute("SELECT device, min(skew, skew_before) FROM device_state"))


def lines(
    journal: "Journal",
    register: Mapping[str, "Device"],
    *,
    start: int,
    end: int,
    now: int,
) -> list[Line]:
    """The ledger for start <= time < end, both UTC ns, by device and hour.

    A device is expected from the hour of its first reading on, in whole hours that have passed and in its share
    of the current one.
    """
    connection = journal.connection()
    connection.execute("BEGIN")  # all of it as of one moment, while the daemon goes on
    try:
        waiting = _waiting(journal)
        rows = {
            (device, hour): counts
            for device, hour, *counts in connection.execute(
                "SELECT device, hour, received, stored, duplicate, late, quarantined, rejected FROM ledger"
                " WHERE hour >= ? AND hour < ?",
                (start // HOUR, -(-end // HOUR)),
            )
        }
        births: dict[str, int] = dict(connection.execute("SELECT device, min(hour) FROM ledger GROUP BY device"))
    finally:
        connection.execute("COMMIT")
    for device in register.values():
        if device.interval and device.id in births:
            last = min(end, now) // HOUR
            for hour in range(max(births[device.id], start // HOUR), last + 1):
                if hour * HOUR < end:
                    rows.setdefault((device.id, hour), [0, 0, 0, 0, 0, 0])
    result = []
    for (device_id, hour), (received, stored, duplicate, late, undecoded, rejected) in sorted(rows.items()):
        expected = _expected(register.get(device_id), hour, births.get(device_id, hour), now)
        waits = waiting.get((device_id, hour), 0)
        unexplained = max(0, max((expected or 0) - undecoded, received) - stored - rejected - waits)
        quarantined = undecoded + rejected
        result.append(
            Line(device_id, hour, expected, received, stored, duplicate, late, quarantined, waits, unexplained),
        )
    return result


def _expected(device: "Device | None", hour: int, birth: int, now: int) -> int | None:
    if device is None or device.interval is None:
        return None
    if hour == birth:  # it may have been born at any minute of it
        return 0
    # The newest interval is left out: its reading may be on the way.
    return max(0, min(HOUR, now - device.interval - hour * HOUR)) // device.interval


def _waiting(journal: "Journal") -> Counter[tuple[str, int]]:
    """What is committed and not yet stored."""
    waiting: Counter[tuple[str, int]] = Counter()
    position = journal.cursor("store")
    while entries := journal.read(position, _FOLD_READINGS):
        position = entries[-1].position
        for entry in entries:
            waiting.update(tally(entry.readings))
    return waiting
