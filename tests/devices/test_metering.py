import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.metering import parse_pulse_weight, parse_ratio, parse_rollover


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("200/5", 40.0), ("200 / 5", 40.0), ("2000/5", 400.0), ("10000/100", 100.0), ("1/1", 1.0), ("37.5/5", 7.5)],
)
def test_a_ratio(text: str, ratio: float) -> None:
    assert parse_ratio(text) == ratio


@pytest.mark.parametrize("text", ["", "40", "200:5", "200/0", "-200/5", "2000-05-01", "200/5/1", "1e9/1", "２００/５"])
def test_what_is_no_ratio(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected primary/secondary such as 200/5, got '"):
        parse_ratio(text)


def test_a_ratio_the_wrong_way_round() -> None:
    with pytest.raises(ValueError, match=r"^expected the primary in front, 200/5, got '5/200'$"):
        parse_ratio("5/200")


@pytest.mark.parametrize(
    ("text", "unit", "weight"),
    [
        ("10 L", "m³", 0.01),
        ("10 L/imp", "m³", 0.01),
        ("10 L / pulse", "m³", 0.01),
        ("1 Wh", "kWh", 0.001),
        ("1600 imp/kWh", "kWh", 0.000625),
        ("1600 imp./kWh", "kWh", 0.000625),
        ("100 pulses / m3", "m³", 0.01),
    ],
)
def test_a_pulse_weight(text: str, unit: str, weight: float) -> None:
    assert parse_pulse_weight(text, unit) == weight


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10", "expected volume with its unit such as 10 L, got '10', which has no unit"),
        ("1 Wh", "expected volume with its unit such as 10 L, got '1 Wh', which is active energy"),
        ("0 L", "expected more than 0, got '0 L'"),
        ("-1 L", "expected more than 0, got '-1 L'"),
        ("0 imp/m3", "expected volume with its unit such as 10 L, got '0 imp/m3'"),
        ("5 imp/kWh", "expected a unit of volume (m³, L, mL, ft³, gal), got 'kWh', which is active energy"),
    ],
)
def test_what_is_no_pulse_weight(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared as a whole
        parse_pulse_weight(text, "m³")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "weight", "width"),
    [
        ("100000 m³", None, 100_000.0),
        ("100000 m³", 0.01, 100_000.0),
        ("10000000 L", None, 10_000.0),
        ("99 m3", None, 99.0),
        ("24 bit", 0.01, 167_772.16),
        ("32 bits", 1.0, 4_294_967_296.0),
        ("24bit", 0.001, 16_777.216),
    ],
)
def test_where_a_register_rolls_over(text: str, weight: float | None, width: float) -> None:
    assert parse_rollover(text, "m³", weight) == width


@pytest.mark.parametrize(
    ("text", "weight", "message"),
    [
        ("24 bit", None, "'24 bit' counts pulses: give their pulse_weight, or write a quantity in m³"),
        ("7 bit", 0.01, "expected 8 to 64 bits, got '7 bit'"),
        ("999 bit", 0.01, "expected 8 to 64 bits, got '999 bit'"),
        ("99999 方", None, "expected volume with its unit such as 10 L, got '99999 方'; write m³"),
        ("65 bit", 0.01, "expected 8 to 64 bits, got '65 bit'"),
        ("6 digits", None, "'6 digits' leaves the unit open; write where it starts again from zero: 1000000 m³"),
        (
            "99999.999 m³",
            None,
            "'99999.999 m³' is the last that it shows; write where it starts again from zero: 100000 m³",
        ),
        ("999 m³", None, "'999 m³' is the last that it shows; write where it starts again from zero: 1000 m³"),
        ("0 m³", None, "expected more than 0, got '0 m³'"),
        ("1000 kWh", None, "expected volume with its unit such as 10 L, got '1000 kWh', which is active energy"),
    ],
)
def test_what_is_no_rollover(text: str, weight: float | None, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared as a whole
        parse_rollover(text, "m³", weight)
    assert str(caught.value) == message


@given(st.text("0123456789/. bitmpkWhL³-", max_size=30))
def test_whatever_stands_on_a_face_is_a_positive_number_or_told(text: str) -> None:
    for parse in (
        parse_ratio,
        lambda text: parse_pulse_weight(text, "m³"),
        lambda text: parse_rollover(text, "m³", 0.01),
    ):
        try:
            assert parse(text) > 0
        except ValueError:
            continue
