"""`siteward run`."""

import sqlite3
from typing import Annotated

import typer

from collector import logs, service
from collector.commands.common import load_configuration
from collector.daemon import Daemon
from collector.errors import CollectorError
from collector.keeping import keeping
from collector.terminal import DEFAULT_CONFIG, ConfigFolder, fail


def run(
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details.")] = False,
) -> None:
    """Run the daemon: from the broker to the database and the desk, until it is told to stop."""
    with keeping():
        configuration = load_configuration(config)
    logs.configure(verbose=verbose)
    with service.holding_signals():
        try:
            with keeping():
                daemon = Daemon(configuration)
        except (CollectorError, OSError, sqlite3.Error) as error:
            fail(f"Cannot start: {error}")
        raise typer.Exit(daemon.run())
