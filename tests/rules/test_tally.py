"""Tallies: what a register counted, period by period."""

from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.counting.consumption import Consumption, spread
from devices.counting.steps import Step
from devices.durations import NANOSECONDS
from rules.localtime import PeriodName, Periods
from rules.tally import Ledger, Tally, is_known

MINUTE, HOUR, DAY = NANOSECONDS["m"], NANOSECONDS["h"], NANOSECONDS["d"]
BERLIN = ZoneInfo("Europe/Berlin")
START = 1_774_652_400 * 10**9  # 2026-03-28 00:00 in Berlin; the next night the clocks are set forward


def make_tally(name: PeriodName = "hour") -> Tally:
    return Tally(Periods(name, BERLIN))


def step(begin_min: int, end_min: int, amount: float, kind: str = "count", *, is_gap: bool = False) -> Step:
    return Step(kind, START + begin_min * MINUTE, START + end_min * MINUTE, amount, amount, is_gap)  # type: ignore[arg-type] # a kind


@st.composite
def series(draw: st.DrawFn) -> list[Step]:
    lengths = draw(st.lists(st.integers(1, 4000), min_size=1, max_size=60))
    steps, position = [], draw(st.integers(0, 3000))
    for length in lengths:
        kind = draw(st.sampled_from(["count"] * 8 + ["reset", "late"]))
        gap = draw(st.booleans())
        steps.append(step(position, position + length, draw(st.integers(0, 1000)) / 8, kind, is_gap=gap))
        position += length
    return steps


@given(series(), st.sampled_from(["hour", "day", "week"]))
def test_what_it_tells_of_a_period_is_what_spreading_gives(steps: list[Step], name: PeriodName) -> None:
    periods, tally = Periods(name, BERLIN), make_tally(name)
    told = [total for each in steps for total in tally.feed(each)]
    counted = [each for each in steps if each.kind == "count"]
    assert [total.start for total in told] == sorted({total.start for total in told})
    for total in told:
        assert (total.start, total.end) == periods.bounds(total.start)
        expected = spread(counted, [total.start, total.end])[0]
        assert total.covered_ns == expected.covered_ns
        assert total.amount == pytest.approx(expected.amount)
        assert is_known(total) <= (expected.covered_ns == total.end - total.start)
    # Of the periods that were known without an estimate, none is left out.
    edges = [told[0].start] if told else []
    while edges and edges[-1] < told[-1].end:
        edges.append(periods.bounds(edges[-1])[1])
    sure = {
        each.start for each in spread(counted, edges) if each.covered_ns == each.end - each.start and not each.estimated
    }
    assert sure <= {total.start for total in told}


@given(series(), st.data())
def test_it_goes_on_from_a_snapshot(steps: list[Step], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(steps)))
    first, second = make_tally(), make_tally()
    for each in steps[:cut]:
        first.feed(each)
    second.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(first.snapshot())))
    for each in steps[cut:]:
        assert first.feed(each) == second.feed(each)
        assert first.snapshot() == second.snapshot()


def test_a_step_over_an_edge_is_divided_there() -> None:
    tally = make_tally()
    assert tally.feed(step(0, 45, 3.0)) == []
    (total,) = tally.feed(step(45, 75, 4.0))
    assert total == Consumption(START, START + HOUR, 5.0, 0.0, HOUR)
    assert (tally.start, tally.amount) == (START + HOUR, 2.0)
    assert is_known(total)


def test_a_step_that_ends_on_an_edge_ends_the_period() -> None:
    tally = make_tally()
    assert tally.feed(step(0, 50, 3.0)) == []
    ended = tally.feed(step(50, 120, 7.0))
    assert [(total.start, total.amount, is_known(total)) for total in ended] == [
        (START, 4.0, True),
        (START + HOUR, 6.0, True),
    ]


def test_a_gap_over_an_edge_is_an_estimate_and_one_within_a_period_is_none() -> None:
    tally = make_tally("day")
    tally.feed(step(0, 600, 5.0, is_gap=True))
    (total,) = tally.feed(step(600, 1500, 9.0, is_gap=True))
    assert total.amount == pytest.approx(13.4)
    assert not is_known(total)
    still = make_tally("day")
    still.feed(step(0, 1400, 5.0))
    (total,) = still.feed(step(1400, 1500, 0.0, is_gap=True))
    assert is_known(total)  # a register that stood still over the gap counted nothing in it


def test_over_a_break_nothing_is_known() -> None:
    tally = make_tally()
    tally.feed(step(0, 30, 1.0))
    tally.feed(step(30, 45, 99.0, "reset"))
    (total,) = tally.feed(step(45, 60, 1.0))
    assert (total.amount, total.covered_ns) == (2.0, 45 * MINUTE)
    assert not is_known(total)


def test_another_meter_leaves_no_hole() -> None:
    tally = make_tally()
    tally.feed(step(0, 30, 1.0))
    tally.feed(step(30, 30, 0.0, "replacement"))
    (total,) = tally.feed(step(30, 60, 1.0))
    assert total == Consumption(START, START + HOUR, 2.0, 0.0, HOUR)


def test_a_ledger_tells_a_period_once_all_meters_know_it() -> None:
    ledger = Ledger(2)

    def total(hour: int, amount: float, covered: int = HOUR) -> Consumption:
        return Consumption(START + hour * HOUR, START + (hour + 1) * HOUR, amount, 0.0, covered)

    assert ledger.enter(0, total(0, 1.0)) is None
    assert ledger.enter(0, total(1, 2.0)) is None
    assert ledger.enter(1, total(1, 5.0, HOUR - 1)) is None
    other = Ledger(2)
    other.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(ledger.snapshot())))
    assert ledger.enter(1, total(0, 4.0)) == other.enter(1, total(0, 4.0)) == [1.0, 4.0]
    for hour in range(2, 1000):
        ledger.enter(0, total(hour, 1.0))
    assert len(ledger.snapshot()) <= 64
    assert ledger.enter(1, total(999, 3.0)) == [1.0, 3.0]
