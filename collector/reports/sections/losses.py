"""The section on losses: each main meter against the sum of its sub-meters."""

from collector.reports.document import Cell, Column, Section, Table
from collector.reports.sections.parts import DIGITS, find_share, find_unit, name_meter
from collector.reports.study import Study
from collector.reports.wording import Words


def describe_losses(study: Study, say: Words) -> Section:
    """What is lost or not metered."""
    heading, unit, digits = say("heading.losses"), find_unit(study), DIGITS[study.utility]
    columns = [
        Column(say("main")),
        Column(say("used"), unit, digits),
        Column(say("subs"), unit, digits),
        Column(say("lost"), unit, digits),
        Column(say("share"), "%", 1),
        Column(say("known"), "%", 1),
        Column(say("missing")),
    ]
    rows: list[list[Cell]] = []
    for id_, usage in study.now.usages.items():
        loss = usage.loss
        if loss is None:
            continue
        missing = say.join([name_meter(name, study, say) for name in loss.missing])
        known = loss.amount is not None
        rows.append(
            [
                name_meter(id_, study, say),
                loss.main if known else None,
                loss.subs if known else None,
                loss.amount,
                find_share(loss.amount, loss.main),
                loss.known * 100,
                missing,
            ]
        )
    if not rows:
        return Section(heading=heading, paragraphs=[say("say.no_losses")])
    return Section(heading=heading, tables=[Table(title=say("table.losses"), columns=columns, rows=rows)])
