"""The access report from a real store, with figures worked out by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.reports.access import make_access
from collector.reports.document import Report, Table
from devices.reading import Reading, Value
from tests.reportsite import ReportSite
from tickets.titles import Language

SECOND = 10**9
MINUTE = 60 * SECOND
PEOPLE = [f"k1:{number:032x}" for number in range(8)]
DOORS: list[dict[str, object]] = [
    {
        "id": "front",
        "kind": "door",
        "building": "A",
        "floor": "1F",
        "area": "hall",
        "name": {"en": "Front", "zh": "正门"},
    },
    {"id": "lab", "kind": "door", "building": "A", "floor": "1F", "area": "lab", "outside": "hall"},
]
FILES = {
    "reports": {"working_hours": "work"},
    "calendars": {"calendars": {"work": {"name": {"en": "Work", "zh": "上班"}, "hours": "08:00-18:00"}}},
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ReportSite]:
    site = ReportSite(tmp_path, DOORS, files=FILES)
    yield site
    site.store.close()


def tell(site: ReportSite, when: str, what: str, who: str = "", door: str = "front", way: str = "in") -> None:
    time = site.at(when)
    values: dict[str, Value] = {"event": what, "direction": way, **({"credential": who} if who else {})}
    site.store.write([Reading(door, time, time, values)])


def come(site: ReportSite, day: str, people: int, clock: str = "09") -> None:
    for number, who in enumerate(PEOPLE[:people]):
        tell(site, f"{day}T{clock}:{number:02}", "granted", who)


def figures(report: Report) -> dict[str, tuple[float | None, float | None, float | None]]:
    return {each.label: (each.value, each.before, each.year_before) for each in report.sections[0].figures}


def find_table(report: Report, title: str) -> Table:
    return next(table for section in report.sections for table in section.tables if table.title == title)


def test_a_month_beside_the_month_before(site: ReportSite) -> None:
    come(site, "2026-01-31", 1)  # doors were heard before February
    come(site, "2026-02-10", 5)
    come(site, "2026-02-27", 5)
    come(site, "2026-03-02", 8)
    come(site, "2026-03-03", 6, clock="19")
    for number, who in enumerate(PEOPLE[:5]):
        tell(site, f"2026-03-04T10:{number:02}", "denied", who)
    tell(site, "2026-03-05T01:00", "forced_open")
    tell(site, "2026-03-05T01:30", "closed")
    found = figures(make_access(site.context("2026-04-02"), site.period("2026-03")))
    assert found["Passages"] == (14, 10, None)
    assert found["Passages off hours"] == (6, 0, None)
    assert found["Credentials in use"] == (8, 5, None)
    assert found["Most people at once"] == (8, 5, None)
    assert found["Refused"] == (5, 0, None)
    assert found["Refused, of all tries"][0] == pytest.approx(5 / 19 * 100)
    assert found["Forced open"] == (1, 0, None)
    assert found["Held open"] == (1, 0, None)
    assert found["Held open in all"][0] == 0.5


def test_a_month_in_which_the_recording_began_is_compared_with_nothing(site: ReportSite) -> None:
    come(site, "2026-02-10", 5)
    come(site, "2026-02-27", 5)
    come(site, "2026-03-02", 5)
    assert figures(make_access(site.context("2026-04-02"), site.period("2026-03")))["Passages"] == (5, None, None)
    running = make_access(site.context("2026-03-20"), site.period("2026-03"))
    assert figures(running)["Passages"] == (5, None, None)
    assert any("up to 2026-03-20" in remark for remark in running.remarks)


def test_what_few_people_do_is_not_told_of_their_place_or_day(site: ReportSite) -> None:
    come(site, "2026-03-02", 6)
    tell(site, "2026-03-02T09:30", "granted", PEOPLE[0], door="lab")
    tell(site, "2026-03-03T22:00", "granted", PEOPLE[0])
    tell(site, "2026-03-03T22:05", "denied", PEOPLE[0], door="lab")
    report = make_access(site.context("2026-04-02"), site.period("2026-03"))
    rows = {row[0]: row[1:] for row in find_table(report, "By place").rows}
    assert rows["Places with fewer than 5 people"] == [None, None, None, None, None, None]
    assert "A, 1F, lab" not in rows
    assert rows["A, 1F, hall"][:2] == [6, 7]
    assert rows["A, 1F, hall"][2] is None  # one person alone came off hours
    assert figures(report)["Refused"][0] is None
    by_day = next(chart for section in report.sections for chart in section.charts if chart.title == "Passages by day")
    assert by_day.series[0].values[:4] == [None, 7, None, None]


def test_no_credential_and_no_name_is_in_it(site: ReportSite) -> None:
    come(site, "2026-03-02", 8)
    for language in ("en", "zh"):
        report = make_access(site.context("2026-04-02", language), site.period("2026-03"))
        assert not [who for who in PEOPLE if who in repr(report)]
        assert any("5" in remark for remark in report.remarks)


def test_doors_with_trouble_are_listed_with_the_worst_first(site: ReportSite) -> None:
    for number in range(2):
        tell(site, f"2026-03-0{number + 2}T01:00", "held_open", door="lab")
        tell(site, f"2026-03-0{number + 2}T01:06", "closed", door="lab")
    tell(site, "2026-03-04T01:00", "tamper")
    report = make_access(site.context("2026-04-02"), site.period("2026-03"))
    rows = find_table(report, "Doors with most trouble").rows
    assert [row[:7] for row in rows] == [["lab", 0, 2, 12, 6, 0, 0], ["Front", 0, 0, 0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Doors told nothing in March 2026."), ("zh", "2026年3月 无门禁事件。")]
)
def test_where_nothing_was_told_it_says_so(site: ReportSite, language: Language, said: str) -> None:
    report = make_access(site.context("2026-04-02", language), site.period("2026-03"))
    assert [section.paragraphs for section in report.sections] == [[said]]


def test_a_site_without_doors_says_so(tmp_path: Path) -> None:
    site = ReportSite(tmp_path, [{"id": "em-1", "kind": "electricity_meter"}])
    report = make_access(site.context("2026-04-02"), site.period("2026-03"))
    site.store.close()
    assert report.sections[0].paragraphs == ["The register has no doors."]
