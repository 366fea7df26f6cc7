"""Brings a desk back: a file of a former version up to this one, or its rows into a server's tables."""

from pathlib import Path

from sqlalchemy import Connection

from collector import secrets
from collector.backup import deskrows
from collector.settings import Database as Server
from tickets.database import Database, file_url, open_database


def prepare_file(path: Path, site: str) -> None:
    """Brings a desk's file up to this version, and skips numbers that may have been given since the backup.

    Raises:
        DatabaseError: it cannot be used.
    """
    database = open_database(file_url(path))
    try:
        with database.write() as connection:
            deskrows.leave_room(connection, site)
    finally:
        database.close()


class ServerReturn:
    """The return of a site's rows to a server.

    Attributes:
        where: the server is, without a password.
    """

    def __init__(self, server: Server, site: str) -> None:
        """Asks nothing yet.

        Raises:
            CollectorError: the password cannot be read.
        """
        self._url, self._password, self._site = server.url, secrets.desk_password(server), site
        self.where = server.url

    def count(self) -> int:
        """How many rows the site has there.

        Raises:
            DatabaseError: the server cannot be used.
        """
        database = self._open()
        try:
            with database.read() as connection:
                return deskrows.count_rows(connection, self._site)
        finally:
            database.close()

    def put(self, file: Path, aside: Path) -> None:
        """Puts the rows of a file in the place of the site's, in one transaction; those go into a file first.

        Args:
            file: as `prepare_file` leaves it.
            aside: a file to be made, where the site has rows.

        Raises:
            DatabaseError: the server cannot be used; nothing has changed there.
            OSError: the file cannot be made.
        """
        database = self._open()
        try:
            with database.write() as connection:
                if deskrows.count_rows(connection, self._site):
                    self._keep(connection, aside)
                    deskrows.delete_rows(connection, self._site)
                source = open_database(file_url(file))
                try:
                    with source.read() as rows:
                        deskrows.copy_rows(rows, connection, self._site)
                finally:
                    source.close()
        finally:
            database.close()

    def _open(self) -> Database:
        return open_database(self._url, self._password)

    def _keep(self, rows: Connection, aside: Path) -> None:
        aside.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside.touch(mode=0o600)
        former = open_database(file_url(aside))
        try:
            with former.write() as connection:
                deskrows.copy_rows(rows, connection, self._site)
        finally:
            former.close()
