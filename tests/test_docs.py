"""Docs and code say the same: the reference is what the code would write, and the texts name what exists."""

import re
from pathlib import Path

import pytest
import typer

from collector.cli import app
from scripts import write_reference

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
COMMANDS = {path for path, _ in write_reference.commands(typer.main.get_command(app))}


@pytest.mark.parametrize("name", write_reference.PAGES)
def test_the_reference_is_up_to_date(name: str) -> None:
    page = (write_reference.FOLDER / name).read_text(encoding="utf-8")
    assert page == write_reference.PAGES[name](), "run: .venv/bin/python scripts/write_reference.py"


def test_every_command_is_in_the_reference() -> None:
    page = (write_reference.FOLDER / "command-line.md").read_text(encoding="utf-8")
    assert {f"siteward {name}" for name in re.findall(r"^## siteward (.+)$", page, re.MULTILINE)} == COMMANDS
    assert {"siteward run", "siteward demo", "siteward journal replay", "siteward quarantine retry"} <= COMMANDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_texts_exist(page: Path) -> None:
    named = re.findall(r"^\s*siteward ((?:[a-z]+ ?){1,2})", page.read_text(encoding="utf-8"), re.MULTILINE)
    for words in named:
        parts = words.split()
        begun = {f"siteward {parts[0]}", f"siteward {' '.join(parts[:2])}"}
        assert begun & COMMANDS or any(name.startswith(f"siteward {' '.join(parts)} ") for name in COMMANDS), words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


ROOMS = re.findall(
    r"`((?:collector|devices|rules|tickets)/[\w./]*)`", (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
)
"""Modules and folders that the architecture names."""


def test_rooms_of_the_architecture_exist() -> None:
    assert [name for name in ROOMS if not (ROOT / name).exists()] == []


def test_every_module_is_in_the_architecture() -> None:
    folders = tuple(name for name in ROOMS if name.endswith("/"))
    packages = ("collector", "devices", "rules", "tickets")
    modules = [str(path.relative_to(ROOT)) for name in packages for path in sorted((ROOT / name).rglob("*.py"))]
    left_out = [
        name
        for name in modules
        if not name.endswith("__init__.py") and name not in ROOMS and not name.startswith(folders)
    ]
    assert left_out == [], "add a row, or a name to a row, under Rooms in docs/ARCHITECTURE.md"
