"""The profiles that come with Siteward, judged by their own cases."""

import pytest

from devices.language.catalog import builtin_folders, read_builtin
from devices.language.selftest import check_profile

NAMES = sorted(builtin_folders())


def test_the_common_ecosystems_are_there() -> None:
    assert {"canonical", "shelly_gen1", "shelly_gen2", "tasmota", "zigbee2mqtt"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_builtin_profile_passes_its_cases(name: str) -> None:
    profile = read_builtin(name)
    assert check_profile(profile) == []
    assert len(profile.tests) >= 2
    for test in profile.tests:
        assert test.name


@pytest.mark.parametrize("name", NAMES)
def test_a_builtin_profile_is_described(name: str) -> None:
    profile = read_builtin(name)
    assert profile.id == name
    for text in (profile.name, profile.description):
        assert text.en
        assert text.zh
    readme = (builtin_folders()[name] / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# ")
    assert f"profile: {name}" in readme  # an entry of the register


@pytest.mark.parametrize("name", NAMES)
def test_every_form_of_a_builtin_profile_is_shown_by_a_case(name: str) -> None:
    """Left out, each must be missed: a form without a case could read anything."""
    profile = read_builtin(name)
    shown = [
        bool(check_profile(profile.model_copy(update={"messages": profile.messages[:at] + profile.messages[at + 1 :]})))
        for at in range(len(profile.messages))
        if len(profile.messages) > 1
    ]
    assert [at + 1 for at, good in enumerate(shown) if not good] == []
