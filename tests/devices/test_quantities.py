import subprocess
import sys
from math import isfinite
from typing import Annotated

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from devices.points import POINTS
from devices.quantities import Quantity, convert_factor, known_unit, parse_quantity, write_quantity

UNITS = sorted({point.unit for point in POINTS.values() if point.unit})


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("253 V", "V", 253.0),
        ("253V", "V", 253.0),
        ("  253 V ", "V", 253.0),
        ("２５３Ｖ", "V", 253.0),
        ("10 kV", "V", 10_000.0),
        ("30 L/h", "m³/h", 0.03),
        ("5 L/min", "m³/h", 0.3),
        ("2 L/s", "m³/h", 7.2),
        ("2 m3/h", "m³/h", 2.0),
        ("2 m³/h", "m³/h", 2.0),
        ("2 ㎥/h", "m³/h", 2.0),
        ("2 立方米/小时", "m³/h", 2.0),
        ("12 l⋅h⁻¹", "m³/h", 0.012),
        ("10 L", "m³", 0.01),
        ("10 升", "m³", 0.01),
        ("3 cm3", "m³", 3e-06),
        ("1 gal", "m³", 0.003785411784),
        ("1 ft³", "m³", 0.028316846592),
        ("1 Wh", "kWh", 0.001),
        ("1.5 MWh", "kWh", 1500.0),
        ("3.6 MJ", "kWh", 1.0),
        ("60000 W min", "kWh", 1.0),
        ("60000 Wmin", "kWh", 1.0),
        ("2 kW·h", "kWh", 2.0),
        ("7 KWH", "kWh", 7.0),
        ("7 kwh", "kWh", 7.0),
        ("7 度", "kWh", 7.0),
        ("7 千瓦时", "kWh", 7.0),
        ("1500 var", "kvar", 1.5),
        ("1.5 kVAr", "kvar", 1.5),
        ("1500 VA", "kVA", 1.5),
        ("1500 mA", "A", 1.5),
        ("20 °C", "°C", 20.0),
        ("20 ℃", "°C", 20.0),
        ("-40 °F", "°C", -40.0),
        ("68 °F", "°C", 20.0),
        ("273.15 K", "°C", 0.0),
        ("45 %", "%", 45.0),
        ("45 %RH", "%", 45.0),
        ("0.04 %", "ppm", 400.0),
        ("95 %", "", 0.95),
        ("0.95", "", 0.95),
        ("0.4 MPa", "bar", 4.0),
        ("400 kPa", "bar", 4.0),
        ("100 psi", "bar", 6.894757293168361),
        ("-90 dBm", "dBm", -90.0),
        ("7.5 dB", "dB", 7.5),
        ("2 min", "s", 120.0),
        ("500 cm", "m", 5.0),
        ("1e3 W", "kW", 1.0),
        ("+.5 kW", "kW", 0.5),
    ],
)
def test_a_quantity(text: str, unit: str, value: float) -> None:
    assert parse_quantity(text, unit) == value


ENERGY = "expected active energy with its unit such as 1234.5 kWh, got "
POWER = "expected active power with its unit such as 3.5 kW, got "
FLOW = "expected flow with its unit such as 30 L/h, got "
PRESSURE = "expected pressure with its unit such as 3 bar, got "
VOLUME = "expected volume with its unit such as 10 L, got "


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("", "kW", f"{POWER}''"),
        ("kW", "kW", f"{POWER}'kW'"),
        ("5", "kW", f"{POWER}'5', which has no unit"),
        ("5 kvar", "kW", f"{POWER}'5 kvar', which is reactive power"),
        ("5 kVA", "kW", f"{POWER}'5 kVA', which is apparent power"),
        ("5 kWh", "kW", f"{POWER}'5 kWh', which is active energy"),
        ("5 kvarh", "kWh", f"{ENERGY}'5 kvarh', which is reactive energy"),
        ("20度", "°C", "expected temperature with its unit such as 21 °C, got '20度', which is active energy"),
        ("5 V A", "kW", f"{POWER}'5 V A', which is something else"),
        ("5 m2", "m", "expected length with its unit such as 5 m, got '5 m2', which is something else"),
        ("12,5 kWh", "kWh", f"{ENERGY}'12,5 kWh'; write a decimal point, and nothing between thousands"),
        ("1 000 kWh", "kWh", f"{ENERGY}'1 000 kWh'; write a decimal point, and nothing between thousands"),
        ("1'000 kWh", "kWh", f"{ENERGY}\"1'000 kWh\"; write a decimal point, and nothing between thousands"),
        ("5 kWhh", "kWh", f"{ENERGY}'5 kWhh'; did you mean kWh?"),
        ("5 Mw", "kW", f"{POWER}'5 Mw'; write mW or MW"),
        ("5 mWh", "kWh", f"{ENERGY}'5 mWh'; write MWh"),
        ("5 吨", "m³", f"{VOLUME}'5 吨'; that is a mass; of water, write its volume in m³"),
        ("5 t", "m³", f"{VOLUME}'5 t'; that is a mass; of water, write its volume in m³"),
        ("2 t/h", "m³/h", f"{FLOW}'2 t/h'; that is a mass; of water, write its volume in m³"),
        ("5 方", "m³", f"{VOLUME}'5 方'; write m³"),
        ("5 公斤", "bar", f"{PRESSURE}'5 公斤'; that is a mass; of a pressure, write bar or MPa"),
        ("5 Ls", "m³", f"{VOLUME}'5 Ls'; did you mean L/s?"),
        ("5 m³/L/h", "m³/h", f"{FLOW}'5 m³/L/h'; did you mean L/h?"),
        ("5 kW/m*h", "kW", f"{POWER}'5 kW/m*h'; did you mean kWh?"),
        ("5 delta_degC", "°C", "expected temperature with its unit such as 21 °C, got '5 delta_degC'"),
        ("1e999 kW", "kW", f"{POWER}'1e999 kW', which is beyond all measure"),
        ("9" * 100 + " kW", "kW", f"{POWER}'{'9' * 39}…'"),
        ("5 " + "k" * 100, "kW", f"{POWER}'5 {'k' * 37}…'"),
    ],
)  # fmt: skip
def test_what_is_no_quantity(text: str, unit: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared as a whole
        parse_quantity(text, unit)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("unit", "into", "factor"),
    [
        ("Wh", "kWh", (0.001, 0.0)),
        ("W min", "kWh", (1 / 60_000, 0.0)),
        ("°F", "°C", (5 / 9, -160 / 9)),
        ("K", "°C", (1.0, -273.15)),
        ("L", "m³", (0.001, 0.0)),
        ("m3", "m³", (1.0, 0.0)),
        ("L/min", "m³/h", (0.06, 0.0)),
        ("kvar", "kvar", (1.0, 0.0)),
        ("%", "", (0.01, 0.0)),
        ("", "%", (100.0, 0.0)),
        ("ms", "s", (0.001, 0.0)),
    ],
)
def test_a_factor(unit: str, into: str, factor: tuple[float, float]) -> None:
    assert convert_factor(unit, into) == factor


def test_a_factor_that_there_is_not() -> None:
    expected = "expected a unit of active energy (kWh, Wh, MWh, MJ), got "
    for unit, message in {
        "kvarh": f"{expected}'kvarh', which is reactive energy",
        "kwhh": f"{expected}'kwhh'; did you mean kWh?",
        "zzz": f"{expected}'zzz'",
        "z" * 50: f"{expected}'{'z' * 39}…'",
    }.items():
        for _ in range(2):  # the second time from memory
            with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared as a whole
                convert_factor(unit, "kWh")
            assert str(caught.value) == message


def test_known_units() -> None:
    assert all(known_unit(unit) for unit in [*UNITS, "", "W min", "m3/h", "gal", "psi", "mA"])
    assert not any(
        known_unit(unit) for unit in ["kWhh", "吨", "5 kW", "kW**9", "m9", "/h", "k W", "kW//h", "x" * 10**6]
    )


@pytest.mark.parametrize("unit", [*UNITS, "kvarh", "kVAh", "m"])
def test_every_unit_that_is_kept_is_one(unit: str) -> None:
    assert convert_factor(unit, unit) == (1.0, 0.0)
    assert known_unit(unit)


@given(value=st.floats(allow_nan=False, allow_infinity=False), unit=st.sampled_from(UNITS))
@example(value=5e-324, unit="kWh")
@example(value=-0.0, unit="°C")
def test_what_is_written_is_read_as_exactly_that(value: float, unit: str) -> None:
    assert parse_quantity(write_quantity(value, unit), unit) == value


@given(value=st.integers(0, 10**12), name=st.sampled_from(["Wh", "L", "mA", "kPa"]))
def test_decimal_units_keep_decimal_digits(value: int, name: str) -> None:
    scale, into = {"Wh": (1000, "kWh"), "L": (1000, "m³"), "mA": (1000, "A"), "kPa": (100, "bar")}[name]
    assert parse_quantity(f"{value} {name}", into) == value / scale


PARTS = [*"kWhmLC²⁻¹/*·^° %-(度3", "**", "1e9"]


@given(
    text=st.text(max_size=80) | st.lists(st.sampled_from(PARTS), max_size=12).map("".join),
    unit=st.sampled_from([*UNITS, ""]),
)
@example(text="1 kW^3*kW^3*kW^3*kW^3*kW^3*kW^3", unit="kW")
@example(text="1 h⁻³", unit="s")
@example(text="1 °C h", unit="°C")
def test_whatever_is_written_is_read_or_told(text: str, unit: str) -> None:
    message = "expected "
    try:
        value = parse_quantity(text, unit)
    except ValueError as error:
        value, message = 0.0, str(error)
    assert isfinite(value)
    assert message.startswith("expected ")
    assert len(message) < 300


class Limits(BaseModel):
    flow: Annotated[float, Quantity("m³/h"), Field(gt=0)] | None = None


def test_a_field_of_a_model() -> None:
    limits = Limits.model_validate({"flow": "30 L/h"})
    assert limits.flow == 0.03
    assert limits.model_dump_json() == '{"flow":"0.03 m³/h"}'
    assert Limits.model_validate_json(limits.model_dump_json()) == limits


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (30, "expected flow with its unit such as 30 L/h, got 30, which has no unit"),
        ("30 L", "expected flow with its unit such as 30 L/h, got '30 L', which is volume"),
        ("0 L/h", "Input should be greater than 0"),
        ([], "expected flow with its unit such as 30 L/h, got []"),
    ],
)
def test_a_field_that_is_wrong(value: object, message: str) -> None:
    with pytest.raises(ValidationError, match="flow") as caught:
        Limits.model_validate({"flow": value})
    assert caught.value.errors()[0]["msg"].removeprefix("Value error, ") == message


def test_what_editors_know_of_a_field() -> None:
    (schema, _) = Limits.model_json_schema()["properties"]["flow"]["anyOf"]
    assert (schema["type"], schema["examples"]) == ("string", ["30 L/h"])


def test_units_are_loaded_when_they_are_needed() -> None:
    script = "import sys, devices.register; assert 'pint' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
