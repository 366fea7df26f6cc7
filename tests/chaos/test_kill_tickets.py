"""The promise: no ticket is opened twice and none is missed, wherever the process dies."""

import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.load import connect, encode, send
from tests.chaos.runner import TICKET_STEPS
from tests.chaos.site import Site
from tests.integration.servers import InfluxDB, Mosquitto, wait_until
from tickets.database import Database, file_url, open_database
from tickets.queue import Filter, list_tickets

KILLS = 8
FAULTS = 300
ROUNDS = 8
"""How many messages each device sends; in one of them the voltage is too high, and stays so."""

_RUNNER = Path(__file__).with_name("runner.py")
_RULES = """
rules:
  - id: voltage-high
    when: {threshold: {point: voltage_v, above: 253 V}}
  - id: alarm
    when: {threshold: {point: leak, equals: true}}
    for: 1s
"""


class Faults:
    """A site whose devices each fail once, in an order drawn by chance."""

    def __init__(self, site: Site, chance: random.Random) -> None:
        self.site = site
        devices = [f"em-{number:03}" for number in range(FAULTS)]
        rows = "\n".join(f"{device},electricity_meter" for device in devices)
        (site.config / "devices.csv").write_text(f"id,kind\n{rows}\n", encoding="utf-8")
        (site.config / "rules").mkdir()
        (site.config / "rules" / "rules.yaml").write_text(_RULES, encoding="utf-8")
        self.expected = {("voltage-high", device) for device in devices}
        self.messages: list[tuple[str, float]] = []
        fails = {device: chance.randrange(1, ROUNDS) for device in devices}
        for number in range(ROUNDS):
            self.messages += [(device, 258.5 if number >= fails[device] else 231.5) for device in devices]

    def publish(self, first: int, count: int) -> int:
        """Publishes the next messages at QoS 1; how many there were."""
        packets = []
        for number, (device, voltage) in enumerate(self.messages[first : first + count], first):
            topic = f"siteward/{self.site.name}/{device}/readings"
            packets.append(encode(topic, b'{"voltage_v":%.1f}' % voltage, number % 65535 + 1))
        with connect(self.site.broker.port) as sock:
            send(sock, packets, 0)
        return len(packets)

    def check(self) -> None:
        """Every fault has a ticket of its own, and one only."""
        database = open_database(file_url(self.site.config.parent / "data" / "desk.db"))
        try:
            wait_until(lambda: len(_list(database, self.site.name)) >= len(self.expected), 60)
            found = Counter(_list(database, self.site.name))
        finally:
            database.close()
        assert set(found) == self.expected
        assert set(found.values()) == {1}


def _list(database: Database, site: str) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [(each.rule, each.subject_id) for each in list_tickets(connection, site, Filter(states=()))]


@pytest.fixture
def site(tmp_path: Path, fresh_name: str, mosquitto: Mosquitto, influxdb: InfluxDB) -> Iterator[Site]:
    """On the shared servers."""
    site = Site(tmp_path, fresh_name, mosquitto, influxdb)
    yield site
    site.kill_daemon()


@pytest.mark.parametrize("step", TICKET_STEPS)
def test_killed_at_any_step_to_a_ticket_it_opens_each_once(site: Site, step: str) -> None:
    faults = Faults(site, random.Random(1))
    site.start_daemon()
    site.await_subscription()
    assert site.stop_daemon() == 0
    published = faults.publish(0, FAULTS)
    site.start_daemon(str(_RUNNER), str(site.config), step, "2")
    assert site.daemon is not None
    running = site.daemon
    wait_until(lambda: running.poll() is not None or site.log.read_bytes().count(b"subscribed") > 1, 20)
    while site.daemon.poll() is None and published < len(faults.messages):
        published += faults.publish(published, 20)
        with suppress(subprocess.TimeoutExpired):
            site.daemon.wait(0.05)
    with suppress(subprocess.TimeoutExpired):
        site.daemon.wait(5)
    assert site.daemon.poll() == -signal.SIGKILL, "the step was not reached"
    site.start_daemon()
    faults.publish(published, len(faults.messages) - published)
    faults.check()


def test_killed_at_random_moments_under_load_it_opens_each_ticket_once(site: Site) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - shown where the test fails
    chance = random.Random(seed)
    faults = Faults(site, chance)
    site.start_daemon()
    site.await_subscription()
    stopped = threading.Event()

    def stream() -> None:
        published = 0
        while published < len(faults.messages):
            published += faults.publish(published, 60)
            stopped.wait(chance.uniform(0, 0.2))

    publisher = threading.Thread(target=stream)
    publisher.start()
    for _ in range(KILLS):
        stopped.wait(chance.uniform(0.3, 1.8))
        site.kill_daemon()
        site.start_daemon()
    publisher.join(120)
    faults.check()
