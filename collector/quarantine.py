"""Quarantine: what could not be decoded or stored, grouped by reason, until somebody mends the cause."""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

Stage: TypeAlias = Literal["decode", "store"]


class Rejection(NamedTuple):
    """One message or reading that goes no further.

    Attributes:
        stage: decode for a message, store for a reading that the database rejected.
        device: id in the register, "" where none was found.
        reason: the same for all of its kind.
        hint: what to do about it.
        received: arrival, ns.
        topic: where it came from.
        payload: as it came; for stage store, MessagePack of the reading.
    """

    stage: Stage
    device: str
    reason: str
    hint: str
    received: int
    topic: str
    payload: bytes


class Group(NamedTuple):
    """Rejections with one cause: they came `times` times, and `kept` messages are still here."""

    id: int
    stage: Stage
    device: str
    reason: str
    hint: str
    times: int
    kept: int
    first: int
    last: int


def record(connection: sqlite3.Connection, rejections: Iterable[Rejection]) -> None:
    """Adds rejections within the caller's transaction."""
    for rejection in rejections:
        (group,) = connection.execute(
            "INSERT INTO quarantine_group (stage, device, reason, hint, count, first, last)"
            " VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5) ON CONFLICT (stage, device, reason)"
            " DO UPDATE SET count = count + 1, last = ?5, hint = ?4 RETURNING id",
            rejection[:5],
        ).fetchone()
        connection.execute(
            "INSERT INTO quarantine_message (group_id, received, topic, payload) VALUES (?, ?, ?, ?)",
            (group, *rejection[4:]),
        )


def list_groups(connection: sqlite3.Connection) -> list[Group]:
    """Every group, the largest first."""
    rows = connection.execute(
        "SELECT id, stage, device, reason, hint, count,"
        " (SELECT count(*) FROM quarantine_message WHERE group_id = quarantine_group.id), first, last"
        " FROM quarantine_group ORDER BY count DESC, id",
    )
    return [Group(*row) for row in rows]


def messages(connection: sqlite3.Connection, group: int) -> Iterator[tuple[int, Rejection]]:
    """The kept messages of a group with their numbers, oldest first."""
    rows = connection.execute(
        "SELECT m.id, stage, device, reason, hint, received, topic, payload"
        " FROM quarantine_message AS m JOIN quarantine_group AS g ON g.id = group_id WHERE group_id = ? ORDER BY m.id",
        (group,),
    )
    for number, *fields in rows.fetchall():
        yield number, Rejection(*fields)


def remove(connection: sqlite3.Connection, group: int, numbers: Iterable[int] | None = None) -> None:
    """Takes messages out, or the whole group; a group without messages goes as well."""
    if numbers is None:
        connection.execute("DELETE FROM quarantine_group WHERE id = ?", (group,))
        return
    connection.executemany("DELETE FROM quarantine_message WHERE id = ?", ((number,) for number in numbers))
    connection.execute(
        "DELETE FROM quarantine_group WHERE id = ? AND id NOT IN (SELECT group_id FROM quarantine_message)",
        (group,),
    )


_SIZE = "(length(payload) + length(topic) + 64)"
"""Bytes that a message takes on disk, about."""


_GROUPS_MOST = 10_000
_MERGED = "other causes, too many to keep apart"


def trim(connection: sqlite3.Connection, before: int, most_bytes: int) -> int:
    """Drops messages that arrived before a time (ns), then the oldest of the largest groups beyond `most_bytes`.

    The groups keep counting what was dropped; beyond 10,000 groups the oldest become one. Returns how many messages
    were dropped.
    """
    _merge_oldest(connection)
    dropped = connection.execute("DELETE FROM quarantine_message WHERE received < ?", (before,)).rowcount
    sizes: dict[int, int] = dict(
        connection.execute(f"SELECT group_id, sum{_SIZE} FROM quarantine_message GROUP BY group_id"),  # noqa: S608 - a constant
    )
    oldest = (  # the sizes of what is deleted come back
        "DELETE FROM quarantine_message WHERE id IN (SELECT id FROM ("  # noqa: S608 - likewise
        f" SELECT id, sum{_SIZE} OVER (ORDER BY id) - {_SIZE} AS earlier FROM quarantine_message WHERE group_id = ?)"
        f" WHERE earlier < ?) RETURNING {_SIZE}"
    )
    while (excess := sum(sizes.values()) - most_bytes) > 0:
        largest = max(sizes, key=sizes.__getitem__)
        share = min(excess, sizes[largest] // 2 + 1)
        freed = [size for (size,) in connection.execute(oldest, (largest, share))]
        sizes[largest] -= sum(freed)
        dropped += len(freed)
    return dropped


def _merge_oldest(connection: sqlite3.Connection) -> None:
    """A peer that is wrong in ever new ways does not fill the disk with groups."""
    beyond = "SELECT id FROM quarantine_group WHERE reason != ?1 ORDER BY last DESC, id DESC LIMIT -1 OFFSET ?2"
    total, first, last = connection.execute(
        f"SELECT sum(count), min(first), max(last) FROM quarantine_group WHERE id IN ({beyond})",  # noqa: S608 - a constant
        (_MERGED, _GROUPS_MOST),
    ).fetchone()
    if total is None:
        return
    connection.execute(f"DELETE FROM quarantine_group WHERE id IN ({beyond})", (_MERGED, _GROUPS_MOST))  # noqa: S608 - likewise
    connection.execute(
        "INSERT INTO quarantine_group (stage, device, reason, hint, count, first, last)"
        " VALUES ('decode', '', ?1, '', ?2, ?3, ?4) ON CONFLICT (stage, device, reason)"
        " DO UPDATE SET count = count + ?2, last = max(last, ?4)",
        (_MERGED, total, first, last),
    )
