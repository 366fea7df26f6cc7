"""P1 telegrams: small ones of every kind, worked by hand."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.errors import Undecodable
from devices.formats.dsmr import SIZE_MAX, compute_crc, open_dsmr
from devices.message import Part
from devices.points import POINTS

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MORNING = (1_795_334_400 * 10**9, 10**9)  # 2026-11-22T08:00:00Z, told to the second

DSMR5 = r"""/SWD5\TEST-1

1-3:0.2.8(50)
0-0:1.0.0(261122090000W)
0-0:96.1.1(5357443031)
1-0:1.8.1(001200.500*kWh)
1-0:1.8.2(000034.250*kWh)
1-0:2.8.1(000000.000*kWh)
1-0:2.8.2(000000.125*kWh)
0-0:96.14.0(0002)
1-0:1.7.0(00.000*kW)
1-0:2.7.0(01.500*kW)
1-0:99.97.0(1)(0-0:96.7.19)(260101000000W)(0000000300*s)
0-0:96.13.0()
1-0:32.7.0(230.1*V)
1-0:31.7.0(006*A)
1-0:21.7.0(00.000*kW)
1-0:22.7.0(01.500*kW)
0-1:24.1.0(003)
0-1:96.1.0(4741533031)
0-1:24.2.1(261122085500W)(00100.000*m3)
0-2:24.1.0(007)
0-2:96.1.0(57415430303031)
0-2:24.2.1(261122085500W)(00872.234*m3)
!4F66
"""


def telegram(*lines: str) -> bytes:
    """A telegram without a checksum, as before DSMR 4."""
    return "\r\n".join(["/SWD2 TEST", "", *lines, "!", ""]).encode()


def read(payload: bytes) -> list[Part]:
    return open_dsmr(payload, AMSTERDAM)


def reason(payload: bytes) -> str:
    with pytest.raises(Undecodable) as raised:
        read(payload)
    return raised.value.reason


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_telegram_is_about_the_meter_and_those_on_its_bus(end: str) -> None:
    main, water = read(DSMR5.replace("\n", end).encode())
    assert (main.address, main.moment) == ("", MORNING)
    assert main.values == {
        "energy_import_kwh": 1234.75,
        "energy_export_kwh": 0.125,
        "tariff": "2",
        "power_kw": -1.5,
        "power_l1_kw": -1.5,
        "voltage_l1_v": 230.1,
        "current_l1_a": 6.0,
    }
    assert (water.address, water.moment) == ("WAT0001", (MORNING[0] - 300 * 10**9, 10**9))
    assert water.values == {"volume_m3": 872.234}


def test_the_body_of_a_part_holds_the_texts_of_all_its_lines() -> None:
    main, water = read(DSMR5.replace("\n", "\r\n").encode())
    assert main.body["1-3:0.2.8"] == "50"
    assert main.body["0-0:96.13.0"] == ""
    assert main.body["1-0:1.8.1"] == "001200.500*kWh"
    assert main.body["1-0:99.97.0"] == ["1", "0-0:96.7.19", "260101000000W", "0000000300*s"]
    assert water.body == {
        "0-2:24.1.0": "007",
        "0-2:96.1.0": "57415430303031",
        "0-2:24.2.1": ["261122085500W", "00872.234*m3"],
    }


def test_the_checksum_is_the_known_one() -> None:
    assert compute_crc(b"123456789") == 0xBB3D  # the check value in catalogues of checksums


def test_a_checksum_may_lack_its_leading_zeros() -> None:
    (main,) = read(b"/X\r\n\r\n1-0:32.7.0(00000*V)\r\n!F5\r\n")
    assert main.values == {"voltage_l1_v": 0.0}


@pytest.mark.parametrize("written", ["4F67", "4F6", "0000"])
def test_a_damaged_telegram_is_refused(written: str) -> None:
    assert reason(DSMR5.replace("4F66", written).encode()) == "telegram: the checksum is wrong"


def test_a_telegram_before_dsmr_4_has_neither_checksum_nor_clock() -> None:
    main, water = read(
        telegram(
            "0-0:96.1.1(00000000000000)",
            "1-0:1.8.1(00001.001*kWh)",
            "1-0:1.7.0(0001.01*kW)",
            "0-1:24.1.0(7)",
            "0-1:96.1.0(57415430303031)",
            "0-1:24.3.0(261122090000)(00)(60)(1)(0-1:24.2.1)(m3)",
            "(00001.500)",
        )
    )
    assert (main.moment, main.values) == (None, {"energy_import_kwh": 1.001, "power_kw": 1.01})
    assert (water.address, water.moment, water.values) == ("WAT0001", MORNING, {"volume_m3": 1.5})


def test_registers_may_be_written_in_full_and_something_may_follow() -> None:
    lines = telegram("1-0:0.0.0*255(0272031312565)", "1-0:1.8.0*255(00052185.7825309*kWh)", "1-0:1.7.0*255(2124.86*W)")
    (main,) = read(lines + b"  25803103\r\n\xff\xff\xff")
    assert main.values == {"energy_import_kwh": 52185.7825309, "power_kw": 2.12486}


def test_a_payload_may_hold_several_telegrams() -> None:
    first, second = telegram("1-0:1.7.0(1*kW)"), telegram("1-0:1.7.0(2*kW)")
    parts = read(b"1-0:2.7.0(0*kW)\r\n!\r\n" + first + second + b"/SWD2 TEST\r\n\r\n1-0:1.7.0(3")
    assert [part.values for part in parts] == [{"power_kw": 1.0}, {"power_kw": 2.0}]


@pytest.mark.parametrize("clock", ["632525252525W", "", "now"])
def test_the_values_of_a_meter_whose_clock_is_not_set_hold(clock: str) -> None:
    (main,) = read(telegram(f"0-0:1.0.0({clock})", "1-0:1.7.0(1*kW)"))
    assert (main.moment, main.values) == (None, {"power_kw": 1.0})


BUS = ("0-1:24.1.0(007)", "0-1:96.1.0(57415430303031)", "0-1:24.2.1(261122090000W)(1.5*m3)")


def test_the_identifier_may_stand_elsewhere_or_be_no_text() -> None:
    addresses = [
        read(telegram(BUS[0], line, BUS[2]))[1].address
        for line in ("0-1:96.1.1(57415430303031)", "0-1:96.1.0(ADC3100000158491)", "0-1:96.1.0(12345)")
    ]
    assert addresses == ["WAT0001", "ADC3100000158491", "12345"]


@pytest.mark.parametrize(
    ("kind", "reading", "values"),
    [
        ("002", "12.5*kWh", {"energy_import_kwh": 12.5}),
        ("2", "12500*Wh", {"energy_import_kwh": 12.5}),
        ("006", "1500*l", {"volume_m3": 1.5}),
        ("022", "00001.500", {"volume_m3": 1.5}),
    ],
)
def test_what_a_meter_on_the_bus_counts_follows_from_its_kind(kind: str, reading: str, values: object) -> None:
    _, meter = read(telegram(f"0-1:24.1.0({kind})", BUS[1], f"0-1:24.2.1(261122090000W)({reading})"))
    assert meter.values == values


@pytest.mark.parametrize(
    "lines",
    [
        ("0-1:24.1.0(003)", *BUS[1:]),  # gas
        ("0-1:24.1.0(004)", *BUS[1:]),  # heat
        ("0-1:24.1.0()", *BUS[1:]),
        BUS[1:],
        (BUS[0], "0-1:96.1.0()", BUS[2]),
        BUS[:2],
        (*BUS[:2], "0-1:24.2.1(700101010000W)(00000000)"),
        (*BUS[:2], "0-1:24.2.1(632525252525W)(00000000)"),
        (*BUS[:2], "0-1:24.2.1(261122090000W)()"),
        (*BUS[:2], "0-1:24.2.1(1.5*m3)"),
    ],
)
def test_a_place_on_the_bus_without_a_meter_of_ours_is_passed_over(lines: tuple[str, ...]) -> None:
    assert len(read(telegram(*lines))) == 1


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "telegram: not whole"),
        (b"/SWD2 TEST\r\n\r\n1-0:1.7.0(1*kW)\r\n", "telegram: not whole"),
        (b"1-0:1.7.0(1*kW)\r\n!\r\n", "telegram: not whole"),
        (telegram("1-0:1.7.0(1*kW"), "telegram: a line is broken"),
        (telegram("1-0:1.7.0 1*kW"), "telegram: a line is broken"),
        (telegram("1-0:1.7.0(1*kW)x"), "telegram: a line is broken"),
        (telegram("1-0:1.7.0(x*kW)"), "1-0:1.7.0: expected a number"),
        (telegram("1-0:1.7.0(1*kWh)"), "1-0:1.7.0: not a unit of this register"),
        (
            telegram(*BUS[:2], "0-1:24.2.1(261122090000W)(x*m3)"),
            "telegram: expected a number from a meter on the M-Bus",
        ),
        (telegram(*BUS[:2], "0-1:24.2.1(261122090000W)(1*kWh)"), "telegram: not a unit of this meter on the M-Bus"),
        (b"\xdb\x08SAGgp", "telegram: encrypted"),
        (b"/" + b"x" * SIZE_MAX + b"!", "telegram: longer than 64 KiB"),
    ],
)
def test_what_is_no_telegram_is_undecodable(payload: bytes, expected: str) -> None:
    assert reason(payload) == expected


WHOLE = DSMR5.replace("\n", "\r\n").encode()


@given(
    st.binary()
    | st.binary().map(lambda data: b"/X\r\n\r\n" + data + b"!")
    | st.text(alphabet="01:.-*()kWhm3 \r\n/!").map(lambda text: f"/X\n{text}\n!".encode())
)
@example(b"/X\r\n0-1:24.1.0(" + b"9" * 5000 + b")\r\n!")
def test_whatever_comes_is_read_or_undecodable(payload: bytes) -> None:
    try:
        parts = read(payload)
    except Undecodable:
        return
    for part in parts:
        assert type(part.body) is dict
        assert all(type(value) is POINTS[name].type for name, value in (part.values or {}).items())


@given(st.integers(0, len(WHOLE) - 8) | st.sampled_from([len(WHOLE) - 5, len(WHOLE) - 4, len(WHOLE) - 3]))
def test_no_part_of_a_cut_telegram_is_taken_for_the_whole(end: int) -> None:
    with pytest.raises(Undecodable):
        read(WHOLE[:end])


@given(st.integers(0, len(WHOLE) - 8), st.integers(1, 255))
@example(WHOLE.index(b"\r\n1-0:1.8.2"), ord("\r") ^ ord("!"))
@example(WHOLE.index(b"1-0:1.8.2"), ord("1") ^ ord("!"))
def test_no_damaged_byte_goes_unseen(at: int, change: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[at] ^= change
    try:
        parts = read(bytes(damaged))
    except Undecodable:
        return
    assert [part.values for part in parts] == [part.values for part in read(WHOLE)]
