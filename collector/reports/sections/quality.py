"""The section on data quality: which meters are not known well, what their registers did, and what the ledger says."""

from collector.reports.document import Cell, Column, Section, Table
from collector.reports.ledgersums import LedgerSums, Tally, sum_ledger
from collector.reports.metering import Usage
from collector.reports.sections.parts import ALL, find_share, name_meter, write_time
from collector.reports.study import Study
from collector.reports.wording import Words, write_number

_MOST = 40
"""Meters that are listed."""

_USUAL = {"slip", "duplicate", "reordered", "late", "rollover"}
"""What a register may do without anything being wrong with its figures."""


def describe_quality(study: Study, heading: str, say: Words) -> Section:
    """How good the data are."""
    sums = sum_ledger(study.context, study.timeline, study.now.plant.meters.values())
    told = _tell_ledger(study, sums, say)
    bad = [id_ for id_, usage in study.now.usages.items() if _is_bad(usage, sums.tallies.get(id_))]
    if not bad:
        return Section(heading=heading, paragraphs=[say("say.all_known"), *told])
    bad.sort(key=lambda id_: study.now.usages[id_].known)
    columns = [
        Column(say("meter")),
        Column(say("known"), "%", 1),
        Column(say("estimated"), "%", 1),
        Column(say("faults")),
        *(Column(say(key)) for key in ("expected", "stored", "quarantined", "unexplained")),
    ]

    def list_cells(id_: str) -> list[Cell]:
        usage, tally = study.now.usages[id_], sums.tallies.get(id_)
        counts: list[Cell] = (
            [None] * 4 if tally is None else [tally.expected, tally.stored, tally.quarantined, tally.unexplained]
        )
        faults = [say(f"fault.{kind}", count=count) for kind, count in usage.counts.items()]
        share = find_share(usage.estimated, usage.amount)
        return [name_meter(id_, study, say), usage.known * 100, share, say.join(faults), *counts]

    more = len(bad) - _MOST
    table = Table(
        title=say("table.quality"),
        columns=columns,
        rows=[list_cells(id_) for id_ in bad[:_MOST]],
        note=say("note.more", count=more) if more > 0 else "",
    )
    return Section(heading=heading, paragraphs=told, tables=[table])


def _is_bad(usage: Usage, tally: Tally | None) -> bool:
    unusual = any(kind not in _USUAL for kind in usage.counts)
    return usage.known < ALL or unusual or bool(tally and (tally.unexplained or tally.quarantined))


def _tell_ledger(study: Study, sums: LedgerSums, say: Words) -> list[str]:
    if not sums.tallies or sums.begins is None:
        return [say("remark.no_ledger")]
    names = ("expected", "stored", "unexplained")
    totals = {name: write_number(sum(getattr(each, name) for each in sums.tallies.values())) for name in names}
    told = [say("remark.ledger", **totals)]
    if sums.begins > study.timeline.edges[0]:
        told.append(say("remark.ledger_from", time=write_time(study, sums.begins)))
    return told
