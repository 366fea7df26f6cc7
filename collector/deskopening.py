"""Opens the desk of a site: its database, and who works there."""

import time
from collections.abc import Callable

from collector import secrets
from collector.configuration import Configuration
from tickets.database import Database, file_url, open_database
from tickets.desk import Desk

DESK_FILE = "desk.db"
"""In data_dir, where the settings name no database server."""


def open_desk_database(configuration: Configuration) -> Database:
    """The desk's database, with its tables up to date.

    Raises:
        CollectorError: the password cannot be read.
        DatabaseError: it cannot be reached, or was made by a newer version.
    """
    settings = configuration.settings
    server = settings.desk.database
    if server is not None:
        return open_database(server.url, secrets.desk_password(server))
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = settings.data_dir / DESK_FILE
    file.touch(mode=0o600)  # who went where is in it
    return open_database(file_url(file))


def make_desk(configuration: Configuration, database: Database, clock: Callable[[], int] = time.time_ns) -> Desk:
    """The desk of a configuration.

    Args:
        configuration: valid.
        database: of `open_desk_database`.
        clock: gives now, UTC ns.

    Raises:
        DatabaseError: the database cannot be used.
    """
    site = configuration.rule_site()
    language = configuration.settings.site.language
    return Desk(database, configuration.desk, site, configuration.rules, language=language, clock=clock)
