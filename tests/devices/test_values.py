"""Values of points: their types, vocabularies and limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import Undecodable
from devices.points import EVENTS, POINTS
from devices.values import VOCABULARY, check_value, shorten, suggest


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("voltage_v", 230.1, 230.1),
        ("voltage_v", 230, 230.0),
        ("voltage_v", -1, -1.0),
        ("energy_import_kwh", 2**63, 9.223372036854775808e18),
        ("leak", True, True),
        ("leak", False, False),
        ("door", "open", "open"),
        ("lock", "unlocked", "unlocked"),
        ("direction", "in", "in"),
        ("event", "forced_open", "forced_open"),
        ("reason", "", ""),
        ("reason", "过期", "过期"),
        ("alarm", "x" * 256, "x" * 256),
    ],
)
def test_a_value_of_the_right_type_is_taken(name: str, value: object, expected: object) -> None:
    taken = check_value(name, value)
    assert taken == expected
    assert type(taken) is POINTS[name].type


@pytest.mark.parametrize(
    ("name", "value", "reason", "hint"),
    [
        ("voltage_v", "230.1", "voltage_v: expected a number, got a text", ""),
        ("voltage_v", True, "voltage_v: expected a number, got true or false", ""),
        ("voltage_v", None, "voltage_v: expected a number, got null", ""),
        ("voltage_v", [230], "voltage_v: expected a number, got a list", ""),
        ("voltage_v", {}, "voltage_v: expected a number, got an object", ""),
        ("voltage_v", float("nan"), "voltage_v: expected a finite number", ""),
        ("voltage_v", float("-inf"), "voltage_v: expected a finite number", ""),
        ("voltage_v", 10**400, "voltage_v: expected a finite number", ""),
        ("leak", 1, "leak: expected true or false, got a number", ""),
        ("leak", "true", "leak: expected true or false, got a text", ""),
        ("alarm", 7, "alarm: expected a text, got a number", ""),
        ("alarm", "x" * 257, "alarm: longer than 256 characters", ""),
        ("door", "ajar", "door: not one of its words", "expected one of closed, open"),
        ("event", "Granted", "event: not one of its words", f"expected one of {', '.join(sorted(EVENTS))}"),
        ("voltge_l1_v", 230.1, "'voltge_l1_v' is no point", "did you mean voltage_l1_v?"),
        ("zzz", 230.1, "'zzz' is no point", ""),
        ("a\nb", 1, r"'a\nb' is no point", ""),
        ("x" * 1000, 1, f"'{'x' * 39}…' is no point", ""),
    ],
)
def test_any_other_value_is_refused_in_plain_words(name: str, value: object, reason: str, hint: str) -> None:
    with pytest.raises(Undecodable) as raised:
        check_value(name, value)
    assert (raised.value.reason, raised.value.hint) == (reason, hint)


def test_vocabularies_belong_to_points_that_are_texts() -> None:
    assert {POINTS[name].type for name in VOCABULARY} == {str}


@given(
    st.one_of(st.sampled_from(sorted(POINTS)), st.text()),
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())),
)
def test_a_value_is_taken_in_its_type_or_refused(name: str, value: object) -> None:
    try:
        taken = check_value(name, value)
    except Undecodable:
        return
    assert type(taken) is POINTS[name].type
    assert taken == value


def test_names_are_shortened_to_forty_characters() -> None:
    assert shorten("x" * 40) == "x" * 40
    assert shorten("x" * 41) == "x" * 39 + "…"


def test_only_near_names_are_suggested() -> None:
    assert suggest("temperature", POINTS) == "did you mean temperature_c?"
    assert suggest("qqqqqq", POINTS) == ""
