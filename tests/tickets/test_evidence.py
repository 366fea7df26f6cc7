"""Which readings are kept with a ticket, for how long they are looked for, and how they are thinned."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from devices.reading import Value
from rules.alerts import Evidence as AlertEvidence
from tests.deskbench import START, Bench, open_file
from tests.rulebench import make_site
from tickets.evidence import AFTER, BEFORE, SAMPLES_MAX, SERIES_MAX, Evidence, Samples, find_points, merge, thin
from tickets.evidencebook import keep_evidence, read_evidence
from tickets.queue import Member

HOUR, MINUTE = NANOSECONDS["h"], NANOSECONDS["m"]


class Recorded:
    """A history that devices have said every minute since it was told so; remembers what it was asked."""

    def __init__(self, begin: int = 0) -> None:
        self.begin = begin
        self.asked: list[tuple[str, int, int]] = []

    def series(self, device: str, points: Sequence[str], start: int, end: int) -> Mapping[str, Samples]:
        self.asked.append((device, start, end))
        first = -(-max(start, self.begin) // MINUTE) * MINUTE
        return {point: [(time, 230.0 + time // MINUTE % 7) for time in range(first, end, MINUTE)] for point in points}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    database = open_file(tmp_path)
    yield Bench(database)
    database.close()


def keep(bench: Bench, history: Recorded) -> int:
    return keep_evidence(bench.database, bench.site, history, bench.clock.now)


def read(bench: Bench, number: str = "W-2026-00001") -> Evidence:
    with bench.database.read() as connection:
        evidence = read_evidence(connection, "site", number)
    assert evidence is not None
    return evidence


# ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_day_before_the_alert_is_kept_at_once(bench: Bench) -> None:
    bench.do("open")
    bench.clock.pass_("5s")
    assert keep(bench, Recorded()) == 1
    evidence = read(bench)
    assert (evidence.begins_at, evidence.ends_at) == (START - BEFORE, bench.clock.now)
    (series,) = evidence.series
    assert (series.device, series.point, len(series.times), series.times[0]) == (
        "em-1",
        "voltage_v",
        24 * 60 + 1,
        START - BEFORE,
    )
    assert keep(bench, Recorded()) == 0


def test_it_goes_on_until_an_hour_after_the_alert_and_asks_only_for_what_is_new(bench: Bench) -> None:
    history = Recorded()
    bench.do("open")
    keep(bench, history)
    bench.clock.pass_("20m")
    assert keep(bench, history) == 1
    assert history.asked[-1][1] > START - HOUR
    bench.clock.pass_("3m")
    bench.do("clear")
    over = bench.clock.now
    assert keep(bench, history) == 1
    assert read(bench).ends_at == over
    bench.clock.pass_("30m")
    assert keep(bench, history) == 0
    bench.clock.pass_("2h")
    assert keep(bench, history) == 1
    evidence = read(bench)
    assert evidence.ends_at == over + AFTER
    times = evidence.series[0].times
    assert times == list(range(START - BEFORE, over + AFTER, MINUTE))
    bench.desk.tick(bench.clock.pass_("30d"))
    assert bench.desk.show("1").ticket.state == "closed"
    assert keep(bench, history) == 0


def test_a_fresh_alert_is_looked_for_more_often_than_an_old_one(bench: Bench) -> None:
    bench.do("open")
    looks = []
    for minute in range(240):
        if keep(bench, Recorded()):
            looks.append(minute)
        bench.clock.pass_("1m")
    assert looks[:8] == [0, 1, 2, 3, 4, 5, 7, 9]
    assert {after - before for before, after in pairwise(looks[-8:])} == {15}


def test_an_amendment_that_moves_the_beginning_looks_further_back(bench: Bench) -> None:
    bench.do("open")
    keep(bench, Recorded())
    bench.do("amend", since=START - 6 * HOUR)
    assert keep(bench, Recorded()) == 1
    assert read(bench).series[0].times[0] == START - 6 * HOUR - BEFORE
    assert keep(bench, Recorded()) == 0


def test_what_is_kept_outlives_the_store(bench: Bench) -> None:
    bench.do("open")
    keep(bench, Recorded())
    bench.clock.pass_("20m")
    keep(bench, Recorded(begin=bench.clock.now - 10 * MINUTE))  # the store has deleted what is older
    times = read(bench).series[0].times
    assert times[0] == START - BEFORE
    assert times[-1] == bench.clock.now - MINUTE


def test_an_alert_that_comes_again_is_looked_for_again(bench: Bench) -> None:
    bench.do("open")
    bench.do("clear")
    bench.clock.pass_("2h")
    keep(bench, Recorded())
    assert keep(bench, Recorded()) == 0
    bench.do("open")
    assert keep(bench, Recorded()) == 1
    assert read(bench).ends_at == bench.clock.now


def test_members_that_join_are_kept_from_the_beginning_and_requests_have_none(bench: Bench) -> None:
    bench.do("open", "silent", "em-1")
    keep(bench, Recorded())
    bench.do("join", "silent", "em-2", lead=bench.key("silent", "em-1"), reason="device gw")
    bench.counter.open("li", "repair", "Tap drips", category="other", place="", urgency="low", comment="")
    bench.clock.pass_("15m")
    assert keep(bench, Recorded()) == 1
    assert {series.device: series.times[0] for series in read(bench).series} == {
        "em-1": START - BEFORE,
        "em-2": START - BEFORE,
    }


# ── what ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

SITE = make_site(
    [
        {"id": "em-1", "kind": "electricity_meter"},
        {"id": "wm-1", "kind": "water_meter"},
        {"id": "door-1", "kind": "door"},
        *({"id": f"em-x{n}", "kind": "electricity_meter"} for n in range(20)),
    ]
)


def member(device: str, *, affected: bool = False, **evidence: object) -> Member:
    shown = {"device": device, **evidence}
    return Member("r", "device", device, START, "minor", shown, None, affected)


@pytest.mark.parametrize(
    ("shown", "points"),
    [
        (member("em-1", point="voltage_v"), {"em-1": ["voltage_v"]}),
        (
            member("em-1", point="imbalance", details={"current_l1_a": 1.0, "current_l2_a": 9.0, "mean": 5.0}),
            {"em-1": ["current_l1_a", "current_l2_a"]},
        ),
        (member("wm-1", point="silence"), {"wm-1": ["flow_m3_per_h", "volume_m3"]}),
        (member("door-1", point="event", details={"credential": "ab12"}), {"door-1": ["event", "reason", "door"]}),
        (member("em-1", affected=True, point="voltage_v"), {}),
        (member("gone", point="voltage_v"), {}),
    ],
)
def test_the_points_that_alerts_are_about(shown: Member, points: object) -> None:
    assert find_points([shown], SITE) == points


def test_no_more_series_than_a_ticket_may_have() -> None:
    found = find_points([member(f"em-x{n}", point="voltage_v") for n in range(20)], SITE)
    assert len(found) == SERIES_MAX


def test_the_evidence_of_the_alert_itself_has_the_same_names() -> None:
    assert {"device", "point", "details"} <= set(AlertEvidence.__struct_fields__)


# ── how much ─────────────────────────────────────────────────────────────────────────────────────────────────────────

samples_of_numbers = st.lists(
    st.tuples(st.integers(0, 10**18), st.floats(-1e6, 1e6)), max_size=200, unique_by=lambda sample: sample[0]
).map(sorted)


@given(samples=samples_of_numbers, most=st.integers(4, 50))
def test_thinning_keeps_the_extremes_and_invents_nothing(samples: list[tuple[int, Value]], most: int) -> None:
    thinned = thin(samples, most)
    assert len(thinned) <= most
    assert set(thinned) <= set(samples)
    assert [time for time, _ in thinned] == sorted(time for time, _ in thinned)
    if samples:
        values, kept = [value for _, value in samples], [value for _, value in thinned]
        assert (min(kept), max(kept)) == (min(values), max(values))
    if len(samples) <= most:
        assert thinned == samples


def test_of_words_the_newest_stay() -> None:
    assert thin([(n, "granted") for n in range(10)], 4) == [(n, "granted") for n in range(6, 10)]


@given(first=samples_of_numbers, second=samples_of_numbers)
def test_what_is_merged_has_each_time_once_and_the_newer_word_counts(
    first: list[tuple[int, Value]], second: list[tuple[int, Value]]
) -> None:
    key = ("em-1", "voltage_v")
    merged = merge(merge(None, 5, 10, {key: first}), 3, 20, {key: second})
    assert dict(merged.series[0].samples()) == dict(first) | dict(second)
    assert (merged.begins_at, merged.ends_at) == (3, 20)


def test_a_ticket_that_stays_open_for_long_stays_small(bench: Bench) -> None:
    history = Recorded()
    bench.do("open")
    for _ in range(6):
        keep(bench, history)
        bench.clock.pass_("1d")
    series = read(bench).series[0]
    assert SAMPLES_MAX / 2 < len(series.times) <= SAMPLES_MAX
    assert (min(series.values), max(series.values)) == (230.0, 236.0)
    assert series.times[0] < START - BEFORE + HOUR
