"""Reports from a real InfluxDB say what they say from the embedded store."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from collector.reports.document import Report
from collector.reports.makers import MAKERS
from tests.integration.servers import InfluxDB
from tests.reportsite import ReportSite, meter

TARIFFS = {
    "electricity": [
        {"from": "2026-01-01", "until": "2026-03-28", "price": "0.20 EUR/kWh"},
        {"from": "2026-03-29", "price": "0.30 EUR/kWh"},
    ],
    "water": [{"from": "2026-01-01", "price": "5 EUR/m3"}],
    "emissions": {"electricity": [{"from": "2026-01-01", "factor": "0.5 kgCO2e/kWh"}]},
}
SWAP = {"device": "sub-1", "at": "2026-03-29T10:05:00+02:00", "final": "1028.2 kWh", "first": "5 kWh"}


def make(folder: Path, **settings: Any) -> ReportSite:  # noqa: ANN401 - settings of every type
    """A main meter, two sub-meters of which one is replaced, and a water meter that reports every minute."""
    site = ReportSite(
        folder,
        [
            meter("main", "A/1F"),
            meter("sub-1", "A/1F"),
            meter("sub-2", "A/2F"),
            meter("wm-1", kind="water_meter", interval="1m"),
            {"id": "outdoors", "kind": "sensor"},
        ],
        feeds={"main": ["sub-1", "sub-2"]},
        register={"replacements": [SWAP]},
        files={"tariffs": TARIFFS, "reports": {"temperature": {"device": "outdoors"}}},
        **settings,
    )
    site.run("main", "2026-03-27", "2026-03-31", 1.0)
    # From midnight of the 27th to 10:00 on the 29th, when clocks have gone forward, there are 2 · 96 + 36 quarters.
    site.count("sub-1", "2026-03-27", [0.1] * 228)  # 1022.8 kWh at 10:00
    site.count("sub-1", "2026-03-29T10:15", [0.2] * 151, first=5.2)
    site.run("sub-2", "2026-03-27", "2026-03-31", 0.5)
    site.count("wm-1", "2026-03-28", [0.01] * 60 * 47, every=60 * 10**9)
    return site


def list_numbers(made: Report) -> list[Sequence[object]]:
    """All that it says in numbers."""
    found: list[Sequence[object]] = []
    for part in made.sections:
        found += [(each.label, each.value, each.before, each.year_before, each.note) for each in part.figures]
        for table in part.tables:
            found += [table.title, *table.rows, table.total or ()]
        for chart in part.charts:
            found += [chart.title, *(series.values for series in chart.series)]
    return found


@pytest.mark.parametrize("name", ["energy", "water", "carbon"])
def test_a_report_is_the_same_from_both_stores(influxdb: InfluxDB, fresh_name: str, tmp_path: Path, name: str) -> None:
    settings: Mapping[str, object] = {
        "kind": "influxdb", "api": "v1", "database": fresh_name, "url": influxdb.url
    }  # fmt: skip
    reports = []
    for number, store in enumerate((settings, {"kind": "embedded"})):
        site = make(tmp_path / str(number), store=store)
        try:
            reports.append(MAKERS[name](site.context(), site.period("2026-03-28..2026-03-29")))
        finally:
            site.store.close()
    first, second = map(list_numbers, reports)
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert [pytest.approx(value) if isinstance(value, float) else value for value in one] == list(other)
    assert any(isinstance(value, float) and value > 0 for row in first for value in row)


def test_figures_from_influxdb_are_those_worked_out_by_hand(
    influxdb: InfluxDB, fresh_name: str, tmp_path: Path
) -> None:
    site = make(tmp_path, store={"kind": "influxdb", "api": "v1", "database": fresh_name, "url": influxdb.url})
    try:
        made = MAKERS["energy"](site.context(), site.period("2026-03-28..2026-03-29"))
    finally:
        site.store.close()
    total, _, cost, *_ = made.sections[0].figures
    assert total.value == pytest.approx(96 + 92)
    assert cost.value == pytest.approx(96 * 0.2 + 92 * 0.3)
    (losses,) = [each for part in made.sections for each in part.tables if "sub-meters" in each.title]
    # sub-1: 96 + 36 quarters of 0.1; 5.4 up to what the old meter showed last; 0.2 of the new one up to 10:15, and 55
    # quarters of 0.2: 29.8. sub-2: 188 · 0.5 = 94.
    (row,) = losses.rows
    assert row[:6] == ["main", *map(pytest.approx, (188, 123.8, 64.2, 64.2 / 188 * 100, 100))]
