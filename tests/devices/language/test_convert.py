"""From what stands in a message to a point's value."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import Undecodable
from devices.language.convert import compile_value
from devices.language.sources import PointSource
from devices.points import POINTS
from devices.reading import Value
from tests.profilebench import read_values, refuse


def value_of(payload: str, point: str, source: object) -> Value | None:
    """The value of a point that may be missing."""
    [values] = read_values(payload, points={point: source, "uptime_s": {"value": 0}})
    return values.get(point)


def test_path_is_where_it_stands() -> None:
    assert value_of('{"x": {"y": 230}}', "voltage_v", {"path": "x.y"}) == 230.0
    assert value_of('{"x": {"y": 230}}', "voltage_v", "x.y") == 230.0
    assert value_of('{"x": {"y": null}}', "voltage_v", "x.y") is None
    assert value_of("{}", "voltage_v", "x.y") is None


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("230", 230.0),
        ("230.5", 230.5),
        ('"230.1"', 230.1),
        ('"230,1"', 230.1),
        ('" 230 "', 230.0),
        ('"-1.5e3"', -1500.0),
        ('".5"', 0.5),
        ('"5."', 5.0),
        ('"+5"', 5.0),
        ("18446744073709551615", 18446744073709551615.0),
    ],
)
def test_numbers_may_come_as_text(raw: str, value: float) -> None:
    assert value_of(f'{{"x": {raw}}}', "voltage_v", "x") == value


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ('"230 V"', "voltage_v: expected a number, got a text"),
        ('"nan"', "voltage_v: expected a number, got a text"),
        ('"1_0"', "voltage_v: expected a number, got a text"),
        ('"٣"', "voltage_v: expected a number, got a text"),
        ('"1,234.5"', "voltage_v: expected a number, got a text"),
        ('""', "voltage_v: expected a number, got a text"),
        (f'"{"9" * 400}"', "voltage_v: expected a number, got a text"),
        ('"1e999"', "voltage_v: expected a finite number"),
        ("true", "voltage_v: expected a number, got true or false"),
        ("[230]", "voltage_v: expected a number, got a list"),
        ("{}", "voltage_v: expected a number, got an object"),
    ],
)
def test_what_is_no_number_is_refused(raw: str, reason: str) -> None:
    assert refuse(f'{{"x": {raw}}}', points={"voltage_v": "x"}) == reason


@pytest.mark.parametrize(
    ("raw", "value"), [("true", True), ('"true"', True), ('"False"', False), ('" FALSE "', False), ("false", False)]
)
def test_true_and_false_may_come_as_text(raw: str, value: bool) -> None:
    assert value_of(f'{{"x": {raw}}}', "leak", "x") is value


@pytest.mark.parametrize("raw", ["1", '"yes"', '"1"', "[]"])
def test_what_is_neither_true_nor_false_is_refused(raw: str) -> None:
    assert refuse(f'{{"x": {raw}}}', points={"leak": "x"}).startswith("leak: expected true or false, got ")


def test_a_text_point_takes_texts_and_whole_numbers() -> None:
    assert value_of('{"x": "door ajar"}', "alarm", "x") == "door ajar"
    assert value_of('{"x": 12345}', "credential", "x") == "12345"
    assert refuse('{"x": true}', points={"alarm": "x"}) == "alarm: expected a text, got true or false"
    assert refuse('{"x": "ajar"}', points={"door": "x"}) == "door: not one of its words"


# ── keys of a point ──────────────────────────────────────────────────────────────────────────────────────────────


def test_sum_adds_up_and_takes_away() -> None:
    source = {"sum": ["delivered", "-returned"], "unit": "Wh"}
    assert value_of('{"delivered": 5000, "returned": "1500"}', "energy_import_kwh", source) == 3.5
    assert value_of('{"delivered": 5000}', "energy_import_kwh", source) is None
    assert refuse('{"delivered": 5, "returned": []}', points={"energy_import_kwh": source}) == (
        "energy_import_kwh: expected numbers to add up"
    )


def test_value_is_a_constant_given_when_something_holds() -> None:
    source = {"value": "forced_open", "when": {"code": 7}}
    assert value_of('{"code": 7}', "event", source) == "forced_open"
    assert value_of('{"code": 8}', "event", source) is None
    assert value_of("{}", "leak", {"value": False}) is False


def test_when_lets_a_source_give_nothing() -> None:
    source = {"path": "v", "when": {"battery": {"present": False}}}
    assert value_of('{"v": 230}', "voltage_v", source) == 230.0
    assert value_of('{"v": 3, "battery": 80}', "voltage_v", source) is None


@pytest.mark.parametrize(
    ("combine", "value"), [("sum", 12.0), ("mean", 4.0), ("min", 2.0), ("max", 6.0), ("first", 4.0), ("last", 6.0)]
)
def test_combine_makes_one_number_of_several(combine: str, value: float) -> None:
    source = {"path": "x", "combine": combine}
    assert value_of('{"x": [4, "2", 6]}', "power_kw", source) == value
    assert value_of('{"x": {"a": 4, "b": 2, "c": 6}}', "power_kw", source) == value
    assert value_of('{"x": [null, "off"]}', "power_kw", source) is None
    assert value_of('{"x": 5}', "power_kw", source) == 5.0


def test_combine_none_takes_no_list() -> None:
    source = {"path": "x", "combine": "none"}
    assert value_of('{"x": 5}', "power_kw", source) == 5.0
    assert value_of('{"x": [5]}', "power_kw", source) is None
    assert value_of('{"x": {"a": 5}}', "power_kw", source) is None


def test_pattern_takes_the_value_out_of_a_text() -> None:
    source = {"path": "x", "pattern": "L1=([0-9.]+)V"}
    assert value_of('{"x": "L1=230.5V L2=0V"}', "voltage_l1_v", source) == 230.5
    assert value_of('{"x": "none"}', "voltage_l1_v", source) is None
    assert value_of('{"x": 5}', "voltage_l1_v", source) is None


@pytest.mark.parametrize(("raw", "value"), [("4", True), ("3", False), ('"6"', True), ("4.0", True)])
def test_bit_is_true_or_false(raw: str, value: bool) -> None:
    assert value_of(f'{{"x": {raw}}}', "leak", {"path": "x", "bit": 2}) is value


def test_a_bit_may_be_mapped_and_must_come_from_a_whole_number() -> None:
    source = {"path": "x", "bit": 0, "map": {True: "open", False: "closed"}}
    assert value_of('{"x": 3}', "door", source) == "open"
    assert refuse('{"x": 1.5}', points={"leak": {"path": "x", "bit": 0}}) == (
        "leak: expected a whole number to take a bit of"
    )
    assert refuse('{"x": "on"}', points={"leak": {"path": "x", "bit": 0}}) == (
        "leak: expected a whole number to take a bit of"
    )


@pytest.mark.parametrize(
    ("raw", "point", "words", "value"),
    [
        ("1", "leak", {0: False, 1: True}, True),
        ("1.0", "leak", {0: False, 1: True}, True),
        ('"1"', "leak", {0: False, 1: True}, True),
        ('"ON"', "leak", {"ON": True}, True),
        ("1", "leak", {"1": True}, True),
        ("true", "door", {True: "closed", False: "open"}, "closed"),
        ('"false"', "door", {True: "closed", False: "open"}, "open"),
        ('"True"', "door", {True: "closed", False: "open"}, "closed"),
        ('"low"', "battery_percent", {"low": 10}, 10.0),
        ('"?"', "leak", {"?": None, "x": True}, None),
        ('"1"', "alarm", {1: "number", "1": "text"}, "text"),
        ("1", "alarm", {1: "number", "1": "text"}, "number"),
    ],
)
def test_map_gives_the_points_value(raw: str, point: str, words: dict[object, object], value: Value | None) -> None:
    found = value_of(f'{{"x": {raw}}}', point, {"path": "x", "map": words})
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("raw", ["2", "true", '"on"', "[]", "{}"])
def test_a_value_that_the_map_does_not_list_is_refused(raw: str) -> None:
    assert refuse(f'{{"x": {raw}}}', points={"leak": {"path": "x", "map": {1: True}}}) == (
        "leak: a value that the profile's map does not list"
    )


def test_otherwise_stands_for_what_the_map_does_not_list() -> None:
    assert value_of('{"x": "jam"}', "alarm", {"path": "x", "map": {"ok": "none"}, "otherwise": "fault"}) == "fault"
    assert value_of('{"x": "jam"}', "lock", {"path": "x", "map": {"L": "locked"}, "otherwise": None}) is None


@pytest.mark.parametrize("raw", ["65535", "65535.0", '"65535"', '"-"'])
def test_sentinels_mean_that_nothing_was_measured(raw: str) -> None:
    source = {"path": "x", "sentinels": [65535, "-"], "scale": 0.01}
    assert value_of(f'{{"x": {raw}}}', "pressure_bar", source) is None
    assert value_of('{"x": 65534}', "pressure_bar", source) == pytest.approx(655.34)


def test_a_sentinel_of_one_is_not_true() -> None:
    assert value_of('{"x": true}', "leak", {"path": "x", "sentinels": [1]}) is True


def test_default_stands_for_what_is_left_out() -> None:
    assert value_of("{}", "power_kw", {"path": "x", "default": 0}) == 0.0
    assert value_of('{"x": null}', "leak", {"path": "x", "default": False}) is False
    assert value_of("{}", "door", {"path": "x", "default": 0, "map": {0: "closed", 1: "open"}}) == "closed"


@pytest.mark.parametrize(
    ("unit", "point", "raw", "value"),
    [
        ("Wh", "energy_import_kwh", "110046", 110.046),
        ("W min", "energy_import_kwh", "60000", 1.0),
        ("L", "volume_m3", '"1500"', 1.5),
        ("°F", "temperature_c", "212", 100.0),
        ("L/min", "flow_m3_per_h", "10", 0.6),
        ("kW", "power_kw", "5", 5.0),
        ("pulse", "volume_m3", "17", 17.0),
    ],
)
def test_unit_is_the_one_there(unit: str, point: str, raw: str, value: float) -> None:
    assert value_of(f'{{"x": {raw}}}', point, {"path": "x", "unit": unit}) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.5 kWh", 12.5), ("500 Wh", 0.5), ("0,5MWh", 500.0), ("3600 kJ", 1.0), ("-2 kWh", -2.0)],
)
def test_unit_written_is_the_one_in_the_text(text: str, value: float) -> None:
    assert value_of(f'{{"x": "{text}"}}', "energy_import_kwh", {"path": "x", "unit": "written"}) == pytest.approx(value)


def test_a_temperature_with_its_unit_has_its_offset_too() -> None:
    assert value_of('{"x": "68 °F"}', "temperature_c", {"path": "x", "unit": "written"}) == pytest.approx(20)
    source = {"path": "x", "unit": {"path": "u"}, "scale": 0.1}
    assert value_of('{"x": 680, "u": "°F"}', "temperature_c", source) == pytest.approx(20)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("5", "energy_import_kwh: expected a text with a number and its unit"),
        ('"5"', "energy_import_kwh: expected a text with a number and its unit"),
        ('"5 kW"', "energy_import_kwh: not a unit of this point"),
        ('"5 apples"', "energy_import_kwh: not a unit of this point"),
    ],
)
def test_a_written_unit_must_be_there_and_fit(raw: str, reason: str) -> None:
    points = {"energy_import_kwh": {"path": "x", "unit": "written"}}
    assert refuse(f'{{"x": {raw}}}', points=points) == reason


def test_unit_may_be_named_by_the_message() -> None:
    source = {"path": "x", "unit": {"path": "u"}}
    assert value_of('{"x": 1500, "u": "L"}', "volume_m3", source) == 1.5
    assert value_of('{"u": "L"}', "volume_m3", source) is None
    assert refuse('{"x": 1500}', points={"volume_m3": source}) == "volume_m3: no unit at u"
    assert refuse('{"x": 1500, "u": "kWh"}', points={"volume_m3": source}) == "volume_m3: not a unit of this point"


def test_scale_makes_the_number_one_in_the_unit() -> None:
    assert value_of('{"x": 496}', "power_kw", {"path": "x", "scale": 0.001}) == pytest.approx(0.496)
    assert value_of('{"x": 4}', "power_kw", {"path": "x", "scale": -2.5}) == -10.0
    assert value_of('{"x": 123}', "energy_import_kwh", {"path": "x", "scale": 10, "unit": "Wh"}) == pytest.approx(1.23)
    assert refuse('{"x": 1e308}', points={"power_kw": {"path": "x", "scale": 1e6}}) == (
        "power_kw: expected a finite number"
    )


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        ('{"kwh": 5, "wh": 9000}', 5.0),
        ('{"wh": 9000}', 9.0),
        ('{"kwh": null, "deep": {"wh": 7000}}', 7.0),
        ('{"kwh": 0, "wh": 9000}', 0.0),
        ('{"kwh": -1, "wh": 9000}', 9.0),
        ("{}", None),
    ],
)
def test_of_several_sources_the_first_that_gives_a_value_holds(payload: str, value: float | None) -> None:
    sources = [{"path": "kwh", "sentinels": [-1]}, {"path": "wh", "unit": "Wh"}, {"path": "deep.wh", "unit": "Wh"}]
    assert value_of(payload, "energy_import_kwh", sources) == value


def test_sources_of_one_point_keep_their_order_beside_those_of_others() -> None:
    """Look-ups in one object are made together; which source of a point holds must not change by that."""
    points = {
        "power_kw": ["b.x", "a.x", "b.y"],
        "voltage_v": ["a.y", "b.y"],
        "current_a": [{"path": "l[1]"}, "a.x", {"path": "l[0]"}],
    }
    [values] = read_values('{"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 4}, "l": [5, 6]}', points=points)
    assert values == {"power_kw": 3.0, "voltage_v": 2.0, "current_a": 6.0}
    [values] = read_values('{"a": {"x": 1}, "b": {"y": 4}, "l": [5]}', points=points)
    assert values == {"power_kw": 1.0, "voltage_v": 4.0, "current_a": 1.0}


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────

RAWS = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["12 kWh", "1e308 GWh", "-", "ON", "true", "9" * 59, "5 °F", "1e999"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=3)),
    max_leaves=5,
)
SOURCES = st.sampled_from(
    [
        PointSource.model_validate({"path": "x"} | more)
        for more in (
            {},
            {"scale": 1e12},
            {"unit": "written"},
            {"sentinels": [65535, "-"]},
            {"combine": "sum"},
            {"combine": "mean", "scale": -1e12},
            {"pattern": "([0-9]+)"},
            {"map": {"ON": 1, 5: None, True: 2}},
            {"map": {"ON": 1}, "otherwise": None},
        )
    ],
)


@given(RAWS, SOURCES)
def test_whatever_is_found_becomes_a_value_of_the_point_or_is_refused(raw: object, source: PointSource) -> None:
    if raw is None:
        return
    try:
        value = compile_value("energy_import_kwh", source)(raw)
    except Undecodable as error:
        assert error.reason.startswith("energy_import_kwh: ")  # noqa: PT017 - either is right
        return
    assert value is None or (type(value) is float and math.isfinite(value))


@given(st.sampled_from(sorted(POINTS)), RAWS)
def test_whatever_is_found_has_the_points_own_type_or_is_refused(name: str, raw: object) -> None:
    try:
        value = compile_value(name, PointSource(path="x"))(raw)
    except Undecodable:
        return
    assert type(value) is POINTS[name].type
