"""A built-in profile, copied into a site's folder, says there what it says here."""

import pytest

from collector.yamlfile import Document
from devices.language.catalog import builtin_folders, read_builtin
from devices.language.profile import Profile


@pytest.mark.parametrize("name", builtin_folders())
def test_a_builtin_profile_is_a_start_for_ones_own(name: str) -> None:
    document = Document((builtin_folders()[name] / "profile.yaml").read_text(encoding="utf-8"))
    assert document.faults == []
    assert Profile.model_validate(document.value) == read_builtin(name).model_copy(update={"tests": []})
