"""Snapshots of the judge on disk: written whole or not at all, with the journal's position that they belong to."""

import os
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import DecodeError, msgpack

from rules.engine import VERSION
from rules.errors import SnapshotError

_NAME = b"siteward-rules-"
_FIRST_LINE = _NAME + b"%d\n" % VERSION
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
        file.write(_FIRST_LINE + zlib.crc32(body).to_bytes(_CHECKSUM_BYTES) + body)
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
    version = find_version(content)
    if version is None:
        raise SnapshotError(f"{path}: not a snapshot of the rules' state")
    if version != VERSION:
        raise SnapshotError(f"{path}: of version {version}, and this Siteward knows version {VERSION}")
    rest = content[len(_FIRST_LINE) :]
    checksum, body = rest[:_CHECKSUM_BYTES], rest[_CHECKSUM_BYTES:]
    if zlib.crc32(body).to_bytes(_CHECKSUM_BYTES) != checksum:
        raise SnapshotError(f"{path}: damaged")
    try:
        return Snapshot(*msgpack.decode(body))
    except (DecodeError, TypeError) as error:
        raise SnapshotError(f"{path}: {error}") from None


def find_version(content: bytes) -> int | None:
    """The version that a snapshot's first line names; None where it is none."""
    line, end, _ = content.partition(b"\n")
    number = line.removeprefix(_NAME)
    return int(number) if end and number != line and number.isdigit() else None
