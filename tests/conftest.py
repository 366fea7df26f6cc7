"""Fixtures for all tests: shared real servers. A test that stops or sets one starts its own: `with InfluxDB(…)`."""

import logging
import os
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, settings

from tests.integration.servers import InfluxDB, Mosquitto, VictoriaMetrics

for name in ("COLUMNS", "LINES"):  # tables are as wide as tests say, not as the terminal of whoever runs them
    os.environ.pop(name, None)

# How long an example takes says more of the machine than of the code.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")

_numbers = count(1)


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    """A command sends logs to the standard error of its time, which is gone after its test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker; use topics and client ids of `fresh_name`."""
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as server:
        yield server


@pytest.fixture(scope="session")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    """InfluxDB 1.x; use databases of `fresh_name`."""
    with InfluxDB(tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.fixture(scope="session")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetrics]:
    """VictoriaMetrics; use sites of `fresh_name`."""
    with VictoriaMetrics(tmp_path_factory.mktemp("victoria")) as server:
        yield server


@pytest.fixture
def fresh_name() -> str:
    """A name that no other test uses."""
    return f"test{next(_numbers)}"
