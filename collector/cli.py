"""The command line: every command by its name. `siteward --help`."""

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand
from typer.main import get_group

from collector import __version__
from collector.keeping import keeping


class Place(NamedTuple):
    """Where a command is: a module of `collector.commands` and a name in it. Its help begins with its purpose."""

    module: str
    name: str
    purpose: str


COMMANDS = {
    "run": Place(
        "daemon", "run", "Run the daemon: from the broker to the database and the desk, until it is told to stop."
    ),
    "demo": Place(
        "demo",
        "demo",
        "Show a living site: an embedded broker, a simulated campus that speaks to it, and Siteward itself.",
    ),
    "simulate": Place(
        "simulate",
        "simulate",
        "Publish what a simulated campus says, for the devices of the register, to an MQTT broker.",
    ),
    "init": Place("init", "init", "Write a commented first configuration, or a whole site for compose."),
    "check": Place(
        "configuration",
        "check",
        "Check a configuration: say every problem, where it stands, and what was expected.",
    ),
    "schema": Place(
        "configuration",
        "schema",
        "Print the JSON Schema of a configuration file; editors complete and check with it.",
    ),
    "doctor": Place(
        "doctor",
        "doctor",
        "Look at broker, database, gateway, rules and desk, and say what an outage would cost.",
    ),
    "status": Place("status", "status", "Show how the running daemon is, its rules, and what waits at the desk."),
    "ledger": Place(
        "ledger", "ledger", "Show what became of every reading; exits with 1 where something is unexplained."
    ),
    "devices": Place("devices", "app", "The register: what is installed, where, and how it is heard."),
    "credentials": Place("credentials", "app", "Keys that card numbers are hashed with."),
    "journal": Place("journal", "app", "The durable log between broker and database."),
    "quarantine": Place("quarantine", "app", "Messages that could not be decoded or stored."),
    "rules": Place("rules", "app", "The alert rules: what they watch, and what they mean."),
    "tickets": Place("tickets", "app", "The service desk: tickets, who owns them, and what happened."),
    "report": Place(
        "report", "app", "Reports on energy, water, access, service and carbon, as HTML, PDF, XLSX or CSV."
    ),
    "backup": Place(
        "backup", "backup", "Save everything that is not in InfluxDB into one file, also while the daemon runs."
    ),
    "restore": Place("backup", "restore", "Bring a site back as it was when a backup was made."),
    "mutes": Place("mutes", "app", "Maintenance windows and shelved alerts: remembered, without tickets."),
    "dashboards": Place("dashboards", "app", "Grafana dashboards as files, and the figures that they draw."),
}


class Deferred(TyperCommand):
    """A command whose module is loaded when it is called, so that none waits for what only others need."""

    def load(self) -> Any:  # noqa: ANN401 - Click, within Typer
        """The command itself, or the group."""
        module, name, _ = COMMANDS[self.name or ""]
        with keeping():
            found = getattr(import_module(f"collector.commands.{module}"), name)
        above = typer.Typer()
        if isinstance(found, typer.Typer):
            above.add_typer(found, name=self.name)
        else:
            above.command(self.name)(found)
        return get_group(above).commands[self.name or ""]

    def make_context(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - Click, within Typer
        """Begins a call; the context is that of the command itself."""
        return self.load().make_context(*args, **named)


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


for _name, _place in COMMANDS.items():
    app.command(_name, cls=Deferred, help=_place.purpose)(lambda: None)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
