"""`siteward rules shadow …`: a changed rule beside the one in force, without tickets, until it is promoted."""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from collector import drafts
from collector.commands.common import load_configuration, refuse, show_moment
from collector.configuration import Configuration
from collector.drafts import Draft
from collector.errors import CollectorError
from collector.folder import ConfigurationError
from collector.shadowbook import SHADOW_FILE, Comparison, Told, Trial, read_book
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
from devices.durations import format_duration
from devices.timestamps import format_rfc3339
from rules.rule import Rule
from rules.words import explain
from tickets.titles import write_value

app = typer.Typer(no_args_is_help=True, help="Try a changed rule beside the one in force; it opens no tickets.")

RuleId = Annotated[str, typer.Argument(metavar="ID", help="Id of the rule.")]

_SHOWN = 30

_PLACED = {"open": "yes", "join": "joined"}


@app.command()
def start(
    file: Annotated[Path, typer.Argument(help="YAML with the changed rules, as below rules/.")],
    config: ConfigFolder = DEFAULT_CONFIG,
) -> None:
    """Begin to judge changed rules beside those in force; the daemon takes them over at once."""
    configuration = load_configuration(config)
    try:
        started = drafts.start(configuration, file)
    except ConfigurationError as error:
        refuse(error, file)
    except (CollectorError, OSError) as error:
        fail(str(error))
    for draft in started:
        beside = "beside the rule in force" if draft.rule.id in configuration.origins else "a new rule"
        console.print(f"{draft.rule.id}: {beside}; {draft.file}", markup=False, highlight=False, soft_wrap=True)


@app.command("list")
def list_(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """List the drafts, and how much they and the rules in force have told since."""
    configuration = load_configuration(config)
    rows = [_sum_up(draft, configuration, as_json=as_json) for draft in _read_drafts(configuration)]
    print_rows(
        "Drafts", rows, as_json=as_json, empty="There are no drafts. Begin with: siteward rules shadow start FILE"
    )


def _sum_up(draft: Draft, configuration: Configuration, *, as_json: bool) -> dict[str, Any]:
    trial, found = _read(configuration, draft.rule.id)
    zone = configuration.settings.site.zone
    since: object = None if trial is None else trial.began
    if trial is not None:
        since = format_rfc3339(trial.began) if as_json else show_moment(trial.began, zone)
    return {
        "rule": draft.rule.id,
        "since": since if as_json or trial is not None else "waits for the daemon",
        "only in force": len(found.only_live),
        "only draft": len(found.only_draft),
        "both": len(found.both),
        "trouble": trial.failure if trial is not None else "",
    }


@app.command()
def diff(rule: RuleId, config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show what only the rule in force told, what only the draft, and what both did.

    Exit codes: 0 they told the same, 1 they did not.
    """
    configuration = load_configuration(config)
    draft = _find(configuration, rule)
    trial, found = _read(configuration, rule)
    if as_json:
        print_json(_tell(rule, trial, found))
    else:
        _show(draft, trial, found, configuration)
    if found.only_live or found.only_draft:
        raise typer.Exit(EXIT_FINDINGS)


def _tell(rule: str, trial: Trial | None, found: Comparison) -> dict[str, Any]:
    return {
        "rule": rule,
        "since": None if trial is None else format_rfc3339(trial.began),
        "trouble": "" if trial is None else trial.failure,
        "only_live": [_plain(told) for told in found.only_live],
        "only_draft": [_plain(told) for told in found.only_draft],
        "both": [{"live": _plain(one), "draft": _plain(other)} for one, other in found.both],
    }


def _plain(told: Told) -> dict[str, Any]:
    moments = {name: getattr(told, name) for name in ("since", "opened", "resolved")}
    return {
        **told._asdict(),
        **{name: None if moment is None else format_rfc3339(moment) for name, moment in moments.items()},
    }


def _show(draft: Draft, trial: Trial | None, found: Comparison, configuration: Configuration) -> None:
    zone = configuration.settings.site.zone
    live = {rule.id: rule for rule in configuration.rules}.get(draft.rule.id)
    _show_change(live, draft.rule, configuration)
    if trial is None:
        console.print("The daemon has not begun to judge it.")
        return
    console.print(f"Since {show_moment(trial.began, zone)}.", highlight=False)
    if trial.failure:
        console.print(f"Set aside: {trial.failure}", style="red", markup=False)
    _show_side("Only the rule in force", live, found.only_live, configuration)
    _show_side("Only the draft", draft.rule, found.only_draft, configuration)
    rows = [
        {
            "what": one.subject,
            "in force": f"{show_moment(one.opened, zone)} for {_length(one)}",
            "draft": f"{show_moment(other.opened, zone)} for {_length(other)}",
            "draft is": _lag(other.opened - one.opened),
        }
        for one, other in found.both[-_SHOWN:]
    ]
    print_rows("Both", rows, as_json=False, empty="Both: nothing.")


def _show_change(live: Rule | None, draft: Rule, configuration: Configuration) -> None:
    """What the two rules mean, in words, where that is not the same."""
    site, language = configuration.rule_site(), configuration.settings.site.language
    before, after = ({} if rule is None else dict(explain(rule, site, language)) for rule in (live, draft))
    rows = [
        {"": head, "in force": before.get(head, "-"), "draft": after.get(head, "-")}
        for head in dict.fromkeys([*after, *before])
        if before.get(head) != after.get(head)
    ]
    print_rows(draft.id, rows, as_json=False, empty=f"{draft.id}: the draft means the same as the rule in force.")


def _show_side(title: str, rule: Rule | None, alerts: Sequence[Told], configuration: Configuration) -> None:
    zone, language = configuration.settings.site.zone, configuration.settings.site.language
    rows = [
        {
            "what": told.subject,
            "told": show_moment(told.opened, zone),
            "for": _length(told),
            "value": write_value(told.evidence["value"], str(told.evidence["unit"]), language),  # type: ignore[arg-type] # as Evidence has it
            "ticket": _PLACED.get(told.placed, "held back") if rule is not None and rule.ticket is not None else "none",
        }
        for told in alerts[-_SHOWN:]
    ]
    print_rows(title, rows, as_json=False, empty=f"{title}: nothing.")
    if len(alerts) > _SHOWN:
        console.print(f"and {len(alerts) - _SHOWN:,} before these: --json")


def _length(told: Told) -> str:
    return format_duration((told.resolved or time.time_ns()) - told.opened) + ("" if told.resolved else ", still there")


def _lag(nanoseconds: int) -> str:
    if not nanoseconds:
        return "as soon"
    return f"{format_duration(abs(nanoseconds))} {'later' if nanoseconds > 0 else 'sooner'}"


@app.command()
def promote(rule: RuleId, config: ConfigFolder = DEFAULT_CONFIG) -> None:
    """Put the draft in the place of the rule in force; what else stands in its file stays."""
    configuration = load_configuration(config)
    draft = _find(configuration, rule)
    try:
        file = drafts.promote(configuration, draft)
    except (CollectorError, OSError) as error:
        fail(str(error), 1)
    console.print(f"{rule} is in force: {file}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def stop(rule: RuleId, config: ConfigFolder = DEFAULT_CONFIG) -> None:
    """Drop a draft."""
    configuration = load_configuration(config)
    try:
        drafts.stop(_find(configuration, rule))
    except OSError as error:
        fail(str(error), 1)
    console.print(f"The draft of {rule} is gone.", markup=False, highlight=False)


def _read_drafts(configuration: Configuration) -> list[Draft]:
    try:
        return drafts.read_drafts(configuration)
    except ConfigurationError as error:
        refuse(error, drafts.folder_of(configuration))


def _find(configuration: Configuration, rule: str) -> Draft:
    try:
        return drafts.find(configuration, rule)
    except ConfigurationError as error:
        refuse(error, drafts.folder_of(configuration))
    except CollectorError as error:
        fail(str(error))


def _read(configuration: Configuration, rule: str) -> tuple[Trial | None, Comparison]:
    path = configuration.settings.data_dir / SHADOW_FILE
    if not path.exists():
        return None, Comparison([], [], [])
    try:
        return read_book(path, rule)
    except sqlite3.Error as error:
        fail(f"{path}: {error}", 1)
