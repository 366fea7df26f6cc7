import random

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Transition
from rules.conditions.unlike_usual import UnlikeUsual
from rules.engine import Engine
from rules.rule import RuleFile
from tests.rulebench import after, at, make_engine, make_site, reading

HOUR, MINUTE = NANOSECONDS["h"], NANOSECONDS["m"]
METER = {"id": "em-1", "kind": "electricity_meter", "building": "A", "interval": "30m"}
WATER = {"id": "wm-1", "kind": "water_meter", "building": "A", "interval": "1h"}
RULE = "- {id: odd, when: {unlike_usual: {point: power_kw, sensitivity: medium}}}"


def rows(days: int, *, seed: int = 3, begin: str = "2026-03-01 00:00") -> list[tuple[int, float]]:
    """Power of a shop that opens at 8 and closes at 20, every half hour."""
    draw = random.Random(seed)
    start = at(begin)
    times = [start + place * 30 * MINUTE for place in range(days * 48)]
    return [(time, (20 if 8 <= time // HOUR % 24 < 20 else 5) + draw.uniform(-1, 1)) for time in times]


def play(engine: Engine, some: list[tuple[int, float]]) -> list[Transition]:
    return [told for time, power in some for told in engine.evaluate(reading("em-1", time, power_kw=power))]


def test_it_fires_on_what_the_hour_has_never_seen_and_says_what_was_usual() -> None:
    engine = make_engine(RULE, [METER])
    assert play(engine, rows(14)) == []
    (fired,) = engine.evaluate(reading("em-1", after("14d2h"), power_kw=20))
    assert (fired.kind, fired.evidence.device, fired.evidence.point) == ("fired", "em-1", "power_kw")
    evidence = fired.evidence
    assert evidence.value == 20
    assert evidence.unit == "kW"
    assert evidence.limit is not None
    assert 6 < evidence.limit < 20
    assert evidence.details["usual"] == pytest.approx(5, abs=1)
    once = evidence.details["once_in_days"]
    assert isinstance(once, float)
    assert once >= 100
    told = play(engine, [(after("14d2h30m") + place * 30 * MINUTE, 5.0) for place in range(8)])
    assert [one.kind for one in told] == ["resolved"]


def test_the_same_value_by_day_is_usual() -> None:
    engine = make_engine(RULE, [METER])
    assert play(engine, rows(14)) == []
    assert engine.evaluate(reading("em-1", after("14d10h"), power_kw=20)) == []


def test_it_says_nothing_before_it_has_learned_for_a_week() -> None:
    engine = make_engine(RULE, [METER])
    play(engine, rows(3))
    assert engine.evaluate(reading("em-1", after("3d2h"), power_kw=500)) == []
    condition = UnlikeUsual.model_validate({"point": "power_kw"})
    assert condition.sensitivity == 100


def test_it_says_how_far_it_has_learned() -> None:
    engine = make_engine(RULE, [METER])
    play(engine, rows(3))
    (watch,) = engine._wiring.watches.values()
    assert watch._node.truth is None
    assert watch._node.evidence().details == {"learning": "2 of 7 days"}


def test_a_register_is_judged_by_its_rate() -> None:
    rule = "- {id: odd, when: {unlike_usual: {point: volume_m3, direction: up}}}"
    engine = make_engine(rule, [WATER])
    draw, volume, told = random.Random(2), 1000.0, []
    for hour in range(24 * 14):
        volume += draw.uniform(0.1, 0.3) if 6 <= hour % 24 < 22 else 0.0
        told += engine.evaluate(reading("wm-1", at("2026-03-01 00:00") + hour * HOUR, volume_m3=volume))
    assert told == []
    for hour in range(24 * 14, 24 * 14 + 6):
        volume += 2.0
        told += engine.evaluate(reading("wm-1", at("2026-03-01 00:00") + hour * HOUR, volume_m3=volume))
    assert [one.kind for one in told] == ["fired"]
    assert told[0].evidence.unit == "m³/h"
    assert told[0].evidence.value == pytest.approx(2.0)


def test_local_time_counts_over_a_change_of_the_clocks() -> None:
    engine = make_engine(RULE, [METER], zone="Europe/Berlin")
    draw = random.Random(5)
    told = []
    for place in range(28 * 48):  # from March 8; the clocks go forward on March 29
        time = at("2026-03-08 00:00") + place * 30 * MINUTE
        offset = 2 if time >= at("2026-03-29 01:00") else 1
        opens = 8 <= (time // HOUR + offset) % 24 < 20
        told += engine.evaluate(reading("em-1", time, power_kw=(20 if opens else 5) + draw.uniform(-1, 1)))
    assert told == []


def test_runs_that_become_longer() -> None:
    rule = "- {id: long, when: {unlike_usual: {point: power_kw, of: runs, sensitivity: high}}}"
    engine = make_engine(rule, [{**METER, "interval": "1m"}])
    draw = random.Random(7)

    def run(first: int, last: int, extra: int) -> list[Transition]:
        told = []
        for minute in range(first, last):
            on = minute % 60 < 10 + minute // 60 % 3 + extra
            power = 2.0 + draw.uniform(-0.1, 0.1) if on else 0.0
            told += engine.evaluate(reading("em-1", at("2026-03-01 00:00") + minute * MINUTE, power_kw=power))
        return told

    assert run(0, 10 * 1440, 0) == []
    told = run(10 * 1440, 10 * 1440 + 360, 8)
    assert told[0].kind == "fired"
    details = told[0].evidence.details
    assert 10 <= float(details["on_min"]) <= 20
    assert 0.2 < float(details["limit_of_mean"]) < 2.0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=80), st.integers(0, 80), st.sampled_from(["value", "runs"]))
def test_a_restored_engine_tells_the_same(values: list[float], cut: int, of: str) -> None:
    rule = f"- {{id: odd, when: {{unlike_usual: {{point: power_kw, of: {of}, sensitivity: 2}}}}}}"
    taught = make_engine(rule, [METER])
    play(taught, rows(8))
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(taught.snapshot()))
    rest = [
        Reading("em-1", time, time, {"power_kw": value})
        for time, value in zip((after("8d") + place * 30 * MINUTE for place in range(80)), values, strict=False)
    ]
    first = [taught.evaluate(one) for one in rest]
    again = make_engine(rule, [METER])
    again.restore(state)
    second = [again.evaluate(one) for one in rest[:cut]]
    third = make_engine(rule, [METER])
    third.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(again.snapshot())))
    assert second + [third.evaluate(one) for one in rest[cut:]] == first


def test_values_that_are_no_numbers_teach_nothing() -> None:
    engine = make_engine(RULE, [METER])
    play(engine, rows(8))
    assert engine.evaluate(reading("em-1", after("8d"), power_kw=float("nan"))) == []
    assert engine.evaluate(reading("em-1", after("8d1m"), power_kw=float("inf"))) == []
    assert engine.evaluate(reading("em-1", after("8d2h"), power_kw=5)) == []


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("{point: event}", "event is no quantity"),
        ("{point: power_kw, sensitivity: 1}", "expected low, medium, high, or a number of days from 2 to 1000000"),
        ("{point: power_kw, sensitivity: extreme}", "got 'extreme'"),
        ("{point: power_kw, season: year}", "'none', 'day' or 'week'"),
        ("{point: power_kw, of: runs, direction: down}", "runs are judged by how much more they use"),
    ],
)
def test_what_it_refuses(keys: str, message: str) -> None:

    with pytest.raises(ValidationError, match=message):
        RuleFile.model_validate({"rules": [{"id": "odd", "when": {"unlike_usual": yaml.safe_load(keys)}}]})


def test_it_describes_itself() -> None:
    text = UnlikeUsual.model_validate({"point": "power_kw", "direction": "up", "sensitivity": "low"}).describe()
    assert text.en == "power_kw is higher than usual at this hour of such a day, as once in 1000 days"
    assert "高于同类日同一时刻的平时水平" in text.zh
    runs = UnlikeUsual.model_validate({"point": "power_kw", "of": "runs"}).describe()
    assert "runs longer, or more often, than usual" in runs.en
    assert "更久或更频繁" in runs.zh


def test_a_kind_without_the_register_does_not_fit() -> None:
    (device,) = make_site([METER]).register
    assert "volume_m3" in UnlikeUsual.model_validate({"point": "volume_m3"}).fits(device)
    assert UnlikeUsual.model_validate({"point": "energy_import_kwh"}).fits(device) == ""
