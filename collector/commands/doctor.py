"""`siteward doctor`."""

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from collector import logs
from collector.commands.common import load_configuration
from collector.doctor import Section, examine
from collector.store import Finding
from collector.terminal import DEFAULT_CONFIG, EXIT_FINDINGS, AsJson, ConfigFolder, console, messages, print_json


def doctor(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Look at broker, database, gateway, rules and desk, and say what an outage would cost.

    Exits with 1 where something is to mend. Takes some seconds, also beside a running daemon.
    To measure the broker's queue, a thousand small messages go to siteward/SITE/doctor/….
    """
    configuration = load_configuration(config)
    logs.configure()
    with messages.status("Looking at broker, database, gateway, rules and desk …"):
        sections = examine(configuration)
    wrong = sum(not finding.good for section in sections for finding in section.findings)
    if as_json:
        rows = [{"section": section.name, **finding._asdict()} for section in sections for finding in section.findings]
        print_json({"good": wrong == 0, "findings": rows})
    else:
        _show(sections, wrong)
    if wrong:
        raise typer.Exit(EXIT_FINDINGS)


def _show(sections: list[Section], wrong: int) -> None:
    width = max(len(finding.subject) for section in sections for finding in section.findings)
    for section in sections:
        console.print(Group(Text(section.name.capitalize(), style="bold"), _lay_out(section.findings, width), Text()))
    if wrong:
        console.print(f"[bold red]✗[/] {wrong} to mend; how: docs/operations/recovery.md, under the same words")
    else:
        console.print("[bold green]✓[/] all good")


def _lay_out(findings: list[Finding], width: int) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=2, justify="right")
    grid.add_column(width=width)
    grid.add_column(overflow="fold")
    for finding in findings:
        mark = Text("✓", style="green") if finding.good else Text("✗", style="bold red")
        grid.add_row(mark, Text(finding.subject), Text(finding.message, style="" if finding.good else "red"))
    return grid
