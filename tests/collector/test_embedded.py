"""The embedded store: every reading once, answers that are exact at any time, and nothing kept for too long."""

import math
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from collector import embedded, embedded_file
from collector.embedded import EmbeddedDatabase
from collector.errors import BatchRejected, StoreRefused, StoreUnavailable
from collector.settings import Retention, Site
from collector.store import Aggregate, Sample, Store
from collector.summaries import QUARTER_HOURS
from devices.reading import Reading, Value
from devices.register import Register

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


MIDNIGHT = ns("2026-06-01T00:00+02:00")


def open_store(path: Path, timezone: str = "Europe/Berlin", retention: Retention | None = None) -> EmbeddedDatabase:
    return EmbeddedDatabase(path, Site(id="campus", timezone=timezone), Register(), retention or Retention())


def power(time: int, value: float, device: str = "em-1") -> Reading:
    return Reading(device, time, time + SECOND, {"power_kw": value})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[EmbeddedDatabase]:
    store = open_store(path)
    store.prepare()
    yield store
    store.close()


def summarize_all(store: EmbeddedDatabase) -> int:
    filled = 0
    while count := store.summarize():
        filled += count
    return filled


# ── storing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_values_come_back_with_their_type_in_order_of_time(store: Store) -> None:
    store.write(
        [
            Reading("door-1", MIDNIGHT + 7, MIDNIGHT + 9, {"event": "007", "tamper": True, "battery_percent": 80.0}),
            Reading("door-1", MIDNIGHT + 3, MIDNIGHT + 9, {"event": "开门", "tamper": False}),
        ],
    )

    def ask(point: str) -> list[Sample]:
        return store.series(["door-1"], point, MIDNIGHT, MIDNIGHT + 8)["door-1"]

    assert ask("event") == [(MIDNIGHT + 3, "开门"), (MIDNIGHT + 7, "007")]
    assert ask("tamper") == [(MIDNIGHT + 3, False), (MIDNIGHT + 7, True)]
    assert [type(value) for _, value in ask("tamper")] == [bool, bool]
    assert ask("battery_percent") == [(MIDNIGHT + 7, 80.0)]


def test_a_span_holds_its_start_and_not_its_end(store: Store) -> None:
    store.write([power(MIDNIGHT + step, float(step)) for step in range(4)])
    samples = store.series(["em-1"], "power_kw", MIDNIGHT + 1, MIDNIGHT + 3)["em-1"]
    assert [value for _, value in samples] == [1.0, 2.0]


def test_devices_without_values_are_absent(store: Store) -> None:
    store.write([power(MIDNIGHT, 1.0), power(MIDNIGHT + DAY, 1.0, "em-2"), power(MIDNIGHT, 1.0, "em-3")])
    answer = store.series(["em-3", "em-2", "em-1", "em-9"], "power_kw", MIDNIGHT, MIDNIGHT + HOUR)
    assert list(answer) == ["em-3", "em-1"]
    assert store.series(["em-1"], "voltage_v", MIDNIGHT, MIDNIGHT + HOUR) == {}


def test_writing_a_reading_again_changes_nothing(store: EmbeddedDatabase) -> None:
    readings = [power(MIDNIGHT + hour * HOUR, float(hour)) for hour in range(30)]
    store.write(readings)
    summarize_all(store)
    store.write(readings[:3])
    assert len(store.series(["em-1"], "power_kw", MIDNIGHT, MIDNIGHT + 2 * DAY)["em-1"]) == 30
    days = store.series(["em-1"], "power_kw", MIDNIGHT, MIDNIGHT + 2 * DAY, interval="1d", aggregate="sum")["em-1"]
    assert days == [(MIDNIGHT, 276.0), (MIDNIGHT + DAY, 159.0)]


def test_both_times_are_kept_of_a_late_reading_and_of_one_not_believed(store: Store) -> None:
    arrival = MIDNIGHT + 90 * MINUTE + 500_000_000
    claimed = ns("2036-01-01T00:00+00:00")
    store.write(
        [
            Reading("em-1", MIDNIGHT, arrival, {"power_kw": 1.0}, late=True),
            Reading("em-2", arrival, arrival, {"power_kw": 1.0}, claimed=claimed),
            Reading("em-3", arrival, arrival, {"power_kw": 1.0}),
        ],
    )

    def ask(point: str) -> Mapping[str, list[Sample]]:
        return store.series(["em-1", "em-2", "em-3"], point, MIDNIGHT, MIDNIGHT + DAY)

    assert ask("received_time_s") == {"em-1": [(MIDNIGHT, arrival / 1e9)]}
    assert ask("claimed_time_s") == {"em-2": [(arrival, 2082758400.0)]}


def test_the_daemons_own_metrics_are_numbers(store: Store) -> None:
    store.write([Reading("siteward", MIDNIGHT, MIDNIGHT, {"journal_bytes": 4096})])
    assert store.series(["siteward"], "journal_bytes", MIDNIGHT, MIDNIGHT + 1) == {"siteward": [(MIDNIGHT, 4096.0)]}


@pytest.mark.parametrize(
    ("point", "value", "message"),
    [
        ("power_kw", "12", "device em-1, point power_kw: expected float, got '12'"),
        ("power_kw", True, "expected float, got True"),
        ("tamper", 1.0, "expected bool, got 1.0"),
        ("event", 3.0, "expected str, got 3.0"),
        ("unheard_of", "x", "expected float, got 'x'"),
        ("power_kw", math.nan, "cannot be stored"),
        ("power_kw", math.inf, "cannot be stored"),
        ("power_kw", 2**70, "cannot be stored"),
        ("event", "\ud800", "cannot be stored"),
    ],
)
def test_a_bad_value_rejects_the_batch_and_nothing_of_it_is_stored(
    store: Store,
    point: str,
    value: Value,
    message: str,
) -> None:
    with pytest.raises(BatchRejected, match=message):
        store.write([power(MIDNIGHT, 1.0), Reading("em-1", MIDNIGHT, MIDNIGHT, {point: value})])
    assert store.series(["em-1"], "power_kw", 0, MIDNIGHT + 1) == {}
    store.write([power(MIDNIGHT, 2.0)])
    assert store.series(["em-1"], "power_kw", 0, MIDNIGHT + 1) == {"em-1": [(MIDNIGHT, 2.0)]}


# ── asking with an interval ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("aggregate", "value"),
    [("mean", 2.5), ("min", 1.0), ("max", 4.0), ("sum", 10.0), ("count", 4.0), ("first", 4.0), ("last", 3.0)],
)
@pytest.mark.parametrize("interval", ["1m", "1h", "1d"])
def test_aggregates(store: Store, aggregate: Aggregate, value: float, interval: str) -> None:
    store.write([power(MIDNIGHT + second * SECOND, number) for second, number in enumerate([4.0, 1.0, 2.0, 3.0])])
    answer = store.series(["em-1"], "power_kw", MIDNIGHT, MIDNIGHT + DAY, interval=interval, aggregate=aggregate)
    assert answer == {"em-1": [(MIDNIGHT, value)]}


def test_the_night_when_clocks_go_back_has_25_hours(store: EmbeddedDatabase) -> None:
    midnight = ns("2026-10-25T00:00+02:00")
    store.write([power(midnight + half * HOUR // 2, 1.0) for half in range(100)])
    for _ in range(2):
        days = store.series(["em-1"], "power_kw", midnight, midnight + 3 * DAY, interval="1d", aggregate="count")
        assert days == {"em-1": [(midnight, 50.0), (midnight + 25 * HOUR, 48.0), (midnight + 49 * HOUR, 2.0)]}
        hours = store.series(["em-1"], "power_kw", midnight, midnight + 4 * HOUR, interval="1h", aggregate="count")
        assert hours == {"em-1": [(midnight + hour * HOUR, 2.0) for hour in range(4)]}
        assert summarize_all(store) in {101, 0}  # two days and the quarter-hours but the newest


def test_a_file_that_is_only_being_made_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch()
    with pytest.raises(StoreRefused, match="nothing is in it yet; it is filled while Siteward runs"):
        open_store(path).series(["em-1"], "power_kw", 0, 1)


def test_truth_keeps_its_type_as_first_and_last_and_has_no_mean(store: EmbeddedDatabase) -> None:
    store.write(
        [
            Reading("sd-1", MIDNIGHT + step * HOUR, MIDNIGHT, {"smoke": smoke})
            for step, smoke in enumerate([False, True, True, True] * 12)
        ],
    )
    summarize_all(store)

    def ask(aggregate: Aggregate) -> Value:
        answer = store.series(["sd-1"], "smoke", MIDNIGHT, MIDNIGHT + DAY, interval="1d", aggregate=aggregate)
        return answer["sd-1"][0].value

    assert (ask("count"), ask("first"), ask("last")) == (24.0, False, True)
    assert type(ask("first")) is bool
    with pytest.raises(ValueError, match="smoke is no number: expected count, first or last, got 'mean'"):
        ask("mean")


def test_text_has_count_first_and_last_only(store: EmbeddedDatabase) -> None:
    events = ["granted", "denied", "granted", "tamper"]
    store.write(
        [Reading("door-1", MIDNIGHT + hour * HOUR, MIDNIGHT, {"event": event}) for hour, event in enumerate(events)],
    )
    summarize_all(store)

    def ask(aggregate: Aggregate) -> Value:
        answer = store.series(["door-1"], "event", MIDNIGHT, MIDNIGHT + DAY, interval="1d", aggregate=aggregate)
        return answer["door-1"][0].value

    assert (ask("count"), ask("first"), ask("last")) == (4.0, "granted", "tamper")
    with pytest.raises(ValueError, match="event is no number: expected count, first or last, got 'mean'"):
        ask("mean")


# ── summaries and retention ──────────────────────────────────────────────────────────────────────────────────────────

SHORT = Retention.model_validate({"raw": "2d", "quarter_hours": "10d", "days": "100d"})


def hourly(days: range) -> list[Reading]:
    """Every hour of some days since MIDNIGHT, the number of the day as value."""
    return [power(MIDNIGHT + day * DAY + hour * HOUR, float(day)) for day in days for hour in range(24)]


def count_by(store: Store, interval: str | None, start: int = 0, end: int = MIDNIGHT + 400 * DAY) -> int:
    """How many samples an answer with such an interval is made of."""
    samples = store.series(["em-1"], "power_kw", start, end, interval=interval, aggregate="count").get("em-1", [])
    return len(samples) if interval is None else sum(int(sample.value) for sample in samples)


def test_each_level_is_kept_for_its_time(path: Path) -> None:
    store = open_store(path, retention=SHORT)
    store.write(hourly(range(20)))
    assert store.expire(MIDNIGHT + 20 * DAY) == 18 * 24 + 10 * 24
    assert count_by(store, None) == 2 * 24
    assert count_by(store, "1h") == 10 * 24
    assert count_by(store, "1d") == 20 * 24
    store.expire(MIDNIGHT + 105 * DAY)
    assert (count_by(store, None), count_by(store, "1h"), count_by(store, "1d")) == (0, 0, 15 * 24)
    store.close()


def test_a_late_reading_reaches_summaries_of_days_whose_samples_are_kept(path: Path) -> None:
    store = open_store(path, retention=SHORT)
    store.write(hourly(range(5)))
    store.expire(MIDNIGHT + 5 * DAY)
    store.write([power(MIDNIGHT + 3 * DAY + 90 * MINUTE, 51.0)])

    def ask() -> list[Sample]:
        return store.series(["em-1"], "power_kw", MIDNIGHT, MIDNIGHT + 4 * DAY, interval="1d")["em-1"]

    expected = [(MIDNIGHT, 0.0), (MIDNIGHT + DAY, 1.0), (MIDNIGHT + 2 * DAY, 2.0), (MIDNIGHT + 3 * DAY, 4.92)]
    assert ask() == expected
    assert store.summarize() == 2
    assert ask() == expected
    store.expire(MIDNIGHT + 20 * DAY)
    assert ask() == expected
    store.close()


def test_newest_quarter_hours_are_summarized_when_newer_ones_came(store: EmbeddedDatabase) -> None:
    store.write([power(MIDNIGHT + quarter * 15 * MINUTE, 1.0) for quarter in range(3)])
    assert store.summarize() == 1
    assert store.summarize() == 0
    store.write([power(MIDNIGHT + DAY + 15 * MINUTE, 1.0)])
    assert store.summarize() == 3  # two quarter-hours and the first day


def test_a_late_reading_in_the_newest_quarter_hour_with_a_summary_counts(store: EmbeddedDatabase) -> None:
    store.write([power(MIDNIGHT + quarter * 15 * MINUTE, 1.0) for quarter in range(5)])
    assert store.summarize() == 3
    store.write([power(MIDNIGHT + 2 * 15 * MINUTE + SECOND, 1.0)])
    assert count_by(store, "1h") == 6


def test_samples_stay_until_their_summary_is_filled(path: Path) -> None:
    store = open_store(path, retention=SHORT)
    store.write(hourly(range(5)))
    summarize_all(store)
    store.write([power(MIDNIGHT + HOUR + SECOND, 1.0)])

    def expire_samples() -> int:
        return store._repeat(lambda connection: store._summaries.expire_samples(connection, 2**40))

    assert expire_samples() == 1  # the first hour; the second is stale
    assert store.summarize() == 2
    assert expire_samples() == 4 * 24 + 23  # all but the newest
    assert count_by(store, "1d") == 5 * 24 + 1
    store.close()


def test_quarter_hours_stay_until_their_day_is_filled(store: EmbeddedDatabase) -> None:
    store.write(hourly(range(5)))
    summarize_all(store)
    store.write([power(MIDNIGHT + HOUR + SECOND, 1.0)])
    assert store._expire(QUARTER_HOURS, MIDNIGHT + 3 * DAY) == 0
    summarize_all(store)
    assert store._expire(QUARTER_HOURS, MIDNIGHT + 3 * DAY) == 3 * 24


def test_a_summary_outlives_what_it_is_filled_from_whatever_the_settings_say(path: Path) -> None:
    store = open_store(path, retention=Retention.model_validate({"raw": "10d", "quarter_hours": "2d", "days": "1d"}))
    store.write(hourly(range(5)))
    store.expire(MIDNIGHT + 5 * DAY)
    store.write([power(MIDNIGHT + SECOND, 1.0)])
    summarize_all(store)
    assert count_by(store, "1d") == 5 * 24 + 1
    store.close()


def test_who_passed_a_door_is_forgotten_with_the_samples(path: Path) -> None:
    store = open_store(path, retention=SHORT)
    values: dict[str, Value] = {"event": "granted", "credential": "c0ffee5eed"}
    store.write([Reading("door-1", MIDNIGHT + hour * HOUR, MIDNIGHT, values) for hour in range(48)])
    summarize_all(store)
    store.expire(MIDNIGHT + 5 * DAY)
    ask = ["door-1"], "credential", MIDNIGHT, MIDNIGHT + DAY
    assert store.series(*ask, interval="1d", aggregate="count") == {"door-1": [(MIDNIGHT, 24.0)]}
    assert store.series(*ask, interval="1d", aggregate="last") == {}
    store.close()
    assert b"c0ffee5eed" not in path.read_bytes()


def test_a_new_time_zone_cuts_days_anew(path: Path) -> None:
    store = open_store(path, "UTC", SHORT)
    start = ns("2026-06-01T00:00+00:00")
    store.write([power(start + hour * HOUR, float(hour)) for hour in range(96)])
    store.expire(start + 8 * DAY)
    store.close()
    store = open_store(path, "Asia/Shanghai", SHORT)
    second = ns("2026-06-02T00:00+08:00")
    expected = [(second + day * DAY, count) for day, count in [(-1, 16.0), (0, 24.0), (1, 24.0), (2, 24.0), (3, 8.0)]]
    for _ in range(2):
        days = store.series(["em-1"], "power_kw", 0, second + 9 * DAY, interval="1d", aggregate="count")
        assert days == {"em-1": expected}
        store.summarize()
    store.close()


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_file_is_its_owners_alone(store: EmbeddedDatabase, path: Path) -> None:
    store.write([power(MIDNIGHT, 1.0)])
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["store.db", "store.db-shm", "store.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


WRITER = """
import sys
from pathlib import Path
from collector.embedded import EmbeddedDatabase
from collector.settings import Retention, Site
from devices.reading import Reading
from devices.register import Register

store = EmbeddedDatabase(Path(sys.argv[1]), Site(id="campus"), Register(), Retention())
for batch in range(10_000):
    times = range(batch * 50, batch * 50 + 50)
    store.write([Reading("em-1", time * 10**9, time * 10**9, {"power_kw": 1.0}) for time in times])
    store.summarize()
    print(batch + 1, flush=True)
"""


def test_what_was_written_survives_a_kill_whole_batches_only(path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        written = int([next(lines) for _ in range(20)][-1])
        samples = open_store(path).series(["em-1"], "power_kw", 0, DAY)["em-1"]  # while the other process writes
        assert len(samples) >= written * 50
        process.send_signal(signal.SIGKILL)
        written += sum(1 for _ in lines)
    store = open_store(path)
    samples = store.series(["em-1"], "power_kw", 0, 10 * DAY)["em-1"]
    assert len(samples) >= written * 50
    assert [time for time, _ in samples] == [number * SECOND for number in range(len(samples))]
    assert len(samples) % 50 == 0


def test_threads_may_ask_and_summarize_while_another_writes(store: EmbeddedDatabase) -> None:
    def write() -> None:
        for batch in range(60):
            store.write([power(MIDNIGHT + (batch + 60 * step) * MINUTE, 1.0) for step in range(20)])

    writer = threading.Thread(target=write)
    writer.start()
    counts = []
    while writer.is_alive():
        counts.append(count_by(store, "1d"))
        store.summarize()
    assert counts == sorted(counts)
    assert {count % 20 for count in counts} == {0}
    assert count_by(store, "1d") == 1200


def test_a_full_disk_is_said_and_writing_goes_on_when_there_is_room(store: EmbeddedDatabase) -> None:
    assert store._writer is not None
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="the disk is full; free some space"):
        store.write(hourly(range(20)))
    store._writer.execute("PRAGMA max_page_count = 1000000")
    store.write(hourly(range(20)))
    assert count_by(store, None) == 480


def test_a_locked_file_is_waited_for_then_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_file, "_BUSY_S", 0.05)
    store = open_store(path)
    store.write([power(MIDNIGHT, 1.0)])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another program has kept it locked"):
        store.write([power(MIDNIGHT + 1, 1.0)])
    assert count_by(store, None) == 1  # asking does not wait
    other.execute("ROLLBACK")
    other.close()
    store.write([power(MIDNIGHT + 1, 1.0)])
    store.close()


def test_a_file_that_is_not_there_is_not_made_by_asking(path: Path) -> None:
    with pytest.raises(StoreRefused, match="it is made when Siteward first runs"):
        open_store(path).series(["em-1"], "power_kw", 0, 1)
    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(StoreRefused, match=r"cannot be made: .*; check data_dir and its owner"):
        open_store(tmp_path / "data" / "store.db").prepare()


def test_a_file_of_a_newer_version_is_refused(store: EmbeddedDatabase, path: Path) -> None:
    assert store._writer is not None
    store._writer.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreRefused, match="made by a newer Siteward"):
        open_store(path).prepare()
    with pytest.raises(StoreRefused, match="made by a newer Siteward"):
        open_store(path).series(["em-1"], "power_kw", 0, 1)


def test_a_damaged_file_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreRefused, match="move the file away and start again"):
        open_store(path).prepare()


# ── inspecting ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_inspection_of_a_good_file(store: EmbeddedDatabase, path: Path) -> None:
    store.write(hourly(range(3)))
    findings = {finding.subject: finding for finding in store.inspect()}
    assert [finding.good for finding in findings.values()] == [True] * 4
    assert findings["embedded store"].message == f"{path}: can be written"
    assert findings["integrity"].message == "the file is whole"
    assert findings["size"].message.endswith("MB, readings from 2026-06-01 to 2026-06-03")
    assert "GB free at" in findings["disk"].message


def test_inspection_makes_nothing(path: Path) -> None:
    findings = open_store(path).inspect()
    assert [finding.subject for finding in findings] == ["embedded store", "disk"]
    assert findings[0].message == f"{path}: made at the first start"
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("offset", "subject"),
    [(36, "integrity"), (20 * 4096, "embedded store")],
    ids=["in the list of free pages", "in a page"],
)
def test_inspection_finds_damage(store: EmbeddedDatabase, path: Path, offset: int, subject: str) -> None:
    store.write(hourly(range(200)))
    store.close()
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\x77" * 4)
    findings = {finding.subject: finding for finding in store.inspect()}
    assert not findings[subject].good
    assert "move the file away" in findings[subject].message


def test_inspection_leaves_large_files_unchecked_and_warns_of_little_room(
    store: EmbeddedDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded, "_QUICK_CHECK_BYTES", 0)
    monkeypatch.setattr(embedded, "_LEAST_FREE_BYTES", 10**18)
    findings = {finding.subject: finding for finding in store.inspect()}
    assert findings["integrity"].message.startswith("not checked, because that takes long with a large file")
    assert not findings["disk"].good
    assert "shorten retention" in findings["disk"].message
