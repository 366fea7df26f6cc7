"""Parts that several sections share: names, notes, changes in per cent."""

from collections.abc import Sequence

from collector.reports.comparison import find_change
from collector.reports.context import Context
from collector.reports.delivery import ReportName
from collector.reports.document import Cell, Column, Figure, Report, Section
from collector.reports.metering import ENOUGH
from collector.reports.period import Period
from collector.reports.study import Compared, Study
from collector.reports.wording import Words, write_percent
from rules.localtime import show_time
from tickets.tariffs import UNITS
from tickets.titles import name_place

ALL = 0.99995
"""Share from which on nobody need be told that it is not all."""

_QUARTERS_PER_DAY = 96

_NAMED = 8
"""Meters that are named in a sentence."""

DIGITS = {"electricity": 0, "water": 1}
"""Behind the point, of an amount."""


def find_unit(study: Study) -> str:
    """Of the utility."""
    return UNITS[study.utility]


def find_share(part: float | None, whole: float | None) -> float | None:
    """A part in per cent of a whole."""
    return None if part is None or not whole else part / whole * 100


def head_compared(label: str, unit: str, digits: int, say: Words) -> list[Column]:
    """The heads over `list_compared`."""
    return [
        Column(label, unit, digits),
        Column(say("share"), "%", 1),
        Column(say("before"), unit, digits),
        Column(say("change"), "%", 1),
        Column(say("year_before"), unit, digits),
        Column(say("change"), "%", 1),
    ]


def list_compared(found: Compared, whole: float | None) -> list[Cell]:
    """An amount, its share of a whole, and what it was in the other periods."""
    return [
        found.now,
        find_share(found.now, whole),
        found.before,
        find_change(found.now, found.before),
        found.year_before,
        find_change(found.now, found.year_before),
    ]


def note_known(known: float, say: Words) -> str:
    """That a figure is the least it can be; "" where all is known."""
    return "" if known >= ALL else say("note.at_least", known=write_percent(known))


def note_priced(study: Study, say: Words) -> str:
    """Of how much of the consumption the price is known; "" where it is of all or of nothing."""
    share = study.now.covered("cost")
    return say("note.priced", share=write_percent(share)) if 0 < share < ALL else ""


def name_of(place: Sequence[str], study: Study, say: Words) -> str:
    """What people call a place; () is the site."""
    return name_place("/".join(place), study.context.site.places, say.language) or say("site")


def name_meter(id_: str, study: Study, say: Words) -> str:
    """What people call a meter."""
    return study.now.plant.meters[id_].name.pick(say.language, id_)


def name_category(category: str | None, study: Study, say: Words) -> str:
    """What people call a category; None is what has none."""
    categories = study.context.plan.categories
    if category is None or categories is None:
        return say("no_category")
    return categories.groups[category].name.pick(say.language, category)


def make_figure(
    label: str,
    found: Compared,
    unit: str,
    *,
    digits: int = 0,
    budget: float | None = None,
    less_is_better: bool | None = True,
    notes: Sequence[str] = (),
) -> Figure:
    """A figure beside the other periods."""
    return Figure(
        label=label,
        value=found.now,
        unit=unit,
        digits=digits,
        before=found.before,
        year_before=found.year_before,
        budget=budget,
        less_is_better=less_is_better,
        note="; ".join(filter(None, notes)),
    )


def make_daily_figure(study: Study, say: Words) -> Figure:
    """Mean per day, which months of 28 and 31 days have in common; of 24 hours, where clocks are changed, too."""
    found = study.compare()
    days = [len(each.timeline) / _QUARTERS_PER_DAY for each in (study.now, study.before, study.year_before)]
    means = [None if value is None else value / length for value, length in zip(found, days, strict=True)]
    notes = [note_known(study.now.known(), say)]
    digits = DIGITS[study.utility] + 1
    return make_figure(say("per_day"), Compared(*means), find_unit(study), digits=digits, notes=notes)


def tell_use(study: Study, say: Words) -> str:
    """How much was used, against the other periods and the budget."""
    found, known, unit, digits = study.compare(), study.now.known(), find_unit(study), DIGITS[study.utility]
    period = study.period
    if found.now is None:
        return say("say.nothing", period=period)
    facts = {
        "site": study.context.site_name,
        "amount": f"{found.now:,.{digits}f}",
        "unit": unit,
        "period": period,
        "known": write_percent(known),
    }
    changes = []
    for other, then in {period.before(): found.before, period.year_before(): found.year_before}.items():
        change = find_change(found.now, then)
        if change is not None:
            key = "say.more" if change > 0 else "say.less"
            changes.append(say(key, percent=write_percent(abs(change) / 100), period=other))
    told = [say("say.total" if known >= ALL else "say.at_least", **facts)]
    if changes:
        told.append(say("say.change", changes=say.join(changes)))
    budget = study.budget()
    if budget:
        share = found.now / budget
        key = "say.over_budget" if share > 1 else "say.within_budget"
        percent = write_percent(share - 1 if share > 1 else share)
        told.append(say(key, budget=f"{budget:,.{digits}f}", unit=unit, percent=percent))
    return say.tell(told)


def tell_basis(study: Study, say: Words) -> list[str]:
    """How consumption was worked out, and how good the data are, for the last page."""
    told = [say("remark.registers"), say("remark.scope")]
    timeline = study.timeline
    if not timeline.is_over:
        told.append(say("remark.not_over", time=write_time(study, timeline.edges[-1])))
    else:
        others = {study.period.before(): study.before, study.period.year_before(): study.year_before}
        shares = [f"{say.name(other)} {write_percent(metered.known())}" for other, metered in others.items()]
        told.append(say("remark.compare", enough=write_percent(ENOUGH, 0), periods=say.join(shares)))
    gaps = [
        f"{name_meter(id_, study, say)} ({write_percent(usage.known)})"
        for id_, usage in study.now.usages.items()
        if usage.known < ALL
    ]
    if gaps:
        more = [say("note.more", count=len(gaps) - _NAMED)] if len(gaps) > _NAMED else []
        told.append(say("remark.gaps", meters=say.join([*gaps[:_NAMED], *more])))
        if any(usage.loss and usage.known < ALL for usage in study.now.usages.values()):
            told.append(say("remark.stand_in"))
    return told


def write_time(study: Study, moment: int) -> str:
    """Local time, to the minute."""
    return f"{show_time(moment, study.timeline.zone):%Y-%m-%d %H:%M}"


def bind(
    name: ReportName, context: Context, period: Period, sections: Sequence[Section], remarks: Sequence[str]
) -> Report:
    """A whole report, under its title."""
    return Report(
        name=name,
        title=Words(context.language)(f"title.{name}", period=period),
        site=context.site_name,
        language=context.language,
        period=period,
        made=show_time(context.now, context.zone),
        sections=sections,
        remarks=remarks,
    )
