"""Degree days, and what they explain; on a real store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.reports.metering import Metered, read_metered
from collector.reports.plant import Plant
from collector.reports.timeline import Timeline
from collector.reports.weather import DegreeDays, fit_days, read_degree_days
from devices.reading import Reading
from tests.reportsite import ReportSite, meter

HOUR = 3600 * 10**9


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ReportSite]:
    site = ReportSite(
        tmp_path,
        [meter("em-1"), {"id": "outdoors", "kind": "sensor"}],
        files={"reports": {"temperature": {"device": "outdoors"}}},
    )
    yield site
    site.store.close()


def warm(site: ReportSite, begin: str, means: list[float], hours: int = 24) -> None:
    start = site.at(begin)
    site.store.write(
        [
            Reading("outdoors", moment, moment, {"temperature_c": mean + (2 if hour % 2 else -2)})
            for day, mean in enumerate(means)
            for hour in range(hours)
            for moment in [start + (day * 24 + hour) * HOUR]
        ]
    )


def read(site: ReportSite, period: str) -> tuple[Metered, DegreeDays]:
    context = site.context()
    timeline = Timeline(site.period(period), context.now)
    degrees = read_degree_days(context, timeline)
    assert degrees is not None
    return read_metered(context, Plant(site.configuration, "electricity"), timeline, {}), degrees


def test_degree_days_are_of_daily_means(site: ReportSite) -> None:
    warm(site, "2026-02-02", [8, 18, 22, 30])
    _, degrees = read(site, "2026-02-02..2026-02-05")
    # 18 - 8 and 30 - 26; hours of 16 °C on the second day do not count, for its mean is 18 °C
    assert degrees.heating == pytest.approx([10, 0, 0, 0])
    assert degrees.cooling == pytest.approx([0, 0, 0, 4])
    assert degrees.sum() == pytest.approx((10, 4))


def test_a_day_of_which_too_little_is_known_has_none(site: ReportSite) -> None:
    warm(site, "2026-02-02", [8, 8], hours=17)
    _, degrees = read(site, "2026-02-02..2026-02-03")
    assert degrees.heating == [None, None]
    assert degrees.sum() is None


def test_the_model_finds_what_a_degree_day_uses(site: ReportSite) -> None:
    # 100 kWh a day, 5 kWh for a heating degree day, 20 kWh more on a working day
    means = [float(mean) for mean in (0, 5, 10, 2, 8, 12, 18, 3, 7, 1, 14, 9, 4, 6, 11, 0, 16, 13, 2, 5, 8, 10)]
    working = [number % 7 < 5 for number in range(len(means))]
    amounts = [100 + 5 * (18 - mean) + 20 * works for mean, works in zip(means, working, strict=True)]
    warm(site, "2026-02-02", means)
    site.count("em-1", "2026-02-02", [amount / 96 for amount in amounts for _ in range(96)])
    metered, degrees = read(site, "2026-02-02..2026-02-23")
    fit = fit_days(metered, degrees, working)
    assert fit.per_heating == pytest.approx(5)
    assert fit.r2 == pytest.approx(1)
    assert fit.days == 22
    assert fit.is_good
    # With 100 heating degree days more it would have used 500 kWh more.
    assert fit.shift((200, 0), (300, 0)) == pytest.approx(500)
    assert not fit.covers((200, 0), (200, 50)), "what a cooling degree day uses it has not seen"
    unexplained = fit_days(metered, degrees, None)
    assert unexplained.r2 < 1, "without working days the rest is chance"


def test_too_few_days_say_nothing(site: ReportSite) -> None:
    warm(site, "2026-02-02", [float(number) for number in range(19)])
    site.count("em-1", "2026-02-02", [1.0] * 96 * 19)
    metered, degrees = read(site, "2026-02-02..2026-02-20")
    fit = fit_days(metered, degrees, None)
    assert (fit.days, fit.is_good) == (19, False)


def test_without_a_sensor_there_are_no_degree_days(tmp_path: Path) -> None:
    site = ReportSite(tmp_path, [meter("em-1")])
    assert read_degree_days(site.context(), Timeline(site.period("2026-02-02"), site.at("2027-01-01"))) is None
    site.store.close()
