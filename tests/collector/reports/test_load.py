"""Peak, base load, load factor and usual days, worked out by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.reports.load import find_heat, find_load, find_usual_days
from collector.reports.metering import Metered, read_metered
from collector.reports.plant import Plant
from collector.reports.timeline import Timeline
from tests.reportsite import ReportSite, meter

# A day: 2 kW at night, 10 kW from 08:00 to 18:00, of which 16 kW in the quarter that begins at 11:30.
DAY = [0.5] * 32 + [2.5] * 14 + [4.0] + [2.5] * 25 + [0.5] * 24


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ReportSite]:
    site = ReportSite(tmp_path, [meter("em-1")])
    yield site
    site.store.close()


def read(site: ReportSite, period: str) -> Metered:
    context = site.context()
    plant = Plant(site.configuration, "electricity")
    return read_metered(context, plant, Timeline(site.period(period), context.now), {})


def test_the_load_of_a_day(site: ReportSite) -> None:
    site.count("em-1", "2026-03-03", DAY)
    load = find_load(read(site, "2026-03-03"))
    # 56 quarters of 0.5, 39 of 2.5 and one of 4: 129.5 kWh in 24 h
    assert load.mean_kw == pytest.approx(129.5 / 24)
    assert load.peak_kw == pytest.approx(16)
    assert load.peak_at == site.at("2026-03-03T11:30")
    assert load.factor == pytest.approx(129.5 / 24 / 16)
    assert load.base_kw == pytest.approx(2)
    assert load.measured == 1


def test_a_power_cut_of_one_day_does_not_lower_the_base_load(site: ReportSite) -> None:
    cut = [*DAY[:20], 0, 0, 0, 0, *DAY[24:]]
    site.count("em-1", "2026-03-03", DAY + cut + DAY)
    assert find_load(read(site, "2026-03-03..2026-03-05")).base_kw == pytest.approx(2)


def test_what_was_spread_over_a_gap_has_no_peak(site: ReportSite) -> None:
    # Silent from 11:00 to 12:00, the quarter of 16 kW among it.
    site.count("em-1", "2026-03-03", DAY[:44])
    site.count("em-1", "2026-03-03T12:00", DAY[48:], first=1000 + sum(DAY[:48]))
    metered = read(site, "2026-03-03")
    load = find_load(metered)
    assert metered.sum() == pytest.approx(129.5)
    assert load.peak_kw == pytest.approx(10)
    assert load.measured == pytest.approx(92 / 96)


def test_of_hourly_registers_no_quarter_is_known(site: ReportSite) -> None:
    site.count("em-1", "2026-03-03", [1.0] * 24, every=3600 * 10**9)
    metered = read(site, "2026-03-03")
    assert metered.sum() == pytest.approx(24)
    assert find_load(metered) == (None, None, None, None, None, 0.0)


def test_usual_days_are_means_of_the_clock_s_hours(site: ReportSite) -> None:
    # The day on which clocks go forward has no hour from 02:00 to 03:00.
    site.count("em-1", "2026-03-28", [0.5] * 96 + [1.0] * 92)
    metered = read(site, "2026-03-28..2026-03-29")
    assert find_usual_days(metered, [True, False]) == pytest.approx([2.0] * 24)
    sunday = find_usual_days(metered, [False, True])
    assert sunday[2] is None
    assert sunday[3] == pytest.approx(4.0)
    assert find_usual_days(metered, [True, True])[:4] == pytest.approx([3, 3, 2, 3])
    heat = find_heat(metered)
    assert heat[5] == pytest.approx([2.0] * 24), "Saturday"
    assert heat[0] == [None] * 24, "there is no Monday"
