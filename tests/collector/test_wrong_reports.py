"""Plans of reports that are wrong in the ways in which people get them wrong, and all that they are told."""

from pathlib import Path

import pytest

from tests.wrongcases import list_cases, say_problems


@pytest.mark.parametrize("case", list_cases("reports"), ids=lambda case: case.name)
def test_everything_that_is_wrong_is_told(case: Path, tmp_path: Path) -> None:
    assert say_problems(case, tmp_path) == (case / "expected.txt").read_text(encoding="utf-8")
