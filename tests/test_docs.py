"""Docs and code say the same: the reference is what the code would write, and the texts name what exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from collector.cli import Deferred, app
from scripts import write_reference
from scripts.rule_reference import Writer, read_chinese

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCES = re.MULTILINE | re.DOTALL
COMMANDS = {path for path, _ in write_reference.commands(typer.main.get_command(app))}


@pytest.mark.parametrize("name", write_reference.PAGES)
def test_the_reference_is_up_to_date(name: str) -> None:
    page = (write_reference.FOLDER / name).read_text(encoding="utf-8")
    assert page == write_reference.PAGES[name](), "run: .venv/bin/python scripts/write_reference.py"


def test_every_command_is_in_the_reference() -> None:
    page = (write_reference.FOLDER / "command-line.md").read_text(encoding="utf-8")
    assert {f"siteward {name}" for name in re.findall(r"^## siteward (.+)$", page, re.MULTILINE)} == COMMANDS
    assert {"siteward run", "siteward demo", "siteward journal replay", "siteward quarantine retry"} <= COMMANDS


def test_every_text_of_the_rule_reference_is_in_chinese() -> None:
    chinese = read_chinese()
    writer = Writer(chinese)
    writer.conditions_page()
    writer.rules_page()
    assert chinese.missing == [], "add their Chinese to scripts/chinese.yaml"
    assert chinese.unused == set(), "nothing says this any more: remove it from scripts/chinese.yaml"


def test_both_guides_to_rules_show_the_same() -> None:
    english, chinese = (
        re.findall(r"^ {4,}.*$", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.MULTILINE)
        for name in ("rules.md", "rules.zh.md")
    )
    assert english == chinese


def find_calls(page: Path) -> list[str]:
    """Every call of siteward in the code of a page, whether in a block or in the text."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"^ {4,}\S.*$", text, re.MULTILINE)
    blocks += [
        line for fence in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL) for line in fence.split("\n")
    ]
    spans = re.findall(r"`([^`\n]+)`", text)
    calls = [re.search(r"(?:^|[=/$ (])siteward (?!siteward )([a-z].*)$", line) for line in (*blocks, *spans)]
    return [re.split(r" +(?:#|[|;]|&&|>|2>)|\)\"?$|…", call[1])[0] for call in calls if call]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_texts_exist_with_their_options(page: Path) -> None:
    for call in find_calls(page):
        command, words = find_command(shlex.split(call))
        assert command is not None, f"siteward {call}"
        assert find_unknown_options(command, words) == [], f"siteward {call}"


def find_command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that words call, and what they give it; a group where they end there."""
    command: Any = typer.main.get_command(app)
    while words and (inner := getattr(command, "commands", None)) is not None and not words[0].startswith("-"):
        command = inner.get(words[0])
        if isinstance(command, Deferred):
            command = command.load()
        words = words[1:]
    return command, words


def find_unknown_options(command: Any, words: list[str]) -> list[str]:  # noqa: ANN401 - Click, within Typer
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    named = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    return sorted(named - known - {"--help", "-h", "--version"})


def test_the_check_of_commands_finds_typos() -> None:
    assert find_command(["devices", "lsit"]) == (None, [])
    command, words = find_command(["rules", "backtest", "--form", "7d", "--csv=a.csv"])
    assert find_unknown_options(command, words) == ["--form"]


def find_anchors(page: Path) -> set[str]:
    """What GitHub makes of a page's headings."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=FENCES), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def find_links(page: Path) -> Iterator[tuple[Path, str]]:
    """Files and anchors that a page links to."""
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=FENCES)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in find_links(page):
        assert target.exists(), target
        assert not anchor or anchor in find_anchors(target), f"{target.relative_to(ROOT)}#{anchor}"


def test_every_page_is_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [target for target, _ in find_links(page) if target.suffix == ".md" and target.exists()]
    lost = {page.relative_to(ROOT) for page in ROOT.glob("docs/**/*.md") if page not in reached}
    assert lost == set()
    assert ROOT / "docs" / "README.md" in {target for target, _ in find_links(ROOT / "README.md")}


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
