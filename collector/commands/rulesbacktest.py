"""`siteward rules backtest`: what rules would have told of what was recorded."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from collector.backtest.csvhistory import CsvHistory
from collector.backtest.history import History, StoreHistory, find_heard
from collector.backtest.labels import Label, Score, read_labels, score
from collector.backtest.picture import draw, find_panels
from collector.backtest.replay import Replay, Span, replay
from collector.backtest.summary import Summary
from collector.commands.common import Begin, End, RuleIds, load_configuration, parse_span, show_moment
from collector.configuration import Configuration
from collector.errors import CollectorError
from collector.settings import EmbeddedStore
from collector.stores import open_store
from collector.terminal import DEFAULT_CONFIG, AsJson, ConfigFolder, console, fail, messages, print_json, print_rows
from devices.durations import format_duration, parse_duration
from devices.timestamps import format_rfc3339
from devices.values import suggest
from rules.errors import RulesError
from rules.rule import Rule

_SHOWN = 40
_PICTURES = (".svg", ".png")


def backtest(
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    begin: Begin = "",
    end: End = "",
    rule: RuleIds = None,
    csv: Annotated[
        Path | None, typer.Option(help="Recorded readings, in the place of the site's store.", metavar="FILE")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="CSV of what is known to have gone wrong: device,from,to.", metavar="FILE")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the series with the alerts shaded: .svg or .png.", metavar="FILE")
    ] = None,
    warm_up: Annotated[str, typer.Option(help="So long before --from rules begin to learn.")] = "14d",
    as_json: AsJson = False,
) -> None:
    """Replay what was recorded, and show the tickets that would have been opened.

    Grouping, calendars and inhibition count; maintenance and shelved alerts do not. The site is taken as it is now.
    """
    configuration = load_configuration(config)
    rules = _choose(configuration, rule)
    if picture is not None and picture.suffix not in _PICTURES:
        fail(f"--picture {picture}: expected a file that ends with .svg or .png.")
    try:
        labels = read_labels(against, configuration.settings.site.zone) if against is not None else []
        learned = parse_duration(warm_up)
        with _open(configuration, rules, csv) as history:
            span = _find_span(configuration, history, begin, end, learned)
            found = _replay(history, rules, configuration, span, quiet=as_json)
            if picture is not None:
                _draw(found, history, configuration, picture, labels)
    except (CollectorError, RulesError, OSError) as error:
        fail(str(error), 1)
    except ValueError as error:
        fail(f"--warm-up: {error}")
    summary = Summary(found, rules, configuration)
    mark = score(labels, found.alerts, span.start, span.stop) if against is not None else None
    if as_json:
        print_json(_tell(found, summary, mark))
    else:
        _show(found, summary, configuration, mark)


def _choose(configuration: Configuration, names: Sequence[str] | None) -> list[Rule]:
    """The rules to replay; one that is named is replayed even where it is disabled."""
    rules = {rule.id: rule for rule in configuration.rules}
    for name in names or ():
        if name not in rules:
            fail(f"There is no rule {name!r}; {suggest(name, rules) or 'see: siteward rules list'}")
    if names:
        return [rules[name].model_copy(update={"enabled": True}) for name in dict.fromkeys(names)]
    chosen = [rule for rule in rules.values() if rule.enabled]
    if not chosen:
        fail("There are no rules. Write some below rules/.")
    return chosen


@contextmanager
def _open(configuration: Configuration, rules: Sequence[Rule], csv: Path | None) -> Iterator[History]:
    site = configuration.rule_site()
    if csv is not None:
        with closing(CsvHistory(csv, site.devices, site.zone)) as history:
            for device, count in history.strangers.most_common(5):
                messages.print(f"{csv}: {count:,} rows of {device!r}, which is not in the register", markup=False)
            yield history
        return
    settings = configuration.settings
    raw_from = time.time_ns() - settings.retention.raw if isinstance(settings.store, EmbeddedStore) else 0
    with closing(open_store(configuration)) as store:
        yield StoreHistory(store, find_heard(rules, site), raw_from)


def _find_span(configuration: Configuration, history: History, begin: str, end: str, warm_up: int) -> Span:
    zone, now = configuration.settings.site.zone, time.time_ns()
    if isinstance(history, CsvHistory):
        if not history.last:
            fail("The file holds no values of devices of the register.")
        start = parse_span(begin, end, zone, now)[0] if begin else history.first
        stop = parse_span(end, "", zone, 2**63 - 1)[0] if end else history.last + 1
        if start >= stop:
            fail("--from is not before --to, or lies after all that the file holds.")
        warm_up = min(warm_up, max(0, start - history.first))
    else:
        start, stop = parse_span(begin or "28d", end, zone, now)
    return Span(start, stop, min(warm_up, start))


def _replay(
    history: History, rules: Sequence[Rule], configuration: Configuration, span: Span, *, quiet: bool
) -> Replay:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    begin = span.start - span.warm_up
    with Progress(*columns, console=messages, transient=True, disable=quiet) as progress:
        task = progress.add_task("Replaying", total=span.stop - begin)
        return replay(
            history, rules, configuration.rule_site(), span, lambda at: progress.update(task, completed=at - begin)
        )


def _draw(found: Replay, history: History, configuration: Configuration, path: Path, labels: Sequence[Label]) -> None:
    site = configuration.rule_site()
    panels = find_panels(found, history, site, labels)
    if not panels:
        messages.print("No alert shows numbers of a device; there is no picture.")
        return
    draw(panels, found, site, path, configuration.settings.site.language)
    messages.print(f"{path}: {len(panels)} series", markup=False)


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tell(found: Replay, summary: Summary, mark: Score | None) -> dict[str, Any]:
    span = found.span
    return {
        "from": format_rfc3339(span.start),
        "to": format_rfc3339(span.stop),
        "readings": found.readings,
        "rules": [
            {**row, "typical": _seconds(row["typical"]), "longest": _seconds(row["longest"])} for row in summary.rules()
        ],
        "tickets": summary.tickets(),
        "without_ticket": summary.held(),
        "open_before": len(found.before),
        "score": None if mark is None else _tell_score(mark),
    }


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e9


def _tell_score(mark: Score) -> dict[str, Any]:
    return {
        "labels": mark.labels,
        "found": mark.found,
        "alerts": mark.alerts,
        "right": mark.right,
        "precision": mark.precision,
        "recall": mark.recall,
        "delay_s": _seconds(mark.delay),
    }


def _show(found: Replay, summary: Summary, configuration: Configuration, mark: Score | None) -> None:
    zone, span = configuration.settings.site.zone, found.span
    console.print(
        f"{found.readings:,} readings from {show_moment(span.start - span.warm_up, zone)}"
        f" to {show_moment(span.stop, zone)}; alerts count from {show_moment(span.start, zone)}.",
        highlight=False,
    )
    rows = [
        {
            "rule": row["rule"],
            "tickets": row["tickets"],
            "alerts": row["alerts"],
            "no ticket": row["without_ticket"],
            "typical": "-" if row["typical"] is None else format_duration(row["typical"]),
            "team": ", ".join(row["teams"]),
        }
        for row in sorted(summary.rules(), key=lambda row: -row["tickets"])
    ]
    print_rows("Rules", rows, as_json=False)
    tickets = [
        {
            "opened": show_moment(ticket.opened, zone),
            "for": "open" if ticket.over is None else format_duration(ticket.over - ticket.opened),
            "title": summary.title(ticket),
            "team": summary.team(ticket),
            "alerts": len(ticket.alerts),
        }
        for ticket in found.tickets[:_SHOWN]
    ]
    print_rows("Tickets that would have been opened", tickets, as_json=False, empty="No ticket would have been opened.")
    if len(found.tickets) > _SHOWN:
        console.print(f"and {len(found.tickets) - _SHOWN:,} more: --json")
    if found.before:
        console.print(
            f"{len(found.before)} alerts were there before {show_moment(span.start, zone)}; they do not count."
        )
    if mark is not None:
        _show_score(mark)


def _show_score(mark: Score) -> None:
    def share(part: int, whole: int) -> str:
        return f"{part} of {whole}" + (f" ({part / whole:.0%})" if whole else "")

    rows = [
        {"": "precision", "score": f"{share(mark.right, mark.alerts)} alerts are right"},
        {"": "recall", "score": f"{share(mark.found, mark.labels)} labels were found"},
        {"": "delay", "score": "-" if mark.delay is None else f"{format_duration(mark.delay)}, the median"},
    ]
    print_rows("Against the labels", rows, as_json=False)
