"""A backlog that comes late: the alert ends with the beginning that it would have had if all had come in order."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import msgpack

from devices.durations import NANOSECONDS
from devices.reading import Reading, Value
from rules.alerts import Transition
from rules.engine import Engine
from rules.rule import Rule
from tests.rulebench import START, at, make_site

M, H = NANOSECONDS["m"], NANOSECONDS["h"]
BEGIN = at(START)

POWER = {"threshold": {"point": "power_kw", "above": "10 kW", "clear_below": "5 kW"}}
VOLTAGE = {"threshold": {"point": "voltage_v", "outside": ["210 V", "250 V"]}}
DOOR = {"threshold": {"point": "door", "equals": "open"}}
SITE = make_site([{"id": name, "kind": "sensor", "building": "A"} for name in ("a", "b")])

values: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {
        "power_kw": st.sampled_from([1.0, 7.0, 7.0, 12.0]),
        "voltage_v": st.sampled_from([200.0, 230.0, 260.0]),
        "door": st.sampled_from(["open", "closed"]),
    }
)
parts = st.lists(st.sampled_from(["power_kw", "voltage_v", "door"]), unique=True, min_size=1)
partial = st.tuples(values, parts).map(lambda pair: {point: pair[0][point] for point in pair[1]})
trees = st.recursive(
    st.sampled_from([POWER, VOLTAGE, DOOR]),
    lambda below: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(below, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(below, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, below),
    ),
    max_leaves=5,
)


def make_rule(when: dict[str, Any], per: str = "device") -> Rule:
    """Its on-delay is longer than any course here, so that it is told of the last run alone."""
    return Rule.model_validate({"id": "rule", "per": per, "when": when, "for": "3h"})


def say(minute: int, values: dict[str, Value], *, received: int | None = None, device: str = "a") -> Reading:
    arrived = minute if received is None else received
    return Reading(device, BEGIN + minute * M, BEGIN + arrived * M, values, late=received is not None)


def judge(rule: Rule, readings: list[Reading], *, restarts: bool = False) -> tuple[list[Transition], int | None]:
    """What is told, and since when the alert is there in the end; None where there is none."""
    engine = Engine([rule], SITE, BEGIN)
    told: list[Transition] = []
    for reading in readings:
        told += engine.evaluate(reading)
        if restarts:
            state = msgpack.decode(msgpack.encode(engine.snapshot()))
            engine = Engine([rule], SITE, 0)
            told += engine.restore(state)
    told += engine.advance(BEGIN + 10 * H)
    return told, next((alert.since for alert in engine.alerts()), None)


def hold_back(course: list[dict[str, Value]], order: list[int]) -> list[Reading]:
    """The first and the last reading come in time, and those between after them, in an order."""
    last = len(course) - 1
    backlog = [say(number, course[number], received=last + 1) for number in order]
    return [say(0, course[0]), say(last, course[last]), *backlog]


@example(when={"all": [POWER, VOLTAGE]}, first={"power_kw": 12.0, "voltage_v": 230.0, "door": "open"},
         between=[{"power_kw": 7.0}, {"voltage_v": 260.0}, {"power_kw": 7.0}],
         last={"power_kw": 12.0, "voltage_v": 260.0})  # fmt: skip
@given(when=trees, first=values, between=st.lists(partial, max_size=8), last=values)
def test_a_backlog_in_order_leaves_what_order_would_have(
    when: dict[str, Any], first: dict[str, Value], between: list[dict[str, Value]], last: dict[str, Value]
) -> None:
    rule = make_rule(when)
    course = [first, *between, last]
    _, expected = judge(rule, [say(minute, values) for minute, values in enumerate(course)])
    late = hold_back(course, list(range(1, len(course) - 1)))
    told, since = judge(rule, late)
    if expected is not None and since is not None and since > BEGIN:
        assert since == expected
    assert [one.cause for one in told[1:]] == ["began_earlier"] * (len(told) > 1)
    assert judge(rule, late, restarts=True) == (told, since)


@given(when=trees, first=values, between=st.lists(partial, max_size=8), last=values, data=st.data())
def test_a_backlog_in_disorder_claims_no_more(
    when: dict[str, Any],
    first: dict[str, Value],
    between: list[dict[str, Value]],
    last: dict[str, Value],
    data: st.DataObject,
) -> None:
    rule = make_rule(when)
    course = [first, *between, last]
    _, expected = judge(rule, [say(minute, values) for minute, values in enumerate(course)])
    order = data.draw(st.lists(st.integers(1, len(course) - 2), max_size=20)) if between else []
    told, since = judge(rule, hold_back(course, order))
    if len(told) > 1 and set(order) >= set(range(1, len(course) - 1)):
        assert since is not None
        assert expected is not None
        assert expected <= since


@given(
    mine=st.lists(st.sampled_from([1.0, 7.0, 12.0]), min_size=1, max_size=8),
    others=st.lists(st.sampled_from([1.0, 7.0, 12.0]), min_size=10, max_size=10),
    when=st.sampled_from([POWER, {"not": {"not": POWER}}, {"not": POWER}, {"all": [POWER, {"not": DOOR}]}]),
)
def test_of_a_place_no_more_is_claimed_than_order_would_have(
    mine: list[float], others: list[float], when: dict[str, Any]
) -> None:
    rule = make_rule(when, "building")
    last = len(mine) + 1
    course = [1.0, *mine, 12.0]
    door: dict[str, Value] = {"door": "closed"}
    between = [say(minute, {"power_kw": others[minute], **door}, device="b") for minute in range(last)]
    ordered = [
        reading
        for minute in range(last)
        for reading in (say(minute, {"power_kw": course[minute], **door}), between[minute])
    ]
    end = say(last, {"power_kw": course[last], **door})
    backlog = [say(minute, {"power_kw": course[minute], **door}, received=last + 1) for minute in range(1, last)]
    _, expected = judge(rule, [*ordered, end])
    told, since = judge(rule, [ordered[0], *between, end, *backlog])
    if len(told) > 1:
        assert since is not None
        assert expected is not None
        assert expected <= since


@pytest.mark.parametrize(
    ("when", "since"),
    [
        ({"all": [POWER, VOLTAGE]}, 3),
        ({"any": [POWER, VOLTAGE]}, 1),
        ({"all": [POWER, {"not": DOOR}]}, 2),
        ({"all": [POWER, {"stuck": {"point": "voltage_v", "for": "2m"}}]}, None),
    ],
)
def test_what_joins_points_began_when_all_of_it_had(when: dict[str, Any], since: int | None) -> None:
    course: list[dict[str, Value]] = [
        {"power_kw": 1.0, "voltage_v": 230.0, "door": "open"},
        {"power_kw": 12.0, "voltage_v": 230.0, "door": "open"},
        {"power_kw": 12.0, "voltage_v": 230.0, "door": "closed"},
        {"power_kw": 7.0, "voltage_v": 260.0, "door": "closed"},
        {"power_kw": 7.0, "voltage_v": 260.0, "door": "closed"},
        {"power_kw": 12.0, "voltage_v": 260.0, "door": "closed"},
    ]
    _, found = judge(make_rule(when), hold_back(course, [1, 2, 3, 4]))
    assert found == (None if since is None else BEGIN + since * M)


def test_of_a_place_the_device_that_made_it_true_shows_that_it_began_earlier() -> None:
    rule = make_rule(POWER, "building")
    quiet: dict[str, Value] = {"power_kw": 1.0}
    high: dict[str, Value] = {"power_kw": 12.0}
    told, since = judge(
        rule,
        [
            say(0, quiet), say(0, quiet, device="b"), say(8, quiet, device="b"), say(9, high),
            say(3, high, received=9, device="b"), say(4, high, received=9), say(6, high, received=9),
        ],
    )  # fmt: skip
    assert since == BEGIN + 4 * M
    assert [one.kind for one in told] == ["fired", "amended"]
