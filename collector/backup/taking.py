"""Takes a backup: one archive of everything that is not in the store, while the daemon goes on."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from collector import __version__
from collector.backup import deskrows
from collector.backup.archive import ArchiveWriter, BackupError, Manifest, Progress
from collector.backup.moment import DAMAGED, Moment, PlainFile, ServerDesk, SqliteFile, hold_moment
from collector.configuration import Configuration
from tickets.database import file_url, open_database

_PAGES = 2_000
"""Of SQLite, copied in one go."""


class Taken(NamedTuple):
    """What was backed up.

    Attributes:
        path: of the archive.
        manifest: what stands in it.
        damaged: databases that are not sound, and what is wrong; they are in it as they are.
    """

    path: Path
    manifest: Manifest
    damaged: dict[str, str]


def take_backup(configuration: Configuration, target: Path, progress: Progress) -> Taken:
    """Writes the archive; it is there whole, on the disk, or not at all. Only its owner may read it.

    Args:
        configuration: of the site.
        target: a file that is not there yet, or a folder, where it gets a name with site and time.
        progress: is told.

    Raises:
        BackupError: the target cannot be used, or something cannot be read.
        TicketsError: the desk's server cannot be used.
        OSError: something cannot be read or written.
    """
    made = datetime.now(UTC)
    site = configuration.settings.site.id
    if target.is_dir():
        target /= f"siteward-{site}-{made:%Y%m%dT%H%M%SZ}.tar.gz"
    _check_target(configuration, target)
    with hold_moment(configuration) as moment, _draft(target) as (draft, room):
        expected = sum(_measure(part) for part in moment.parts)
        progress.expect(expected)
        manifest = Manifest(
            site=site,
            version=__version__,
            made=made.isoformat(timespec="seconds"),
            formats=moment.formats,
            bytes=expected,
            left_out=[str(path) for path in moment.left_out],
        )
        damaged = _write(draft, room, manifest, moment, progress)
        _publish(draft, target)
    return Taken(target, manifest, damaged)


def _check_target(configuration: Configuration, target: Path) -> None:
    if target.exists():
        raise BackupError(f"{target}: is there already, and a backup is never overwritten; choose another name")
    if not target.parent.is_dir():
        raise BackupError(f"{target.parent}: there is no such folder; make it, or choose another")
    for folder in (configuration.settings.data_dir, configuration.folder):
        if target.resolve().is_relative_to(folder.resolve()):
            raise BackupError(f"{target}: lies in {folder}, which is what is backed up; choose a place outside")


@contextmanager
def _draft(target: Path) -> Iterator[tuple[Path, Path]]:
    """A file to write to beside the target, and a folder for copies of databases; both go in the end."""
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:  # mode 0700
        yield Path(folder) / "archive", Path(folder)


def _publish(draft: Path, target: Path) -> None:
    draft.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _measure(part: PlainFile | SqliteFile | ServerDesk) -> int:
    """Bytes, about."""
    match part:
        case PlainFile():
            return part.file.seek(0, os.SEEK_END) - part.file.seek(0)
        case SqliteFile():
            (pages,) = part.connection.execute("PRAGMA page_count").fetchone()
            (size,) = part.connection.execute("PRAGMA page_size").fetchone()
            return int(pages * size)
        case ServerDesk():
            return 0


def _write(draft: Path, room: Path, manifest: Manifest, moment: Moment, progress: Progress) -> dict[str, str]:
    damaged = moment.damaged.copy()
    with draft.open("xb") as file:
        draft.chmod(0o600)
        archive = ArchiveWriter(file, manifest, progress)
        made_s = datetime.fromisoformat(manifest.made).timestamp()
        for part in sorted(moment.parts, key=lambda part: part.name):  # the configuration first
            if isinstance(part, PlainFile):
                size = part.file.seek(0, os.SEEK_END)
                part.file.seek(0)
                archive.add(part.name, part.file, size, part.mode, made_s)
                continue
            copy = room / "copy"
            if isinstance(part, SqliteFile):
                trouble = _copy_file(part, copy)
                if trouble:
                    damaged[part.name] = trouble
            else:
                _copy_rows(part, copy)
            with copy.open("rb") as content:
                archive.add(part.name, content, copy.stat().st_size, 0o600, made_s)
            copy.unlink()
        archive.finish()
        file.flush()
        os.fsync(file.fileno())
    return damaged


def _copy_file(part: SqliteFile, copy: Path) -> str:
    """Copies a database as its transaction sees it; what is wrong with it, "" where nothing is."""
    try:
        with closing(sqlite3.connect(copy)) as target:
            part.connection.backup(target, pages=_PAGES)
            (answer,) = target.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in DAMAGED:
            raise BackupError(f"{part.path}: cannot be copied: {error}; look at the room for the archive") from error
        shutil.copyfile(part.path, copy)
        return str(error)
    return "" if answer == "ok" else str(answer)


def _copy_rows(part: ServerDesk, copy: Path) -> None:
    database = open_database(file_url(copy))
    try:
        with database.write() as connection:
            deskrows.copy_rows(part.connection, connection, part.site)
    finally:
        database.close()
