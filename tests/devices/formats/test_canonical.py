"""Siteward's own payload."""

import pytest

from devices.errors import Undecodable
from devices.formats.canonical import read_canonical

EIGHT = 1_795_334_400_000_000_000  # 2026-11-22T08:00:00Z


def test_an_object_is_one_record() -> None:
    payload = b'{"time": "2026-11-22T08:00:00Z", "energy_import_kwh": 1234.5, "voltage_l1_v": 230, "leak": false}'
    assert read_canonical(payload, 0) == [
        ((EIGHT, 10**9), {"energy_import_kwh": 1234.5, "voltage_l1_v": 230.0, "leak": False}, ""),
    ]


def test_integers_become_float() -> None:
    [(_, values, _)] = read_canonical(b'{"volume_m3": 88}', 0)
    assert type(values["volume_m3"]) is float


def test_a_list_is_a_batch_in_its_order() -> None:
    payload = b'[{"volume_m3": 2.0}, {"time": 1795334400000, "volume_m3": 1.0}]'
    assert read_canonical(payload, 0) == [(None, {"volume_m3": 2.0}, ""), ((EIGHT, 10**6), {"volume_m3": 1.0}, "")]


@pytest.mark.parametrize(
    ("time", "moment"),
    [
        ('"2026-11-22T16:00:00.000000001+08:00"', (EIGHT + 1, 1)),
        ("1795334400001", (EIGHT + 1_000_000, 10**6)),
        ("1795334400000.25", (EIGHT + 250_000, 10**4)),
        ("0", (0, 10**6)),
        ("999999999", (999_999_999_000_000, 10**6)),
        ("100000000000", (10**17, 10**6)),
        ("-86400000", (-86_400_000_000_000, 10**6)),
    ],
)
def test_time_is_rfc3339_or_milliseconds(time: str, moment: tuple[int, int]) -> None:
    assert read_canonical(f'{{"time": {time}, "leak": true}}'.encode(), 0) == [(moment, {"leak": True}, "")]


def test_json_is_mended_where_only_one_meaning_is_possible() -> None:
    payload = b"{'volume_m3': 007, 'leak': True,} // from a small device"
    assert read_canonical(payload, 0) == [(None, {"volume_m3": 7.0, "leak": True}, "")]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "payload is not JSON"),
        (b"\xff\xfe", "payload is not JSON"),
        (b'{"leak": true', "payload is not JSON"),
        (b'{"volume_m3": NaN}', "volume_m3: expected a number, got null"),
        (b'{"volume_m3": Infinity}', "volume_m3: expected a number, got null"),
        (b'{"volume_m3": 1e999}', "payload is not JSON"),
        (b'{"reason": "\\ud800"}', "payload is not JSON"),
        (b"[" * 100_000, "payload is not JSON"),
        (b'{"a":' * 100_000, "payload is not JSON"),
        (b"[" * 1000 + b"]" * 1000, "expected an object of points, got a list"),
        (b"null", "expected an object of points, got null"),
        (b"230.1", "expected an object of points, got a number"),
        (b'"on"', "expected an object of points, got a text"),
        (b"true", "expected an object of points, got true or false"),
        (b"[]", "the batch is empty"),
        (b"[1]", "expected an object of points, got a number"),
        (b"{}", "no point in the message"),
        (b'[{"leak": true}, {}]', "no point in the message"),
        (b'{"time": "2026-11-22T08:00:00Z"}', "no point in the message"),
        (b'{"leak": true, "Voltage": 1}', "'Voltage' is no point"),
        (b'{"leak": "true"}', "leak: expected true or false, got a text"),
        (b'[{"leak": true}, {"leak": null}]', "leak: expected true or false, got null"),
        (b'{"leak": true, "event": "kicked"}', "event: not one of its words"),
        (b'{"volume_m3": {"a": 1}}', "volume_m3: expected a number, got an object"),
        (b'{"leak": true, "time": "1795334400"}', "time: expected a text such as 2026-11-22T08:00:00Z"),
        (b'{"leak": true, "time": "2026-11-22T08:00:00"}', "time: expected Z or an offset such as +08:00 at its end"),
        (b'{"leak": true, "time": 1795334400}', "time: seconds, not milliseconds"),
        (b'{"leak": true, "time": 1795334400.5}', "time: seconds, not milliseconds"),
        (b'{"leak": true, "time": 99999999999999}', "time: outside of the years 1678 to 2261"),
        (b'{"leak": true, "time": 1e300}', "time: expected a decimal number"),
        (b'{"leak": true, "time": null}', "time: expected RFC 3339 or milliseconds since 1970, got null"),
        (b'{"leak": true, "time": true}', "time: expected RFC 3339 or milliseconds since 1970, got true or false"),
        (b'{"leak": true, "time": [1]}', "time: expected RFC 3339 or milliseconds since 1970, got a list"),
    ],
)
def test_one_wrong_value_refuses_the_message(payload: bytes, reason: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read_canonical(payload, 0)
    assert raised.value.reason == reason


def test_what_is_wrong_in_json_is_told_with_its_place() -> None:
    with pytest.raises(Undecodable) as raised:
        read_canonical(b'{"leak": tru}', 0)
    assert "line 1 column" in raised.value.hint
