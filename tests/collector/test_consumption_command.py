"""`siteward devices consumption` on a real store."""

import json
import time
from datetime import datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from collector.commands.consumption import consumption
from collector.configuration import load
from collector.embedded import EmbeddedDatabase
from collector.stores import open_store
from devices.reading import Reading
from tests.sites import write_site

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
DEVICES = """id,kind,interval,flow_limit,rolls_over_at
em-1,electricity_meter,1h,,
wm-1,water_meter,1h,2 m³/h,1000 m³
door-1,door,,,
"""
REPLACEMENTS = """device,at,final,first
em-1,2026-06-02T10:30:00+02:00,102.5 kWh,7 kWh
"""


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


MIDNIGHT = ns("2026-06-01T00:00+02:00")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_site(tmp_path, DEVICES, site={"id": "site", "timezone": "Europe/Berlin"}, retention={"raw": "3650d"})


def write(config: Path, device: str, rows: dict[int, dict[str, float]]) -> None:
    store = open_store(load(config))
    store.prepare()
    store.write([Reading(device, moment, moment, dict(values)) for moment, values in rows.items()])
    store.close()


def write_hours(config: Path, device: str, point: str, values: list[float], start: int = MIDNIGHT) -> None:
    write(config, device, {start + hour * HOUR: {point: value} for hour, value in enumerate(values)})


def run(config: Path, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(consumption)
    return CliRunner().invoke(app, [*arguments, "--config", str(config)], env={"COLUMNS": "120"})


def ask(config: Path, *arguments: str) -> list[dict[str, object]]:
    """The intervals of the only register."""
    result = run(config, *arguments, "--json")
    assert result.exit_code == 0, result.output
    (register,) = json.loads(result.output)["registers"]
    intervals: list[dict[str, object]] = register["intervals"]
    return intervals


def test_days_are_the_days_of_the_site(config: Path) -> None:
    write_hours(config, "wm-1", "volume_m3", [hour / 4 for hour in range(73)])
    assert ask(config, "wm-1", "--from", "2026-06-01", "--to", "2026-06-03") == [
        {
            "from": "2026-05-31T22:00:00Z",
            "to": "2026-06-01T22:00:00Z",
            "consumption": 6.0,
            "estimated": 0.0,
            "known": 1,
        },
        {
            "from": "2026-06-01T22:00:00Z",
            "to": "2026-06-02T22:00:00Z",
            "consumption": 6.0,
            "estimated": 0.0,
            "known": 1,
        },
    ]


@pytest.mark.parametrize(
    ("per", "begin", "end", "expected"),
    [
        ("hour", "2026-06-01T22:30", "2026-06-02T00:30", [0.5, 1.0, 0.5]),
        ("6h", "2026-06-01", "2026-06-02", [6.0, 6.0, 6.0, 6.0]),
        ("day", "2026-10-24", "2026-10-26", [24.0, 25.0]),  # the clocks go back
        ("week", "2026-06-06", "2026-06-09", [48.0, 24.0]),  # Monday is the 8th
        ("month", "2026-05-31", "2026-07-02", [24.0, 720.0, 24.0]),
    ],
)
def test_intervals_follow_the_calendar(config: Path, per: str, begin: str, end: str, expected: list[float]) -> None:
    start = ns(f"{begin[:10]}T00:00+02:00")
    write_hours(config, "em-1", "energy_import_kwh", [float(hour) for hour in range(35 * 24)], start)
    intervals = ask(config, "em-1", "--from", begin, "--to", end, "--per", per)
    assert [interval["consumption"] for interval in intervals] == expected


def test_people_see_what_was_wrong(config: Path) -> None:
    values = [990.0, 991.0, 992.5, 500.0, 994.0, 995.0, 999.25, 999.75, 0.25, 1.0, 1.0]
    write_hours(config, "wm-1", "volume_m3", values)
    result = run(config, "wm-1", "--from", "2026-06-01", "--to", "2026-06-01T09:00", "--per", "6h")
    assert result.exit_code == 0
    lines = [
        [cell.strip() for cell in line.split("│")[1:-1]] for line in result.output.splitlines() if "│ 2026" in line
    ]
    assert result.output.splitlines()[0] == (
        "volume_m3: 6.750 m³; wrong with the register: 1 spike, 1 jump, 1 rollover, 1 gap"
    )
    assert lines == [
        ["2026-06-01 00:00:00", "5.0", "0.0", "100%"],
        ["2026-06-01 06:00:00", "1.75", "0.0", "100%"],
        ["2026-06-01 03:00:00", "2026-06-01 03:00:00", "spike", "-492.5", "0.0"],
        ["2026-06-01 02:00:00", "2026-06-01 04:00:00", "gap", "1.5", "1.5"],
        ["2026-06-01 05:00:00", "2026-06-01 06:00:00", "jump", "4.25", "0.0"],
        ["2026-06-01 07:00:00", "2026-06-01 08:00:00", "rollover", "-999.5", "0.5"],
    ]


def test_programs_see_every_fault(config: Path) -> None:
    write_hours(config, "wm-1", "volume_m3", [800.0, 799.5, 801.0, 300.0, 300.5])
    result = run(config, "wm-1", "--from", "2026-06-01", "--to", "2026-06-01T05:00", "--json")
    (register,) = json.loads(result.output)["registers"]
    assert (register["point"], register["unit"], register["consumption"]) == ("volume_m3", "m³", 1.5)
    assert register["counts"] == {"slip": 1, "backwards": 1}
    assert register["faults"] == [
        {
            "kind": "slip",
            "gap": False,
            "from": "2026-05-31T22:00:00Z",
            "to": "2026-05-31T23:00:00Z",
            "difference": -0.5,
            "consumption": 0.0,
        },
        {
            "kind": "backwards",
            "gap": False,
            "from": "2026-06-01T00:00:00Z",
            "to": "2026-06-01T01:00:00Z",
            "difference": -501.0,
            "consumption": 0.0,
        },
    ]


def test_a_replaced_meter_goes_on(config: Path) -> None:
    (config / "replacements.csv").write_text(REPLACEMENTS, encoding="utf-8")
    start = ns("2026-06-02T09:00+02:00")
    write_hours(config, "em-1", "energy_import_kwh", [100.0, 102.0, 7.5, 9.0], start)
    intervals = ask(config, "em-1", "--from", "2026-06-02T09:00", "--to", "2026-06-02T12:00", "--per", "hour")
    assert [interval["consumption"] for interval in intervals] == [2.0, 1.0, 1.5]


def test_a_gap_that_reaches_out_of_the_span_is_estimated(config: Path) -> None:
    write(config, "em-1", {MIDNIGHT + hour * HOUR: {"energy_import_kwh": hour * 2.0} for hour in (0, 1, 9, 10)})
    intervals = ask(config, "em-1", "--from", "2026-06-01T06:00", "--to", "2026-06-01T10:00", "--per", "2h")
    assert [(interval["consumption"], interval["estimated"]) for interval in intervals] == [(4.0, 4.0), (4.0, 2.0)]


def test_what_is_not_known_is_not_zero(config: Path) -> None:
    write_hours(config, "em-1", "energy_import_kwh", [1.0, 1.0])
    arguments = ("em-1", "--from", "2026-06-01", "--to", "2026-06-01T04:00", "--per", "2h")
    assert [(interval["consumption"], interval["known"]) for interval in ask(config, *arguments)] == [
        (0.0, 0.5),
        (None, 0.0),
    ]
    assert "│ 2026-06-01 02:00:00 │     │       0.0 │ 0%    │" in run(config, *arguments).output


def test_every_register_of_a_meter_is_shown(config: Path) -> None:
    rows = {MIDNIGHT + hour * HOUR: {"energy_import_kwh": hour, "energy_export_kwh": hour * 3.0} for hour in range(5)}
    write(config, "em-1", rows)
    result = run(config, "em-1", "--from", "2026-06-01", "--to", "2026-06-01T04:00")
    assert [line.split(";")[0] for line in result.output.splitlines() if ";" in line] == [
        "energy_import_kwh: 4.000 kWh",
        "energy_export_kwh: 12.000 kWh",
    ]


def test_where_samples_have_expired_summaries_tell(tmp_path: Path) -> None:
    config = write_site(tmp_path, DEVICES, site={"id": "site", "timezone": "Europe/Berlin"}, retention={"raw": "36d"})
    now = time.time_ns()
    start = now // DAY * DAY - 60 * DAY
    write_hours(config, "em-1", "energy_import_kwh", [float(hour) for hour in range(60 * 24)], start + 40 * 60 * SECOND)
    store = open_store(load(config))
    assert isinstance(store, EmbeddedDatabase)
    store.expire(now)
    assert store.series(["em-1"], "energy_import_kwh", start, start + DAY) == {}
    store.close()
    begin, end = (
        time.strftime("%Y-%m-%dT%H:%M+00:00", time.gmtime((start + days * DAY) // SECOND)) for days in (1, 50)
    )
    intervals = ask(config, "em-1", "--from", begin, "--to", end, "--per", "week")
    amounts = [float(str(interval["consumption"])) for interval in intervals]
    assert sum(amounts) == pytest.approx(49 * 24, abs=0.5)
    assert all(interval["known"] == 1 for interval in intervals)


def test_a_site_without_rows_says_so(config: Path) -> None:
    write(config, "wm-1", {MIDNIGHT: {"volume_m3": 1.0}})
    result = run(config, "wm-1", "--from", "2026-06-01", "--to", "2026-06-02")
    assert (result.exit_code, result.output) == (0, "The database holds no two rows of a register of that time.\n")
    assert json.loads(run(config, "wm-1", "--json").output) == {"device": "wm-1", "registers": []}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["em-2"], "There is no device 'em-2'; did you mean em-1?"),
        (["pump"], "There is no device 'pump'; see: siteward devices list"),
        (["door-1"], "door-1 is of kind door, which has no registers; only meters have consumption."),
        (
            ["em-1", "--per", "7m"],
            "--per 7m: expected hour, day, week, month, or what divides time evenly, such as 15m, 6h or 2w.",
        ),
        (
            ["em-1", "--from", "1970-01-02", "--per", "hour"],
            "--per hour makes more than 10,000 intervals; choose longer ones or a shorter span.",
        ),
        (["em-1", "--from", "1h", "--to", "2h"], "--from 1h is not before --to 2h."),
    ],
)
def test_what_cannot_be_is_said(config: Path, arguments: list[str], message: str) -> None:
    result = run(config, *arguments)
    assert (result.exit_code, result.output) == (2, message + "\n")


def test_a_store_that_cannot_be_read_is_said(config: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "store.db").write_bytes(b"no database at all" * 100)
    result = run(config, "em-1")
    assert result.exit_code == 1
    assert "file is not a database" in result.output


def test_a_span_may_end_after_all_time(config: Path) -> None:
    write_hours(config, "em-1", "energy_import_kwh", [1.0, 3.0])
    intervals = ask(config, "em-1", "--from", "1970-01-01", "--to", "9999-01-01", "--per", "month")
    assert [interval["consumption"] for interval in intervals if interval["known"]] == [2.0]


def test_a_store_that_is_not_there_is_said(config: Path) -> None:
    result = run(config, "em-1")
    assert result.exit_code == 1
    assert "store.db: unable to open database file; it is made when Siteward first runs" in result.output
