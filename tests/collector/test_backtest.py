"""Backtests: what is replayed from the store and from files, what it is compared with, and the command."""

import json
import re
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from collector.backtest.csvhistory import CsvHistory
from collector.backtest.history import StoreHistory, find_heard
from collector.backtest.labels import Label, read_labels, score
from collector.backtest.replay import Span, replay
from collector.cli import app
from collector.configuration import load
from collector.embedded import EmbeddedDatabase
from collector.errors import CollectorError
from collector.settings import Retention
from collector.settings import Site as SiteSettings
from collector.stores import open_store
from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Evidence, Subject, Transition
from rules.judge import Judge
from rules.outcome import Outcome, ToldAlert
from tests.rulebench import at, make_site, read_rules, reading
from tests.sites import write_site

MINUTE, DAY = NANOSECONDS["m"], NANOSECONDS["d"]
START = at("2026-03-02 00:00")
SITE = make_site(
    [{"id": "em-1", "kind": "electricity_meter"}, {"id": "em-2", "kind": "electricity_meter"}], zone="Asia/Shanghai"
)
RULES = read_rules("""
- {id: high, when: {threshold: {point: voltage_v, above: 253 V}}, for: 10m}
- {id: silent, select: {device: em-2}, when: {silent: {for: 1h}}}
""")


def make_store(path: Path, readings: Sequence[Reading]) -> EmbeddedDatabase:
    store = EmbeddedDatabase(path, SiteSettings(id="site", timezone="Asia/Shanghai"), SITE.register, Retention())
    store.prepare()
    store.write(readings)
    return store


def make_day(device: str, volts: Sequence[float]) -> list[Reading]:
    return [reading(device, START + number * 5 * MINUTE, voltage_v=volt) for number, volt in enumerate(volts)]


# ── what is replayed ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_what_rules_hear_is_read_and_all_of_whom_silence_is_judged() -> None:
    heard = find_heard(RULES, SITE)
    assert heard["em-1"] == ["voltage_v"]
    assert {"voltage_v", "power_kw", "uptime_s"} <= set(heard["em-2"])


def test_readings_come_back_from_the_store_as_they_were_heard(tmp_path: Path) -> None:
    sent = [
        reading("em-1", START, voltage_v=230),
        reading("em-2", START, voltage_v=231, power_kw=1),
        reading("em-1", START + 9 * DAY, voltage_v=232),
        reading("em-1", START + DAY, received=START + 9 * DAY + MINUTE, late=True, voltage_v=233),
        reading("em-1", START + 10 * DAY, voltage_v=234),
    ]
    store = make_store(tmp_path / "store.db", sent)
    history = StoreHistory(store, find_heard(RULES, SITE), 0)
    found = list(history.readings(START, START + 20 * DAY))
    assert found == sent
    assert list(history.readings(START + 1, START + 10 * DAY)) == sent[2:4]
    assert list(history.readings(START + DAY, START + 9 * DAY)) == []  # the late one arrives after that
    assert [sample.value for sample in history.series("em-1", "voltage_v", START, START + 20 * DAY)] == [
        230, 233, 232, 234,
    ]  # fmt: skip
    store.close()


def test_before_its_raw_values_a_store_has_the_last_of_each_quarter(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store.db", make_day("em-1", [230, 231, 232, 233, 234, 235, 236]))
    history = StoreHistory(store, {"em-1": ["voltage_v"]}, START + 16 * MINUTE)
    found = [(each.time - START, each.values["voltage_v"]) for each in history.readings(START, START + DAY)]
    assert found == [(15 * MINUTE - 1, 232), (30 * MINUTE - 1, 235), (30 * MINUTE, 236)]
    store.close()


def test_a_replay_tells_what_the_judge_told(tmp_path: Path) -> None:
    readings = make_day("em-1", [230] * 10 + [260] * 6 + [230] * 20) + make_day("em-2", [230] * 20)
    readings.sort(key=lambda each: each.received)
    judge, outcome = Judge(RULES, SITE, START), Outcome(RULES)
    for each in readings:
        outcome.take(judge.evaluate(each), each.received)
    outcome.take(judge.advance(START + DAY), START + DAY)
    store = make_store(tmp_path / "store.db", readings)
    seen: list[int] = []
    history = StoreHistory(store, find_heard(RULES, SITE), 0)
    found = replay(history, RULES, SITE, Span(START, START + DAY, 0), seen.append)
    store.close()
    assert [(alert.key, alert.resolved) for alert in found.alerts] == [
        (alert.key, alert.resolved) for alert in outcome.alerts.values()
    ]
    assert {alert.transition.rule for alert in found.alerts} == {"high", "silent"}
    assert (found.readings, seen[-1]) == (len(readings), START + DAY)


def test_alerts_of_the_warm_up_do_not_count(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store.db", make_day("em-1", [260] * 20 + [230] * 10 + [260] * 10))
    history = StoreHistory(store, find_heard(RULES[:1], SITE), 0)
    found = replay(history, RULES[:1], SITE, Span(START + 60 * MINUTE, START + DAY, 60 * MINUTE))
    store.close()
    assert [alert.transition.opened - START for alert in found.alerts] == [160 * MINUTE]
    assert [alert.transition.opened - START for alert in found.before] == [10 * MINUTE]
    assert len(found.tickets) == 1


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_file(path: Path, text: str) -> list[Reading]:
    path.write_text(text, encoding="utf-8")
    history = CsvHistory(path, SITE.devices, SITE.zone)
    try:
        return list(history.readings(0, 2**62))
    finally:
        history.close()


def test_a_row_for_each_reading_or_for_each_value_in_any_order(tmp_path: Path) -> None:
    wide = """\
time,device,voltage_v,power_kw,leak
2026-03-02T08:10:00+08:00,em-1,231,,
2026-03-02 08:00,em-1,230,1.5,true
1772409600,em-2,,2,
"""
    long = """\
device,time,point,value
em-2,1772409600000,power_kw,2
em-1,1772409600000000000,leak,1
em-1,2026-03-02T00:00:00Z,power_kw,1.5

em-1,2026-03-02T00:10:00Z,voltage_v,231
em-1,1772409600000000,voltage_v,230
"""
    expected = [
        reading("em-1", START, leak=True, power_kw=1.5, voltage_v=230),
        reading("em-2", START, power_kw=2),
        reading("em-1", START + 10 * MINUTE, voltage_v=231),
    ]
    assert read_file(tmp_path / "wide.csv", wide) == expected
    assert read_file(tmp_path / "long.csv", long) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(order=st.permutations(range(6)))
def test_the_order_of_rows_makes_no_difference(tmp_path: Path, order: list[int]) -> None:
    rows = [f"em-{1 + row % 2},{1772409600 + row // 2 * 60},power_kw,{row}" for row in order]
    found = read_file(tmp_path / "x.csv", "\n".join(["device,time,point,value", *rows]))
    assert [each.values["power_kw"] for each in found] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: missing column 'device'"),
        ("device,voltage_v\n", ":1: missing column 'time'"),
        ("device,time\n", ":1: there is no column with values"),
        ("device,time,volts\n", ":1: column 'volts' is no point"),
        ("device,time,voltage_v\nem-1,1772409600\n", ":2: expected 3 cells, got 2"),
        ("device,time,voltage_v\nem-1,noon,3\n", ":2: time: expected 2026-03-01T08:00:00+08:00 or a number"),
        ("device,time,voltage_v\nem-1,1772409600,high\n", ":2: voltage_v: expected a number, got 'high'"),
        ("device,time,voltage_v\nem-1,1772409600,nan\n", ":2: voltage_v: expected a number, got 'nan'"),
        ("device,time,leak\nem-1,1772409600,wet\n", ":2: leak: expected true or false, got 'wet'"),
        (
            "device,time,point,value\nem-1,1772409600,voltag_v,3\n",
            ":2: 'voltag_v' is no point; did you mean voltage_v?",
        ),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CollectorError) as caught:
        read_file(tmp_path / "x.csv", text)
    assert f"x.csv{said}" in str(caught.value)


def test_files_that_are_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(CollectorError, match="No such file"):
        CsvHistory(tmp_path / "gone.csv", SITE.devices, SITE.zone)
    (tmp_path / "x.csv").write_bytes(b"device,time\xff\n")
    with pytest.raises(CollectorError, match="not UTF-8"):
        CsvHistory(tmp_path / "x.csv", SITE.devices, SITE.zone)


# ── labels ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_alert(device: str, since: int, opened: int, resolved: int | None, kind: str = "device") -> ToldAlert:
    subject = Subject("building", "A") if kind == "building" else Subject("device", device)
    told = Transition("fired", "high", subject, opened, 0, opened, since, "minor", Evidence(device, "voltage_v", 260.0))
    return ToldAlert(told, resolved)


def test_a_score() -> None:
    labels = [Label("em-1", 100, 200), Label("em-1", 500, 600), Label("em-2", 100, 200), Label("em-1", 5000, 6000)]
    alerts = [
        make_alert("em-1", 120, 150, 180),
        make_alert("em-1", 90, 110, 101),
        make_alert("em-1", 300, 310, 400),  # wrong
        make_alert("em-2", 150, 160, None, kind="building"),
    ]
    found = score(labels, alerts, 0, 1000)
    assert (found.labels, found.found, found.alerts, found.right) == (3, 2, 4, 3)
    assert (found.precision, found.recall, found.delay) == (3 / 4, 2 / 3, 35)
    nothing = score([], [], 0, 1000)
    assert (nothing.precision, nothing.recall, nothing.delay) == (None, None, None)


def test_labels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("device,from,to,note\nem-1,2026-03-02 08:00,2026-03-02T01:00Z,leak\n", encoding="utf-8")
    assert read_labels(path, ZoneInfo("Asia/Shanghai")) == [Label("em-1", START, START + 60 * MINUTE)]
    for text, said in {
        "device,from\n": ":1: missing columns to",
        "device,from,to\nem-1,noon,night\n": ":2: expected times",
        "device,from,to\nem-1,2026-03-02,2026-03-01\n": ":2: this label ends before it begins",
    }.items():
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CollectorError, match=said):
            read_labels(path, UTC)  # type: ignore[arg-type] # any zone


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["rules", "backtest", *map(str, words)], env={"COLUMNS": "150"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = write_site(tmp_path, "id,kind,name_en\nem-1,electricity_meter,Main\nem-2,electricity_meter,\n")
    (config / "rules").mkdir()
    (config / "rules" / "a.yaml").write_text(
        "rules:\n"
        "  - {id: high, when: {threshold: {point: voltage_v, above: 253 V}}, ticket: {category: electrical}}\n"
        "  - {id: low, when: {threshold: {point: voltage_v, below: 207 V}}, enabled: false}\n",
        encoding="utf-8",
    )
    (config / "desk.yaml").write_text(
        "teams: {electricians: {}}\ncategories: {electrical: {team: electricians}}\n", encoding="utf-8"
    )
    return config


def write_history(path: Path) -> Path:
    rows = [
        f"em-1,{datetime.fromtimestamp((START + number * 5 * MINUTE) / 1e9, UTC).isoformat()},{volt}"
        for number, volt in enumerate([230] * 10 + [260] * 6 + [200] * 20)
    ]
    path.write_text("\n".join(["device,time,voltage_v", *rows, "em-9,2026-03-02,1"]), encoding="utf-8")
    return path


def test_a_file_is_replayed(folder: Path, tmp_path: Path) -> None:
    file = write_history(tmp_path / "h.csv")
    labels = tmp_path / "l.csv"
    labels.write_text("device,from,to\nem-1,2026-03-02T00:40Z,2026-03-02T01:00Z\n", encoding="utf-8")
    picture = tmp_path / "p.svg"
    result = run("-c", folder, "--csv", file, "--against", labels, "--picture", picture)
    assert result.exit_code == 0, result.output
    assert "36 readings" in result.stdout
    assert "high: Main" in result.stdout
    assert "electricians" in result.stdout
    assert "1 of 1 (100%) alerts are right" in result.stdout
    assert "10m, the median" in result.stdout
    assert "1 rows of 'em-9', which is not in the register" in result.stderr
    assert "<svg" in picture.read_text(encoding="utf-8")


def test_for_programs_and_by_rule(folder: Path, tmp_path: Path) -> None:
    file = write_history(tmp_path / "h.csv")
    found = json.loads(run("-c", folder, "--csv", file, "--json", "--rule", "high", "--rule", "low").stdout)
    assert [(row["rule"], row["tickets"], row["typical"]) for row in found["rules"]] == [
        ("high", 1, 1800.0),
        ("low", 1, 5700.000000001),
    ]
    (first, second) = found["tickets"]
    assert (first["opened"], first["over"], first["team"]) == (
        "2026-03-02T00:50:00Z",
        "2026-03-02T01:20:00Z",
        "electricians",
    )
    assert (second["over"], found["score"], found["without_ticket"]) == (None, None, [])


def test_the_store_is_replayed(folder: Path) -> None:
    configuration = load(folder)
    now = time.time_ns()
    store = open_store(configuration)
    store.prepare()
    store.write(
        [reading("em-1", now - 120 * MINUTE + n * MINUTE, voltage_v=260 if 30 < n < 60 else 230) for n in range(90)]
    )
    store.close()
    found = json.loads(run("-c", folder, "--from", "1d", "--json").stdout)
    assert found["readings"] == 90
    (ticket,) = found["tickets"]
    assert ticket["alerts"][0]["subject"] == {"kind": "device", "id": "em-1"}


def test_what_cannot_be_done(folder: Path, tmp_path: Path) -> None:
    assert "did you mean high?" in run("-c", folder, "--rule", "hihg").stderr
    assert "expected a file that ends with .svg or .png" in run("-c", folder, "--picture", "x.gif").stderr
    assert "--warm-up: expected a duration" in run("-c", folder, "--warm-up", "long").stderr
    assert "No such file" in run("-c", folder, "--csv", tmp_path / "gone.csv").stderr
    (tmp_path / "e.csv").write_text("device,time,voltage_v\n", encoding="utf-8")
    assert "The file holds no values" in run("-c", folder, "--csv", tmp_path / "e.csv").stderr


def test_nothing_to_tell(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("device,time,voltage_v\nem-1,2026-03-02,230\n", encoding="utf-8")
    result = run("-c", folder, "--csv", tmp_path / "e.csv", "--picture", tmp_path / "p.png")
    assert "No ticket would have been opened." in result.stdout
    assert "there is no picture" in result.stderr


def test_the_files_of_the_page_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?m)^    (device,time,.+)\n    (.+)$", page)
    expected = reading("em-a-01", at("2026-03-02 00:00"), voltage_l1_v=231.2, energy_import_kwh=84210.5)
    for number, lines in enumerate(blocks):
        path = tmp_path / f"{number}.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        with closing(CsvHistory(path, {"em-a-01"}, SITE.zone)) as history:
            (found,) = history.readings(0, 2**62)
        assert found.values.items() <= expected.values.items()
        assert (found.device, found.time) == (expected.device, expected.time)
    assert len(blocks) == 2
