"""The register as rows of texts, and its files, which are replaced as a whole."""

import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from collector.tables import Entry, Place, Table, cells_of, name_column
from devices.register import Device, Register, Replacement


def write_entry(model: Device | Replacement) -> Entry:
    """What devices.yaml says of a device or replacement, without what need not be said."""
    return model.model_dump(mode="json", exclude_defaults=True)


def write_rows(paths: Sequence[Place], entries: Iterable[Entry]) -> list[list[str]]:
    """The rows of a table, the names of its columns first.

    Args:
        paths: of its columns.
        entries: what its rows say; a cell of another column is left out.
    """
    rows = [[name_column(path) for path in paths]]
    for entry in entries:
        cells = dict(cells_of(entry))
        rows.append([cells.get(path, "") for path in paths])
    return rows


def write_table(table: Table, register: Register) -> list[list[str]]:
    """A table of the register with all its columns, the names of these first."""
    entries = [write_entry(model) for model in getattr(register, table.key)]
    tags = [("tags", tag) for tag in register.tags] if table.tagged else []
    return write_rows([*table.columns.values(), *tags], entries)


def find_columns(table: Table, entries: Iterable[Entry], there: Sequence[Place]) -> list[Place]:
    """The columns that are there, and behind them those that entries need, in the table's own order."""
    used = {path for entry in entries for path, _ in cells_of(entry)}
    own = [path for path in table.columns.values() if path in used]
    tags = sorted(path for path in used if path[0] == "tags")
    return [*there, *(path for path in (*own, *tags) if path not in there)]


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Keeps others from changing the register meanwhile, who ask in the same way."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_files(texts: Mapping[Path, str]) -> None:
    """Writes files anew, each as a whole: first all of them beside the old ones, then in their place.

    Raises:
        OSError: nothing was changed; or, should the disk fail between two files, those behind it are as they were.
    """
    ready: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            target = path.resolve()  # a link stays one
            descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            ready[Path(name)] = target
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                _pass_on_rights(file.fileno(), target)
                os.fsync(file.fileno())
        for draft, target in ready.items():
            draft.replace(target)
            _sync(target.parent)
    finally:
        for draft in ready:
            draft.unlink(missing_ok=True)


def _pass_on_rights(descriptor: int, target: Path) -> None:
    """Gives a new file the mode and owner of the old one, else those of the folder."""
    like = (target if target.exists() else target.parent).stat()
    os.fchmod(descriptor, like.st_mode & 0o666)
    if os.geteuid() == 0:
        os.fchown(descriptor, like.st_uid, like.st_gid)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
