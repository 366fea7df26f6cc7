"""`siteward ledger` on a real journal."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector.cli import app
from collector.journal import Journal
from collector.ledger import HOUR
from devices.reading import Reading
from tests.sites import write_site

DEVICES = "id,kind,interval\nem-1,electricity_meter,15m\nem-2,electricity_meter,\n"
MINUTE = 60_000_000_000


@pytest.fixture
def hour() -> int:
    """Long enough ago that three hours of it are complete, in hours since 1970."""
    return time.time_ns() // HOUR - 4


@pytest.fixture
def config(tmp_path: Path, hour: int) -> Path:
    """em-1 misses one of eight; em-2, from which nothing is expected, sent one that is not stored yet."""
    config = write_site(tmp_path, DEVICES)
    journal = Journal(tmp_path / "data" / "journal.db", 10**8, ("store", "ledger"))
    times = [hour * HOUR + minute * MINUTE for minute in (0, 60, 75, 90, 120, 135, 150, 165)]
    journal.commit([Reading("em-1", moment, moment, {"power_kw": 1.0}) for moment in times])
    journal.advance("store", 8, stored={("em-1", hour): 1, ("em-1", hour + 1): 3, ("em-1", hour + 2): 4})
    journal.commit([Reading("em-2", hour * HOUR, hour * HOUR, {"power_kw": 1.0})])
    journal.close()
    return config


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["ledger", "--config", str(config), *arguments])


def moment(hour: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M+00:00", time.gmtime(hour * 3600))


def test_what_is_unexplained_is_the_headline_and_the_exit_code(config: Path, hour: int) -> None:
    result = run(config, "--from", moment(hour), "--to", moment(hour + 3))
    assert result.exit_code == 1
    assert result.output.splitlines()[0] == "unexplained: 1 beside 8 readings stored"
    first, second = (line for line in result.output.splitlines() if "em-" in line)
    assert [int(cell) for cell in first.split("│")[2:-1]] == [8, 8, 8, 0, 1]
    assert [cell.strip() for cell in second.split("│")[2:-1]] == ["-", "1", "0", "1", "0"]


def test_where_all_is_explained_the_exit_code_says_good(config: Path, hour: int) -> None:
    result = run(config, "--from", moment(hour + 2), "--to", moment(hour + 3))
    assert result.exit_code == 0
    assert result.output.startswith("unexplained: 0 beside 4 readings stored\n")


def test_one_device_is_shown_hour_by_hour(config: Path, hour: int) -> None:
    result = run(config, "--from", moment(hour), "--to", moment(hour + 3), "--device", "em-1")
    rows = [line for line in result.output.splitlines() if f"{time.gmtime(hour * 3600).tm_year}-" in line]
    assert [int(line.split("│")[-2]) for line in rows] == [0, 1, 0]


def test_programs_get_every_line(config: Path, hour: int) -> None:
    result = run(config, "--from", moment(hour), "--to", moment(hour + 3), "--json")
    answer = json.loads(result.output)
    assert answer["unexplained"] == 1
    assert [(line["device"], line["hour"] - hour, line["unexplained"]) for line in answer["lines"]] == [
        ("em-1", 0, 0),
        ("em-1", 1, 1),
        ("em-1", 2, 0),
        ("em-2", 0, 0),
    ]


def test_a_time_before_all_is_empty(config: Path) -> None:
    result = run(config, "--from", "2001-01-01", "--to", "2001-01-02")
    assert (result.exit_code, result.output) == (
        0,
        "unexplained: 0 beside 0 readings stored\nNothing has arrived in that time.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--from", "yesterday"],
            "'yesterday' is no time. Write 2026-11-22, 2026-11-22T08:00 or how long ago: 36h, 7d.",
        ),
        (["--from", "1h", "--to", "2h"], "--from 1h is not before --to 2h."),
        (["--device", "em-9"], "There is no device 'em-9' in the register, and nothing came from it."),
    ],
)
def test_what_cannot_be_is_said(config: Path, arguments: list[str], message: str) -> None:
    result = run(config, *arguments)
    assert (result.exit_code, result.output) == (2, message + "\n")


@pytest.mark.parametrize("begin", ["0001-01-01", "99999999w"])
def test_a_time_long_past_is_the_beginning(config: Path, begin: str) -> None:
    assert run(config, "--from", begin).exit_code == 1


def test_a_site_that_never_ran_has_no_journal(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    result = run(config)
    path = tmp_path / "config" / ".." / "data" / "journal.db"
    assert (result.exit_code, result.output) == (
        1,
        f"{path}: there is no journal yet. It is made by: siteward run --config {config}\n",
    )


def test_a_file_that_is_no_journal_is_said(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal.db").write_bytes(b"no database at all" * 100)
    result = run(config)
    assert result.exit_code == 1
    assert "file is not a database. If the file is damaged, the next start of the daemon repairs it." in result.output


def test_a_configuration_with_errors_is_said_and_nothing_is_done(tmp_path: Path) -> None:
    config = write_site(tmp_path, "id,kind\nem-1,electricity_meeter\n")
    result = run(config)
    assert result.exit_code == 2
    assert "devices.csv:2:6" in result.output
    assert result.output.endswith(f"1 problem(s) in {config}; nothing was done.\n")
