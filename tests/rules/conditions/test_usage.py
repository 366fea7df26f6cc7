"""`usage`: budgets by hour, day, week and month."""

import pytest
from pydantic import ValidationError

from rules.conditions.usage import Usage
from tests.meterbench import POWER, WATER, Bench

DAY_BUDGET = "{usage: {point: volume_m3, above: 2.4 m³, per: day}}"


def test_it_fires_as_soon_as_the_running_day_passes_the_budget() -> None:
    bench = Bench(DAY_BUDGET)
    bench.run("12h", wm_1=0.2)  # 2.4 m³
    bench.run("15m")
    assert bench.kinds() == []
    bench.run("15m", wm_1=0.04)
    bench.run("15m")  # a step is certain one row later
    assert bench.told[0].kind == "fired"
    evidence = bench.evidence()
    assert (evidence.device, evidence.point, evidence.limit, evidence.unit) == ("wm-1", "volume_m3", 2.4, "m³")
    assert evidence.value == pytest.approx(2.41)
    assert evidence.details == {"per": "day"}


def test_it_is_over_when_a_whole_day_has_stayed_within_the_budget() -> None:
    bench = Bench(DAY_BUDGET)
    bench.run("24h", wm_1=0.2)
    assert bench.kinds() == ["fired"]
    bench.run("24h", wm_1=0.05)
    assert bench.kinds() == []  # its last row is still held
    bench.run("15m")
    assert bench.kinds() == ["resolved"]


def test_the_next_day_above_the_budget_is_the_same_alert() -> None:
    bench = Bench(DAY_BUDGET)
    bench.run("3d", wm_1=0.2)
    assert bench.kinds() == ["fired"]


@pytest.mark.parametrize(("start", "hours"), [("2026-03-28 23:00", 23), ("2026-10-24 22:00", 25)])
def test_a_day_of_changed_clocks_has_23_or_25_hours(start: str, hours: int) -> None:
    bench = Bench("{usage: {point: volume_m3, above: 10 m³, per: day}}", start=start, zone="Europe/Berlin")
    bench.run(f"{hours}h", wm_1=9.99 / hours)
    bench.run("30m", wm_1=9.99 / hours)
    assert bench.kinds() == []
    bench = Bench("{usage: {point: volume_m3, above: 10 m³, per: day}}", start=start, zone="Europe/Berlin")
    bench.run(f"{hours}h", wm_1=10.01 / hours)
    bench.run("15m")
    assert bench.kinds() == ["fired"]


def test_below_is_judged_at_the_end_of_the_period() -> None:
    bench = Bench("{usage: {point: volume_m3, below: 1 m³, per: day}}")
    bench.run("24h", wm_1=0.02)
    assert bench.kinds() == []
    bench.run("15m")
    assert bench.evidence().value == pytest.approx(0.48)
    assert bench.kinds() == ["fired"]
    bench.run("24h", wm_1=0.06)
    assert bench.kinds() == ["resolved"]


def test_below_says_nothing_of_a_day_with_a_gap() -> None:
    bench = Bench("{usage: {point: volume_m3, below: 1 m³, per: day}}")
    bench.run("23h", wm_1=0.02)
    bench.run("3h", wm_1=0.02, silent=["wm-1"])  # over midnight: how much of it belongs to the day is not known
    bench.run("12h", wm_1=0.02)
    assert bench.kinds() == []
    bench.run("12h", wm_1=0.02)
    assert bench.kinds() == []  # the second day begins within the gap
    bench.run("24h", wm_1=0.02)
    assert bench.kinds() == ["fired"]


def test_hourly_shares_of_last_week() -> None:
    bench = Bench("{usage: {point: volume_m3, above: 130 % of last week, per: hour}}", start="2026-03-02 00:00")
    bench.run("7d", wm_1=1.0)
    bench.run("1h", wm_1=1.2)
    assert bench.kinds() == []
    bench.run("1h", wm_1=1.4)
    bench.run("15m", wm_1=1.0)
    evidence = bench.evidence()
    assert evidence.value == pytest.approx(1.4, abs=0.06)
    assert evidence.limit == pytest.approx(1.3)
    assert evidence.details == {"per": "hour", "last_week": pytest.approx(1.0)}
    assert bench.kinds() == ["fired"]
    bench.run("2h", wm_1=1.0)
    assert bench.kinds() == ["resolved"]


def test_a_share_needs_the_week_before() -> None:
    bench = Bench("{usage: {point: volume_m3, above: 130 % of last week, per: day}}", start="2026-03-02 00:00")
    bench.run("6d 18h", wm_1=1.0)
    bench.run("12h", wm_1=1.0, silent=["wm-1"])  # so neither Sunday nor Monday is known
    bench.run("5d 18h", wm_1=1.0)
    bench.run("2d", wm_1=9.0)
    assert bench.kinds() == []
    bench.run("1d", wm_1=9.0)
    assert bench.kinds() == ["fired"]


def test_months_are_compared_with_the_month_before() -> None:
    meter = {**POWER, "interval": "6h"}
    bench = Bench("{usage: {point: energy_import_kwh, above: 120 % of last month, per: month}}", [meter])
    bench.run("31d", "6h", em_1=1.0)  # 744 kWh in March
    bench.run("30d", "6h", em_1=1.0)  # 720 kWh in April
    assert bench.kinds() == []
    bench.run("31d", "6h", em_1=1.2)  # 892.8 kWh in May, more than 864
    assert bench.kinds() == ["fired"]


def test_a_place_is_the_sum_of_its_meters() -> None:
    meters = [{**WATER, "id": name, "building": "A"} for name in ("wm-1", "wm-2")]
    bench = Bench("{usage: {point: volume_m3, above: 2 m³, per: day}}", meters, per="building")
    bench.run("10h", wm_1=0.1, wm_2=0.095)
    assert bench.kinds() == []
    bench.run("1h", wm_1=0.1, wm_2=0.1)
    assert bench.kinds() == ["fired"]
    bench.run("13h")
    bench.run("1d", wm_1=0.04, wm_2=0.04)  # 1.92 m³
    bench.run("15m")
    assert bench.kinds() == ["resolved"]


def test_another_meter_counts_on() -> None:
    swap = {"device": "wm-1", "at": "2026-03-01T11:50:00Z", "final": "101.18 m³", "first": "5 m³"}
    bench = Bench(DAY_BUDGET, replacements=[swap])
    bench.run("11h45m", wm_1=0.1)
    bench.count("wm-1", 5.0)
    bench.run("11h", wm_1=0.1)
    assert bench.kinds() == []
    bench.run("45m", wm_1=1.0)
    assert bench.kinds() == ["fired"]


def test_what_was_counted_over_a_reset_is_not_known() -> None:
    bench = Bench("{usage: {point: volume_m3, below: 1 m³, per: day}}")
    bench.run("12h", wm_1=0.02)
    bench.count("wm-1", 0.0)
    bench.run("13h", wm_1=0.02)
    assert bench.kinds() == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"above": "2 m³", "below": "1 m³", "per": "day"}, "expected one of above and below, got both"),
        ({"per": "day"}, "expected one of above and below, got none"),
        ({"above": 2, "per": "day"}, "expected a quantity such as 12 m³, or 130 % of last week, got 2"),
        ({"above": "2 kWh", "per": "day"}, "expected volume with its unit such as 10 L, got '2 kWh'"),
        ({"above": "-2 m³", "per": "day"}, "expected 0 or more, got '-2 m³'"),
        ({"above": "130 % of last month", "per": "day"}, "per day: expected a share of last week"),
        ({"above": "130 % of last week", "per": "month"}, "per month: expected a share of last month"),
        ({"above": "0 % of last week", "per": "day"}, "expected a share of more than 0 %"),
        ({"above": "2 m³", "per": "day", "point": "flow_m3_per_h"}, "flow_m3_per_h is no register that counts"),
        ({"above": "2 m³", "per": "day", "point": "volume_m"}, "there is no point 'volume_m'"),
    ],
)
def test_what_is_wrong_is_told(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Usage.model_validate({"point": "volume_m3", **fields})
    assert message in str(caught.value)


def test_it_is_described_in_words() -> None:
    words = Usage.model_validate({"point": "volume_m3", "above": "12 m³", "per": "day"}).describe()
    assert words.en == "the rise of volume_m3 in one day is above 12 m³"
    assert words.zh == "每日 volume_m3 的用量高于 12 m³"
    share = Usage.model_validate({"point": "volume_m3", "below": "80 % of last week", "per": "hour"}).describe()
    assert share.en == "the rise of volume_m3 in one hour is below 80 % of last week"
    assert share.zh == "每小时 volume_m3 的用量低于上周同期的 80 %"
