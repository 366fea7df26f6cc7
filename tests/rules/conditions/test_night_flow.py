"""`night_flow`: the least flow of the night."""

import pytest
from pydantic import ValidationError

from devices.durations import NANOSECONDS
from rules.conditions.night_flow import NightFlow
from tests.meterbench import WATER, Bench
from tests.rulebench import at, make_engine, reading

RULE = "{night_flow: {between: '02:00-05:00', above: 12 L/h, nights: 2}}"
ONE_NIGHT = "{night_flow: {between: '02:00-05:00', above: 12 L/h}}"


def test_two_bad_nights_fire_and_a_good_one_ends_it() -> None:
    bench = Bench(RULE)
    bench.run("1d", wm_1=0.02)
    assert bench.kinds() == []
    bench.run("1d", wm_1=0.02)
    evidence = bench.evidence()
    assert (evidence.device, evidence.point, evidence.limit, evidence.unit) == ("wm-1", "volume_m3", 0.012, "m³/h")
    assert evidence.value == pytest.approx(0.02)
    assert evidence.details == {"nights": 2}
    assert bench.kinds() == ["fired"]
    bench.run("1d", wm_1=0.01)
    assert bench.kinds() == ["resolved"]


def test_one_quiet_hour_shows_that_nothing_leaks() -> None:
    bench = Bench(ONE_NIGHT)
    bench.run("2h")
    bench.run("75m", wm_1=0.6)
    bench.run("1h")
    bench.run("2h", wm_1=0.6)
    assert bench.kinds() == []


def test_a_quiet_half_hour_does_not() -> None:
    bench = Bench(ONE_NIGHT)
    bench.run("3h", wm_1=0.6)
    bench.run("30m")
    bench.run("3h", wm_1=0.6)
    assert bench.evidence().value == pytest.approx(0.3)
    assert bench.kinds() == ["fired"]


def test_nights_are_counted_one_after_the_other() -> None:
    bench = Bench(RULE)
    for rate in (0.02, 0.0, 0.02):
        bench.run("1d", wm_1=rate)
    assert bench.kinds() == []


def test_a_night_with_a_gap_says_nothing() -> None:
    bench = Bench(RULE)
    bench.run("1d", wm_1=0.02)
    bench.run("3h", wm_1=0.02)
    bench.run("1h", wm_1=0.02, silent=["wm-1"])
    bench.run("20h", wm_1=0.02)
    assert bench.kinds() == []
    bench.run("1d", wm_1=0.02)
    assert bench.kinds() == ["fired"]
    bench.run("3h", wm_1=0.0)
    bench.run("1h", wm_1=0.01, silent=["wm-1"])
    bench.run("20h")
    assert bench.kinds() == []  # neither good nor bad


def test_a_register_that_stands_still_over_a_gap_shows_that_nothing_flowed() -> None:
    bench = Bench(ONE_NIGHT)
    bench.run("1d", wm_1=0.02)
    assert bench.kinds() == ["fired"]
    bench.run("1h")
    bench.run("5h", silent=["wm-1"])  # rows missing, from before the night to after it
    bench.run("1h")
    assert bench.kinds() == []
    bench.run("17h")
    bench.run("150m")
    bench.run("2h", silent=["wm-1"])
    bench.run("3h")
    assert bench.kinds() == ["resolved"]


@pytest.mark.parametrize(
    ("start", "length"), [("2026-03-28 23:00", "3h"), ("2026-10-24 22:00", "5h")], ids=["2 hours", "4 hours"]
)
def test_a_night_of_changed_clocks_is_shorter_or_longer(start: str, length: str) -> None:
    bench = Bench("{night_flow: {between: '01:00-04:00', above: 12 L/h}}", start=start, zone="Europe/Berlin")
    bench.run(length, wm_1=0.02)  # up to 04:00
    assert bench.kinds() == []
    bench.run("15m", wm_1=0.02)
    assert bench.kinds() == ["fired"]


def test_a_night_that_passes_midnight() -> None:
    bench = Bench("{night_flow: {between: '23:00-02:00', above: 12 L/h}}")
    bench.run("22h")
    bench.run("4h", wm_1=0.02)
    bench.run("15m")
    assert bench.kinds() == ["fired"]


def test_another_meter_at_night_and_a_reset_of_the_register() -> None:
    swap = {"device": "wm-1", "at": "2026-03-01T02:50:00Z", "final": "100.016 m³", "first": "5 m³"}
    bench = Bench(ONE_NIGHT, replacements=[swap])
    bench.run("2h")
    bench.run("45m", wm_1=0.02)
    bench.count("wm-1", 5.0)
    bench.run("6h", wm_1=0.02)
    assert bench.kinds() == ["fired"]
    reset = Bench(ONE_NIGHT)
    reset.run("3h", wm_1=0.02)
    reset.count("wm-1", 0.0)
    reset.run("6h", wm_1=0.02)
    assert reset.kinds() == []


def test_hourly_rows_at_any_minute() -> None:
    bench = Bench(ONE_NIGHT, [{**WATER, "interval": "1h"}], start="2026-03-01 00:20")
    bench.run("24h", "1h", wm_1=0.02)
    assert bench.kinds() == ["fired"]
    bench.run("3h", "1h", wm_1=0.02)
    bench.run("1h", "1h")
    bench.run("5h", "1h", wm_1=0.02)
    assert bench.kinds() == ["resolved"]


def test_rows_every_second_are_joined_to_minutes() -> None:
    bench = Bench(ONE_NIGHT, [{**WATER, "interval": "1s"}], start="2026-03-01 01:59")
    bench.run("70m", "1s", wm_1=0.02)
    (watch,) = bench.engine._wiring.watches.values()
    assert len(watch._node.snapshot()[1][2]) < 70
    bench.run("115m", "15m", wm_1=0.02)


def test_from_a_gauge_of_the_flow() -> None:
    rule = "[{id: rule, when: {night_flow: {point: flow_m3_per_h, between: '02:00-05:00', above: 12 L/h}}}]"
    engine = make_engine(rule, [WATER])
    told = []
    for night, flow in enumerate((0.02, 0.02, 0.005)):
        for minute in range(0, 24 * 60, 15):
            time = at("2026-03-01 00:00") + (night * 1440 + minute) * NANOSECONDS["m"]
            told += engine.evaluate(reading("wm-1", time, flow_m3_per_h=flow))
    assert [transition.kind for transition in told] == ["fired", "resolved"]
    assert told[0].at == at("2026-03-01 05:00")
    assert told[0].evidence.value == pytest.approx(0.02)


def test_a_place_is_true_where_one_of_its_meters_is() -> None:
    meters = [{**WATER, "id": name, "building": "A"} for name in ("wm-1", "wm-2")]
    bench = Bench(ONE_NIGHT, meters, per="building")
    bench.run("1d", wm_2=0.02)
    assert bench.evidence().device == "wm-2"
    assert bench.kinds() == ["fired"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"between": "02:00-02:30"}, "expected 1 to 12 hours, got 02:00-02:30"),
        ({"between": "02:00-22:00"}, "expected 1 to 12 hours"),
        ({"above": "12 L"}, "expected flow with its unit such as 30 L/h, got '12 L'"),
        ({"above": "-1 L/h"}, "expected 0 or more, got '-1 L/h'"),
        ({"nights": 0}, "greater than or equal to 1"),
        ({"point": "energy_import_kwh"}, "expected volume_m3, or flow_m3_per_h for a meter that tells only that"),
    ],
)
def test_what_is_wrong_is_told(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        NightFlow.model_validate({"between": "02:00-05:00", "above": "12 L/h", **fields})
    assert message in str(caught.value)


def test_it_is_described_in_words() -> None:
    words = NightFlow.model_validate({"between": "02:00-05:00", "above": "12 L/h", "nights": 2}).describe()
    assert words.en == "the least flow over an hour between 02:00-05:00 is above 12 L/h, 2 nights running"
    assert words.zh == "连续 2 夜，02:00-05:00 间最小的小时流量高于 12 L/h"
