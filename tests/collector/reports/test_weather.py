"""Degree days, and what they explain; on a real store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.reports.metering import Metered, read_metered
from collector.reports.plant import Plant
from collector.reports.timeline import Timeline
from collector.reports.weather import DegreeDays, Weather, fit_days, is_like, read_weather
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


def read(site: ReportSite, period: str) -> tuple[Metered, Weather]:
    context = site.context()
    timeline = Timeline(site.period(period), context.now)
    weather = read_weather(context, timeline)
    assert weather is not None
    return read_metered(context, Plant(site.configuration, "electricity"), timeline, {}), weather


def test_degree_days_are_of_daily_means(site: ReportSite) -> None:
    warm(site, "2026-02-02", [8, 18, 22, 30])
    _, weather = read(site, "2026-02-02..2026-02-05")
    assert weather.means == pytest.approx([8, 18, 22, 30])
    # 18 - 8 and 30 - 26; hours of 16 °C on the second day do not count, for its mean is 18 °C
    assert weather.sum(18, 26) == pytest.approx((10, 4))


def test_a_day_of_which_too_little_is_known_has_none(site: ReportSite) -> None:
    warm(site, "2026-02-02", [8, 8], hours=17)
    _, weather = read(site, "2026-02-02..2026-02-03")
    assert weather.means == [None, None]
    assert weather.sum(18, 26) is None


def test_a_few_days_that_are_missing_are_scaled_up() -> None:
    assert Weather([8.0] * 39 + [None]).sum(18, 26) == pytest.approx((400, 0))
    assert Weather([8.0] * 18 + [None] * 2).sum(18, 26) is None


def test_the_model_finds_what_a_degree_day_uses(site: ReportSite) -> None:
    # 100 kWh a day, 5 kWh for a heating degree day, 20 kWh more on a working day
    means = [float(mean) for mean in (0, 5, 10, 2, 8, 12, 18, 3, 7, 1, 14, 9, 4, 6, 11, 0, 16, 13, 2, 5, 8, 10)]
    working = [number % 7 < 5 for number in range(len(means))]
    amounts = [100 + 5 * (18 - mean) + 20 * works for mean, works in zip(means, working, strict=True)]
    warm(site, "2026-02-02", means)
    site.count("em-1", "2026-02-02", [amount / 96 for amount in amounts for _ in range(96)])
    metered, weather = read(site, "2026-02-02..2026-02-23")
    fit = fit_days(metered, weather, working)
    assert fit.per_heating == pytest.approx(5)
    assert (fit.heating_below, fit.cooling_above) == (18, None)
    assert fit.r2 == pytest.approx(1)
    assert fit.days == 22
    assert fit.is_good
    # 22 days that are 2 K colder each have 44 heating degree days more; on that of 18 °C it is 2 as well
    colder = Weather([mean - 2 for mean in means])
    assert fit.shift(weather, colder) == pytest.approx(220)
    assert fit.shift(weather, Weather([None] * 22)) is None
    unexplained = fit_days(metered, weather, None)
    assert unexplained.r2 < 1, "without working days the rest is chance"


def test_balance_points_are_those_of_the_building(site: ReportSite) -> None:
    # Heated below 14 °C with 3 kWh a degree day, cooled above 20 °C with 8: days from -2 to 30 °C, in no order
    means = [float(number * 7 % 33 - 2) for number in range(33)]
    amounts = [50 + 3 * max(0, 14 - mean) + 8 * max(0, mean - 20) for mean in means]
    warm(site, "2026-04-01", means)
    site.count("em-1", "2026-04-01", [amount / 96 for amount in amounts for _ in range(96)])
    metered, weather = read(site, "2026-04-01..2026-05-03")
    fit = fit_days(metered, weather, None)
    assert (fit.heating_below, fit.cooling_above) == (14, 20)
    assert [fit.per_heating, fit.per_cooling] == pytest.approx([3, 8])
    assert fit.r2 == pytest.approx(1)


def test_what_has_nothing_to_do_with_the_weather_is_not_explained_by_it(site: ReportSite) -> None:
    warm(site, "2026-04-01", [float(number * 7 % 33 - 2) for number in range(33)])
    site.count("em-1", "2026-04-01", [(100 + day * day % 7) / 96 for day in range(33) for _ in range(96)])
    metered, weather = read(site, "2026-04-01..2026-05-03")
    assert not fit_days(metered, weather, None).is_good


def test_what_is_not_there_is_not_learned() -> None:
    assert is_like(DegreeDays(200, 0), DegreeDays(300, 0), 30)
    assert is_like(DegreeDays(200, 0), DegreeDays(300, 2), 30), "less than a tenth of a degree a day"
    assert not is_like(DegreeDays(200, 0), DegreeDays(200, 50), 30), "what cooling uses it has not seen"


def test_too_few_days_say_nothing(site: ReportSite) -> None:
    warm(site, "2026-02-02", [float(number) for number in range(19)])
    site.count("em-1", "2026-02-02", [1.0] * 96 * 19)
    metered, weather = read(site, "2026-02-02..2026-02-20")
    fit = fit_days(metered, weather, None)
    assert (fit.days, fit.is_good) == (19, False)


def test_without_a_sensor_there_are_no_degree_days(tmp_path: Path) -> None:
    site = ReportSite(tmp_path, [meter("em-1")])
    assert read_weather(site.context(), Timeline(site.period("2026-02-02"), site.at("2027-01-01"))) is None
    site.store.close()
