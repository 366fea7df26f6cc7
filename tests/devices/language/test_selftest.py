"""That the tests inside of profiles can fail, and say what is wrong and where."""

from collections.abc import Mapping

import pytest

from devices.language.profile import Profile
from devices.language.selftest import check_profile

METER = {
    "id": "p",
    "time": {"path": "t", "format": "epoch_s"},
    "points": {"power_kw": {"path": "p", "unit": "W"}, "leak": "leak"},
}


def check(test: Mapping[str, object], **profile: object) -> list[tuple[tuple[str | int, ...], str]]:
    [*failures] = check_profile(Profile.model_validate(METER | profile | {"tests": [test]}))
    assert {failure.test for failure in failures} <= {0}
    return [(failure.path, failure.problem) for failure in failures]


@pytest.mark.parametrize(
    ("payload", "readings"),
    [
        ('{"t": 0, "p": 500}', [{"time": "1970-01-01T00:00:00Z", "power_kw": 0.5}]),
        ('{"t": 0, "p": 500}', [{"time": 0, "power_kw": 0.5000000001}]),
        ('{"p": 500, "leak": false}', [{"power_kw": 0.5, "leak": False}]),
        ('{"p": 500}', [{"device": "device", "power_kw": 0.5}]),
    ],
)
def test_what_is_read_as_said_passes(payload: str, readings: list[dict[str, object]]) -> None:
    assert check({"payload": payload, "readings": readings}, topics=["{device}/up"]) == []


@pytest.mark.parametrize(
    ("payload", "readings", "path", "problem"),
    [
        ('{"p": 500}', [{"power_kw": 0.4}], ("readings", 0, "power_kw"), "power_kw: expected 0.4, got 0.5"),
        ('{"p": 500}', [{"power_kw": 0.5, "leak": True}], ("readings", 0, "leak"), "leak: expected true, got nothing"),
        ('{"p": 500, "leak": true}', [{"power_kw": 0.5}], ("readings", 0, "leak"), "leak: expected nothing, got true"),
        (
            '{"t": 60, "p": 500}',
            [{"power_kw": 0.5}],
            ("readings", 0, "time"),
            "time: expected nothing, got 1970-01-01T00:01:00Z",
        ),
        (
            "{}",
            [{"leak": True}],
            ("readings",),
            (
                "expected 1 reading (leak true), got the error: no point in the message"
                " (the profile finds none of its points)"
            ),
        ),
        ('{"p": 1}', [{"p": 1}], ("readings", 0, "p"), "'p' is no point"),
        (
            '{"p": 1}',
            [{"leak": True}, {"device": "a", "leek": True}],
            ("readings", 1, "leek"),
            "'leek' is no point (did you mean leak?)",
        ),
        ('{"p": 1}', [{"device": "a"}], ("readings", 0), "expected at least one point"),
        (
            '{"p": 1}',
            [{"leak": True}] * 2,
            ("readings",),
            "expected 2 readings (leak true; leak true), got 1 reading (power_kw 0.001)",
        ),
        ('{"p": 1}', [], ("readings",), "expected 0 readings, got 1 reading (power_kw 0.001)"),
    ],
)
def test_what_is_read_otherwise_is_told_where_it_stands(
    payload: str, readings: list[dict[str, object]], path: tuple[str | int, ...], problem: str
) -> None:
    assert check({"payload": payload, "readings": readings}) == [(path, problem)]


def test_every_difference_of_every_reading_is_told() -> None:
    test = {"payload": '[{"p": 1, "leak": true}, {"p": 2}]', "readings": [{"power_kw": 1}, {"power_kw": 2}]}
    assert check(test, each="@") == [
        (("readings", 0, "leak"), "leak: expected nothing, got true"),
        (("readings", 0, "power_kw"), "power_kw: expected 1, got 0.001"),
        (("readings", 1, "power_kw"), "power_kw: expected 2, got 0.002"),
    ]


def test_an_error_may_be_expected() -> None:
    assert check({"payload": '{"p": "x"}', "error": "power_kw: expected a number, got a text"}) == []
    assert check({"payload": '{"p": "x"}', "error": "a list"}) == [
        (("error",), "expected 'a list', got 'power_kw: expected a number, got a text'"),
    ]
    assert check({"payload": '{"p": 5}', "error": "a list"}) == [
        (("error",), "expected 'a list', got 1 reading (power_kw 0.005)"),
    ]


def test_no_reading_is_what_a_test_of_ignored_messages_expects() -> None:
    messages = [
        {"topics": ["a/{device}/state"], "points": {"leak": "leak"}},
        {"topics": ["a/{device}/alive"], "ignore": "a sign of life"},
    ]
    profile = {"id": "p", "messages": messages}
    tests = [
        {"topic": "a/m1/alive", "payload": "?", "readings": []},
        {"topic": "a/m1/state", "payload": '{"leak": true}', "readings": [{"device": "m1", "leak": True}]},
        {"payload": '{"leak": true}', "readings": [{"device": "m2", "leak": True}]},
    ]
    assert check_profile(Profile.model_validate(profile | {"tests": tests})) == [
        (2, ("readings", 0, "device"), "device: expected m2, got device; say its `topic`"),
    ]


def test_a_topic_that_no_form_has_is_a_devices_own() -> None:
    topics = ["a/{device}/up"]
    assert check({"topic": "mine", "payload": '{"p": 1}', "readings": [{"power_kw": 0.001}]}, topics=topics) == []
    assert check({"topic": "mine", "payload": '{"p": 1}', "readings": [{"device": "x", "power_kw": 0.001}]}) == [
        (("readings", 0, "device"), "device: expected x, got nothing"),
    ]


def test_the_site_has_an_id_and_bytes_are_written_in_hexadecimal_digits() -> None:
    layout = {"fields": [{"name": "p", "type": "uint8"}]}
    profile = {"topics": ["{site}/{device}"], "format": "binary", "layout": layout, "points": {"power_kw": "p"}}
    test = {"topic": "site/m1", "payload_hex": "05", "readings": [{"device": "m1", "power_kw": 5}]}
    assert check_profile(Profile.model_validate({"id": "p", "tests": [test]} | profile)) == []


def test_the_arrival_may_be_said() -> None:
    time = {"path": "age", "format": "age_s"}
    test = {
        "payload": '{"age": 60, "p": 1}',
        "arrival": "2026-11-22T08:01:00Z",
        "readings": [{"time": "2026-11-22T08:00:00Z", "power_kw": 0.001}],
    }
    assert check(test, time=time) == []


def test_a_codec_that_is_no_javascript_is_an_error() -> None:
    codec = {"format": "lorawan", "codec": "vendor.js", "points": {"leak": "leak"}}
    profile = Profile.model_validate({"id": "p"} | codec).with_codecs(lambda _name: "function (")
    with pytest.raises(ValueError, match=r"vendor\.js:1: SyntaxError"):
        check_profile(profile)
