"""Quickstart, tutorials and recipes, followed as somebody follows them who has nothing but the page."""

import re
from pathlib import Path

import pytest

from tests.walkthrough import ROOT, check_out, read_blocks, walking

DOCS = ROOT / "docs"
PAGES = [DOCS / "quickstart.md", *sorted((DOCS / "tutorials").glob("*[!h].md"))]
PAGES = [page for page in PAGES if not page.name.endswith(".zh.md")]
REASONS = r"needs root|needs a container engine|.*never ends|the daemon still runs"
"""Why the tests may leave commands out."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_that_is_followed_shows_what_it_says(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "siteward"
    folder.mkdir()
    check_out(folder)
    with walking(folder) as walker:
        walker.follow(read_blocks(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_both_languages_have_the_same_commands(page: Path) -> None:
    english, chinese = (
        [(block.script, block.note, block.shown) for block in read_blocks(name)]
        for name in (page, page.with_suffix(".zh.md"))
    )
    assert english == chinese


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_left_out_cannot_be_run_by_a_test(page: Path) -> None:
    blocks = read_blocks(page)
    left_out = [block.note.removeprefix("not run by the tests: ") for block in blocks if not block.is_run]
    assert [reason for reason in left_out if not re.fullmatch(REASONS, reason)] == []
    assert len(left_out) < len(blocks) / 2
