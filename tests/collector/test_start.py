"""What the command line loads before it knows what it is asked: heavy libraries wait until somebody needs them."""

import subprocess
import sys

import pytest

LOOK = "import sys, collector.cli; print(*sorted(sys.modules))"


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Names of all modules that `siteward --help` loads."""
    answer = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, timeout=60, check=True)
    return set(answer.stdout.split())


@pytest.mark.parametrize(
    "name", ["alembic", "amqtt", "apprise", "influxdb_client", "matplotlib", "numpy", "openpyxl", "psycopg"]
)
def test_heavy_libraries_are_loaded_when_they_are_needed(loaded: set[str], name: str) -> None:
    assert "collector.daemon" in loaded
    assert name not in loaded
