import re

import pytest
from pydantic import TypeAdapter, ValidationError

from devices.register import Device
from rules.bounds import Bound, BoundField, GaugeName, NumberName, PointName, check_bound, check_step, miss_rating

BOUND: TypeAdapter[Bound] = TypeAdapter(BoundField)
METER = Device.model_validate(
    {"id": "em-1", "kind": "electricity_meter", "nominal_voltage": "230 V", "current_limit": "63 A"}
)


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("253 V", "V", 253.0),
        ("0.4 kV", "V", 400.0),
        ("30 L/h", "m³/h", 0.03),
        (0.85, "", 0.85),
        ("-1 kW", "kW", -1.0),
        ("50 °F", "°C", 10.0),
        ("110 % of nominal_voltage", "V", 253.0),
        ("110% of nominal_voltage", "V", 253.0),
        ("12.5 % of current_limit", "A", 7.875),
    ],
)
def test_bounds_are_numbers_in_the_unit_of_the_point(text: object, unit: str, number: float) -> None:
    bound = BOUND.validate_python(text)
    check_bound(bound, unit)
    assert bound.resolve(unit, METER) == number


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [("9 °F", "°C", 5.0), ("5 °C", "°C", 5.0), ("5 K", "°C", 5.0), ("6 dB", "dBm", 6.0), ("1 V", "V", 1.0)],
)
def test_differences_have_no_offset(text: str, unit: str, number: float) -> None:
    bound = BOUND.validate_python(text)
    check_step(bound, unit)
    assert bound.resolve_step(unit, None) == number


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("253 A", "V", "expected voltage with its unit such as 230 V, got '253 A', which is current"),
        (253, "V", "expected voltage with its unit such as 230 V, got '253', which has no unit"),
        ("85 %", "", "expected a number without unit, got '85 %'"),
        ("nan", "", "expected a finite number, got 'nan'"),
        (float("inf"), "", "expected a finite number, got 'inf'"),
        ("110 % of nominal_voltage", "A", "nominal_voltage is in V, and the point in A"),
        ("110 % of nominal_voltage", "", "nominal_voltage is in V, and the point in no unit"),
    ],
)
def test_what_does_not_go_with_a_point_is_told(text: object, unit: str, message: str) -> None:
    bound = BOUND.validate_python(text)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_bound(bound, unit)


@pytest.mark.parametrize("text", ["0 V", "-1 V"])
def test_a_difference_is_above_zero(text: str) -> None:
    with pytest.raises(ValueError, match=f"expected more than 0, got '{text}'"):
        check_step(BOUND.validate_python(text), "V")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("110 % of nominal_voltag", "got 'nominal_voltag'; did you mean nominal_voltage?"),
        ("110 % of the pipe", "expected a share of nominal_voltage, current_limit, flow_limit, got 'the pipe'"),
        ("0 % of flow_limit", "expected a share of more than 0 %, got '0 % of flow_limit'"),
        (True, "expected a quantity such as 253 V, or 110 % of nominal_voltage, got True"),
        (["253 V"], "expected a quantity such as 253 V"),
    ],
)
def test_what_is_no_bound_is_told(value: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        BOUND.validate_python(value)
    assert message in str(caught.value)


def test_bounds_are_written_as_they_were_read() -> None:
    assert BOUND.dump_json(BOUND.validate_python(" 30 L/h ")) == b'"30 L/h"'
    assert BOUND.validate_python("110% of flow_limit").describe().zh == "flow_limit 的 110 %"


def test_a_rating_that_is_missing_is_named() -> None:
    share = BOUND.validate_python("90 % of flow_limit")
    assert miss_rating([None, BOUND.validate_python("1 V"), share], METER) == "no flow_limit"
    with pytest.raises(ValueError, match="no flow_limit"):
        share.resolve("m³/h", METER)


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        (PointName, "voltage", "there is no point 'voltage'; did you mean voltage_v?"),
        (PointName, 5, "there is no point 5"),
        (NumberName, "door", "door is no number"),
        (GaugeName, "volume_m3", "volume_m3 is a meter's register, which only counts; expected a gauge such as"),
        (GaugeName, "leak", "leak is no number"),
    ],
)
def test_points_are_of_the_kind_that_is_needed(kind: type[str], name: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(name)
    assert message in str(caught.value)
