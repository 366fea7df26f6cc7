from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Subject
from rules.conditions.clock_skew import ClockSkew
from tests.rulebench import START, at, make_engine, make_site
from tests.rules.conditions.test_everyday_laws import Listening

METER: dict[str, object] = {"id": "a", "kind": "electricity_meter", "building": "A"}
S, M, H, D = (NANOSECONDS[unit] for unit in "smhd")
BEGIN = at(START)


def make_node(above: str = "5m", **device: object) -> Listening:
    condition = ClockSkew.model_validate({"above": above})
    return Listening(condition, make_site([{**METER, **device}]), Subject("device", "a"), BEGIN)


def say(received: int, behind: int, *, believed: bool = True, late: bool = False) -> Reading:
    """A reading that arrives so long after the beginning, with a time so far behind that."""
    arrived = BEGIN + received
    if believed:
        return Reading("a", arrived - behind, arrived, {"power_kw": 1.0}, late)
    return Reading("a", arrived, arrived, {"power_kw": 1.0}, late, arrived - behind)


def hear(node: Listening, *readings: Reading) -> list[bool | None]:
    """The truth after each reading."""
    truths = []
    for reading in readings:
        node.hear(reading)
        truths.append(node.node.truth)
    return truths


def test_a_clock_that_is_ahead_shows_at_once_and_is_right_again_with_the_first_good_reading() -> None:
    node = make_node()
    course = [(0, -299), (60, -301), (120, -200), (180, -151), (240, -150), (300, -200)]
    truths = hear(node, *(say(time * S, behind * S) for time, behind in course))
    assert truths == [False, True, True, True, False, False]
    evidence = node.node.evidence()
    assert (evidence.device, evidence.point, evidence.value, evidence.limit, evidence.unit) == (
        "a", "clock_skew", 301.0, 300.0, "s",
    )  # fmt: skip
    assert evidence.details == {"clock": "fast"}


@pytest.mark.parametrize(("behind", "direction"), [(-6 * M, "fast"), (56 * 365 * D, "slow")])
def test_a_time_that_was_not_believed_shows_at_once(behind: int, direction: str) -> None:
    node = make_node()
    assert hear(node, say(0, 0), say(M, behind, believed=False), say(2 * M, 0)) == [False, True, False]
    assert node.node.evidence().details == {"clock": direction}


def test_a_clock_that_is_behind_shows_after_two_hours_of_the_same_offset() -> None:
    node = make_node()
    truths = hear(node, *(say(quarter * 15 * M, H + quarter % 3 * S) for quarter in range(12)))
    assert truths == [None] * 8 + [True] * 4
    assert node.node.evidence().value == 3600.0
    assert hear(node, say(3 * H, 3 * M), say(3 * H + M, 150 * S)) == [True, False]


def test_late_readings_count_too() -> None:
    """A clock that is set back a day sends nothing but late readings for a day."""
    node = make_node()
    node.hear(say(0, 0))
    assert hear(node, *(say(hour * H, D, late=True) for hour in (1, 2, 3)))[-1] is True


def test_a_meter_may_write_the_beginning_of_its_interval() -> None:
    truths = [
        hear(make_node(**device), *(say(quarter * 15 * M, 15 * M) for quarter in range(12)))[-1]
        for device in ({}, {"interval": "15m"}, {"interval": "5m"})
    ]
    assert truths == [True, False, True]


@given(
    st.integers(1, 40).map(lambda hours: hours * H),
    st.integers(2, 600),
    st.sampled_from([10 * S, M, 7 * M]),
)
def test_a_backlog_that_drains_is_no_clock(outage: int, speed: int, pause: int) -> None:
    """Oldest first, `speed` hundredths faster than what is new comes to it."""
    node = make_node()
    behind, arrived = outage, 0
    while behind > 0:
        node.hear(say(arrived, behind))
        assert node.node.truth is not True
        arrived += pause
        behind -= pause * speed // 100
        if arrived > 12 * H:
            return


@given(st.lists(st.tuples(st.integers(0, 2 * H), st.integers(0, 3 * D)), max_size=60))
def test_whatever_is_held_back_a_clock_that_is_right_now_and_then_is_right(course: list[tuple[int, int]]) -> None:
    node = make_node()
    arrived = 0
    for pause, behind in course:
        arrived += pause
        for reading in (say(arrived, 0), say(arrived, behind, late=True)):
            node.hear(reading)
            assert node.node.truth is False


def test_of_a_place_any_clock_may_be_off_and_the_engine_tells_which() -> None:
    rule = "- {id: clock, per: building, when: {clock_skew: {above: 5m}}, for: 1m}"
    engine = make_engine(rule, [METER, {**METER, "id": "b"}])
    engine.evaluate(say(0, 0))
    other = say(M, -10 * M, believed=False)
    other.device = "b"
    assert engine.evaluate(other) == []
    (fired,) = engine.advance(BEGIN + 2 * M)
    assert (str(fired.subject), fired.since, fired.evidence.device) == ("building A", BEGIN + M, "b")


@pytest.mark.parametrize("wrong", [{}, {"above": 0}, {"above": "-5m"}, {"above": "5 kW"}])
def test_what_is_no_bound_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="above"):
        ClockSkew.model_validate(wrong)


def test_in_words() -> None:
    words = ClockSkew.model_validate({"above": "5m"}).describe()
    assert words.en == "the device's clock is off by more than 5m, until it is off by half of that"
    assert words.zh == "设备时钟偏差大于 5m，直到偏差回到一半以内"
