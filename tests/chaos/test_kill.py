"""The promise: no acknowledged reading is lost and none is stored twice, wherever the process dies."""

import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.chaos.runner import STEPS
from tests.chaos.site import Site
from tests.integration.servers import InfluxDB, Mosquitto, wait_until

MESSAGES = 20_000
KILLS = 20
_RUNNER = Path(__file__).with_name("runner.py")


@pytest.fixture
def site(tmp_path: Path, fresh_name: str, mosquitto: Mosquitto, influxdb: InfluxDB) -> Iterator[Site]:
    """On the shared servers."""
    site = Site(tmp_path, fresh_name, mosquitto, influxdb)
    yield site
    site.kill_daemon()


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    """On servers of its own, which may be stopped."""
    with Mosquitto(tmp_path / "broker") as broker, InfluxDB(tmp_path / "influxdb") as database:
        site = Site(tmp_path, "chaos", broker, database)
        yield site
        site.kill_daemon()


def check(site: Site, messages: int) -> None:
    """Every number is in the store once."""
    wait_until(lambda: site.stored() >= messages, 60)
    assert site.numbers() == list(range(messages))


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_loses_nothing_and_doubles_nothing(site: Site, step: str) -> None:
    site.start_daemon()
    site.await_subscription()
    assert site.stop_daemon() == 0
    site.publish(range(600))  # they wait at the broker
    site.start_daemon(str(_RUNNER), str(site.config), step, "2")
    assert site.daemon is not None
    published = 600
    while site.daemon.poll() is None and published < 10_000:
        site.publish(range(published, published + 20))
        published += 20
        with suppress(subprocess.TimeoutExpired):
            site.daemon.wait(0.05)
    assert site.daemon.poll() == -signal.SIGKILL, "the step was not reached"
    site.start_daemon()
    check(site, published)


def test_killed_at_random_moments_under_load_while_broker_and_database_stop_too(own_site: Site) -> None:
    site = own_site
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - shown where the test fails
    chance = random.Random(seed)
    site.start_daemon()
    site.await_subscription()
    published, stopped = 0, threading.Event()

    def stream() -> None:
        nonlocal published
        while published < MESSAGES:
            with broker_up:
                site.publish(range(published, published + 250))
            published += 250
            stopped.wait(chance.uniform(0, 0.6))

    broker_up = threading.Lock()
    publisher = threading.Thread(target=stream)
    publisher.start()
    database_down = False
    for kill in range(KILLS):
        stopped.wait(chance.uniform(0.2, 2.4))
        if kill in {5, 12}:
            site.database.stop()
            database_down = True
        if kill in {9, 15}:
            with broker_up:  # the stream waits: its own redeliveries would be other messages
                site.broker.stop()
                stopped.wait(chance.uniform(0, 0.5))
                site.broker.start()
        site.kill_daemon()
        site.start_daemon()
        if database_down and kill in {8, 14}:
            site.database.start()
            database_down = False
    publisher.join(120)
    assert published == MESSAGES
    check(site, MESSAGES)
