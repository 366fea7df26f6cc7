"""`siteward run`."""

import sqlite3
from typing import Annotated

import typer

from collector import logs
from collector.commands.common import load_configuration
from collector.daemon import Daemon
from collector.errors import CollectorError
from collector.terminal import DEFAULT_CONFIG, ConfigFolder, fail


def run(
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details.")] = False,
) -> None:
    """Run the daemon: from the broker to the database and the desk, until it is told to stop."""
    configuration = load_configuration(config)
    logs.configure(verbose=verbose)
    try:
        daemon = Daemon(configuration)
    except (CollectorError, OSError, sqlite3.Error) as error:
        fail(f"Cannot start: {error}")
    raise typer.Exit(daemon.run())
