"""The journal drained into a real InfluxDB 1.x that refuses, breaks, and comes back: everything is there once."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from collector import quarantine, storewriter
from collector.influx import InfluxDatabase
from collector.journal import Journal
from collector.settings import InfluxStore, Site
from collector.storewriter import StoreWriter
from devices.reading import Reading
from devices.register import Device, Register
from tests.integration.servers import InfluxDB, VictoriaMetrics, wait_until

TIME = 1_790_000_000_000_000_000
REGISTER = Register(devices=[Device(id="em-1", kind="electricity_meter")])
FLUSH = 10_000_000


def readings(numbers: Sequence[int]) -> list[Reading]:
    return [Reading("em-1", TIME + number, TIME, {"power_kw": float(number)}) for number in numbers]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits half a minute in a test."""
    for name in ("_FIRST_PAUSE_S", "_LONGEST_PAUSE_S", "_REFUSED_PAUSE_S"):
        monkeypatch.setattr(storewriter, name, 0.05)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db", 100_000_000, ("store",))
    yield journal
    journal.close()


class Draining:
    """A StoreWriter at work in an InfluxDB; a context."""

    def __init__(self, journal: Journal, url: str, database: str = "siteward", batch_size: int = 500) -> None:
        parts = InfluxStore(kind="influxdb", api="v1", url=url, database=database)
        self.store = InfluxDatabase(parts, Site(id="campus"), REGISTER)
        self.writer = StoreWriter(journal, self.store, batch_size, FLUSH)

    def __enter__(self) -> StoreWriter:
        self.writer.start()
        return self.writer

    def __exit__(self, *_: object) -> None:
        self.writer.stop()
        self.store.close()


def stored(server: InfluxDB, database: str = "siteward") -> list[int]:
    return [row["time"] - TIME for row in server.rows(database, "electricity_meter")]


def test_a_stop_of_the_database_only_makes_the_journal_longer(tmp_path: Path, journal: Journal) -> None:
    with InfluxDB(tmp_path / "influxdb") as server, Draining(journal, server.url) as writer:
        journal.commit(readings(range(100)))
        wait_until(lambda: writer.position == 100)
        server.stop()
        for first in range(100, 5000, 100):
            journal.commit(readings(range(first, first + 100)))
        wait_until(lambda: writer.retries >= 3)
        assert (writer.state, writer.position) == ("unavailable", 100)
        assert writer.trouble == f"{server.url} cannot be reached: Connection refused"
        server.start()
        wait_until(lambda: writer.position == 5000)
        assert stored(server) == list(range(5000))


def kill_amid(server: InfluxDB, writer: StoreWriter) -> None:
    """Kills the server while it is written to, and starts it again when the writer has noticed."""
    written, retries = writer.written, writer.retries
    wait_until(lambda: writer.written > written)
    server.kill()
    wait_until(lambda: writer.retries > retries)
    server.start()


def test_a_database_that_is_killed_again_and_again_has_everything_once(tmp_path: Path, journal: Journal) -> None:
    enough = threading.Event()

    def flood() -> None:
        while not enough.wait(0.001):
            journal.commit(readings(range(journal.head, journal.head + 20)))

    with InfluxDB(tmp_path / "influxdb") as server, Draining(journal, server.url) as writer:
        flooding = threading.Thread(target=flood)
        flooding.start()
        for _ in range(4):
            kill_amid(server, writer)
        enough.set()
        flooding.join()
        wait_until(lambda: writer.position == journal.head)
        assert stored(server) == list(range(journal.head))
        assert writer.rejected == 0


def test_a_database_that_is_lost_is_made_anew(influxdb: InfluxDB, fresh_name: str, journal: Journal) -> None:
    with Draining(journal, influxdb.url, fresh_name) as writer:
        journal.commit(readings([1]))
        wait_until(lambda: writer.position == 1)
        influxdb.ask("", f"DROP DATABASE {fresh_name}")
        journal.commit(readings([2]))
        wait_until(lambda: writer.position == 2)
        assert stored(influxdb, fresh_name) == [2]


def test_bad_readings_are_in_quarantine_and_the_others_stored_once(
    influxdb: InfluxDB, fresh_name: str, journal: Journal
) -> None:
    bad = {17, 18, 400}
    batch = readings(range(500))
    for number in bad:
        batch[number].values["power_kw"] = "much"
    with Draining(journal, influxdb.url, fresh_name) as writer:
        journal.commit(readings([1000]))
        wait_until(lambda: writer.position == 1)
        journal.commit(batch)
        wait_until(lambda: writer.position == 501)
        assert (writer.written, writer.rejected) == (498, 3)
    assert stored(influxdb, fresh_name) == [*(number for number in range(500) if number not in bad), 1000]
    (group,) = quarantine.list_groups(journal.connection())
    assert (group.stage, group.device, group.times) == ("store", "em-1", 3)
    assert group.reason == (
        'field type conflict: input field "power_kw" on measurement "electricity_meter" is type string,'
        " already exists as type float"
    )


def test_what_the_database_rejects_as_a_whole_is_rejected_at_once(
    influxdb: InfluxDB, fresh_name: str, journal: Journal
) -> None:
    influxdb.ask("", f"CREATE DATABASE {fresh_name}")
    influxdb.request("POST", f"/write?db={fresh_name}", f'electricity_meter power_kw="text" {TIME}')
    journal.commit(readings(range(500)))
    with Draining(journal, influxdb.url, fresh_name) as writer:
        wait_until(lambda: writer.position == 500)
    assert (writer.written, writer.rejected, writer.batches) == (0, 500, 0)
    (group,) = quarantine.list_groups(journal.connection())
    assert group.times == 500


def test_a_database_that_takes_little_at_a_time(tmp_path: Path, journal: Journal) -> None:
    with InfluxDB(tmp_path / "influxdb", http="max-body-size = 4000") as server:
        journal.commit(readings(range(2000)))
        with Draining(journal, server.url) as writer:
            wait_until(lambda: writer.position == 2000)
            assert writer.rejected == 0
        assert stored(server) == list(range(2000))


def test_a_password_that_is_mended(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEWARD_STORE_PASSWORD", "wrong")
    with InfluxDB(tmp_path / "influxdb", http="auth-enabled = true") as server:
        server.ask("", "CREATE USER siteward WITH PASSWORD 'right' WITH ALL PRIVILEGES")
        parts = InfluxStore(kind="influxdb", api="v1", url=server.url, database="siteward", username="siteward")
        store = InfluxDatabase(parts, Site(id="campus"), REGISTER)
        writer = StoreWriter(journal, store, 500, FLUSH)
        journal.commit(readings([1, 2]))
        writer.start()
        wait_until(lambda: writer.retries >= 2)
        assert writer.state == "refused"
        assert "does not let user siteward write to database siteward" in writer.trouble
        monkeypatch.setenv("SITEWARD_STORE_PASSWORD", "right")
        wait_until(lambda: writer.position == 2)
        assert writer.trouble == ""
        writer.stop()
        store.close()


def test_victoria_metrics_has_everything_once_after_a_crash(
    victoria: VictoriaMetrics, fresh_name: str, journal: Journal
) -> None:
    parts = InfluxStore(kind="influxdb", api="v2", url=victoria.url, bucket="siteward")
    store = InfluxDatabase(parts, Site(id=fresh_name), REGISTER)
    journal.commit([Reading("em-1", TIME + n * 1_000_000, TIME, {"power_kw": float(n)}) for n in range(1000)])
    crashed = StoreWriter(journal, store, 300, 1)
    crashed._attempt()  # stores, and leaves the cursor where it was
    assert journal.cursor("store") == 0
    writer = StoreWriter(journal, store, 300, 1)
    writer.start()
    wait_until(lambda: writer.position == 1000)
    writer.stop()
    store.close()
    (samples,) = victoria.export(site=fresh_name).values()
    assert samples == [(TIME // 1_000_000 + n, float(n)) for n in range(1000)]
