"""One moment of a site, held fast while it goes on: all files as they would lie on the disk after a power cut then.

While the journal's writing lock is held, nothing is committed to the journal, so nothing can be judged or stored that
is not in it. Within that time, milliseconds, every file is opened and every database's snapshot is begun, the rules'
state first: what the desk and the store hold is then no older than it, and no newer than the journal. That is
the order which a crash leaves too, and from which the daemon goes on. The copying comes afterwards and holds up nobody.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

from sqlalchemy import Connection, select, text

from collector import credentialkeys, schema, snapshots
from collector.backup.archive import CONFIG, DATA, JOURNAL_FILE, KEYS, KNOWN, LAYOUT, BackupError
from collector.claim import LOCK_FILE, RESTORING
from collector.configuration import Configuration
from collector.desklook import find_version, look_at_desk
from collector.deskopening import DESK_FILE
from collector.filecheck import find_named
from collector.judging import SNAPSHOT_FILE
from tickets.database import HEAD, VERSION_TABLE
from tickets.tables import SITES

ASIDE = "before-restore-"
"""How folders in data_dir begin that hold what a restore has replaced."""

PASSING = (LOCK_FILE, "*-wal", "*-shm", "*.new", "*.damaged-*", f"{RESTORING}/*", f"{ASIDE}*/*", ".*", "*/.*")
"""What is not in a backup of data_dir: parts of databases, drafts, what was set aside, hidden files."""

DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
"""What SQLite says of a file that is not whole."""

_SQLITE = b"SQLite format 3\0"
_LINE = 100
_BUSY_S = 30.0


class PlainFile(NamedTuple):
    """A file as it is, open."""

    name: str
    file: BinaryIO
    mode: int = 0o600


class SqliteFile(NamedTuple):
    """A SQLite database, with a transaction that sees it as it was at the moment."""

    name: str
    path: Path
    connection: sqlite3.Connection


class ServerDesk(NamedTuple):
    """The desk on a server, with a transaction that sees it as it was at the moment."""

    name: str
    connection: Connection
    site: str


Part: TypeAlias = PlainFile | SqliteFile | ServerDesk


class Moment(NamedTuple):
    """All that goes into a backup.

    Attributes:
        parts: with the names that they get in the archive.
        formats: of the files that have one, by name.
        left_out: files that the settings name and that are not among the parts.
        damaged: databases that cannot be read, and why; they are among the parts as plain files.
    """

    parts: list[Part]
    formats: dict[str, int]
    left_out: list[Path]
    damaged: dict[str, str]


@contextmanager
def hold_moment(configuration: Configuration) -> Iterator[Moment]:
    """The site as it is now, for as long as the block lasts.

    Raises:
        BackupError: something cannot be read.
        TicketsError: the desk's server cannot be used.
        OSError: likewise, of a file.
        sqlite3.Error: likewise, of a database.
    """
    with ExitStack() as stack:
        opening = _Opening(configuration, stack)
        opening.connect_desk()
        with _still(configuration.settings.data_dir / JOURNAL_FILE):
            opening.open_data()
        opening.read_config()
        yield Moment(opening.parts, opening.formats, opening.left_out, opening.damaged)


@contextmanager
def _still(journal: Path) -> Iterator[None]:
    """Keeps the daemon from committing anything to the journal."""
    if not journal.exists():
        yield
        return
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(closing(schema.connect(journal)))
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.DatabaseError as error:
            advice = "if it is damaged, the start of the daemon saves what can be read: then try again"
            raise BackupError(f"{journal}: {error}; {advice}") from error
        yield


class _Opening:
    """Opens everything of a site; the stack closes it.

    Attributes:
        parts, formats, left_out, damaged: see `Moment`.
    """

    def __init__(self, configuration: Configuration, stack: ExitStack) -> None:
        self.parts: list[Part] = []
        self.formats = {LAYOUT: KNOWN[LAYOUT]}
        self.left_out: list[Path] = []
        self.damaged: dict[str, str] = {}
        self._configuration, self._settings = configuration, configuration.settings
        self._stack = stack
        self._config = configuration.folder.resolve()
        self._data = self._settings.data_dir.resolve()
        self._keys = credentialkeys.find_file(self._settings).resolve()
        self._server: Connection | None = None

    def connect_desk(self) -> None:
        """A connection to the desk's server, where it has one; nothing is read yet."""
        if self._settings.desk.database is None:
            return
        database = look_at_desk(self._configuration)
        if database is not None:
            self._stack.callback(database.close)
            self._server = self._stack.enter_context(database.read())
            self._server.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            self._server.execute(text("SET LOCAL statement_timeout = 0"))

    def open_data(self) -> None:
        """The rules' state first, then the desk and everything else."""
        for path in sorted(self._list_data(), key=lambda path: (path.name != SNAPSHOT_FILE, path)):
            name = path.relative_to(self._data).as_posix()
            if self._server is None or name != DESK_FILE:  # else it is from the time before the server
                self._open(path, name)
        if self._server is not None:
            self._begin_server(self._server)
        if self._keys.exists():
            self.parts.append(PlainFile(KEYS, self._stack.enter_context(self._keys.open("rb"))))

    def read_config(self) -> None:
        """The configuration without secrets; what it names and does not hold is left out."""
        secrets = set()
        for file in find_named(self._settings):
            path = file.path.resolve()
            if file.secret:
                secrets.add(path)
            if path != self._keys and (file.secret or not path.is_relative_to(self._config)):
                self.left_out.append(file.path)
        for path in sorted(self._config.rglob("*")):
            name = path.relative_to(self._config)
            if path.is_file() and path.resolve() not in secrets and not any(part[0] == "." for part in name.parts):
                content = BytesIO(path.read_bytes())
                self.parts.append(PlainFile(f"{CONFIG}/{name.as_posix()}", content, path.stat().st_mode & 0o777))

    def _list_data(self) -> Iterator[Path]:
        for path in self._data.rglob("*"):
            passing = any(fnmatch(path.relative_to(self._data).as_posix(), pattern) for pattern in PASSING)
            if path.is_file() and not passing and path != self._keys and not path.is_relative_to(self._config):
                yield path

    def _open(self, path: Path, name: str) -> None:
        try:
            file = self._stack.enter_context(path.open("rb"))
        except FileNotFoundError:  # it has just gone
            return
        beginning = file.readline(_LINE)
        file.seek(0)
        if beginning.startswith(_SQLITE) or path.with_name(f"{path.name}-wal").exists():
            try:
                self._begin_sqlite(path, name)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF not in DAMAGED:  # the upper bits are details
                    raise BackupError(f"{path}: cannot be read: {error}; look at its owner and the disk") from error
                self.damaged[f"{DATA}/{name}"] = str(error)
            else:
                return
        if name == SNAPSHOT_FILE and (version := snapshots.find_version(beginning)) is not None:
            self.formats[name] = version
        self.parts.append(PlainFile(f"{DATA}/{name}", file))

    def _begin_sqlite(self, path: Path, name: str) -> None:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=_BUSY_S)
        self._stack.callback(connection.close)
        connection.execute("BEGIN")
        tables = {table for (table,) in connection.execute("SELECT name FROM sqlite_schema")}
        if name in KNOWN and name != DESK_FILE:
            (self.formats[name],) = connection.execute("PRAGMA user_version").fetchone()
        elif name == DESK_FILE and VERSION_TABLE in tables:
            row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608 - a constant
            self.formats[name] = int(row[0])
        self.parts.append(SqliteFile(f"{DATA}/{name}", path, connection))

    def _begin_server(self, connection: Connection) -> None:
        version = find_version(connection)
        if version != HEAD:
            raise BackupError(
                f"the desk's tables on the server are of version {version}, and this Siteward knows {HEAD}; make the"
                " backup with the version that runs there, or start this one once"
            )
        connection.execute(select(SITES)).all()  # from here on it sees nothing newer
        self.formats[DESK_FILE] = int(HEAD)
        self.parts.append(ServerDesk(f"{DATA}/{DESK_FILE}", connection, self._settings.site.id))
