"""The section on weather: degree days, and consumption as it would have been with those of a year before."""

from collector.reports.document import Figure, Section
from collector.reports.metering import ENOUGH
from collector.reports.sections.load import find_working_days
from collector.reports.sections.parts import find_change, find_unit
from collector.reports.study import Study
from collector.reports.weather import Fit, fit_days, read_degree_days
from collector.reports.wording import Words, write_number, write_percent


def describe_weather(study: Study, say: Words) -> Section:
    """Degree days, and what they explain.

    Raises:
        StoreError: the database does not answer.
    """
    heading = say("heading.weather")
    degrees = read_degree_days(study.context, study.timeline)
    if degrees is None:
        return Section(heading=heading, paragraphs=[say("say.no_weather")])
    here = degrees.sum()
    if here is None:
        told = say("say.few_temperatures", known=write_percent(degrees.known))
        return Section(heading=heading, paragraphs=[told])
    then = read_degree_days(study.context, study.year_before.timeline)
    there = then.sum() if then else None
    figures = [
        Figure(
            label=say(key),
            value=here[number],
            unit="K·d",
            digits=0,
            year_before=there[number] if there else None,
        )
        for number, key in enumerate(("heating_days", "cooling_days"))
    ]
    fit = fit_days(study.now, degrees, find_working_days(study))
    if not fit.is_good:
        told = say("say.bad_fit", days=fit.days, r2=f"{fit.r2:.2f}")
        return Section(heading=heading, paragraphs=[told], figures=figures)
    note = say("say.fit", days=fit.days, r2=f"{fit.r2:.2f}")
    unit = f"{find_unit(study)}/(K·d)"
    figures += [
        Figure(label=say(key), value=slope, unit=unit, digits=1, less_is_better=True, note=note)
        for key, slope, days in (
            ("per_heating", fit.per_heating, here[0]),
            ("per_cooling", fit.per_cooling, here[1]),
        )
        if days > 0
    ]
    told, normalised = _normalise(study, fit, here, there, say)
    return Section(heading=heading, paragraphs=[told], figures=[*figures, *normalised])


def _normalise(
    study: Study, fit: Fit, here: tuple[float, float], there: tuple[float, float] | None, say: Words
) -> tuple[str, list[Figure]]:
    period = study.period.year_before()
    found = study.compare()
    if there is None or found.now is None or study.now.known() < ENOUGH or not study.timeline.is_over:
        return say("say.no_year_before", period=period), []
    if not fit.covers(here, there):
        return say("say.other_weather", period=period), []
    adjusted = found.now + fit.shift(here, there)
    figure = Figure(
        label=say("normalised", period=period),
        value=adjusted,
        unit=find_unit(study),
        year_before=found.year_before,
        less_is_better=True,
    )
    change = find_change(adjusted, found.year_before)
    if change is None or found.year_before is None:
        return "", [figure]
    told = say(
        "say.normalised",
        period=period,
        amount=write_number(adjusted),
        percent=f"{change:+.1f} %",
        year_before=write_number(found.year_before),
    )
    return told, [figure]


def tell_method(study: Study, say: Words) -> list[str]:
    """How degree days are worked out, for the last page."""
    plan = study.context.plan.temperature
    if plan is None:
        return []
    return [say("remark.degree_days", heating=f"{plan.heating_below:g}", cooling=f"{plan.cooling_above:g}")]
