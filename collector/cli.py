"""The command line: every command by its name. `siteward --help`."""

import typer

from collector import __version__
from collector.commands import (
    configuration,
    credentials,
    daemon,
    demo,
    devices,
    doctor,
    journal,
    ledger,
    mutes,
    quarantine,
    rules,
    simulate,
    status,
    tickets,
)

app = typer.Typer(
    name="siteward",
    help="Telemetry collector and maintenance desk for smart facilities.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if value:
        typer.echo(f"siteward {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),  # noqa: FBT001, FBT003 - Typer's way
) -> None:
    pass


app.command()(daemon.run)
app.command()(demo.demo)
app.command()(simulate.simulate)
app.command()(configuration.init)
app.command()(configuration.check)
app.command()(configuration.schema)
app.command()(doctor.doctor)
app.command()(status.status)
app.add_typer(devices.app, name="devices")
app.add_typer(credentials.app, name="credentials")
app.add_typer(journal.app, name="journal")
app.add_typer(quarantine.app, name="quarantine")
app.command()(ledger.ledger)
app.add_typer(rules.app, name="rules")
app.add_typer(tickets.app, name="tickets")
app.add_typer(mutes.app, name="mutes")


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
