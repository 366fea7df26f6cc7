"""What tickets have cost within a period; the desk is a real one, the alerts are orders to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.deskopening import make_desk, open_desk_database
from collector.reports.document import Report
from collector.reports.makers import MAKERS
from collector.reports.timeline import Timeline
from collector.reports.wasters import MOST, find_wasters
from devices.durations import NANOSECONDS
from rules.alerts import Evidence, Subject, Transition, TransitionKind
from rules.orders import Order, OrderKind
from tests.reportsite import ReportSite, meter

HOUR = NANOSECONDS["h"]
TARIFFS = {
    "electricity": [{"from": "2026-01-01", "price": "0.5 EUR/kWh"}],
    "water": [{"from": "2026-01-01", "price": "5 EUR/m3"}],
    "emissions": {"electricity": [{"from": "2026-01-01", "factor": "0.4 kgCO2e/kWh"}]},
}


class Bench:
    """A site with a desk whose clock a test sets."""

    def __init__(self, folder: Path) -> None:
        devices = [meter(f"em-{number}", "A/1F", name={"en": f"Meter {number}"}) for number in range(12)]
        self.site = ReportSite(
            folder, [*devices, meter("wm-1", "A/1F", kind="water_meter")], zone="UTC", files={"tariffs": TARIFFS}
        )
        (self.site.configuration.folder / "rules").mkdir()
        self.database = open_desk_database(self.site.configuration)
        self.now = 0
        self.desk = make_desk(self.site.configuration, self.database, lambda: self.now)

    def alert(self, device: str, begin: str, end: str | None, value: float, unit: str = "kW") -> None:
        """A device draws more than 2 from a time on; a ticket is opened, and resolved where it ends."""
        point = "power_kw" if unit == "kW" else "flow_m3_per_h"
        since = self.site.at(begin)
        evidence = Evidence(device, point, value, 2.0, unit)
        for serial, (kind, moment) in enumerate(_name_steps(begin, end)):
            if moment is not None:
                self.now = self.site.at(moment)
                what: TransitionKind = "fired" if kind == "open" else "resolved"
                transition = Transition(
                    what, "too-much", Subject("device", device), since, serial, self.now, since, "minor", evidence, ""
                )
                self.desk.apply([Order(kind, transition, None, "", None)])

    def report(self, name: str, period: str) -> Report:
        return MAKERS[name](self.site.context(desk=self.database), self.site.period(period))


def _name_steps(begin: str, end: str | None) -> list[tuple[OrderKind, str | None]]:
    return [("open", begin), ("clear", end)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.site.store.close()
    bench.database.close()


def rows(made: Report) -> list[list[object]]:
    return [list(row) for part in made.sections for each in part.tables if each.title == "The dearest tickets"
            for row in each.rows]  # fmt: skip


def test_only_what_was_wasted_within_the_period_is_told(bench: Bench) -> None:
    # 10 kW beyond 2 from 18:00 on the 2nd to 06:00 on the 4th: on the 3rd 24 h, 240 kWh
    bench.alert("em-1", "2026-03-02T18:00", "2026-03-04T06:00", 12.0)
    # 4 kW beyond 2 from noon on, still so: on the 3rd 12 h, 48 kWh
    bench.alert("em-2", "2026-03-03T12:00", None, 6.0)
    bench.alert("em-3", "2026-03-01T00:00", "2026-03-02T00:00", 50.0)
    bench.alert("em-4", "2026-03-04T00:00", None, 50.0)
    bench.alert("wm-1", "2026-03-03T00:00", "2026-03-03T10:00", 2.5, "m³/h")
    found = rows(bench.report("energy", "2026-03-03"))
    assert [row[4:] for row in found] == [
        [pytest.approx(240), pytest.approx(120), pytest.approx(96)],
        [pytest.approx(48), pytest.approx(24), pytest.approx(19.2)],
    ]
    assert [row[2] for row in found] == ["A, 1F", "A, 1F"]
    # 0.5 m³/h for ten hours; nobody knows the factor of water
    assert [row[4:] for row in rows(bench.report("water", "2026-03-03"))] == [
        [pytest.approx(5), pytest.approx(25), None]
    ]


def test_the_ten_dearest_are_told(bench: Bench) -> None:
    for number in range(12):
        bench.alert(f"em-{number}", "2026-03-03T00:00", "2026-03-03T10:00", 3.0 + number)
    found = [row[4] for row in rows(bench.report("energy", "2026-03-03"))]
    assert found == pytest.approx([10.0 * (12 - number) for number in range(MOST)])


def test_a_period_without_tickets_says_so(bench: Bench) -> None:
    told = [text for part in bench.report("energy", "2026-03-03").sections for text in part.paragraphs]
    assert "No ticket of this period tells of waste." in told


def test_without_a_desk_nothing_is_known(bench: Bench) -> None:
    context = bench.site.context()
    assert find_wasters(context, "electricity", Timeline(bench.site.period("2026-03-03"), context.now)) is None
