"""Quickstart, tutorials and recipes, followed as somebody follows them who has nothing but the page."""

import re
import shutil
from pathlib import Path

import pytest

from tests.walkthrough import ROOT, agrees, check_out, read_blocks, walking

DOCS = ROOT / "docs"
PAGES = [DOCS / "quickstart.md", *(page for page in sorted(DOCS.glob("tutorials/*.md")) if page.suffixes == [".md"])]
RECIPES = [page for page in sorted(DOCS.glob("how-to/*.md")) if page.stem != "README"]
WHY_NOT = r"needs root|needs a container engine|.*never ends|the daemon still runs"
"""Why commands may be left out."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_that_is_followed_shows_what_it_says(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "siteward"
    folder.mkdir()
    check_out(folder)
    with walking(folder) as walker:
        walker.follow(read_blocks(page))


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_a_recipe_works_on_the_example_site(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    shutil.copytree(ROOT / "config", folder)
    with walking(folder) as walker:
        walker.settle(needs_daemon="<!-- with a running daemon -->" in page.read_text(encoding="utf-8"))
        walker.follow(read_blocks(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_both_languages_have_the_same_commands(page: Path) -> None:
    english, chinese = (
        [(block.script, block.note, block.shown) for block in read_blocks(name)]
        for name in (page, page.with_suffix(".zh.md"))
    )
    assert english == chinese


@pytest.mark.parametrize("page", [*PAGES, *RECIPES], ids=lambda page: page.stem)
def test_what_is_left_out_cannot_be_run_by_a_test(page: Path) -> None:
    left_out = [block.note.removeprefix("not run by the tests: ") for block in read_blocks(page) if not block.is_run]
    assert [reason for reason in left_out if not re.fullmatch(WHY_NOT, reason)] == []


@pytest.mark.parametrize("page", [*PAGES, *RECIPES], ids=lambda page: page.stem)
def test_what_is_waited_for_is_said(page: Path) -> None:
    waiting = [block for block in read_blocks(page) if block.note.startswith(("in another", "the other", "look again"))]
    assert [block.place for block in waiting if not block.shown] == []


@pytest.mark.parametrize(
    ("shown", "agreed"),
    [
        ("", True),
        ("one", True),
        ("… and a half", True),
        ("one\ntwo and a half", True),
        ("one\n…\nthree", True),
        ("two", False),
        ("one\nthree", False),
        ("three\n…\none", False),
        ("t…o", False),
    ],
)
def test_what_is_shown_is_compared_line_by_line(shown: str, agreed: bool) -> None:
    assert agrees(shown, "one\n  two   and a half\n\nthree\n") is agreed
