"""`siteward rules …`: list, check and explain, and the commands that have modules of their own."""

from collections import Counter
from typing import Annotated, Any

import typer

from collector.commands import rulesbacktest, rulesshadow, rulestest
from collector.commands.common import load_configuration
from collector.configuration import Configuration
from collector.rulefindings import find_all
from collector.runbooks import show_runbook
from collector.terminal import (
    DEFAULT_CONFIG,
    EXIT_FINDINGS,
    AsJson,
    ConfigFolder,
    console,
    fail,
    print_json,
    print_rows,
)
from devices.register import Device
from devices.values import suggest
from rules.coverage import Coverage, find_coverage
from rules.rule import Rule
from rules.words import Line, explain

app = typer.Typer(no_args_is_help=True, help="The alert rules: what they watch, and what they mean.")
app.command("test")(rulestest.run_tests)
app.command()(rulesbacktest.backtest)
app.add_typer(rulesshadow.app, name="shadow")


@app.command("list")
def list_(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """List the rules, whom each watches now, and which devices it leaves out and why."""
    configuration = load_configuration(config)
    language, site = configuration.settings.site.language, configuration.rule_site()
    found = [(rule, find_coverage(rule, site)) for rule in configuration.rules]
    if as_json:
        print_json([_tell(configuration, rule, coverage) for rule, coverage in found])
        return
    rows = [
        {
            "id": rule.id,
            "severity": rule.severity,
            "name": rule.name.pick(language),
            "watches": _count_subjects(rule, coverage),
            "left out": "\n".join(f"{count}: {why}" for why, count in Counter(coverage.unfit.values()).items()),
        }
        for rule, coverage in found
    ]
    print_rows("Rules", rows, as_json=False, empty="There are no rules. Write some below rules/.")


def _count_subjects(rule: Rule, coverage: Coverage) -> str:
    count = len(coverage.subjects)
    noun = rule.per if rule.per != "site" else "site"
    return f"{count:,} {noun}{'' if count == 1 else 's'}" + ("" if rule.enabled else ", switched off")


def _tell(configuration: Configuration, rule: Rule, coverage: Coverage) -> dict[str, Any]:
    return {
        "id": rule.id,
        "severity": rule.severity,
        "name": rule.name.model_dump(),
        "enabled": rule.enabled,
        "at": str(configuration.origins[rule.id]),
        "subjects": [{"kind": subject.kind, "id": subject.id} for subject in coverage.subjects],
        "left_out": [{"device": device, "reason": reason} for device, reason in coverage.unfit.items()],
    }


@app.command()
def check(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Check the rules: every error, and what may be wrong with rules that can be used.

    Exit codes: 0 good, 1 only findings, 2 errors.
    """
    configuration = load_configuration(config)
    findings = sorted(find_all(configuration), key=lambda problem: problem[:3])
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            console.print(str(finding), style="yellow", markup=False, highlight=False, soft_wrap=True)
        count = len(configuration.rules)
        rules = f"{count} rule{'' if count == 1 else 's'}"
        found = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" if findings else "nothing to complain of"
        console.print(f"{rules}, {found}.", highlight=False)
    if findings:
        raise typer.Exit(EXIT_FINDINGS)


@app.command("explain")
def explain_(
    rule: Annotated[str, typer.Argument(metavar="ID", help="Id of the rule.")],
    device: Annotated[str, typer.Argument(metavar="[DEVICE]", help="For whom its numbers are wanted.")] = "",
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    as_json: AsJson = False,
) -> None:
    """Say in words when a rule fires, whom it watches, and what follows."""
    configuration = load_configuration(config)
    found, subject = _find_rule(configuration, rule), _find_device(configuration, device) if device else None
    language = configuration.settings.site.language
    lines = explain(_place_runbook(configuration, found), configuration.rule_site(), language, subject)
    origin = str(configuration.origins[found.id])
    if as_json:
        print_json({"id": found.id, "device": device, "at": origin, "lines": [line._asdict() for line in lines]})
        return
    title = " ".join(filter(None, (found.id, found.name.pick(language), device)))
    rows = [{"": line.head, title: line.text} for line in (*lines, Line("", origin))]
    print_rows("", rows, as_json=False)


def _place_runbook(configuration: Configuration, rule: Rule) -> Rule:
    """The rule with the file of its runbook in the place of its name."""
    if rule.ticket is None:
        return rule
    runbook = show_runbook(rule.ticket.runbook, configuration.folder)
    return rule.model_copy(update={"ticket": rule.ticket.model_copy(update={"runbook": runbook})})


def _find_rule(configuration: Configuration, name: str) -> Rule:
    rules = {rule.id: rule for rule in configuration.rules}
    if name not in rules:
        fail(f"There is no rule {name!r}; {suggest(name, rules) or 'see: siteward rules list'}")
    return rules[name]


def _find_device(configuration: Configuration, name: str) -> Device:
    devices = configuration.register.by_id()
    if name not in devices:
        fail(f"There is no device {name!r}; {suggest(name, devices) or 'see: siteward devices list'}")
    return devices[name]
