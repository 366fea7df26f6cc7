"""What each fault of a register is called, and what is counted over it: worked by hand, a row an hour."""

import math
from collections.abc import Sequence

import pytest

from devices.counting.counters import Counter, find_steps
from devices.counting.steps import CounterFacts, Replacement, Step

HOUR = 3_600_000_000_000
MINUTE = 60_000_000_000
NO_FACTS = CounterFacts()
LIMITED = CounterFacts(rate_max_per_h=10.0)


def steps(values: Sequence[float], facts: CounterFacts = NO_FACTS) -> list[Step]:
    return list(find_steps([(hour * HOUR, value) for hour, value in enumerate(values)], facts))


def told(values: Sequence[float], facts: CounterFacts = NO_FACTS) -> list[tuple[str, int, float]]:
    """Kind, hour and consumption of every step but those of which nothing is to be said."""
    return [
        (step.kind, step.end // HOUR, step.amount)
        for step in steps(values, facts)
        if step.kind != "count" or step.amount != step.difference
    ]


def total(values: Sequence[float], facts: CounterFacts = NO_FACTS) -> float:
    return sum(step.amount for step in steps(values, facts))


def test_rises_are_the_consumption() -> None:
    assert steps([10.0, 12.0, 12.0, 15.5]) == [
        Step("count", 0, HOUR, 2.0, 2.0),
        Step("count", HOUR, 2 * HOUR, 0.0, 0.0),
        Step("count", 2 * HOUR, 3 * HOUR, 3.5, 3.5),
    ]


@pytest.mark.parametrize("values", [[], [7.0]])
def test_fewer_than_two_rows_tell_nothing(values: list[float]) -> None:
    assert steps(values) == []


# ── slips ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_falls_a_little_is_not_counted_again() -> None:
    values = [1000.0, 999.5, 999.75, 1002.0]
    assert [(step.kind, step.difference, step.amount) for step in steps(values)] == [
        ("slip", -0.5, 0.0),
        ("count", 0.25, 0.0),
        ("count", 2.25, 2.0),
    ]


def test_slips_add_up_until_they_are_regained() -> None:
    assert told([1000.0, 999.5, 999.0, 1001.0, 1002.0]) == [("slip", 1, 0.0), ("slip", 2, 0.0), ("count", 3, 1.0)]


def test_a_meter_that_only_runs_backwards_consumes_nothing() -> None:
    values = [1000.0 - hour / 2 for hour in range(9)]
    assert told(values) == [("slip", hour, 0.0) for hour in range(1, 9)]


# ── spikes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_radio_corruption_is_no_consumption() -> None:
    values = [9480.5, 1_217_440.25, 9480.5, 9481.0]
    assert [
        (step.kind, step.begin // HOUR, step.end // HOUR, step.difference, step.amount) for step in steps(values)
    ] == [
        ("spike", 1, 1, 1_207_959.75, 0.0),
        ("count", 0, 2, 0.0, 0.0),
        ("count", 2, 3, 0.5, 0.5),
    ]


def test_a_value_that_falls_and_comes_back_is_no_reset() -> None:
    values = [5000.0, 5001.0, 0.0, 5003.0, 5004.0]
    assert told(values) == [("spike", 2, 0.0)]
    assert total(values) == 4.0


def test_an_old_value_that_comes_late_is_left_out() -> None:
    values = [31644.0, 31677.0, 31644.0, 31684.0]
    assert told(values) == [("spike", 2, 0.0)]
    assert total(values) == 40.0


def test_two_different_corrupt_values_in_a_row_are_left_out() -> None:
    values = [100.0, 101.0, 40.0, 7.0, 102.0, 103.0]
    assert told(values) == [("spike", 2, 0.0), ("spike", 3, 0.0)]
    assert total(values) == 3.0


@pytest.mark.parametrize("value", [-1.0, 16_777_216.0, 1_217_440_205.0, math.nan, math.inf, -math.inf])
def test_a_value_that_the_register_cannot_show_is_left_out_at_once(value: float) -> None:
    counter = Counter(CounterFacts(rolls_over_at=16_777_216.0))
    counter.feed(0, 100.0)
    assert [step.kind for step in counter.feed(HOUR, value)] == ["spike"]
    counter.feed(2 * HOUR, 103.0)
    assert [step.amount for step in counter.finish()] == [3.0]


def test_registers_of_two_meters_under_one_address_are_not_mixed() -> None:
    values = [100.0, 5000.0, 101.0, 5001.0, 102.0, 5002.0, 103.0, 104.0]
    assert told(values) == [("spike", 1, 0.0), ("spike", 3, 0.0), ("spike", 5, 0.0)]
    assert total(values) == 4.0


def test_the_last_row_decides_where_it_agrees_with_an_earlier_one() -> None:
    values = [100.0, 101.0, 5000.0, 102.0]
    assert told(values) == [("spike", 2, 0.0)]
    assert total(values) == 2.0


def test_a_last_row_that_contradicts_all_is_not_counted_yet() -> None:
    values = [5000.0, 5001.0, 3.0]
    assert told(values) == [("unconfirmed", 2, 0.0)]
    assert total(values) == 1.0


# ── breaks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reset_counts_from_zero() -> None:
    values = [5000.0, 5002.0, 0.5, 1.5]
    assert [(step.kind, step.difference, step.amount) for step in steps(values)] == [
        ("count", 2.0, 2.0),
        ("reset", -5001.5, 0.5),
        ("count", 1.0, 1.0),
    ]


def test_a_fall_to_another_value_counts_nothing() -> None:
    values = [5000.0, 5002.0, 4000.0, 4001.0]
    assert told(values) == [("backwards", 2, 0.0)]
    assert total(values) == 3.0


def test_more_than_can_have_been_counted_since_zero_is_no_reset() -> None:
    values = [5000.0, 5002.0, 300.0, 301.0]
    assert told(values, LIMITED) == [("backwards", 2, 0.0)]
    assert told(values) == [("reset", 2, 300.0)]


def test_a_rollover_goes_on_from_zero() -> None:
    facts = CounterFacts(rolls_over_at=100_000.0)
    values = [99_990.0, 99_996.0, 4.0, 9.0]
    assert told(values, facts) == [("rollover", 2, 8.0)]
    assert total(values, facts) == 19.0


def test_far_from_the_end_of_its_width_a_register_is_reset() -> None:
    values = [60_000.0, 60_006.0, 4.0, 9.0]
    assert told(values, CounterFacts(rolls_over_at=100_000.0)) == [("reset", 2, 4.0)]


def test_with_a_limit_a_rollover_may_be_large() -> None:
    facts = CounterFacts(rolls_over_at=100.0, rate_max_per_h=45.0)
    assert told([50.0, 90.0, 30.0, 60.0], facts) == [("rollover", 2, 40.0)]


def test_a_zero_near_the_end_of_the_width_is_no_rollover() -> None:
    values = [99_990.0, 99_996.0, 0.0, 99_998.0, 99_999.0]
    facts = CounterFacts(rolls_over_at=100_000.0)
    assert told(values, facts) == [("spike", 2, 0.0)]
    assert total(values, facts) == 9.0


def test_a_rollover_pays_what_slipped_before() -> None:
    facts = CounterFacts(rolls_over_at=100_000.0)
    values = [99_990.0, 99_998.0, 99_996.0, 4.0, 5.0]
    assert told(values, facts) == [("slip", 2, 0.0), ("rollover", 3, 6.0)]
    assert total(values, facts) == 15.0


def test_a_jump_over_the_limit_is_not_counted() -> None:
    values = [100.0, 105.0, 5000.0, 5004.0]
    assert told(values, LIMITED) == [("jump", 2, 0.0)]
    assert total(values, LIMITED) == 9.0


def test_what_rises_faster_than_the_limit_row_by_row_is_no_spike() -> None:
    values = [100.0, 150.0, 200.0, 250.0, 300.0, 301.0]
    assert told(values, LIMITED) == [("jump", 1, 0.0), ("jump", 2, 0.0), ("jump", 3, 0.0), ("jump", 4, 0.0)]


def test_the_limit_holds_over_an_hour_not_from_row_to_row() -> None:
    lumps = [(minute * MINUTE, 100.0 + minute // 15 * 2.5) for minute in range(121)]
    assert {step.kind for step in find_steps(lumps, LIMITED)} == {"count"}
    assert sum(step.amount for step in find_steps(lumps, LIMITED)) == 20.0


def test_a_queue_that_is_emptied_after_an_outage_is_consumption() -> None:
    queue = [(10 * HOUR + number, 100.0 + 8 * number) for number in range(1, 11)]
    rows = [(0, 100.0), *queue, (11 * HOUR, 188.0)]
    assert {step.kind for step in find_steps(rows, LIMITED)} == {"count"}
    assert sum(step.amount for step in find_steps(rows, LIMITED)) == 88.0


# ── breaks that were none ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("facts", [NO_FACTS, LIMITED])
def test_zeros_of_a_meter_that_cannot_be_read_end_with_a_return(facts: CounterFacts) -> None:
    values = [5000.0, 5001.0, 0.0, 0.0, 0.0, 5004.0, 5005.0]
    assert told(values, facts) == [("reset", 2, 0.0), ("return", 5, 3.0)]
    assert total(values, facts) == 5.0


def test_high_values_that_agree_end_with_a_return() -> None:
    values = [100.0, 101.0, 5000.0, 5001.0, 103.0, 104.0]
    assert told(values, LIMITED) == [("jump", 2, 0.0), ("return", 4, 1.0)]
    assert total(values, LIMITED) == 4.0


def test_what_was_counted_before_a_return_is_not_counted_twice() -> None:
    values = [5000.0, 2.0, 4.0, 5001.0, 5003.0, 5007.0]
    assert told(values) == [("reset", 1, 2.0), ("return", 3, 0.0), ("count", 4, 0.0), ("count", 5, 3.0)]
    assert total(values) == 7.0


def test_a_register_that_grows_past_its_old_level_does_not_return() -> None:
    values = [50.0, 0.0, *range(5, 100, 5)]
    assert told(values) == [("reset", 1, 0.0)]
    assert total(values) == 95.0


# ── replacements ─────────────────────────────────────────────────────────────────────────────────────────────────────

SWAPPED = CounterFacts(replacements=(Replacement(at_ns=2 * HOUR - 30 * MINUTE, final=5003.0, first=12.5),))


def test_consumption_is_continuous_across_a_replacement() -> None:
    values = [5000.0, 5002.0, 13.0, 15.0]
    assert [(step.kind, step.difference, step.amount) for step in steps(values, SWAPPED)] == [
        ("count", 2.0, 2.0),
        ("count", 1.0, 1.0),
        ("replacement", -4990.5, 0.0),
        ("count", 0.5, 0.5),
        ("count", 2.0, 2.0),
    ]
    assert [step.end / HOUR for step in steps(values, SWAPPED)] == [1.0, 1.5, 1.5, 2.0, 3.0]


def test_a_reset_before_a_replacement_stays_one() -> None:
    facts = CounterFacts(replacements=(Replacement(at_ns=4 * HOUR, final=3.0, first=700.0),))
    values = [5000.0, 5002.0, 1.0, 2.0, 700.5, 701.0]
    assert told(values, facts) == [("reset", 2, 1.0), ("replacement", 4, 0.0)]
    assert total(values, facts) == 6.0


def test_rows_of_the_old_meter_after_its_replacement_are_told_apart() -> None:
    values = [5000.0, 5002.0, 5003.5, 14.0, 15.0]
    assert told(values, SWAPPED) == [("replacement", 1, 0.0), ("spike", 2, 0.0)]
    assert total(values, SWAPPED) == 5.5


def test_a_final_register_that_cannot_be_is_told() -> None:
    facts = CounterFacts(replacements=(Replacement(at_ns=2 * HOUR, final=4000.0, first=0.0),))
    assert told([5000.0, 5002.0, 1.0, 2.0], facts) == [("backwards", 2, 0.0), ("replacement", 2, 0.0)]


def test_a_meter_may_be_replaced_twice_between_two_rows() -> None:
    facts = CounterFacts(replacements=(Replacement(2 * HOUR, 5003.0, 0.0), Replacement(3 * HOUR, 1.0, 700.0)))
    rows = [(0, 5000.0), (HOUR, 5002.0), (4 * HOUR, 702.0)]
    assert [(step.kind, step.amount) for step in find_steps(rows, facts)] == [
        ("count", 2.0), ("count", 1.0), ("replacement", 0.0), ("count", 1.0), ("replacement", 0.0), ("count", 2.0),
    ]  # fmt: skip


def test_replacements_before_the_first_row_are_history() -> None:
    facts = CounterFacts(replacements=(Replacement(0, 5003.0, 0.0),))
    assert [step.kind for step in find_steps([(HOUR, 10.0), (2 * HOUR, 11.0)], facts)] == ["count"]


# ── order, repetition, gaps ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_row_that_comes_twice_is_counted_once() -> None:
    rows = [(0, 10.0), (HOUR, 12.0), (HOUR, 12.0), (2 * HOUR, 13.0)]
    assert [(step.kind, step.amount) for step in find_steps(rows, NO_FACTS)] == [
        ("duplicate", 0.0), ("count", 2.0), ("count", 1.0),
    ]  # fmt: skip


def test_a_spike_that_comes_twice_is_no_break() -> None:
    rows = [(0, 100.0), (HOUR, 7.0), (HOUR, 7.0), (2 * HOUR, 101.0)]
    assert [step.kind for step in find_steps(rows, NO_FACTS)] == ["duplicate", "spike", "count"]


def test_two_values_for_one_time_are_a_step_without_length() -> None:
    rows = [(0, 10.0), (HOUR, 12.0), (HOUR, 12.5), (2 * HOUR, 13.0)]
    assert [(step.begin, step.end, step.amount) for step in find_steps(rows, NO_FACTS)] == [
        (0, HOUR, 2.0), (HOUR, HOUR, 0.5), (HOUR, 2 * HOUR, 0.5),
    ]  # fmt: skip


def test_a_row_that_comes_too_late_changes_no_sum() -> None:
    rows = [(0, 10.0), (2 * HOUR, 14.0), (HOUR, 11.0), (3 * HOUR, 15.0)]
    assert [(step.kind, step.end // HOUR, step.amount) for step in find_steps(rows, NO_FACTS)] == [
        ("late", 1, 0.0), ("count", 2, 4.0), ("count", 3, 1.0),
    ]  # fmt: skip


def test_within_the_tolerance_it_is_put_in_its_place() -> None:
    rows = [(0, 10.0), (2 * HOUR, 14.0), (HOUR, 11.0), (3 * HOUR, 15.0)]
    assert [(step.kind, step.end // HOUR, step.amount) for step in find_steps(rows, NO_FACTS, reorder_rows=1)] == [
        ("reordered", 1, 0.0), ("count", 1, 1.0), ("count", 2, 3.0), ("count", 3, 1.0),
    ]  # fmt: skip


def test_a_gap_is_longer_than_one_interval_and_a_half() -> None:
    rows = [(0, 10.0), (90 * MINUTE, 11.0), (180 * MINUTE + 1, 12.0)]
    hourly = CounterFacts(interval_ns=HOUR)
    assert [step.is_gap for step in find_steps(rows, hourly)] == [False, True]
    assert [step.is_gap for step in find_steps(rows, NO_FACTS)] == [False, False]


# ── a live stream ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_row_is_certain_when_the_next_one_agrees_and_a_break_when_a_third_one_does() -> None:
    counter = Counter(NO_FACTS)
    answers = [
        [step.kind for step in counter.feed(hour * HOUR, value)]
        for hour, value in enumerate([5000.0, 5001.0, 3.0, 4.0])
    ]
    assert answers == [[], [], [], ["count", "reset"]]


def test_what_is_provisional_can_be_seen() -> None:
    counter = Counter(NO_FACTS)
    counter.feed(0, 5000.0)
    counter.feed(HOUR, 5001.0)
    counter.feed(2 * HOUR, 3.0)
    state = counter.state
    assert state.settled
    assert state.held
    assert state.contrary
    assert (state.settled.value, state.held.value, state.contrary.value) == (5000.0, 5001.0, 3.0)
