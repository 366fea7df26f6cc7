"""What is loaded before it is needed: heavy libraries, and all commands but the one that is called, wait."""

import subprocess
import sys

import pytest

LOOK = "import sys, collector.cli; {}; print(*sorted(sys.modules))"


def list_modules(statement: str) -> set[str]:
    """Names of all modules that are loaded after a statement in a new process."""
    command = [sys.executable, "-c", LOOK.format(statement)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return set(answer.stdout.split())


def test_help_needs_no_command() -> None:
    loaded = list_modules("pass")
    assert "collector.cli" in loaded
    assert [name for name in loaded if name.startswith("collector.commands.")] == []
    assert loaded.isdisjoint({"pydantic", "sqlalchemy"})


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Names of all modules that `siteward run` loads before it reads the configuration."""
    return list_modules("import collector.commands.daemon")


@pytest.mark.parametrize(
    "name", ["alembic", "amqtt", "apprise", "influxdb_client", "matplotlib", "numpy", "openpyxl", "psycopg"]
)
def test_heavy_libraries_are_loaded_when_they_are_needed(loaded: set[str], name: str) -> None:
    assert "collector.daemon" in loaded
    assert name not in loaded
