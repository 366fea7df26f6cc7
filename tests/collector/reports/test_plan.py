"""reports.yaml: what it may say, and what of it is there."""

from datetime import date
from pathlib import Path

import pytest

from collector.configuration import load
from collector.reports.budgets import find_budget
from collector.reports.plan import ReportPlan
from collector.reports.timeline import Timeline
from tests.reportsite import ReportSite, meter


def test_a_folder_without_it_has_its_defaults(tmp_path: Path) -> None:
    site = ReportSite(tmp_path, [meter("em-1")])
    site.store.close()
    assert site.configuration.reports == ReportPlan()
    assert str(site.configuration.reports.night) == "02:00-05:00"


def test_the_example_site_has_one() -> None:
    configuration = load(Path(__file__).parents[3] / "config")
    plan = configuration.reports
    assert plan.working_hours in configuration.calendars.calendars
    assert plan.categories is not None
    tagged = {device.tags["circuit"] for device in configuration.register if device.tags.get("circuit")}
    assert {value for value in tagged if plan.categories.find(value) is None} == {"main"}


def test_what_is_written_out_is_read_again() -> None:
    plan = load(Path(__file__).parents[3] / "config").reports
    assert ReportPlan.model_validate_json(plan.model_dump_json(by_alias=True, exclude_none=True)) == plan


@pytest.mark.parametrize(
    ("utility", "amount", "expected"),
    [("electricity", "120 MWh", 120_000), ("water", "800 m³", 800), ("water", "5000 L", 5)],
)
def test_budgets_are_kept_in_the_utility_s_unit(utility: str, amount: str, expected: float) -> None:
    budget = {"utility": utility, "per": "month", "amount": amount, "from": "2026-01-01"}
    plan = ReportPlan.model_validate({"budgets": [budget]})
    assert plan.budgets[0].amount == pytest.approx(expected)
    assert plan.budgets[0].from_ == date(2026, 1, 1)


def test_a_budget_that_changes_in_the_middle_counts_day_by_day(tmp_path: Path) -> None:
    parts = {"utility": "water", "per": "month"}
    plan = ReportPlan.model_validate(
        {
            "budgets": [
                {**parts, "amount": "310 m³", "from": "2026-01-01", "until": "2026-03-10"},
                {**parts, "amount": "620 m³", "from": "2026-03-11"},
            ]
        }
    )
    site = ReportSite(tmp_path, [meter("em-1")])
    site.store.close()
    march = Timeline(site.period("2026-03"), site.at("2030-01-01"))
    # 10 days of 10 m³ and 21 days of 20 m³
    assert find_budget(plan.budgets, "water", march) == pytest.approx(100 + 420)
    assert find_budget(plan.budgets, "electricity", march) is None
    assert find_budget(plan.budgets, "water", march, building="A") is None
