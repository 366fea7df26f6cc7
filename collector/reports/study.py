"""A study: what a utility's meters counted in a period, in the one before and in the same a year before."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from collector.reports.budgets import find_budget
from collector.reports.context import Context
from collector.reports.metering import ENOUGH, Metered, read_metered
from collector.reports.period import Period
from collector.reports.plant import Plant
from collector.reports.timeline import Floats, Timeline, Values, find_values
from tickets.tariffs import Utility


class Compared(NamedTuple):
    """A figure and what it is set against; None where it is not known, or where too little is known to compare."""

    now: float | None
    before: float | None
    year_before: float | None


@dataclass(frozen=True)
class Study:
    """What is known of a utility in a period.

    Attributes:
        context: of the report.
        utility: which.
        values: prices and factors of the period.
        now: the period.
        before: the one before it.
        year_before: the same a year before.
    """

    context: Context
    utility: Utility
    values: Values
    now: Metered
    before: Metered
    year_before: Metered

    @property
    def timeline(self) -> Timeline:
        """The period's quarters."""
        return self.now.timeline

    @property
    def period(self) -> Period:
        """The period itself."""
        return self.timeline.period

    def compare(self, weight: str = "amount", place: Sequence[str] = (), category: str | None = "") -> Compared:
        """A sum of the period beside the others; see `Metered.sum`.

        A period that is not over is compared with none, nor is what is known for less than `ENOUGH` of the time, or has
        a price or a factor for less than that of its consumption, then or now.
        """
        found = [self.now.find(place, category, weight)]
        whole = self.timeline.is_over and _is_known(self.now, weight, place, category)
        for other in (self.before, self.year_before):
            fits = whole and _is_known(other, weight, place, category)
            found.append(other.find(place, category, weight) if fits else None)
        return Compared(*found)

    def budget(self, building: str | None = None, category: str | None = None) -> float | None:
        """What the period may use; None where nobody said."""
        return find_budget(self.context.plan.budgets, self.utility, self.timeline, building, category)

    def share(self, weight: str) -> float | None:
        """Share of the consumption that a weight of 0 to 1 has; None where nothing was used or is known."""
        return self.compare_share(weight).now

    def compare_share(self, weight: str) -> Compared:
        """The same beside the other periods."""
        return Compared(*map(_divide, self.compare(weight), self.compare()))


def _is_known(metered: Metered, weight: str, place: Sequence[str], category: str | None) -> bool:
    return metered.known(place, category) >= ENOUGH and metered.covered(weight, place, category) >= ENOUGH


def _divide(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def open_study(context: Context, period: Period, utility: Utility) -> Study:
    """Reads all three periods.

    Raises:
        StoreError: the database does not answer.
    """
    plant = Plant(context.configuration, utility)
    spans = (period, period.before(), period.year_before())
    read: dict[Period, tuple[Values, Metered]] = {}
    distinct = list(dict.fromkeys(spans))  # before a year there is the year before
    for number, each in enumerate(distinct):
        timeline = Timeline(each, context.now)
        values = find_values(timeline, context.rates, utility, context.language)
        weights = _find_weights(context, timeline, values)
        progress = partial(_tell, context, number, len(distinct))
        read[each] = values, read_metered(context, plant, timeline, weights, progress)
    return Study(context, utility, read[period][0], *(read[each][1] for each in spans))


def _tell(context: Context, part: int, parts: int, share: float) -> None:
    context.progress((part + share) / parts)


def _find_weights(context: Context, timeline: Timeline, values: Values) -> dict[str, Floats]:
    """What a unit weighs in each quarter: `cost` and `carbon`, the shares of which they are known, off hours, bands."""
    weights = {
        "cost": values.price,
        "priced": values.priced,
        "carbon": values.factor,
        "factored": values.factored,
    }
    if context.working is not None:
        weights["off_hours"] = 1.0 - timeline.share_within(context.working)
    for name, (share, price) in values.bands.items():
        weights[f"band {name}"], weights[f"cost {name}"] = share, price
    return weights
