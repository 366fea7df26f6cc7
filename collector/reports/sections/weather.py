"""The section on weather: degree days, and consumption as it would have been with those of a year before."""

from collector.reports.comparison import find_change
from collector.reports.document import Figure, Section
from collector.reports.metering import ENOUGH
from collector.reports.sections.load import find_working_days
from collector.reports.sections.parts import find_unit
from collector.reports.study import Study
from collector.reports.weather import Fit, fit_days, is_like, read_weather
from collector.reports.wording import Words, write_number, write_percent


def describe_weather(study: Study, say: Words) -> Section:
    """Degree days, and what they explain.

    Raises:
        StoreError: the database does not answer.
    """
    heading, plan = say("heading.weather"), study.context.plan.temperature
    weather, then = (read_weather(study.context, each.timeline) for each in (study.now, study.year_before))
    if plan is None or weather is None or then is None:
        return Section(heading=heading, paragraphs=[say("say.no_weather")])
    here, there = (each.sum(plan.heating_below, plan.cooling_above) for each in (weather, then))
    if here is None:
        return Section(heading=heading, paragraphs=[say("say.few_temperatures", known=write_percent(weather.known))])
    figures = [
        Figure(label=say(key), value=here[number], unit="K·d", year_before=there[number] if there else None)
        for number, key in enumerate(("heating_days", "cooling_days"))
    ]
    fit = fit_days(study.now, weather, find_working_days(study))
    if not fit.is_good:
        told = say("say.bad_fit", days=fit.days, r2=write_percent(fit.r2))
        return Section(heading=heading, paragraphs=[told], figures=figures)
    figures += _list_slopes(study, fit, say)
    if there is not None and not is_like(here, there, study.period.days):
        told = say("say.other_weather", period=study.period.year_before())
        return Section(heading=heading, paragraphs=[told], figures=figures)
    told, normalised = _normalise(study, fit.shift(weather, then), say)
    return Section(heading=heading, paragraphs=[told], figures=[*figures, *normalised])


def _list_slopes(study: Study, fit: Fit, say: Words) -> list[Figure]:
    """What a degree day uses."""
    note = say("say.fit", days=fit.days, r2=f"{fit.r2:.2f}")
    slopes = (
        ("per_heating", fit.per_heating, "note.heated", fit.heating_below),
        ("per_cooling", fit.per_cooling, "note.cooled", fit.cooling_above),
    )
    return [
        Figure(
            label=say(key),
            value=slope,
            unit=f"{find_unit(study)}/(K·d)",
            digits=1,
            less_is_better=True,
            note=say.tell([say(balance, base=f"{base:g}"), note]),
        )
        for key, slope, balance, base in slopes
        if base is not None
    ]


def _normalise(study: Study, shift: float | None, say: Words) -> tuple[str, list[Figure]]:
    """The consumption in the weather of the year before, in words and as a figure."""
    period = study.period.year_before()
    found = study.compare()
    if shift is None or found.now is None or study.now.known() < ENOUGH or not study.timeline.is_over:
        return say("say.no_year_before", period=period), []
    adjusted = found.now + shift
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
