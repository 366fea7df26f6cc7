"""The service report from a real desk, with figures worked out by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.reports.document import Report, Table
from collector.reports.service import make_service
from tests.deskbench import Bench
from tests.reportsite import ReportSite
from tickets.database import Database, file_url, open_database
from tickets.ticket import Rating

PLAN = {
    "people": {"li": {}, "wang": {}},
    "teams": {
        "electricians": {"name": {"en": "Electricians", "zh": "电工班"}, "members": ["li"], "calendar": "work"},
        "plumbers": {"members": ["wang"]},
    },
    "categories": {"other": {"team": "electricians"}, "plumbing": {"team": "plumbers"}},
    "service_levels": {
        level: {"respond_within": "1h", "resolve_within": "8h", "hours": "team"} for level in ("P1", "P2", "P3", "P4")
    },
    "close_after": "1d",
}
CALENDARS = {"calendars": {"work": {"days": ["mon", "tue", "wed", "thu", "fri"], "hours": "08:00-16:00"}}}
METERS = [{"id": f"em-{number}", "kind": "electricity_meter", "building": "A"} for number in range(5)]


class Office:
    """A desk on which time is what a test says, and the site whose reports are made from it."""

    def __init__(self, folder: Path, zone: str = "Europe/Berlin") -> None:
        self.reports = ReportSite(folder, METERS, zone=zone, files={"desk": PLAN, "calendars": CALENDARS})
        self.database: Database = open_database(file_url(folder / "desk.db"))
        self.bench = Bench(
            self.database, PLAN, METERS, zone=self.reports.configuration.settings.site.timezone, calendars=CALENDARS
        )

    def at(self, when: str) -> None:
        """Local time from now on; the clock of the desk goes with it."""
        self.bench.clock.now = self.reports.at(when)
        self.bench.desk.tick(self.bench.clock.now)

    def make(self, period: str, now: str, language: str = "en") -> Report:
        return make_service(
            self.reports.context(now, language, desk=self.database),  # type: ignore[arg-type] # en or zh
            self.reports.period(period),
        )

    def close(self) -> None:
        self.database.close()
        self.reports.store.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


def figures(report: Report) -> dict[str, tuple[float | None, float | None]]:
    return {each.label: (each.value, each.before) for each in report.sections[0].figures}


def find_table(report: Report, title: str) -> Table:
    return next(table for section in report.sections for table in section.tables if table.title == title)


def test_a_month_beside_the_month_before(office: Office) -> None:
    bench = office.bench
    office.at("2026-01-20T09:00")
    bench.counter.open("anna", "repair", "Before")  # W-…1; the desk had begun
    office.at("2026-02-02T09:00")
    bench.counter.open("anna", "repair", "A lamp")  # 2: answered after 30 min, done on the next day
    office.at("2026-02-02T09:30")
    bench.counter.take("2", "li")
    office.at("2026-02-03T10:00")
    bench.counter.finish("2", "li")
    office.at("2026-03-02T09:00")
    bench.counter.open("anna", "repair", "A door")  # 3: answered after 2 h, done after 6
    office.at("2026-03-02T11:00")
    bench.counter.take("3", "li")
    office.at("2026-03-02T15:00")
    bench.counter.finish("3", "li")
    office.at("2026-03-06T15:30")
    bench.counter.open("bert", "supplies", "Paper")  # 4: on Friday; answered on Monday after 45 min of the team's time
    office.at("2026-03-09T08:15")
    bench.counter.take("4", "li")
    office.at("2026-03-31T10:00")
    bench.counter.open("bert", "repair", "A tap", category="plumbing")  # 5: nobody answers
    report = office.make("2026-03", "2026-04-10")
    found = figures(report)
    assert found["Opened"] == (3, 1)
    assert found["Done"] == (1, 1)
    assert found["Left to do at the end"] == (3, 1)
    assert found["First answer, median"] == (1.375, 0.5)
    assert found["First answer, 9 of 10 within"] == (2, 0.5)
    assert found["Work, median"] == (6, 9)
    assert found["Answered in time"][0] == pytest.approx(100 / 3)
    assert found["Done in time"][0] == pytest.approx(100 / 3)
    assert (found["Answered in time"][1], found["Done in time"][1]) == (100, 0)
    rows = {row[0]: row[1:] for row in find_table(report, "By team").rows}
    assert rows == {"Electricians": [2, 1, 2, 0], "plumbers": [1, 0, 1, 0]}
    speeds = {row[0]: row[1:] for row in find_table(report, "Speed by team, in hours that count").rows}
    assert speeds["Electricians"] == [1.375, 2, 6, 6, 50, 50]
    assert speeds["plumbers"] == [None, None, None, None, 0, 0]
    (answers,) = [each.note for each in report.sections[0].figures if each.label == "First answer, median"]
    assert answers == "2 answers, 1 not answered yet"


def test_what_was_reopened_is_not_done_and_is_counted(office: Office) -> None:
    office.at("2026-03-02T09:00")
    office.bench.counter.open("anna", "repair", "A lamp")
    office.bench.counter.take("1", "li")
    office.bench.counter.finish("1", "li")
    office.at("2026-03-02T10:00")
    office.bench.counter.reopen("1", "anna", "dark again")
    found = figures(office.make("2026-03", "2026-04-10"))
    assert (found["Done"][0], found["Reopened"][0], found["Left to do at the end"][0]) == (0, 1, 1)


def test_ratings_are_told_by_team_and_counted_when_they_are_given(office: Office) -> None:
    counter = office.bench.counter
    office.at("2026-02-27T09:00")
    for number, category in ((1, "other"), (2, "plumbing"), (3, "other")):
        counter.open("anna", "repair", "Something", category=category)
        counter.take(str(number), "li" if category == "other" else "wang")
        counter.finish(str(number), "li" if category == "other" else "wang")
    counter.rate("3", "anna", Rating(1, 1, 1))  # in February
    office.at("2026-03-02T09:00")
    counter.rate("1", "anna", Rating(5, 4, 3))
    counter.rate("2", "anna", Rating(3, 3, 3))
    report = office.make("2026-03", "2026-04-10")
    table = next(table for section in report.sections if section.heading == "Ratings" for table in section.tables)
    assert table.rows == [["Electricians", 1, 5, 4, 3, 100], ["plumbers", 1, 3, 3, 3, 0]]
    assert table.total == ["Total", 2, 4, 3.5, 3, 50]
    assert figures(report)["Satisfied"][0] == 50
    assert "anna" not in repr(report)
    assert "'li'" not in repr(report)


def test_rules_that_open_most_come_first(office: Office) -> None:
    office.at("2026-03-02T09:00")
    for device in ("em-1", "em-2"):
        office.bench.do("open", "silent", device)
    office.bench.do("open", "plain", "em-3")
    office.at("2026-03-02T12:00")
    office.bench.do("clear", "silent", "em-1")
    rows = find_table(office.make("2026-03", "2026-04-10"), "Rules that opened most tickets").rows
    assert rows == [["silent", 2, 1, 1, 0, 3], ["plain", 1, 0, 1, 0, None]]


@pytest.mark.parametrize(("night", "hours"), [("2026-03-29", 3), ("2026-10-25", 5)])
def test_a_night_on_which_clocks_are_changed_is_as_long_as_it_was(tmp_path: Path, night: str, hours: int) -> None:
    office = Office(tmp_path)
    try:
        office.at(f"{night}T00:00")
        office.bench.counter.open("anna", "repair", "A tap", category="plumbing")  # counts every hour
        office.at(f"{night}T04:00")
        office.bench.counter.take("1", "wang")
        assert figures(office.make(night, "2026-12-01"))["First answer, median"][0] == hours
    finally:
        office.close()


def test_a_long_period_is_drawn_by_month(office: Office) -> None:
    office.at("2026-03-02T09:00")
    office.bench.counter.open("anna", "repair", "A lamp")
    (chart,) = office.make("2026", "2027-01-10").sections[1].charts
    assert [place.month for place in chart.places] == list(range(1, 13))  # type: ignore[union-attr] # times
    assert list(chart.series[0].values) == [0, 0, 1, *([0] * 9)]


def test_a_period_without_tickets_is_short(office: Office) -> None:
    report = office.make("2026-03", "2026-04-10", "zh")
    assert report.title.startswith("运维服务报告")
    assert len(report.sections) == 1
    (told,) = report.sections[0].paragraphs
    assert told.endswith("新建工单 0 张，办结 0 张，期末未办结 0 张。")
