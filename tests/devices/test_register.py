from typing import get_args

import pytest
from pydantic import ValidationError

from devices.points import POINTS
from devices.register import METERED, SERIES_TAGS, Device, Register, Replacement, Text, registers_of


def register(*devices: dict[str, object], tags: tuple[str, ...] = ()) -> Register:
    return Register.model_validate({"tags": tags, "devices": [{"kind": "door", **device} for device in devices]})


def test_the_smallest_device() -> None:
    device = Device.model_validate({"id": "door-1", "kind": "door"})
    assert (device.profile, device.address, device.topic, device.interval, device.tags) == (
        "canonical",
        "",
        "",
        None,
        {},
    )
    assert (device.building, device.floor, device.area) == ("", "", "")


def test_an_interval_is_nanoseconds() -> None:
    assert Device.model_validate({"id": "a", "kind": "door", "interval": "15m"}).interval == 900_000_000_000


@pytest.mark.parametrize("interval", [15, 15.0, True, "15", "0s", ""])
def test_an_interval_needs_a_unit_and_a_length(interval: object) -> None:
    with pytest.raises(ValidationError):
        Device.model_validate({"id": "a", "kind": "door", "interval": interval})


def test_a_register_survives_json() -> None:
    first = register(
        {"id": "a", "interval": "1h30m", "name": {"zh": "门"}, "tags": {"circuit": "x"}}, tags=("circuit",)
    )
    assert Register.model_validate_json(first.model_dump_json()) == first
    assert '"interval":"90m"' in first.model_dump_json()


@pytest.mark.parametrize("name", ["", " a", "a b", "a/b", "a+", "#", "-a", ".a", "电表", "a\n", "x" * 65])
def test_ids_that_are_not_safe_everywhere(name: str) -> None:
    with pytest.raises(ValidationError):
        Device.model_validate({"id": name, "kind": "door"})


@pytest.mark.parametrize("place", ["A", "1F", "教学楼", "Block 7", "B-2"])
def test_places_may_have_any_script(place: str) -> None:
    device = Device.model_validate({"id": "a", "kind": "door", "building": place, "floor": place, "area": place})
    assert (device.building, device.floor, device.area) == (place, place, place)


@pytest.mark.parametrize("place", [" A", "a,b", "a=b", "a/b", "a\\b", "a\nb", "a+b", "#"])
def test_places_hold_no_separators(place: str) -> None:
    with pytest.raises(ValidationError):
        Device.model_validate({"id": "a", "kind": "door", "building": place})


@pytest.mark.parametrize("value", ["", " x", "a\nb", "a\\", "x" * 65])
def test_tag_values_that_line_protocol_cannot_carry(value: str) -> None:
    with pytest.raises(ValidationError):
        Device.model_validate({"id": "a", "kind": "door", "tags": {"circuit": value}})


@pytest.mark.parametrize("name", [*SERIES_TAGS, *POINTS])
def test_a_tag_never_shares_a_name(name: str) -> None:
    with pytest.raises(ValidationError, match="is already the name of a"):
        Register.model_validate({"tags": [name]})


def test_devices_in_the_order_of_the_file() -> None:
    some = register({"id": "b"}, {"id": "a"})
    assert [device.id for device in some] == ["b", "a"]
    assert list(some.by_id()) == ["b", "a"]


def test_a_text_in_the_language_that_there_is() -> None:
    both, chinese = Text(en="door", zh="门"), Text(zh="门")
    assert [both.pick("en"), both.pick("zh"), chinese.pick("en")] == ["door", "门", "门"]
    assert Text().pick("en", "door-1") == "door-1"


def device(kind: str = "electricity_meter", **fields: object) -> Device:
    return Device.model_validate({"id": "a", "kind": kind, **fields})


def complaints(kind: str, **fields: object) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        device(kind, **fields)
    return [f"{error['loc'][0]}: {error['msg'].removeprefix('Value error, ')}" for error in caught.value.errors()]


def test_ratings_are_numbers_in_their_units() -> None:
    meter = device(nominal_voltage="230 V", current_limit="0.063 kA")
    assert (meter.nominal_voltage, meter.current_limit) == (230.0, 63.0)
    assert device("water_meter", flow_limit="30 L/h").flow_limit == 0.03


def test_ratings_are_written_with_their_units() -> None:
    meter = device(nominal_voltage="230 V", pulse_weight="1600 imp/kWh", rolls_over_at=" 24 bit ", ct_ratio="200/5")
    assert meter.model_dump(mode="json", exclude_defaults=True) == {
        "id": "a",
        "kind": "electricity_meter",
        "nominal_voltage": "230 V",
        "pulse_weight": "1600 imp/kWh",
        "ct_ratio": "200/5",
        "rolls_over_at": "24 bit",
    }
    assert Device.model_validate_json(meter.model_dump_json()) == meter


def test_what_belongs_to_another_kind() -> None:
    assert complaints("door", flow_limit="30 L/h", meter="A1", pulse_weight="10 L", ct_ratio="200/5") == [
        "meter: belongs to kind electricity_meter or water_meter, not door",
        "flow_limit: belongs to kind water_meter, not door",
        "pulse_weight: belongs to kind electricity_meter or water_meter, not door",
        "ct_ratio: belongs to kind electricity_meter, not door",
    ]
    assert complaints("water_meter", nominal_voltage="230 V", direction="in") == [
        "direction: belongs to kind door, not water_meter",
        "nominal_voltage: belongs to kind electricity_meter, not water_meter",
    ]


def test_a_field_left_empty_belongs_to_every_kind() -> None:
    assert device("door", meter="", ct_ratio="", flow_limit=None) == device("door")


def test_a_quantity_without_a_unit_is_asked_for_one() -> None:
    assert complaints("water_meter", pulse_weight=10, rolls_over_at=100000, flow_limit=3) == [
        "flow_limit: expected flow with its unit such as 30 L/h, got 3, which has no unit",
        "pulse_weight: expected volume with its unit such as 10 L, got '10', which has no unit",
        "rolls_over_at: expected volume with its unit such as 10 L, got '100000', which has no unit",
    ]
    assert len(complaints("water_meter", pulse_weight=10, rolls_over_at="24 bit")) == 1


def test_an_unknown_kind_is_the_only_complaint() -> None:
    assert len(complaints("gate", flow_limit="30 L/h", meter="A1", pulse_weight="x", rolls_over_at="24 bit")) == 1


def test_a_door_leads_from_one_area_to_another() -> None:
    door = device("door", area="hall", outside="yard", direction="in")
    assert (door.area, door.outside, door.direction) == ("hall", "yard", "in")
    assert complaints("door", area="hall", outside="hall") == [
        "outside: expected another area than the one behind the door; leave it out where it is outdoors"
    ]


def test_the_factor_of_transformers() -> None:
    meter = device(ct_ratio="200/5", vt_ratio="10000/100")
    assert {name: meter.factor(name) for name in POINTS if meter.factor(name) != 1} == {
        "energy_import_kwh": 4000.0, "energy_export_kwh": 4000.0,
        "power_kw": 4000.0, "power_l1_kw": 4000.0, "power_l2_kw": 4000.0, "power_l3_kw": 4000.0,
        "reactive_power_kvar": 4000.0, "apparent_power_kva": 4000.0, "demand_kw": 4000.0,
        "voltage_v": 100.0, "voltage_l1_v": 100.0, "voltage_l2_v": 100.0, "voltage_l3_v": 100.0,
        "current_a": 40.0, "current_l1_a": 40.0, "current_l2_a": 40.0, "current_l3_a": 40.0,
    }  # fmt: skip
    assert {device().factor(name) for name in POINTS} == {1.0}


def test_what_a_pulse_stands_for() -> None:
    water = device("water_meter", pulse_weight="10 L")
    assert {name: weight for name in POINTS if (weight := water.pulse_factor(name))} == {
        "volume_m3": 0.01,
        "backflow_m3": 0.01,
    }
    assert device(pulse_weight="1600 imp/kWh").pulse_factor("energy_import_kwh") == 0.000625
    assert device(pulse_weight="1600 imp/kWh", ct_ratio="200/5").pulse_factor("energy_import_kwh") == 0.025
    assert device().pulse_factor("energy_import_kwh") is None


def test_where_its_registers_roll_over() -> None:
    meter = device(rolls_over_at="100000 kWh", ct_ratio="200/5")
    assert (meter.rollover("energy_import_kwh"), meter.rollover("energy_export_kwh")) == (4_000_000.0, 4_000_000.0)
    assert (meter.rollover("volume_m3"), meter.rollover("power_kw"), device().rollover("energy_import_kwh")) == (
        None,
        None,
        None,
    )
    assert device("water_meter", pulse_weight="10 L", rolls_over_at="24 bit").rollover("volume_m3") == 167_772.16
    assert device(pulse_weight="1 kWh", rolls_over_at="8 bit", ct_ratio="10/5").rollover("energy_export_kwh") == 512.0


@pytest.mark.parametrize("text", [" x", "x ", "a\nb", "a\x00b", "\x00", "a\x00", "\uffff"])
def test_addresses_and_numbers_are_one_line(text: str) -> None:
    for name in ("address", "topic", "meter", "metering_point"):
        assert len(complaints("water_meter", **{name: text})) == 1
    assert complaints("door", name={"en": "a\x00b"}) == [
        "name: String should match pattern '^[^\\x00-\\x08\\x0b-\\x1f\\x7f\\ufffe\\uffff]*$'"
    ]


def test_spaces_around_a_name_are_no_part_of_it() -> None:
    assert device("door", name={"en": " Hall \n"}).name == Text(en="Hall")


def test_a_replacement() -> None:
    (replacement,) = Register.model_validate(
        {"replacements": [{"device": "a", "at": "2026-03-01T20:00:00+08:00", "final": 5, "first": "0 kWh"}]}
    ).replacements
    assert replacement == Replacement(
        device="a",
        at="2026-03-01T12:00:00Z",
        final="5",
        first="0 kWh",
    )
    assert replacement.at == 1_772_366_400_000_000_000
    assert '"at":"2026-03-01T12:00:00Z"' in replacement.model_dump_json()


@pytest.mark.parametrize(
    ("time", "message"),
    [
        (1_772_366_400, "expected a text such as 2026-11-22T08:00:00Z, got 1772366400"),
        ("2026-03-01", "expected a text such as 2026-11-22T08:00:00Z, got '2026-03-01'"),
        ("2026-03-01T12:00:00", "expected Z or an offset such as +08:00 at its end, got '2026-03-01T12:00:00'"),
        ("2026-02-30T12:00:00Z", "no such date or time of day, got '2026-02-30T12:00:00Z'"),
    ],
)
def test_a_replacement_needs_a_moment(time: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Replacement.model_validate({"device": "a", "at": time, "final": "1 kWh", "first": "0 kWh"})
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {message}"]


def test_a_replacement_may_name_every_register() -> None:
    choices = get_args(get_args(Replacement.model_fields["point"].annotation)[0])
    assert set(choices) == {point.name for point in POINTS.values() if point.kind == "register"}
    assert {name for kind in METERED for name in registers_of(kind)} == set(choices)
    assert registers_of("door") == []
