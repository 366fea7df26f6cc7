"""Where runbooks are found, on a site and in what is installed."""

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector.cli import app
from collector.commands.init import init
from collector.runbooks import SHIPPED, find_runbook, list_beside, show_runbook

ROOT = Path(__file__).parents[2]
LEAK = "docs/runbooks/leak.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "site" / "config"
    folder.mkdir(parents=True)
    return folder


def write(base: Path, name: str) -> Path:
    file = base / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("Close the valve.", encoding="utf-8")
    return file


def test_the_nearest_one_counts(folder: Path) -> None:
    shipped = find_runbook(LEAK, folder)
    assert shipped == SHIPPED / LEAK
    beside = write(folder.parent, LEAK)
    assert find_runbook(LEAK, folder) == beside
    inside = write(folder, LEAK)
    assert find_runbook(LEAK, folder) == inside


@pytest.mark.parametrize("name", ["", "https://example.org/leak", "docs/runbooks", "docs/runbooks/leek.md"])
def test_what_is_no_file_is_shown_as_it_is(name: str, folder: Path) -> None:
    assert find_runbook(name, folder) is None
    assert show_runbook(name, folder) == name


def test_all_that_lie_there_are_listed(folder: Path) -> None:
    write(folder, "docs/runbooks/ours.md")
    write(folder.parent, "docs/runbooks/beside.md")
    names = set(list_beside("docs/runbooks/leek.md", folder))
    assert {"docs/runbooks/ours.md", "docs/runbooks/beside.md", LEAK} <= names


def test_the_wheel_has_them_where_they_are_looked_for() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["force-include"]["docs/runbooks"] == "collector/docs/runbooks"
    assert SHIPPED == ROOT


def test_a_site_that_was_just_made_has_its_runbooks(tmp_path: Path) -> None:
    config = tmp_path / "config"
    init(config)
    runner = CliRunner()
    assert runner.invoke(app, ["rules", "check", "--config", str(config)]).exit_code == 0
    told = runner.invoke(app, ["rules", "explain", "water-runs-at-night", "--config", str(config)], terminal_width=400)
    assert str(SHIPPED / LEAK) in told.output.replace("\n", "")


def test_rules_that_were_taken_elsewhere_keep_theirs(tmp_path: Path) -> None:
    config = tmp_path / "site"
    for file in (ROOT / "config").rglob("*.yaml"):
        copy = config / file.relative_to(ROOT / "config")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    told = CliRunner().invoke(app, ["check", "--config", str(config)])
    assert "runbook" not in told.output
    assert told.output.count("Good: site") == 1
