"""Whole reports from a real store, with figures worked out by hand beside each case."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector.journal import Journal
from collector.reports.context import Context, open_context
from collector.reports.document import Chart, Figure, Report, Section, Table
from collector.reports.makers import MAKERS
from collector.reports.wording import WORDS
from devices.reading import Reading
from tests.reportsite import DAY, Make, ReportSite, making_sites, meter
from tickets.titles import Language

USE = ("energy", "water", "carbon")
"""Reports of what was used."""

TARIFFS = {
    "electricity": [
        {
            "from": "2026-01-01",
            "until": "2026-03-15",
            "price": "0.20 EUR/kWh",
            "bands": [{"name": {"en": "day", "zh": "日间"}, "price": "0.40 EUR/kWh", "hours": "06:00-22:00"}],
        },
        {"from": "2026-03-16", "price": "0.30 EUR/kWh"},
    ],
    "water": [{"from": "2026-01-01", "price": "5 EUR/m3"}],
    "emissions": {
        "electricity": [
            {"from": "2026-01-01", "until": "2026-03-15", "factor": "0.5 kgCO2e/kWh", "source": "Agency 2025"},
            {"from": "2026-03-16", "factor": "0.4 kgCO2e/kWh", "source": "Agency 2026"},
        ],
        "water": [{"from": "2026-01-01", "factor": "0.3 kgCO2e/m3"}],
    },
}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with making_sites(tmp_path) as make:
        yield make


def report(site: ReportSite, name: str, period: str, language: Language = "en", **rest: Any) -> Report:  # noqa: ANN401
    made = MAKERS[name](site.context(language=language, **rest), site.period(period))
    check(made)
    return made


def check(made: Report) -> None:
    """What every format relies on."""
    assert made.title
    for section in made.sections:
        assert section.heading
        for table in section.tables:
            assert all(
                len(row) == len(table.columns) for row in (*table.rows, table.total or [""] * len(table.columns))
            )
        for chart in section.charts:
            assert all(len(series.values) == len(chart.places) for series in chart.series)


def section(made: Report, heading: str) -> Section:
    (found,) = [each for each in made.sections if each.heading == heading]
    return found


def figure(made: Report, label: str) -> Figure:
    """Of the summary."""
    (found,) = [each for each in made.sections[0].figures if each.label == label]
    return found


def table(made: Report, title: str) -> Table:
    (found,) = [each for part in made.sections for each in part.tables if each.title == title]
    return found


def chart(made: Report, title: str) -> Chart:
    (found,) = [each for part in made.sections for each in part.charts if each.title == title]
    return found


def test_the_tariff_and_the_factor_change_in_the_middle_of_a_month(make: Make) -> None:
    site = make(meter("em-1"), files={"tariffs": TARIFFS})
    site.run("em-1", "2026-03-01", "2026-04-01", 1.0)
    made = report(site, "energy", "2026-03")
    # March has 31 days, and 23 hours on the 29th: 31 · 96 - 4 = 2972 quarters of 1 kWh.
    assert figure(made, "Electricity").value == pytest.approx(2972)
    # Until the 15th 64 quarters a day at 0.40 and 32 at 0.20: 15 · (25.6 + 6.4) = 480.
    # From the 16th on 16 days at 0.30: (16 · 96 - 4) · 0.30 = 459.60.
    assert figure(made, "Cost").value == pytest.approx(480 + 459.60)
    # 15 · 96 · 0.5 = 720, and 1532 · 0.4 = 612.8
    assert figure(made, "Scope 2: electricity, location-based").value == pytest.approx(720 + 612.8)
    bands = table(made, "By band")
    assert [[row[0], row[1], row[4]] for row in bands.rows] == [
        ["Other hours", pytest.approx(15 * 32 + 1532), pytest.approx(15 * 6.4 + 459.60)],
        ["day", pytest.approx(15 * 64), pytest.approx(15 * 25.6)],
    ]
    assert bands.total is not None
    assert sum(float(str(row[4])) for row in bands.rows) == pytest.approx(bands.total[4])
    assert [each for each in made.remarks if "Agency" in each] == [
        "Emission factor from 2026-01-01 on: 0.5 kgCO2e/kWh (Agency 2025).",
        "Emission factor from 2026-03-16 on: 0.4 kgCO2e/kWh (Agency 2026).",
    ]


@pytest.mark.parametrize(("day", "night_h"), [("2026-03-29", 5), ("2026-10-25", 7)])
def test_in_the_nights_in_which_clocks_change_the_night_s_price_holds_for_its_hours(
    make: Make, day: str, night_h: int
) -> None:
    tariff = {
        "from": "2026-01-01",
        "price": "0.40 EUR/kWh",
        "bands": [{"name": {"en": "night"}, "price": "0.10 EUR/kWh", "hours": "00:00-06:00"}],
    }
    site = make(meter("em-1"), files={"tariffs": {"electricity": [tariff]}})
    site.count("em-1", site.period(day).start - DAY, [1.0] * 300)
    bands = table(report(site, "energy", day), "By band")
    # 4 kWh an hour, 18 hours of the day at 0.40
    assert [row[:2] for row in bands.rows] == [["night", 4 * night_h], ["Other hours", 72]]
    assert [row[4] for row in bands.rows] == pytest.approx([0.4 * night_h, 28.8])


def test_before_the_first_price_kwh_are_told_and_money_says_of_how_much_it_is(make: Make) -> None:
    site = make(meter("em-1"), files={"tariffs": TARIFFS})
    site.run("em-1", "2025-12-31", "2026-01-02", 1.0)
    made = report(site, "energy", "2025-12-31..2026-01-01")
    assert figure(made, "Cost").value == pytest.approx(64 * 0.4 + 32 * 0.2)
    assert figure(made, "Cost").note == "price known for 50.0 % of it"
    assert table(made, "By band").rows[-1][:2] == ["Price not known", pytest.approx(96)]
    assert figure(report(site, "energy", "2025-12-31"), "Cost").value is None


def test_what_had_no_price_or_factor_then_is_not_compared(make: Make) -> None:
    site = make(meter("em-1"), files={"tariffs": TARIFFS})
    site.run("em-1", "2025-12-01", "2026-02-01", 1.0)
    made = report(site, "energy", "2026-01")
    assert figure(made, "Electricity").before == pytest.approx(31 * 96)
    assert figure(made, "Cost").value is not None
    assert figure(made, "Cost").before is None
    assert figure(made, "Scope 2: electricity, location-based").before is None
    carbon = report(site, "carbon", "2026-01")
    assert table(carbon, "By source").rows[0][4:6] == [None, None]


def test_a_leap_february_against_28_days_and_its_budgets(make: Make) -> None:
    budgets = [
        {"utility": "electricity", "per": "month", "amount": "3 MWh", "from": "2028-01-01"},
        {"utility": "electricity", "per": "year", "amount": "36600 kWh", "from": "2028-01-01", "building": "A"},
    ]
    site = make(meter("em-1"), files={"reports": {"budgets": budgets}})
    site.run("em-1", "2027-02-01", "2027-03-01", 1.0)
    site.run("em-1", "2028-01-01", "2028-03-01", 1.0, first=9000.0)
    made = report(site, "energy", "2028-02")
    found = figure(made, "Electricity")
    assert [found.value, found.before, found.year_before] == pytest.approx([29 * 96, 31 * 96, 28 * 96])
    assert found.budget == pytest.approx(3000)
    daily = figure(made, "Mean per day")
    assert [daily.value, daily.before, daily.year_before] == pytest.approx([96, 96, 96])
    # A year of 366 days with 36600 kWh: 100 a day
    assert table(made, "By building").rows[0][7] == pytest.approx(2900)
    days = chart(made, "Consumption by day")
    assert len(days.places) == 29
    assert [each.label for each in days.series] == ["2028-02", "2027-02"]
    assert days.series[1].values[27:] == [pytest.approx(96), None]
    assert "92.8 % of the budget of 3,000 kWh is used." in made.sections[0].paragraphs[0]
    assert "10.0 %" not in figure(made, "Electricity").note


def test_a_budget_that_does_not_hold_on_every_day_is_none(make: Make) -> None:
    budgets = [{"utility": "electricity", "per": "month", "amount": "3 MWh", "from": "2026-02-02"}]
    site = make(meter("em-1"), files={"reports": {"budgets": budgets}})
    site.run("em-1", "2026-02-01", "2026-03-01", 1.0)
    assert figure(report(site, "energy", "2026-02"), "Electricity").budget is None
    # Half of March is half of the budget, but for the days: 15 / 31
    assert figure(report(site, "energy", "2026-03-01..2026-03-15"), "Electricity").budget == pytest.approx(
        3000 * 15 / 31
    )


def test_what_is_known_too_little_is_compared_with_nothing(make: Make) -> None:
    site = make(meter("em-1", name={"en": "Main"}))
    site.run("em-1", "2026-02-03", "2026-03-01", 1.0)  # two of 28 days are missing: 92.9 %
    site.run("em-1", "2026-03-01", "2026-04-01", 1.0, first=1000.0 + 26 * 96)
    march = report(site, "energy", "2026-03")
    assert figure(march, "Electricity").before is None
    assert (
        "Periods are compared where 95 % of the time is known of both. Known: February 2026 92.9 %, March 2025 0.0 %."
        in (march.remarks)
    )
    february = report(site, "energy", "2026-02")
    assert figure(february, "Electricity").note == "at least: 92.9 % of the time is known"
    assert february.sections[0].paragraphs == [
        "site used at least 2,496 kWh in February 2026: 92.9 % of the time is known."
    ]
    assert any(each.startswith("Not known all the time: Main (92.9 %).") for each in february.remarks)
    (row,) = table(february, "Meters that are not known well").rows
    assert row[:2] == ["Main", pytest.approx(92.857, abs=0.001)]


def test_nothing_is_invented_where_nothing_is_known(make: Make) -> None:
    site = make(meter("em-1"), meter("wm-1", kind="water_meter"), files={"tariffs": TARIFFS})
    for name in USE:
        made = report(site, name, "2026-03")
        assert made.sections[0].paragraphs == ["Nothing is known of March 2026."]
        assert [each.value for each in made.sections[0].figures if each.value] == []


def test_a_period_that_is_not_over_is_compared_with_nothing(make: Make) -> None:
    budget = {"utility": "electricity", "per": "month", "amount": "1200 kWh", "from": "2026-01-01"}
    site = make(meter("em-1"), files={"reports": {"budgets": [budget]}})
    site.run("em-1", "2026-02-01", "2026-03-11", 1.0)
    made = MAKERS["energy"](site.context(now="2026-03-11"), site.period("2026-03"))
    check(made)
    found = figure(made, "Electricity")
    assert found.value == pytest.approx(960)
    assert (found.before, found.year_before, found.budget, found.note) == (None, None, None, "")
    assert made.sections[0].paragraphs[0].endswith("80.0 % of the budget of 1,200 kWh is used.")
    assert "The period is not over: figures are up to 2026-03-11 00:00, and are compared with nothing." in made.remarks


def test_off_hours_are_those_outside_the_calendar(make: Make) -> None:
    calendars = {"calendars": {"office": {"days": ["mon", "tue", "wed", "thu", "fri"], "hours": "08:00-18:00"}}}
    site = make(meter("em-1"), files={"reports": {"working_hours": "office"}, "calendars": calendars})
    # A Friday and a Saturday: 2 kWh a quarter in 40 quarters of Friday, else 0.5 in 152.
    site.count("em-1", "2026-03-06", [0.5] * 32 + [2.0] * 40 + [0.5] * 24 + [0.5] * 96)
    made = report(site, "energy", "2026-03-06..2026-03-07")
    assert figure(made, "Used off hours").value == pytest.approx(76 / 156 * 100)
    usual = chart(made, "Usual day")
    assert [each.label for each in usual.series] == ["Working day", "Day off"]
    assert usual.series[0].values[7:9] == pytest.approx([2, 8])
    assert usual.series[1].values == pytest.approx([2.0] * 24)


def test_categories_and_places_add_up(make: Make) -> None:
    site = make(
        meter("main", "A/1F/switch-room", tags={"circuit": "main"}),
        meter("lamp", "A/1F/hall", tags={"circuit": "lighting"}),
        meter("cooling", "A/2F/hall", tags={"circuit": "hvac"}),
        feeds={"main": ["lamp", "cooling"]},
        register={"tags": ["circuit"]},
        files={
            "reports": {
                "categories": {
                    "tag": "circuit",
                    "groups": {"light": {"values": "lighting", "name": {"en": "Light"}}, "hvac": {"values": "hvac"}},
                },
                "budgets": [
                    {"utility": "electricity", "per": "month", "amount": "310 kWh", "from": "2026-01-01",
                     "building": "A", "category": "hvac"}
                ],
            }
        },
    )  # fmt: skip
    for id_, rate in {"main": 1.0, "lamp": 0.25, "cooling": 0.5}.items():
        site.run(id_, "2026-03-03", "2026-03-04", rate)
    made = report(site, "energy", "2026-03-03")
    categories = table(made, "By category")
    assert [row[:3] for row in categories.rows] == [
        ["Light", pytest.approx(24), pytest.approx(25)],
        ["hvac", pytest.approx(48), pytest.approx(50)],
        ["Not assigned, and losses", pytest.approx(24), pytest.approx(25)],
    ]
    assert [row[:2] for row in table(made, "By floor").rows] == [
        ["A: beyond sub-meters", pytest.approx(24)],
        ["A, 1F", pytest.approx(24)],
        ["A, 2F", pytest.approx(48)],
    ]
    assert [row[1] for row in table(made, "By building and category").rows] == pytest.approx([24, 48, 24])
    # 310 kWh a month of 31 days: 10 for the day, of which 48 are used
    assert table(made, "Budgets").rows == [
        ["A", "hvac", pytest.approx(10), pytest.approx(48), pytest.approx(480), pytest.approx(100)]
    ]
    assert table(made, "Main meters against their sub-meters").rows == [
        ["main", pytest.approx(96), pytest.approx(72), pytest.approx(24), pytest.approx(25), pytest.approx(100), ""]
    ]


def test_water_has_its_night_flow(make: Make) -> None:
    site = make(
        meter("wm-1", kind="water_meter", name={"en": "Water"}),
        meter("wm-2", kind="water_meter"),
        files={"tariffs": TARIFFS},
    )
    site.run("wm-2", "2026-03-03", "2026-03-05", 0.0)
    # 0.01 m³ a quarter by night, 0.1 from 06:00 to 22:00: 32 · 0.01 + 64 · 0.1 = 6.72 a day
    site.count("wm-1", "2026-03-03", ([0.01] * 24 + [0.1] * 64 + [0.01] * 8) * 2)
    made = report(site, "water", "2026-03-03..2026-03-04")
    assert made.sections[2].tables[0].note.endswith("Meters that stood still in some hour of every night: 1.")
    assert figure(made, "Water").value == pytest.approx(13.44)
    assert figure(made, "Cost").value == pytest.approx(67.2)
    assert figure(made, "Scope 3: water supply and treatment").value == pytest.approx(13.44 * 0.3)
    assert figure(made, "Minimum night flow").value == pytest.approx(0.04)
    # 0.04 m³/h for 48 h are 1.92 m³ of 13.44
    assert table(made, "Minimum night flow by meter").rows == [
        ["Water", 2, *[pytest.approx(0.04)] * 3, pytest.approx(1.92), pytest.approx(1.92 / 13.44 * 100)]
    ]


def test_a_new_leak_is_listed_before_many_that_drip(make: Make) -> None:
    drips = {f"wm-{number:02}": number / 1000 for number in range(1, 13)}
    site = make(*(meter(id_, kind="water_meter", name={"en": id_}) for id_ in ("wm-leak", *drips)))
    site.count("wm-leak", "2026-03-03", [0.0] * 96 * 4 + [0.5] * 96)
    for id_, drip in drips.items():
        site.count(id_, "2026-03-03", ([drip] + [0.0] * 95) * 4 + [0.0] * 8 + [drip] * 12 + [0.0] * 76)
    made = report(site, "water", "2026-03-03..2026-03-07")
    listed = table(made, "Minimum night flow by meter")
    assert [row[0] for row in listed.rows] == ["wm-leak", *list(reversed(drips))[:9]]
    assert listed.rows[0][2:5] == [0, 0, pytest.approx(2)]
    assert listed.note.endswith("Meters with less, at most 0.012 m³/h: 3.")


def test_carbon_adds_both_utilities_by_scope_and_building(make: Make) -> None:
    site = make(meter("em-1", "A"), meter("em-2", "B"), meter("wm-1", "A", kind="water_meter"),
                files={"tariffs": TARIFFS})  # fmt: skip
    site.run("em-1", "2026-03-15", "2026-03-17", 1.0)
    site.run("em-2", "2026-03-15", "2026-03-17", 0.5)
    site.run("wm-1", "2026-03-15", "2026-03-17", 0.1)
    made = report(site, "carbon", "2026-03-15..2026-03-16")
    # On the 15th 96 · 0.5, on the 16th 96 · 0.4 for each kWh a quarter; water 192 · 0.1 · 0.3
    first, second, water = 96 * 0.9, 48 * 0.9, 5.76
    assert figure(made, "Emissions").value == pytest.approx(first + second + water)
    assert table(made, "By building").rows == [
        ["A", pytest.approx(first), pytest.approx(water), pytest.approx(first + water)],
        ["B", pytest.approx(second), None, pytest.approx(second)],
    ]
    drawn = chart(made, "Emissions by day")
    assert drawn.series[0].values == pytest.approx([144 * 0.5, 144 * 0.4])
    assert "Emission factor from 2026-01-01 on: 0.3 kgCO2e/m³ (no source given)." in made.remarks


def test_consumption_in_the_weather_of_the_year_before(make: Make) -> None:
    site = make(
        meter("em-1"),
        {"id": "outdoors", "kind": "sensor"},
        files={"reports": {"temperature": {"device": "outdoors"}}},
    )
    # 100 kWh a day and 5 kWh for a heating degree day; 31 days of 10, 9 or 8 degree days, a year before of 3 more each
    for year, more in ((2025, 3), (2026, 0)):
        degrees = [10 - day % 3 + more for day in range(31)]
        start = site.at(f"{year}-01-01")
        site.store.write(
            [
                Reading("outdoors", moment, moment, {"temperature_c": 18.0 - degree})
                for day, degree in enumerate(degrees)
                for moment in range(start + day * DAY, start + (day + 1) * DAY, DAY // 24)
            ]
        )
        amounts = [(100 + 5 * degree) / 96 for degree in degrees for _ in range(96)]
        site.count("em-1", f"{year}-01-01", amounts, first=1000.0 if year == 2025 else 90_000.0)
    weather = section(report(site, "energy", "2026-01"), "Weather")
    found = {each.label: each for each in weather.figures}
    # 31 days: 11 of 10, 10 of 9 and 10 of 8
    assert found["Heating degree days"].value == pytest.approx(280)
    assert found["Heating degree days"].year_before == pytest.approx(280 + 93)
    assert found["Per heating degree day"].value == pytest.approx(5)
    adjusted = found["In the weather of January 2025"]
    assert adjusted.value == pytest.approx(3100 + 5 * 280 + 5 * 93)
    assert adjusted.year_before == pytest.approx(3100 + 5 * 373), "so nothing but the weather was different"
    assert "+0.0 %" in weather.paragraphs[0] or "-0.0 %" in weather.paragraphs[0]


@pytest.mark.parametrize("period", ["2026-03-03", "2026"])
@pytest.mark.parametrize("name", USE)
def test_progress_goes_from_nothing_to_all(make: Make, name: str, period: str) -> None:
    site = make(*(meter(f"em-{number}") for number in range(3)), meter("wm-1", kind="water_meter"))
    told: list[float] = []
    report_of = MAKERS[name]
    context = replace(site.context(), progress=told.append)
    report_of(context, site.period(period))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


def test_a_long_period_is_drawn_by_month(make: Make) -> None:
    site = make(meter("em-1"))
    site.count("em-1", "2026-01-01", [24.0] * 365, every=24 * 3600 * 10**9)
    months = chart(report(site, "energy", "2026"), "Consumption by month")
    assert [place.month for place in months.places] == list(range(1, 13))  # type: ignore[union-attr] # times
    # An hour less of 31 days in March, an hour more in October, each of 1 kWh; registers by the day, spread evenly
    assert months.series[0].values[:3] == pytest.approx([744, 672, 743])
    assert months.series[0].values[9] == pytest.approx(745)


def test_the_ledger_says_what_is_missing(make: Make, tmp_path: Path) -> None:
    site = make(meter("em-1", interval="15m"))
    midnight = site.at("2026-03-03")
    site.run("em-1", "2026-03-03", "2026-03-04", 1.0)
    journal = Journal(tmp_path / "data" / "journal.db", 10**8, ("store", "ledger"))
    readings = [
        Reading("em-1", midnight + number * 900 * 10**9, midnight, {"energy_import_kwh": float(number)})
        for number in range(96)
        if number not in range(40, 48)  # two hours were never heard
    ]
    journal.commit(readings)
    journal.close()
    with open_context(site.configuration, "en", site.at("2026-03-05")) as context:
        assert isinstance(context, Context)
        made = MAKERS["energy"](context, site.period("2026-03-03"))
    (row,) = table(made, "Meters that are not known well").rows
    # Of the first hour nothing is expected, since the device may have been born at any minute of it.
    assert row[4:] == [92, 0, 0, 8]
    assert (
        "By the loss ledger, of 92 readings expected 0 are stored, 8 are unexplained."
        in section(made, "Data quality").paragraphs
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_report_reads_in_both_languages(make: Make, language: Language) -> None:
    site = make(
        meter("main", "A/1F/hall", tags={"circuit": "main"}),
        meter("lamp", "A/1F/hall", tags={"circuit": "lighting"}),
        meter("wm-1", "A/1F/hall", kind="water_meter"),
        {"id": "outdoors", "kind": "sensor"},
        feeds={"main": ["lamp"]},
        register={"tags": ["circuit"]},
        files={
            "tariffs": TARIFFS,
            "reports": {
                "temperature": {"device": "outdoors"},
                "categories": {"tag": "circuit", "groups": {"light": {"values": "lighting"}}},
            },
        },
    )
    for id_, rate in {"main": 1.0, "lamp": 0.25, "wm-1": 0.5}.items():
        site.run(id_, "2026-03-03", "2026-03-10", rate)
    for name in USE:
        made = report(site, name, "2026-W10", language)
        texts = [made.title, *made.remarks]
        for part in made.sections:
            texts += [part.heading, *part.paragraphs, *(each.label + each.note for each in part.figures)]
            texts += [each.title for each in part.charts] + [each.title for each in part.tables]
            texts += [column.label for each in part.tables for column in each.columns]
        assert not [text for text in texts if re.search(r"[{}]", text)]
        words = [text for text in texts if re.search(r"[\u4e00-\u9fff]", text)]
        assert len(words) > 0.9 * len(texts) if language == "zh" else not words


def test_both_languages_say_the_same_numbers() -> None:
    for key, text in WORDS.items():
        assert text.en, key
        assert text.zh, key
        assert set(re.findall(r"\{(\w+)", text.zh)) <= set(re.findall(r"\{(\w+)", text.en)), key


def test_every_word_is_used() -> None:
    folder = Path(__file__).parents[3] / "collector" / "reports"
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files if path.name != "wording.py")
    made_up = tuple(re.findall(r'f"([a-z_.]+\.)\{', code))
    unused = [
        key for key in WORDS if not re.search(f"[\"']{re.escape(key)}[\"']", code) and not key.startswith(made_up)
    ]
    assert unused == []
