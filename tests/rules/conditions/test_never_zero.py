"""`never_zero`: flow without a rest."""

import pytest
from pydantic import ValidationError

from rules.conditions.never_zero import NeverZero
from tests.meterbench import WATER, Bench
from tests.rulebench import make_engine, reading

RULE = "{never_zero: {for: 24h}}"


def test_a_day_without_a_rest_fires_and_a_rest_ends_it() -> None:
    bench = Bench(RULE)
    bench.run("2h")
    bench.run("24h", wm_1=0.05)
    assert bench.kinds() == []
    bench.run("15m", wm_1=0.05)
    evidence = bench.evidence()
    assert (evidence.device, evidence.point, evidence.unit) == ("wm-1", "volume_m3", "m³/h")
    assert evidence.value == pytest.approx(0.05)
    assert evidence.details == {"volume_m3": pytest.approx(1.2), "hours": 24.0}
    assert bench.kinds() == ["fired"]
    bench.run("30m")
    bench.run("1h", wm_1=0.05)
    assert bench.kinds() == []  # half an hour is no rest
    bench.run("1h")
    assert bench.kinds() == ["resolved"]


def test_pulses_that_are_closer_than_a_rest_are_a_flow() -> None:
    bench = Bench(RULE)
    for _ in range(24 * 2 + 1):  # 20 L/h, 10 L a pulse
        bench.run("15m", wm_1=0.04)
        bench.run("15m")
    assert bench.kinds() == ["fired"]
    slow = Bench(RULE)
    for _ in range(24 * 2):  # 10 L/h
        slow.run("15m", wm_1=0.04)
        slow.run("45m")
    assert slow.kinds() == []


def test_an_idle_hour_of_hourly_rows_is_a_rest() -> None:
    bench = Bench(RULE, [{**WATER, "interval": "1h"}])
    for _ in range(4):
        bench.run("23h", "1h", wm_1=0.05)
        bench.run("59m", "59m")
    assert bench.kinds() == []
    bench.run("25h", "1h", wm_1=0.05)
    assert bench.kinds() == ["fired"]


def test_a_meter_that_creeps_rests() -> None:
    bench = Bench("{never_zero: {for: 24h, least: 2 L/h}}")
    bench.run("48h", wm_1=0.0019)
    assert bench.kinds() == []
    bench.run("25h", wm_1=0.0021)
    assert bench.kinds() == ["fired"]


def test_over_a_gap_the_time_begins_again() -> None:
    bench = Bench(RULE)
    bench.run("23h", wm_1=0.05)
    bench.run("2h", wm_1=0.05, silent=["wm-1"])
    bench.run("23h", wm_1=0.05)
    assert bench.kinds() == []
    bench.run("2h", wm_1=0.05)
    assert bench.kinds() == ["fired"]
    bench.run("6h", wm_1=0.05, silent=["wm-1"])
    bench.run("1h", wm_1=0.05)
    assert bench.kinds() == []  # nothing shows that it rested
    bench.run("6h", silent=["wm-1"])
    bench.run("1h")
    assert bench.kinds() == ["resolved"]  # the register stood still


def test_a_reset_begins_again_and_another_meter_goes_on() -> None:
    bench = Bench(RULE)
    bench.run("23h", wm_1=0.05)
    bench.count("wm-1", 0.0)
    bench.run("23h", wm_1=0.05)
    assert bench.kinds() == []
    swap = {"device": "wm-1", "at": "2026-03-01T11:50:00Z", "final": "100.59 m³", "first": "5 m³"}
    swapped = Bench(RULE, replacements=[swap])
    swapped.run("11h45m", wm_1=0.05)
    swapped.count("wm-1", 5.0)
    swapped.run("13h", wm_1=0.05)
    assert swapped.kinds() == ["fired"]


def test_the_night_of_changed_clocks_is_no_matter() -> None:
    bench = Bench(RULE, start="2026-10-24 22:00", zone="Europe/Berlin")
    bench.run("24h", wm_1=0.05)
    assert bench.kinds() == []
    bench.run("15m", wm_1=0.05)
    assert bench.kinds() == ["fired"]


def test_from_a_gauge_of_the_flow() -> None:
    engine = make_engine("[{id: rule, when: {never_zero: {point: flow_m3_per_h, for: 2h}}}]", [WATER])
    told = []
    for minute in range(0, 360, 15):
        flow = 0.1 if 60 <= minute < 240 else 0.0
        told += engine.evaluate(reading("wm-1", f"2026-03-01 {minute // 60:02}:{minute % 60:02}", flow_m3_per_h=flow))
    assert [(transition.kind, transition.at // 10**9 % 86400 // 60) for transition in told] == [
        ("fired", 180),
        ("resolved", 285),
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"for": "30m"}, "expected a rest shorter than 30m, got 45m"),
        ({"for": "24h", "least": "2 L"}, "expected flow with its unit such as 30 L/h, got '2 L'"),
        ({"for": "24h", "point": "energy_import_kwh"}, "expected volume_m3, or flow_m3_per_h"),
    ],
)
def test_what_is_wrong_is_told(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        NeverZero.model_validate(fields)
    assert message in str(caught.value)


def test_it_is_described_in_words() -> None:
    words = NeverZero.model_validate({"for": "36h", "least": "2 L/h"}).describe()
    assert words.en == "water has flowed for 36h without a rest of 45m below 2 L/h"
    assert words.zh == "连续流水 36h，其间没有 45m 的停歇（低于 2 L/h 视为停歇）"
