"""`siteward journal` on a real journal: what the database lost comes back, and nothing becomes double."""

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector.cli import app
from collector.configuration import load
from collector.journal import Journal
from collector.stores import open_store
from devices.reading import Reading
from tests.integration.servers import InfluxDB, find_free_port
from tests.sites import write_site

HOUR = 3_600_000_000_000
START = 1_732_269_600_000_000_000  # 2024-11-22T10:00:00Z
CONSUMERS = ("store", "ledger")


def reading(number: int, **values: float | bool | str) -> Reading:
    time = START + number * 1_000_000_000
    return Reading("em-1", time, time, {"power_kw": float(number), **values})


def fill(config: Path, *hours: list[Reading]) -> None:
    """Commits readings, an hour's after the other, from START on."""
    now = [START]
    with closing(
        Journal(load(config).settings.data_dir / "journal.db", 10**8, CONSUMERS, clock=lambda: now[0])
    ) as journal:
        for batch in hours:
            for at in range(0, len(batch), 1000):
                journal.commit(batch[at : at + 1000])
            now[0] += HOUR


def stored(config: Path) -> list[float | bool | str]:
    store = open_store(load(config))
    found = store.series(["em-1"], "power_kw", 0, 2**62)
    store.close()
    return [sample.value for sample in found.get("em-1", [])]


def replay(config: Path, begin: str, end: str = "") -> Result:
    arguments = ["journal", "replay", "--config", str(config), "--from", begin, *(["--to", end] if end else [])]
    return CliRunner().invoke(app, arguments)


def test_what_the_journal_holds_is_shown(tmp_path: Path) -> None:
    config = write_site(tmp_path, site={"id": "site", "timezone": "Asia/Shanghai"}, journal={"quota": "100 MB"})
    fill(config, [reading(1), reading(2)], [reading(3)])
    arguments = ["journal", "status", "--config", str(config)]
    shown = CliRunner().invoke(app, arguments).output
    assert "journal.db: 3 readings were committed in all" in shown
    assert "of 100 MB used" in shown
    assert "can be replayed from 2024-11-22 18:00:00" in shown
    answer = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output)
    assert (answer["head"], answer["oldest"], answer["quota_bytes"]) == (3, START, 100_000_000)
    assert answer["consumers"] == [
        {"consumer": "ledger", "position": 0, "waiting": 3},
        {"consumer": "store", "position": 0, "waiting": 3},
    ]


def test_rows_that_the_database_lost_come_back_once(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    fill(config, [reading(number) for number in range(12_000)], [reading(20_000)])
    assert replay(config, "2024-11-22T10:00+00:00").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "data" / "store.db")) as database, database:
        assert database.execute("DELETE FROM sample WHERE value < 9000 OR value = 20000").rowcount == 9001
    result = replay(config, "2024-11-22T10:00+00:00", "2024-11-22T11:00+00:00")
    assert result.exit_code == 0
    assert result.stdout == "Stored 12,000 readings again.\n"
    assert "12000/12000" in result.stderr, "progress"
    assert stored(config) == [float(number) for number in range(12_000)]
    assert replay(config, "2024-11-22T11:00+00:00").stdout == "Stored 1 readings again.\n"
    assert stored(config)[-1] == 20_000


def test_rows_that_influxdb_lost_come_back_once(influxdb: InfluxDB, fresh_name: str, tmp_path: Path) -> None:
    store = {"kind": "influxdb", "api": "v1", "url": influxdb.url, "database": fresh_name}
    config = write_site(tmp_path, store=store)
    fill(config, [reading(number) for number in range(100)])
    for _ in range(2):
        assert replay(config, "2024-11-22").stdout == "Stored 100 readings again.\n"
    assert stored(config) == [float(number) for number in range(100)]


def test_what_the_database_rejects_is_left_out_and_counted(influxdb: InfluxDB, fresh_name: str, tmp_path: Path) -> None:
    store = {"kind": "influxdb", "api": "v1", "url": influxdb.url, "database": fresh_name}
    config = write_site(tmp_path, store=store)
    influxdb.ask("", f'CREATE DATABASE "{fresh_name}"')
    influxdb.request("POST", f"/write?db={fresh_name}", f"electricity_meter,device=em-9 alarm=1 {START}")
    fill(config, [reading(number, **({"alarm": "open"} if number == 37 else {})) for number in range(100)])
    result = replay(config, "2024-11-22")
    assert result.exit_code == 1
    assert result.stdout == "Stored 99 readings again.\n"
    assert "field type conflict" in result.stderr
    assert result.stderr.endswith("1 readings were rejected by the database.\n")
    assert stored(config) == [float(number) for number in range(100) if number != 37]


def test_a_database_that_takes_smaller_requests_gets_them(tmp_path: Path, fresh_name: str) -> None:
    with InfluxDB(tmp_path / "influxdb", http="max-body-size = 2000") as server:
        store = {"kind": "influxdb", "api": "v1", "url": server.url, "database": fresh_name, "gzip": False}
        config = write_site(tmp_path, store=store)
        fill(config, [reading(number) for number in range(500)])
        assert replay(config, "2024-11-22").stdout == "Stored 500 readings again.\n"
        assert stored(config) == [float(number) for number in range(500)]


def test_a_database_that_is_away_is_said(tmp_path: Path) -> None:
    store = {"kind": "influxdb", "api": "v1", "url": f"http://127.0.0.1:{find_free_port()}", "database": "site"}
    config = write_site(tmp_path, store=store)
    fill(config, [reading(1)])
    result = replay(config, "2024-11-22")
    assert result.exit_code == 1
    assert re.search(
        r"http://127.0.0.1:\d+ cannot be reached: Connection refused\s+"
        r"Run the same command again; nothing becomes double\.\s+$",
        result.stderr,
    )


def test_a_span_of_which_nothing_is_left_is_said(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    fill(config, [reading(1)])
    result = replay(config, "2024-11-20", "2024-11-21")
    assert (result.exit_code, result.output) == (
        1,
        "The journal holds nothing of that span; it reaches back to 2024-11-22 10:00:00.\n",
    )


@pytest.mark.parametrize(
    ("begin", "end", "message"),
    [
        ("noon", "", "'noon' is no time. Write 2026-11-22, 2026-11-22T08:00 or how long ago: 36h, 7d."),
        (
            "2024-11-22",
            "2024-13-01",
            "'2024-13-01' is no time. Write 2026-11-22, 2026-11-22T08:00 or how long ago: 36h, 7d.",
        ),
        ("2024-11-22T12:00", "2024-11-22T11:00", "--from 2024-11-22T12:00 is not before --to 2024-11-22T11:00."),
    ],
)
def test_times_that_are_none_are_said(tmp_path: Path, begin: str, end: str, message: str) -> None:
    config = write_site(tmp_path)
    fill(config, [reading(1)])
    result = replay(config, begin, end)
    assert (result.exit_code, result.output) == (2, message + "\n")


def test_times_are_the_sites_own(tmp_path: Path) -> None:
    config = write_site(tmp_path, site={"id": "site", "timezone": "Asia/Shanghai"})
    fill(config, [reading(1)], [reading(2)])
    assert replay(config, "2024-11-22T18:30", "2024-11-22T20:00").stdout == "Stored 1 readings again.\n"
    assert stored(config) == [2.0]


def test_a_time_may_be_how_long_ago(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    with closing(Journal(tmp_path / "data" / "journal.db", 10**8, CONSUMERS)) as journal:
        now = time.time_ns()
        journal.commit([Reading("em-1", now, now, {"power_kw": 1.0})])
    assert replay(config, "1h").stdout == "Stored 1 readings again.\n"
    assert replay(config, "2h", "1h").exit_code == 1
