"""The profiles that come with Siteward, judged by their own tests; and that those tests can fail."""

import pytest

from devices.profile import Profile, load_builtin
from devices.selftest import check_profile


def test_the_builtin_profiles_are_there() -> None:
    assert sorted(load_builtin()) == ["canonical", "shelly_gen2", "tasmota", "zigbee2mqtt"]


@pytest.mark.parametrize("profile", load_builtin().values(), ids=lambda profile: profile.id)
def test_a_builtin_profile_passes_its_tests_and_is_described(profile: Profile) -> None:
    assert check_profile(profile) == []
    assert len(profile.tests) >= 2
    assert profile.topics
    for text in (profile.name, profile.description):
        assert text.en
        assert text.zh


@pytest.mark.parametrize(
    ("payload", "readings", "problem"),
    [
        ('{"t": 0, "p": 500}', [{"time": "1970-01-01T00:00:00Z", "power_kw": 0.5}], None),
        ('{"t": 0, "p": 500}', [{"time": 0, "power_kw": 0.5000000001}], None),
        ('{"p": 500}', [{"power_kw": 0.4}], "test 1 (t): reading 1: power_kw: expected 0.4, got 0.5"),
        ('{"p": 500}', [{"leak": True}], "test 1 (t): reading 1: leak: expected True, got nothing"),
        (
            '{"t": 60, "p": 500}',
            [{"power_kw": 0.5}],
            "test 1 (t): reading 1: time: expected nothing, got 1970-01-01T00:01:00Z",
        ),
        (
            "{}",
            [{"leak": True}],
            "test 1 (t): undecodable: no point in the message (profile p finds none of its points)",
        ),
        ('{"p": 1}', [{"p": 1}], "test 1 (t): its `readings` are none: 'p' is no point"),
        ('{"p": 1}', [{"leak": True}] * 2, "test 1 (t): expected 2 readings, got 1"),
    ],
)
def test_a_profiles_tests_can_fail(payload: str, readings: list[dict[str, object]], problem: str | None) -> None:
    profile = Profile.model_validate(
        {
            "id": "p",
            "time": {"path": "t", "format": "epoch_s"},
            "points": {"power_kw": {"path": "p", "scale": 0.001}},
            "tests": [{"name": "t", "payload": payload, "readings": readings}],
        },
    )
    problems = check_profile(profile)
    assert problems[:1] == ([problem] if problem else [])
