"""The frame: names, packages, and commands that a fresh machine needs."""

import tomllib
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OWN_NAMES = {"collector", "devices", "rules", "tickets", "portal"}


def test_no_installed_dependency_owns_one_of_our_names() -> None:
    for distribution in distributions():
        if distribution.name == "siteward":
            continue
        tops = {file.parts[0].removesuffix(".py") for file in distribution.files or [] if file.suffix == ".py"}
        assert not tops & OWN_NAMES, distribution.name


def test_the_wheel_holds_every_package_and_no_other() -> None:
    listed = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert listed == {name for name in OWN_NAMES if (ROOT / name / "__init__.py").exists()}


def test_it_cannot_be_uploaded_by_mistake() -> None:
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


def test_every_dependency_is_pinned_without_an_address() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all("==" in line and "://" not in line for line in lines)
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    groups = [PROJECT["project"]["dependencies"], PROJECT["project"]["optional-dependencies"]["dev"]]
    names = {line.split(">")[0].split("[")[0].strip().lower() for group in groups for line in group}
    assert names <= pinned
