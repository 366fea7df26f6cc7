"""Budgets: what a period may use, by the budgets that hold on its days. Pure."""

from calendar import isleap, monthrange
from collections.abc import Sequence
from datetime import date

from collector.reports.plan import Budget
from collector.reports.timeline import Timeline
from tickets.tariffs import Utility

_YEAR, _LEAP_YEAR = 365, 366


def find_budget(
    budgets: Sequence[Budget],
    utility: Utility,
    timeline: Timeline,
    building: str | None = None,
    category: str | None = None,
) -> float | None:
    """The budget of a period, day by day: a day has its share of the month or the year.

    Args:
        budgets: of the plan.
        utility: which.
        timeline: the period.
        building: id; None for the site.
        category: id; None for all.

    Returns:
        kWh or m³; None where on some day none holds.
    """
    wanted = (utility, building, category)
    its = [each for each in budgets if (each.utility, each.building, each.category) == wanted]
    total = 0.0
    for day in timeline.days:
        budget = next((each for each in its if each.holds_on(day)), None)
        if budget is None:
            return None
        total += budget.amount / _count_days(budget, day)
    return total


def _count_days(budget: Budget, day: date) -> int:
    """How many days share a budget."""
    if budget.per == "month":
        return monthrange(day.year, day.month)[1]
    return _LEAP_YEAR if isleap(day.year) else _YEAR
