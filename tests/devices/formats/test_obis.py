"""OBIS codes: registers by their many spellings, worked by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.errors import Undecodable
from devices.formats.obis import Obis, compile_obis, read_obis
from devices.points import POINTS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    "code",
    [
        "1-0:1.8.0", "1-0:1.8.0*255", "1-1:1.8.0", "1.8.0", "1.8.0*255", "1.8", "1_8_0", "1-0_1_8_0", "1_0_1_8_0",
        "1_0_1_8_0_255", "1-0-1-8-0-255", "1.0.1.8.0.255", "0100010800FF", "0100010800ff", " 1-0:1.8.0 ",
    ],
)  # fmt: skip
def test_a_register_is_known_in_every_spelling(code: str) -> None:
    assert read_obis({code: "12.5*kWh"}) == {"energy_import_kwh": 12.5}


@pytest.mark.parametrize(
    "code",
    [
        "1-0:1.8.0*1", "1-0:1.8.0&99", "1-2:1.8.0", "1-0:1.6.0", "1-0:31.4.0", "0-0:1.8.0", "7-0:1.8.0", "0-0:96.1.1",
        "1-0:99.97.0", "C.1.0", "", "power", "1-0:1.8.x", "0100010800F", "1" * 33, "999.999.999",
    ],
)  # fmt: skip
def test_registers_of_the_past_and_of_other_things_are_passed_over(code: str) -> None:
    assert read_obis({code: "12.5*kWh"}) == {}


@pytest.mark.parametrize(
    ("codes", "points"),
    [
        ({"1.8.0": "6545766*Wh"}, {"energy_import_kwh": 6545.766}),
        ({"1.8.0": ("1.5", "MWh")}, {"energy_import_kwh": 1500.0}),
        ({"1.8.0": (12, "kWh"), "2.8.0": "3,5 kWh"}, {"energy_import_kwh": 12.0, "energy_export_kwh": 3.5}),
        ({"1.8.1": "001581.123*kWh", "1.8.2": "001435.706*kWh"}, {"energy_import_kwh": 3016.829}),
        ({"1.8.0": "9*kWh", "1.8.1": "5*kWh", "1.8.2": "3*kWh"}, {"energy_import_kwh": 9.0}),
        ({"2.8.1": "5*kWh"}, {"energy_export_kwh": 5.0}),
        ({"1.8.2": "5*kWh"}, {}),  # half of a register is none
        ({"1.8.1": "5*kWh", "1.8.3": "5*kWh"}, {}),
        ({"1.7.0": "00.244*kW", "2.7.0": "00.000*kW"}, {"power_kw": 0.244}),
        ({"1.7.0": "0*kW", "2.7.0": "2.601*kW"}, {"power_kw": -2.601}),
        ({"1.7.0": "002124.86*W"}, {"power_kw": 2.12486}),
        ({"2.7.0": "100*W"}, {"power_kw": -0.1}),
        ({"16.7.0": "-250*W", "1.7.0": "0*W"}, {"power_kw": -0.25}),
        ({"21.7.0": "1*kW", "22.7.0": "0*kW", "41.7.0": "0*kW", "42.7.0": "2*kW", "76.7.0": "3000*W"},
         {"power_l1_kw": 1.0, "power_l2_kw": -2.0, "power_l3_kw": 3.0}),
        ({"3.7.0": "0*var", "4.7.0": "166*var"}, {"reactive_power_kvar": -0.166}),
        ({"5.7.0": "0*kvar", "6.7.0": "0*kvar", "7.7.0": "0.504*kvar", "8.7.0": "0*kvar"},
         {"reactive_power_kvar": -0.504}),
        ({"9.7.0": "0*kVA", "10.7.0": "2*kVA"}, {"apparent_power_kva": 2.0}),
        ({"32.7.0": "230.1*V", "52.7.0": 229, "72.7.0": "228", "12.7.0": 231.5},
         {"voltage_l1_v": 230.1, "voltage_l2_v": 229.0, "voltage_l3_v": 228.0, "voltage_v": 231.5}),
        ({"31.7.0": "003*A", "51.7.0": "400*mA", "71.7.0": 5, "11.7.0": 8.4},
         {"current_l1_a": 3.0, "current_l2_a": 0.4, "current_l3_a": 5.0, "current_a": 8.4}),
        ({"14.7.0": "50.00*Hz", "13.7.0": 0.98, "1.4.0": "02.351*kW"},
         {"frequency_hz": 50.0, "power_factor": 0.98, "demand_kw": 2.351}),
        ({"13.7.0": "4.556"}, {}),
        ({"13.7.0": "-0.5"}, {"power_factor": -0.5}),
        ({"8-0:1.0.0": "12.345*m3", "8-0:2.0.0": "600*L/h"}, {"volume_m3": 12.345, "flow_m3_per_h": 0.6}),
        ({"9-0:1.0.0*255": 12.5}, {"volume_m3": 12.5}),
        ({"0-0:96.14.0": "0002"}, {"tariff": "2"}),
        ({"0-0:96.14.0": 1}, {"tariff": "1"}),
        ({"0-0:96.14.0": "0000"}, {"tariff": "0"}),
        ({"96.14.0": "T1"}, {"tariff": "T1"}),
        ({"1.8.0": "", "2.8.0": None, "32.7.0": "*V", "0-0:96.14.0": ""}, {}),
        ({"1-0:1.8.0": "1*kWh", "1-1:1.8.0": "2*kWh"}, {"energy_import_kwh": 1.0}),
    ],
)  # fmt: skip
def test_registers_give_points(codes: dict[str, object], points: dict[str, object]) -> None:
    assert read_obis(codes) == points


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        ({"1.8.0": 12.5}, "1-0:1.8.0: no unit"),
        ({"1.7.0": "12.5"}, "1-0:1.7.0: no unit"),
        ({"1.8.0": "12.5*kW"}, "1-0:1.8.0: not a unit of this register"),
        ({"1.8.0": "12.5*quux"}, "1-0:1.8.0: not a unit of this register"),
        ({"1.8.0": (12.5, 30)}, "1-0:1.8.0: expected a unit"),
        ({"1.8.0": "abc*kWh"}, "1-0:1.8.0: expected a number"),
        ({"1.8.0": (True, "kWh")}, "1-0:1.8.0: expected a number"),
        ({"1.8.0": [1]}, "1-0:1.8.0: expected a number"),
        ({"32.7.0": "1e999*V"}, "1-0:32.7.0: expected a number"),
        ({"0-0:96.14.0": "x" * 300}, "tariff: longer than 256 characters"),
    ],
)
def test_registers_that_cannot_be_read_are_undecodable(codes: dict[str, object], reason: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read_obis(codes)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("options", "item", "points"),
    [
        (Obis(energy="kWh"), {"1-0:1.8.0": 1234.5}, {"energy_import_kwh": 1234.5}),
        (Obis(energy="Wh", power="W"), {"1.8.0": 1234.5, "1.7.0": 230, "9.7.0": 250, "3.7.0": 50},
         {"energy_import_kwh": 1.2345, "power_kw": 0.23, "apparent_power_kva": 0.25, "reactive_power_kvar": 0.05}),
        (Obis(energy="Wh"), {"1.8.0": "1.5*kWh"}, {"energy_import_kwh": 1.5}),
        (Obis(path="meter.codes"), {"meter": {"codes": {"32.7.0": 230}}}, {"voltage_l1_v": 230.0}),
        (Obis(path="meter.codes"), {"meter": {}}, {}),
        (Obis(), {"1.8.0": {"value": 12.5, "unit": "kWh"}}, {"energy_import_kwh": 12.5}),
        (Obis(value="v", unit="u"), {"1.8.0": {"v": "12.5", "u": "kWh"}, "2.8.0": {}}, {"energy_import_kwh": 12.5}),
        (Obis(), [{"obis": "1-0:1.8.0", "value": 12.5, "unit": "kWh"}, {"obis": "x"}], {"energy_import_kwh": 12.5}),
        (Obis(code="id", energy="kWh"), [{"id": "1.8.0", "value": 12.5}], {"energy_import_kwh": 12.5}),
        (Obis(), [], {}),
    ],
)  # fmt: skip
def test_codes_are_found_in_messages(options: Obis, item: object, points: dict[str, object]) -> None:
    assert compile_obis(options)(item) == points


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("1.8.0", "expected OBIS codes: an object or a list"),
        ([12], "expected OBIS codes: objects with 'obis'"),
        ([{"code": "1.8.0"}], "expected OBIS codes: objects with 'obis'"),
        ({"1.8.0": 12.5}, "1-0:1.8.0: no unit"),
    ],
)
def test_what_holds_no_codes_is_undecodable(item: object, reason: str) -> None:
    with pytest.raises(Undecodable) as raised:
        compile_obis(Obis())(item)
    assert raised.value.reason == reason


@pytest.mark.parametrize("options", [{"path": "a.["}, {"energy": "kW"}, {"power": "kWh"}, {"code": ""}, {"unknown": 1}])
def test_wrong_options_are_refused_at_once(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Obis.model_validate(options)


@given(JSON | st.dictionaries(st.sampled_from(["1.8.0", "1.8.1", "32.7.0", "0-0:96.14.0", "13.7.0"]), JSON))
def test_whatever_comes_is_read_or_undecodable(item: Any) -> None:  # noqa: ANN401 - JSON is anything
    try:
        points = compile_obis(Obis(energy="kWh"))(item)
    except Undecodable:
        return
    assert all(type(value) is POINTS[name].type for name, value in points.items())
