"""Opens the desk's database to look at it: nothing is made, and its tables stay as they are."""

from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, create_engine, inspect, make_url, text

from collector import secrets
from collector.configuration import Configuration
from collector.deskopening import DESK_FILE
from tickets.database import VERSION_TABLE, Database

_ANSWER_S = 3
"""Longest wait for one answer."""


def look_at_desk(configuration: Configuration) -> Database | None:
    """The desk's database as it is; None where there is none yet. Nothing is asked of it here.

    Raises:
        CollectorError: the password cannot be read.
    """
    server = configuration.settings.desk.database
    if server is None:
        path = configuration.settings.data_dir / DESK_FILE
        return _look_at_file(path) if path.exists() else None
    address = make_url(server.url).set(drivername="postgresql+psycopg", password=secrets.desk_password(server))
    options = {
        "connect_timeout": _ANSWER_S,
        "options": f"-c statement_timeout={_ANSWER_S}s",
        "client_encoding": "utf8",  # so that a database of another encoding can be looked at, too
    }
    return Database(create_engine(address, connect_args=options), server.url)


def _look_at_file(path: Path) -> Database:
    address = URL.create("sqlite", database=f"file:{quote(str(path.absolute()))}", query={"mode": "rw", "uri": "true"})
    return Database(create_engine(address, connect_args={"timeout": _ANSWER_S}), str(path))


def find_version(connection: Connection) -> str | None:
    """The migration that the tables were made by; None where there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    return version
