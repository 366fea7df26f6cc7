"""Quarantine: what could not be decoded or stored, grouped by reason, until somebody mends the cause."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

from collector.ledger import HOUR
from devices.errors import Stranger

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
        strangers: devices in it that are not in the register; what it says of others has been taken.
    """

    stage: Stage
    device: str
    reason: str
    hint: str
    received: int
    topic: str
    payload: bytes
    strangers: tuple[Stranger, ...] = ()


_NOBODY = Stranger("", "")
"""Stands in a group that is about no stranger."""


class Group(NamedTuple):
    """Rejections with one cause: they came `times` times, and `kept` messages are still here.

    `profile` and `address` are those of the stranger that all of them are about, "" where they are about none.
    """

    id: int
    stage: Stage
    device: str
    reason: str
    hint: str
    times: int
    kept: int
    first: int
    last: int
    profile: str
    address: str

    @property
    def stranger(self) -> Stranger | None:
        """The device that is not in the register, where that is the cause."""
        return Stranger(self.profile, self.address) if self.profile else None


def record(connection: sqlite3.Connection, rejections: Iterable[Rejection]) -> None:
    """Adds rejections within the caller's transaction."""
    for rejection in rejections:
        (message,) = connection.execute(
            "INSERT INTO quarantine_message (received, topic, payload) VALUES (?, ?, ?) RETURNING id",
            (rejection.received, rejection.topic, rejection.payload),
        ).fetchone()
        _enter(connection, message, rejection)


def extend(connection: sqlite3.Connection, number: int, rejection: Rejection) -> int:
    """Puts a message also into the groups of strangers that have come to light since; how many these are."""
    rows = connection.execute(
        "SELECT profile, address FROM quarantine_entry JOIN quarantine_group ON id = group_id WHERE message_id = ?",
        (number,),
    ).fetchall()
    fresh = tuple(stranger for stranger in rejection.strangers if stranger not in rows)
    if rows and fresh:  # without rows, somebody else was faster
        _enter(connection, number, rejection._replace(strangers=fresh))
        return len(fresh)
    return 0


def _enter(connection: sqlite3.Connection, message: int, rejection: Rejection) -> None:
    for stranger in dict.fromkeys(rejection.strangers or [_NOBODY]):
        (group,) = connection.execute(
            "INSERT INTO quarantine_group (stage, device, reason, hint, profile, address, count, first, last)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7) ON CONFLICT (stage, device, reason, profile, address)"
            " DO UPDATE SET count = count + 1, first = min(first, ?7), last = max(last, ?7), hint = ?4 RETURNING id",
            (*rejection[:4], *stranger, rejection.received),
        ).fetchone()
        connection.execute("INSERT INTO quarantine_entry (group_id, message_id) VALUES (?, ?)", (group, message))


def tally(rejections: Iterable[Rejection]) -> Counter[tuple[str, int]]:
    """Counts rejections for the ledger, by device and hour of arrival; each stranger in a message counts."""
    counts: Counter[tuple[str, int]] = Counter()
    for rejection in rejections:
        counts[rejection.device, rejection.received // HOUR] += len(set(rejection.strangers)) or 1
    return counts


def list_groups(connection: sqlite3.Connection) -> list[Group]:
    """Every group, the largest first."""
    rows = connection.execute(
        "SELECT id, stage, device, reason, hint, count,"
        " (SELECT count(*) FROM quarantine_entry WHERE group_id = quarantine_group.id), first, last, profile, address"
        " FROM quarantine_group ORDER BY count DESC, id",
    )
    return [Group(*row) for row in rows]


def messages(connection: sqlite3.Connection, group: Group, most: int = -1) -> Iterator[tuple[int, Rejection]]:
    """The kept messages of a group with their numbers, oldest first; of many, the newest `most`."""
    rows = connection.execute(
        "SELECT * FROM (SELECT id, received, topic, payload FROM quarantine_entry JOIN quarantine_message"
        " ON id = message_id WHERE group_id = ? ORDER BY id DESC LIMIT ?) ORDER BY id",
        (group.id, most),
    )
    strangers = (group.stranger,) if group.stranger else ()
    for number, received, topic, payload in rows.fetchall():
        yield (
            number,
            Rejection(group.stage, group.device, group.reason, group.hint, received, topic, payload, strangers),
        )


def remove(connection: sqlite3.Connection, group: int) -> None:
    """Takes a group out with its messages, except those that other groups hold, too."""
    connection.execute("DELETE FROM quarantine_group WHERE id = ?", (group,))


def take(connection: sqlite3.Connection, group: int, number: int) -> bool:
    """Takes a message out of a group; a group without messages goes as well. False where somebody else was faster."""
    taken = connection.execute(
        "DELETE FROM quarantine_entry WHERE group_id = ? AND message_id = ?", (group, number)
    ).rowcount
    connection.execute(
        "DELETE FROM quarantine_group WHERE id = ?1"
        " AND NOT EXISTS (SELECT 1 FROM quarantine_entry WHERE group_id = ?1)",
        (group,),
    )
    return taken > 0


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
        connection.execute(
            f"SELECT group_id, sum{_SIZE} FROM quarantine_entry JOIN quarantine_message ON id = message_id GROUP BY 1",  # noqa: S608 - a constant
        ),
    )
    (total,) = connection.execute(f"SELECT ifnull(sum{_SIZE}, 0) FROM quarantine_message").fetchone()  # noqa: S608 - likewise
    oldest = (  # the sizes of what is deleted come back
        "DELETE FROM quarantine_message WHERE id IN (SELECT id FROM ("  # noqa: S608 - likewise
        f" SELECT id, sum{_SIZE} OVER (ORDER BY id) - {_SIZE} AS earlier"
        "  FROM quarantine_entry JOIN quarantine_message ON id = message_id WHERE group_id = ?)"
        f" WHERE earlier < ?) RETURNING {_SIZE}"
    )
    while total > most_bytes:
        largest = max(sizes, key=sizes.__getitem__)
        share = min(total - most_bytes, sizes[largest] // 2 + 1)
        freed = [size for (size,) in connection.execute(oldest, (largest, share))]
        if not freed:  # other groups held its messages, too, and they went with those
            del sizes[largest]
            continue
        sizes[largest] -= sum(freed)
        total -= sum(freed)
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
        "INSERT INTO quarantine_group (stage, device, reason, hint, profile, address, count, first, last)"
        " VALUES ('decode', '', ?1, '', '', '', ?2, ?3, ?4) ON CONFLICT (stage, device, reason, profile, address)"
        " DO UPDATE SET count = count + ?2, last = max(last, ?4)",
        (_MERGED, total, first, last),
    )
