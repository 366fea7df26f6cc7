"""The wheel, built and run away from the sources: nothing that a command needs was left behind."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.integration.servers import find_free_port

ROOT = Path(__file__).parents[2]
PACKAGES = ("collector", "tickets", "rules", "devices")
CARRIED = {"deploy": "collector/deploy", "docs/runbooks": "collector/docs/runbooks"}
"""Folders of the sources that no package holds, and where the wheel has them."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    (file,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def run(wheel: Path, *words: object) -> str:
    """What a command of the wheel says; it succeeds."""
    return call(wheel, "-m", "collector.cli", *words)


def call(wheel: Path, *words: object) -> str:
    """What Python says, with the wheel in front of all that is installed."""
    result = subprocess.run(
        [sys.executable, "-P", *(str(word) for word in words)],
        env=os.environ | {"PYTHONPATH": str(wheel), "COLUMNS": "500"},
        cwd=wheel.parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def list_files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_holds_every_file(wheel: Path) -> None:
    found = {name for name in list_files(wheel) if not name.startswith("siteward-")}
    expected = {f"{package}/{name}" for package in PACKAGES for name in list_files(ROOT / package)}
    expected |= {f"{there}/{name}" for here, there in CARRIED.items() for name in list_files(ROOT / here)}
    assert found == expected
    suffixes = {Path(name).suffix for name in found}
    assert suffixes > {".py", ".yaml", ".js", ".md", ".txt", ".sh", ".conf", ".service"}


@pytest.mark.parametrize("package", PACKAGES)
def test_it_is_what_these_tests_run(wheel: Path, package: str) -> None:
    assert call(wheel, "-c", f"import {package}; print({package}.__file__)").startswith(f"{wheel}/")


def test_help(wheel: Path) -> None:
    assert "maintenance desk" in run(wheel, "--help")


def test_a_first_configuration(wheel: Path, tmp_path: Path) -> None:
    run(wheel, "init", tmp_path / "config")
    assert run(wheel, "check", "--config", tmp_path / "config").startswith("Good: site my-site")
    explained = run(wheel, "rules", "explain", "water-runs-at-night", "--config", tmp_path / "config")
    assert str(wheel / "collector" / "docs" / "runbooks") in explained
    assert "zigbee2mqtt" in run(wheel, "devices", "profiles", "--config", tmp_path / "config")


def test_a_site_for_compose(wheel: Path, tmp_path: Path) -> None:
    run(wheel, "init", tmp_path / "site", "--deploy")
    assert run(wheel, "check", "--config", tmp_path / "site" / "config").startswith("Good: site my-site")
    assert os.access(tmp_path / "site" / "influxdb" / "grafana-reader.sh", os.X_OK)


def test_the_desks_tables_are_made(wheel: Path, tmp_path: Path) -> None:
    run(wheel, "init", tmp_path / "config")
    file = tmp_path / "config" / "siteward.yaml"
    text = file.read_text(encoding="utf-8").replace("127.0.0.1:1883", f"127.0.0.1:{find_free_port()}")
    file.write_text(text, encoding="utf-8")
    run(wheel, "tickets", "open", "Tap drips", "--config", tmp_path / "config")
    assert "Tap drips" in run(wheel, "tickets", "list", "--config", tmp_path / "config")
