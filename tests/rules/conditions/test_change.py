from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.durations import NANOSECONDS
from rules.alerts import Subject
from rules.conditions.change import SLOTS, Change
from tests.rulebench import at, make_engine, make_site, reading
from tests.rules.conditions.alone import Alone, say

SENSOR = {"id": "a", "kind": "sensor"}
SECOND = NANOSECONDS["s"]


def make_node(**condition: Any) -> Alone:  # noqa: ANN401 - as YAML has it
    return Alone(Change.model_validate(condition), make_site([SENSOR]), Subject("device", "a"))


def test_a_fall_is_told_with_its_values_and_is_over_when_the_window_has_passed_it() -> None:
    rule = "- {id: burst, when: {change: {point: pressure_bar, falls_by: 1 bar, within: 5m}}}"
    engine = make_engine(rule, [SENSOR])
    assert engine.evaluate(reading("a", "2026-03-01 08:00", pressure_bar=5.0)) == []
    assert engine.evaluate(reading("a", "2026-03-01 08:02", pressure_bar=4.5)) == []
    (fired,) = engine.evaluate(reading("a", "2026-03-01 08:04", pressure_bar=4.0))
    evidence = fired.evidence
    assert (evidence.value, evidence.limit, evidence.unit) == (-1.0, -1.0, "bar")
    assert evidence.details == {"from": 5.0, "to": 4.0, "within_s": 300.0}
    (resolved,) = engine.advance(at("2026-03-01 09:00"))
    assert resolved.at == at("2026-03-01 08:05") + 1


def test_a_slow_rise_is_none() -> None:
    node = make_node(point="temperature_c", rises_by="3 K", within="10m")
    for minute in range(60):
        node.hear(say("a", minute * 60 * SECOND, {"temperature_c": 20 + 0.25 * minute}))
        node.pass_time((minute * 60 + 59) * SECOND)
        assert node.node.truth is False


def test_a_rise_counts_from_the_lowest_value_and_not_from_the_first() -> None:
    node = make_node(point="temperature_c", rises_by="9 °F", within="10m")
    for second, value, truth in [
        (0, 22.0, False),
        (60, 18.0, False),
        (120, 22.9, False),
        (180, 23.0, True),
        (240, 22.0, False),
    ]:
        node.hear(say("a", second * SECOND, {"temperature_c": value}))
        assert node.node.truth is truth


def test_a_step_that_is_exactly_as_large_counts() -> None:
    node = make_node(point="pressure_bar", falls_by="0.3 bar", within="10m")
    node.hear(say("a", 0, {"pressure_bar": 0.7}))
    node.hear(say("a", SECOND, {"pressure_bar": 0.4}))
    assert node.node.truth is True


def test_memory_is_bounded_on_the_longest_rise() -> None:
    node = make_node(point="power_kw", rises_by="1 MW", within="1h")
    for second in range(5000):
        node.hear(say("a", second * SECOND, {"power_kw": float(second)}))
    _, _, _, times, values = node.node.snapshot()
    assert len(times) == len(values) <= SLOTS + 2


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"point": "power_kw", "within": "5m"}, "expected one of rises_by and falls_by, got none"),
        ({"point": "power_kw", "rises_by": "1 kW", "falls_by": "1 kW", "within": "5m"}, "got both"),
        ({"point": "power_kw", "rises_by": "0 kW", "within": "5m"}, "expected more than 0, got '0 kW'"),
        ({"point": "power_kw", "rises_by": "1 bar", "within": "5m"}, "expected active power"),
        ({"point": "volume_m3", "rises_by": "1 m³", "within": "5m"}, "volume_m3 is a meter's register"),
        ({"point": "door", "rises_by": 1, "within": "5m"}, "door is no number"),
        ({"point": "power_kw", "rises_by": "1 kW", "within": 5}, "expected a duration"),
    ],
)
def test_what_cannot_be_meant_is_refused(condition: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Change.model_validate(condition)
    assert message in str(caught.value)


def test_in_words() -> None:
    text = Change.model_validate({"point": "power_kw", "rises_by": "5 kW", "within": "90m"}).describe()
    assert (text.en, text.zh) == ("power_kw rises by 5 kW within 90m", "power_kw 在 90m 内上升 5 kW")


_VALUES = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 9)), min_size=1, max_size=40)


@given(values=_VALUES, rising=st.booleans())
def test_it_follows_its_definition(values: list[tuple[int, int]], rising: bool) -> None:
    """Values a slot or more apart: none is left out, and the window shows exactly what lies in it."""
    window, least = 60 * SECOND, 4
    node = make_node(point="power_kw", within="60s", **{"rises_by" if rising else "falls_by": f"{least} kW"})
    time, seen = 0, list[tuple[int, int]]()
    for pause, value in values:
        time += pause * SECOND
        node.pass_time(time)
        node.hear(say("a", time, {"power_kw": float(value)}))
        seen.append((time, value if rising else -value))
        lowest = min(earlier for moment, earlier in seen if moment >= time - window)
        assert node.node.truth is (seen[-1][1] - lowest >= least)
