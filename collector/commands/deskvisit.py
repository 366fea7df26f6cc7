"""What commands at the desk begin with: its database, and who asks."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from collector import logs
from collector.commands.common import load_configuration
from collector.configuration import Configuration
from collector.deskopening import make_desk, open_desk_database
from collector.errors import CollectorError
from collector.terminal import EXIT_FINDINGS, fail
from tickets.desk import Desk
from tickets.errors import TicketsError

Who = Annotated[
    str, typer.Option("--as", envvar="SITEWARD_USER", metavar="NAME", help="Who asks; left out: your user name.")
]
"""The option; its default is ""."""

Comment = Annotated[str, typer.Option("--comment", "-m", help="Kept in the history.")]
"""The option; its default is ""."""

Reason = Annotated[str, typer.Option("--comment", "-m", help="Why; kept in the history.", show_default=False)]
"""The same where it must be given."""


def name_user(who: str) -> str:
    """Who asks."""
    return who or getpass.getuser()


@contextmanager
def visit_desk(config: Path) -> Iterator[tuple[Configuration, Desk]]:
    """The desk of a site; ends the command where it cannot be used, or where it does not do what is asked."""
    logs.configure()  # what is logged goes beside the answer, not into it
    configuration = load_configuration(config)
    try:
        database = open_desk_database(configuration)
        try:
            yield configuration, make_desk(configuration, database)
        finally:
            database.close()
    except (TicketsError, CollectorError, OSError) as error:
        fail(str(error), EXIT_FINDINGS)
