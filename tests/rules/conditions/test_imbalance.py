import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rules.alerts import Subject
from rules.conditions.imbalance import Imbalance
from tests.rulebench import make_engine, make_site, reading
from tests.rules.conditions.alone import Alone, say

METER = {"id": "a", "kind": "electricity_meter", "current_limit": "100 A"}
RULE = """
- id: voltage
  when: {imbalance: {points: [voltage_l1_v, voltage_l2_v, voltage_l3_v], above: 2 %}}
"""
PHASES = ["current_l1_a", "current_l2_a", "current_l3_a"]
CURRENTS: dict[str, object] = {"points": PHASES, "above": "20 %", "least": "10 % of current_limit"}


def make_node(condition: dict[str, object]) -> Alone:
    return Alone(Imbalance.model_validate(condition), make_site([METER]), Subject("device", "a"))


def test_the_example_of_the_standard() -> None:
    """NEMA MG 1, 14.36: 460, 467 and 450 V have an average of 459 and a deviation of 9, which is 1.96 %."""
    engine = make_engine(RULE.replace("2 %", "1.9 %"), [METER])
    (fired,) = engine.evaluate(reading("a", "2026-03-01 08:00", voltage_l1_v=460, voltage_l2_v=467, voltage_l3_v=450))
    evidence = fired.evidence
    assert (evidence.point, evidence.limit, evidence.unit) == ("imbalance", 1.9, "%")
    assert evidence.value == pytest.approx(1.9608, abs=1e-4)
    assert evidence.details == {
        "voltage_l1_v": 460.0, "voltage_l2_v": 467.0, "voltage_l3_v": 450.0, "mean": 459.0, "worst": "voltage_l3_v",
    }  # fmt: skip
    assert (
        make_engine(RULE, [METER]).evaluate(
            reading("a", "2026-03-01 08:00", voltage_l1_v=460, voltage_l2_v=467, voltage_l3_v=450)
        )
        == []
    )


def test_phases_may_come_in_messages_of_their_own() -> None:
    engine = make_engine(RULE, [METER])
    assert engine.evaluate(reading("a", "2026-03-01 08:00:00", voltage_l1_v=230)) == []
    assert engine.evaluate(reading("a", "2026-03-01 08:00:02", voltage_l2_v=230)) == []
    (fired,) = engine.evaluate(reading("a", "2026-03-01 08:00:04", voltage_l3_v=210))
    assert fired.kind == "fired"


def test_values_of_different_moments_are_not_compared() -> None:
    engine = make_engine(RULE, [METER])
    assert engine.evaluate(reading("a", "2026-03-01 08:00:00", voltage_l1_v=230, voltage_l2_v=230)) == []
    assert engine.evaluate(reading("a", "2026-03-01 08:00:11", voltage_l3_v=210)) == []
    assert engine.evaluate(reading("a", "2026-03-01 08:00:12", voltage_l1_v=210, voltage_l2_v=210)) == []


def test_a_change_of_all_phases_is_none_while_they_arrive() -> None:
    node = make_node({**CURRENTS, "least": "0 A"})
    for second, amount in enumerate((10.0, 50.0, 5.0)):
        assert node.hear(say("a", f"2026-03-01 08:00:0{second}", dict.fromkeys(PHASES, amount)))
        assert node.node.truth is False


def test_below_the_least_load_it_is_none() -> None:
    node = make_node(CURRENTS)
    node.hear(reading("a", "2026-03-01 08:00", current_l1_a=20, current_l2_a=4, current_l3_a=5))
    assert node.node.truth is False
    node.hear(reading("a", "2026-03-01 08:01", current_l1_a=20, current_l2_a=4, current_l3_a=6))
    assert node.node.truth is True
    node.hear(reading("a", "2026-03-01 08:02", current_l1_a=0, current_l2_a=0, current_l3_a=0))
    assert node.node.truth is False


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": ["current_l1_a"]}, "at least 2 items"),
        ({"points": ["current_l1_a", "voltage_l1_v"]}, "points: expected all in one unit, got A and V"),
        ({"points": ["current_l1_a", "current_l1_a"]}, "points: each once"),
        ({"above": "5 A"}, "expected share with its unit"),
        ({"above": "5 % of current_limit"}, "current_limit is in A, and the point in %"),
        ({"least": "5 V"}, "expected current with its unit"),
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Imbalance.model_validate({**CURRENTS, **change})
    assert message in str(caught.value)


def test_in_words() -> None:
    text = Imbalance.model_validate(CURRENTS).describe()
    assert text.en == (
        "current_l1_a, current_l2_a and current_l3_a differ from their mean by more than 20 %,"
        " while the mean is at least 10 % of current_limit"
    )
    assert text.zh == (
        "current_l1_a、current_l2_a、current_l3_a 偏离其平均值超过 20 %，且平均值不低于 current_limit 的 10 %"
    )


_PHASES = st.lists(st.integers(1, 1000).map(float), min_size=3, max_size=3)


@given(phases=_PHASES, factor=st.integers(1, 50), turn=st.integers(0, 2))
def test_order_and_scale_of_the_phases_do_not_matter(phases: list[float], factor: int, turn: int) -> None:
    def judge(values: list[float]) -> tuple[object, float]:
        node = make_node({**CURRENTS, "least": "0 A"})
        node.hear(say("a", "2026-03-01 08:00", dict(zip(PHASES, values, strict=True))))
        value = node.node.evidence().value
        assert isinstance(value, float)
        return node.node.truth, value

    mean = sum(phases) / 3
    expected = 100 * max(abs(value - mean) for value in phases) / mean
    assert judge(phases)[1] == pytest.approx(expected)
    turned = judge(phases[turn:] + phases[:turn])
    assert turned[1] == pytest.approx(expected)
    assert judge([value * factor for value in phases])[1] == pytest.approx(expected)
