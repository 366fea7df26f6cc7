from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.register import Device
from rules.alerts import Subject
from rules.conditions.threshold import Threshold
from tests.rulebench import at, make_engine, make_site, reading
from tests.rules.conditions.alone import Alone, say

METERS: list[dict[str, object]] = [
    {"id": "a", "kind": "electricity_meter", "building": "A", "nominal_voltage": "230 V"},
    {"id": "b", "kind": "electricity_meter", "building": "A", "nominal_voltage": "400 V"},
]


def judge(condition: dict[str, Any], *values: float | bool | str) -> list[object]:
    point = condition["point"]
    node = Alone(Threshold.model_validate(condition), make_site(METERS[:1]), Subject("device", "a"))
    truths: list[object] = []
    for minute, value in enumerate(values):
        node.hear(say("a", minute * 60 * 10**9, {point: value}))
        truths.append(node.node.truth)
    return truths


@pytest.mark.parametrize(
    ("condition", "values", "truths"),
    [
        ({"above": "253 V"}, [253.0, 253.1, 253.0], [False, True, False]),
        (
            {"above": "253 V", "clear_below": "250 V"},
            [252.0, 254.0, 251.0, 250.0, 251.0],
            [False, True, True, False, False],
        ),
        ({"below": "207 V", "clear_above": "210 V"}, [206.0, 209.0, 210.0, 207.0], [True, True, False, False]),
        ({"outside": ["207 V", "253 V"]}, [206.0, 207.0, 253.0, 254.0], [True, False, False, True]),
        ({"above": "110 % of nominal_voltage"}, [253.0, 253.5], [False, True]),
        ({"above": "253 V"}, [float("nan"), 254.0, float("nan"), 1.0], [None, True, True, False]),
    ],
)
def test_values_beyond_a_bound(condition: dict[str, Any], values: list[float], truths: list[object]) -> None:
    assert judge({"point": "voltage_v", **condition}, *values) == truths


def test_words() -> None:
    assert judge({"point": "door", "equals": "open"}, "open", "closed", "open") == [True, False, True]
    assert judge({"point": "leak", "equals": True}, False, True) == [False, True]
    assert judge({"point": "event", "equals": "tamper"}, "tamper", "granted") == [True, False]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"point": "voltage_v"}, "expected one of above, below, outside and equals, got none"),
        ({"point": "voltage_v", "above": "1 V", "below": "2 V"}, "got above and below"),
        ({"point": "voltage_v", "equals": "high"}, "equals: voltage_v is compared with above, below or outside"),
        ({"point": "door", "above": 1}, "above: door is compared with equals"),
        ({"point": "door", "equals": "opened"}, "equals: door is never 'opened'; did you mean open?"),
        ({"point": "event", "equals": "x"}, "equals: event is never 'x'; expected one of closed, denied"),
        ({"point": "leak", "equals": "yes"}, "equals: leak is true or false, got 'yes'"),
        ({"point": "door", "equals": True}, "equals: door is a text, got True"),
        (
            {"point": "voltage_v", "above": "253 V", "clear_above": "250 V"},
            "clear_above goes with below",
        ),
        ({"point": "voltage_v", "outside": ["1 V", "2 V"], "clear_below": "2 V"}, "clear_below goes with above"),
        (
            {"point": "voltage_v", "above": "253 V", "clear_below": "254 V"},
            "clear_below lies above `above`, expected at or below it, got 254 V and 253 V",
        ),
        ({"point": "voltage_v", "below": "0.2 kV", "clear_above": "199 V"}, "clear_above lies below `below`"),
        ({"point": "voltage_v", "outside": ["253 V", "207 V"]}, "outside: expected [least, most], got 253 V and 207 V"),
        (
            {"point": "voltage_v", "outside": ["110 % of nominal_voltage", "90 % of nominal_voltage"]},
            "outside: expected [least, most]",
        ),
        ({"point": "leak", "equals": 1}, "equals"),
    ],
)
def test_what_cannot_be_meant_is_refused(condition: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Threshold.model_validate(condition)
    assert message in str(caught.value)


def test_a_rating_can_put_bounds_the_wrong_way_round() -> None:
    condition = Threshold.model_validate({"point": "voltage_v", "outside": ["90 % of nominal_voltage", "253 V"]})
    small, large = (Device.model_validate(meter) for meter in METERS)
    assert condition.fits(small) == ""
    assert condition.fits(large).startswith("outside: expected [least, most]")
    assert condition.fits(Device.model_validate({"id": "c", "kind": "electricity_meter"})) == "no nominal_voltage"


def test_a_place_is_told_with_the_device_that_shows_it() -> None:
    rule = "- {id: high, per: building, when: {threshold: {point: voltage_v, above: 110 % of nominal_voltage}}}"
    engine = make_engine(rule, METERS)
    assert engine.evaluate(reading("b", "2026-03-01 08:00", voltage_v=430)) == []
    (fired,) = engine.evaluate(reading("b", "2026-03-01 08:01", voltage_v=441))
    assert str(fired.subject) == "building A"
    assert (fired.evidence.device, fired.evidence.value, fired.evidence.limit) == ("b", 441.0, 440.0)
    assert fired.since == at("2026-03-01 08:01")
    assert engine.evaluate(reading("a", "2026-03-01 08:02", voltage_v=230)) == []
    (resolved,) = engine.evaluate(reading("b", "2026-03-01 08:03", voltage_v=400))
    assert resolved.kind == "resolved"


@pytest.mark.parametrize("before", [True, False, None])
def test_a_late_value_in_the_deadband_leaves_it_as_it_was(before: bool | None) -> None:
    condition = Threshold.model_validate({"point": "voltage_v", "above": "253 V", "clear_below": "250 V"})
    node = Alone(condition, make_site(METERS[:1]), Subject("device", "a")).node
    meant = [node.recall("a", "voltage_v", value, before) for value in (254.0, 252.0, 250.0, float("nan"))]
    assert meant == [True, before, False, before]
    assert node.recall("a", "current_a", 254.0, before) is before
    assert node.recall("b", "voltage_v", 254.0, before) is None


_BOUNDS = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)


@given(bounds=_BOUNDS, values=st.lists(st.integers(-5, 25).map(float)))
def test_with_a_deadband_it_follows_its_definition(bounds: list[int], values: list[float]) -> None:
    clear, above = bounds
    condition = {"point": "power_kw", "above": f"{above} kW", "clear_below": f"{clear} kW"}
    truth, expected = False, []
    for value in values:
        truth = value > above or (truth and value > clear)
        expected.append(truth)
    assert judge(condition, *values) == expected
