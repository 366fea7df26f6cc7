"""The desk's database: SQLite in data_dir, or PostgreSQL by its address; opened, and its tables brought up to date."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from tickets.errors import DatabaseError

HEAD = "0003"
"""The migration that these tables are made by."""

VERSION_TABLE = "desk_version"

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_S = 30
_PAUSE_S = 0.02
_CONNECT_S = 10
_LOCK = 0x51_7E_3A_4D
"""Of PostgreSQL's advisory locks, the one that whoever migrates holds."""


class Database:
    """Where tickets are kept. Threads and processes may share it.

    Attributes:
        where: it lies, for people, without a password.
        engine: for what looks at the database as a whole; work goes through `read` and `write`.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine, self.where = engine, where

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only looks.

        Raises:
            DatabaseError: the database cannot be used.
        """
        with self._begin(writes=False) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that changes something: all of it or, where an error leaves the block, nothing.

        In SQLite it waits for other writers before it begins, so that nobody writes what was read before their change.

        Raises:
            DatabaseError: the database cannot be used.
        """
        with self._begin(writes=True) as connection:
            yield connection

    @contextmanager
    def _begin(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with self.engine.connect().execution_options(writes=writes) as connection, connection.begin():
                yield connection
        except DBAPIError as error:
            raise DatabaseError(f"{self.where}: {_explain(error)}") from error

    def close(self) -> None:
        """Gives its connections back."""
        self.engine.dispose()


def file_url(path: Path) -> str:
    """The address of a SQLite file."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def open_database(url: str, password: str | None = None) -> Database:
    """Opens a database, and makes its tables or brings them up to date.

    Args:
        url: `postgresql://USER@HOST:PORT/NAME`, or what `file_url` gives.
        password: of PostgreSQL's user.

    Raises:
        DatabaseError: it cannot be reached or read, or was made by a newer version.
    """
    try:
        address = make_url(url)
    except ArgumentError:
        raise DatabaseError(f"expected postgresql://USER@HOST:PORT/NAME, got {url!r}") from None
    where = address.database or url if address.drivername == "sqlite" else address.render_as_string()
    if address.drivername == "sqlite":
        engine = create_engine(address, connect_args={"timeout": _BUSY_S})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        address = address.set(drivername="postgresql+psycopg", password=password or address.password)
        engine = create_engine(
            address, pool_pre_ping=True, connect_args={"connect_timeout": _CONNECT_S, "client_encoding": "utf8"}
        )
    database = Database(engine, where)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def migrate(database: Database, target: str = HEAD) -> None:
    """Brings the tables up to date; processes that start together wait for each other.

    Raises:
        DatabaseError: the database cannot be used, or was made by a newer version.
    """
    with database.read() as connection:
        if _find_version(connection) == target:
            return
    from alembic import command  # noqa: PLC0415 - takes time to load, and is needed once
    from alembic.config import Config  # noqa: PLC0415 - likewise
    from alembic.util import CommandError  # noqa: PLC0415 - likewise

    logging.getLogger("alembic").setLevel(logging.WARNING)  # it names its plugins, one by one
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, target)
        except CommandError:
            version = _find_version(connection)
            raise DatabaseError(
                f"{database.where}: its tables are of version {version}, which a newer Siteward made;"
                " use that one, or restore a backup from before the update"
            ) from None


def _find_version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    return version


def _prepare_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 - sqlite3's, through SQLAlchemy's hands
    connection.isolation_level = None  # the driver begins nothing by itself: `_begin_sqlite` does
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Sets the file's mode, which it keeps. Of those who open a new file at once SQLite lets one, and no other wait."""
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_HINTS = {
    "unable to open database file": "look at the folder's rights, and whether the disk is full",
    "readonly database": "run this as the user that the daemon runs as",
    "database is locked": "another process holds it; try again",
    "password authentication failed": "look at desk.database: url and password_file",
    "no password supplied": "set desk.database.password_file",
    "does not exist": "make the database and its user first; docs/decisions/0021-desk.md shows how",
    "connection refused": "look whether PostgreSQL runs and listens there",
    "permission denied": "the user needs CREATE on the schema",
}


def _explain(error: DBAPIError) -> str:
    reason = " ".join(str(error.orig).split())
    hint = next((hint for words, hint in _HINTS.items() if words in reason.lower()), "")
    return f"{reason}; {hint}" if hint else reason
