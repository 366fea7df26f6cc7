"""The section on load: when power is drawn, how high it goes, and what never stops."""

from collector.reports.document import Chart, Figure, Section, Series
from collector.reports.load import Load, find_heat, find_load, find_usual_days
from collector.reports.metering import ENOUGH, Metered
from collector.reports.sections.parts import make_figure, write_time
from collector.reports.study import Compared, Study
from collector.reports.wording import Words, write_percent

_CLOCK = [f"{hour:02}:00" for hour in range(24)]


def describe_load(study: Study, say: Words) -> Section:
    """The load of the site."""
    return Section(
        heading=say("heading.load"),
        figures=list_load_figures(study, say),
        charts=[_draw_usual_days(study, say), draw_heat(study.now, "chart.heat", "kW", say)],
    )


def list_load_figures(study: Study, say: Words) -> list[Figure]:
    """Peak, base load, mean, load factor and what is used off hours, beside the other periods."""
    now, *others = (find_load(metered) for metered in (study.now, study.before, study.year_before))
    whole = study.timeline.is_over and now.measured >= ENOUGH
    before, year_before = (load if whole and load.measured >= ENOUGH else None for load in others)
    partly = "" if now.measured >= ENOUGH else say("note.measured", share=write_percent(now.measured))

    def make(key: str, unit: str, name: str, *, digits: int = 1, scale: float = 1.0, note: str = "") -> Figure:
        def pick(load: Load | None) -> float | None:
            value: float | None = getattr(load, name) if load else None
            return None if value is None else value * scale

        return Figure(
            label=say(key),
            value=pick(now),
            unit=unit,
            digits=digits,
            before=pick(before),
            year_before=pick(year_before),
            less_is_better=None if name == "factor" else True,
            note="; ".join(filter(None, (note, partly))),
        )

    at = "" if now.peak_at is None else say("peak_at", time=write_time(study, now.peak_at))
    figures = [
        make("peak", "kW", "peak_kw", note=at),
        make("base", "kW", "base_kw"),
        make("mean", "kW", "mean_kw"),
        make("load_factor", "%", "factor", scale=100),
    ]
    return [*figures, *list_off_hours(study, say)]


def make_peak_figure(study: Study, say: Words) -> Figure:
    """The peak alone."""
    return list_load_figures(study, say)[0]


def list_off_hours(study: Study, say: Words) -> list[Figure]:
    """What is used off hours; nothing where nobody said when these are."""
    if study.context.working is None:
        return []
    shares = study.compare_share("off_hours")
    percents = Compared(*(None if share is None else share * 100 for share in shares))
    return [make_figure(say("off_hours"), percents, "%", digits=1)]


def tell_off_hours(study: Study, say: Words) -> list[str]:
    """How much was used off hours, in a sentence; nothing where nobody said when these are."""
    share = study.share("off_hours") if study.context.working is not None else None
    if share is None:
        return []
    return [say("say.off_hours", percent=write_percent(share), calendar=name_working_hours(study, say))]


def name_working_hours(study: Study, say: Words) -> str:
    """What people call the calendar that says when the site is in use."""
    name = study.context.plan.working_hours or ""
    plan = study.context.configuration.calendars.calendars.get(name)
    return plan.name.pick(say.language, name) if plan else name


def explain_off_hours(study: Study, say: Words) -> str:
    """Which hours are off hours, for the last page."""
    if study.context.working is None:
        return say("remark.no_calendar")
    return say("remark.off_hours", calendar=name_working_hours(study, say))


def find_working_days(study: Study) -> list[bool] | None:
    """Of each day of the period, whether the site is in use on it; None where nobody said."""
    working, timeline = study.context.working, study.timeline
    if working is None:
        return None
    return [bool(share > 0) for share in timeline.sum_by_day(timeline.share_within(working))]


def _draw_usual_days(study: Study, say: Words) -> Chart:
    working = find_working_days(study)
    kinds = (
        [("series.all", [True] * len(study.timeline.days))]
        if working is None
        else [("series.working", working), ("series.free", [not each for each in working])]
    )
    found = [Series(say(key), find_usual_days(study.now, chosen)) for key, chosen in kinds]
    series = [each for each in found if any(value is not None for value in each.values)]
    return Chart(title=say("chart.usual"), kind="lines", unit="kW", places=_CLOCK, series=series)


def draw_heat(metered: Metered, key: str, unit: str, say: Words) -> Chart:
    """Mean power or flow by the hour of the clock and the day of the week."""
    rows = [Series(say(f"weekday.{number}"), row) for number, row in enumerate(find_heat(metered))]
    return Chart(title=say(key), kind="heat", unit=unit, places=_CLOCK, series=rows)
