"""`siteward dashboards …`: Grafana dashboards as files."""

from pathlib import Path
from typing import Annotated

import typer

from collector.commands.common import load_configuration
from collector.dashboards.export import export as write
from collector.terminal import console, fail

app = typer.Typer(no_args_is_help=True, help="Grafana dashboards as files, in English and Chinese.")


@app.callback()
def _root() -> None:
    """Grafana dashboards as files, in English and Chinese."""


@app.command()
def export(
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Gets a folder for each language.")] = Path(
        "dashboards"
    ),
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            envvar="SITEWARD_CONFIG",
            metavar="DIR",
            help="Folder of the configuration: its time zone, currency, nominal voltage and tickets' address go in.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the dashboards as JSON that Grafana imports or is provisioned with.

    Without a configuration they fit any site; days then end at midnight of a time zone that the reader types.
    """
    configuration = load_configuration(config) if config else None
    try:
        written = write(to, configuration)
    except OSError as error:
        fail(f"{error.filename or to}: cannot be written: {error.strerror or error}", 1)
    console.print(f"Wrote {len(written)} dashboards to {to}", highlight=False, soft_wrap=True)
