"""Snapshots of the judge on disk: written whole or not at all, with the journal's position that they belong to."""

import os
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import DecodeError, msgpack

from rules.errors import SnapshotError

_MAGIC = b"siteward-rules-1\n"
_CHECKSUM_BYTES = 4


class Snapshot(NamedTuple):
    """The judge's state after a reading.

    Attributes:
        position: of that reading in the journal.
        state: as `Judge.snapshot` gives it.
    """

    position: int
    state: Any


def write(path: Path, snapshot: Snapshot) -> None:
    """Replaces the file in one step; it is on the disk when this returns.

    Raises:
        OSError: the disk does not take it; the former file is still there.
    """
    body = msgpack.encode(snapshot)
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(_MAGIC + zlib.crc32(body).to_bytes(_CHECKSUM_BYTES) + body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: Path) -> Snapshot | None:
    """The newest snapshot; None where there is none.

    Raises:
        SnapshotError: the file is damaged, or of another version.
        OSError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    body = content[len(_MAGIC) + _CHECKSUM_BYTES :]
    checksum = content[len(_MAGIC) : len(_MAGIC) + _CHECKSUM_BYTES]
    if not content.startswith(_MAGIC):
        raise SnapshotError(f"{path}: not a snapshot of this version")
    if zlib.crc32(body).to_bytes(_CHECKSUM_BYTES) != checksum:
        raise SnapshotError(f"{path}: damaged")
    try:
        return Snapshot(*msgpack.decode(body))
    except (DecodeError, TypeError) as error:
        raise SnapshotError(f"{path}: {error}") from None
