"""How the consumption of steps is cut into intervals, worked by hand."""

import pytest

from devices.counting.consumption import Consumption, spread
from devices.counting.counters import find_steps
from devices.counting.steps import CounterFacts, Step

MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
HALF = 30 * MINUTE


def count(begin: int, end: int, amount: float, *, is_gap: bool = False) -> Step:
    return Step("count", begin, end, amount, amount, is_gap)


def test_a_step_belongs_to_the_interval_that_holds_it() -> None:
    steps = [count(0, HALF, 2.0), count(HALF, HOUR, 3.0), count(HOUR, 2 * HOUR, 4.0)]
    assert spread(steps, [0, HOUR, 2 * HOUR]) == [
        Consumption(0, HOUR, 5.0, 0.0, HOUR),
        Consumption(HOUR, 2 * HOUR, 4.0, 0.0, HOUR),
    ]


def test_a_step_over_an_edge_is_divided_there() -> None:
    answer = spread([count(HALF, HALF + HOUR, 8.0)], [0, HOUR, 2 * HOUR])
    assert answer == [Consumption(0, HOUR, 4.0, 0.0, HALF), Consumption(HOUR, 2 * HOUR, 4.0, 0.0, HALF)]


def test_a_gap_over_an_edge_is_estimated() -> None:
    answer = spread([count(HALF, HALF + HOUR, 8.0, is_gap=True)], [0, HOUR, 2 * HOUR])
    assert [interval.estimated for interval in answer] == [4.0, 4.0]


def test_a_gap_within_an_interval_is_known() -> None:
    answer = spread([count(HALF, HALF + HOUR, 8.0, is_gap=True)], [0, 24 * HOUR])
    assert answer == [Consumption(0, 24 * HOUR, 8.0, 0.0, HOUR)]


def test_intervals_without_a_row_are_estimated() -> None:
    steps = [count(0, HALF, 1.0), count(HALF, 3 * HOUR + HALF, 12.0)]
    assert spread(steps, [0, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR]) == [
        Consumption(0, HOUR, 3.0, 2.0, HOUR),
        Consumption(HOUR, 2 * HOUR, 4.0, 4.0, HOUR),
        Consumption(2 * HOUR, 3 * HOUR, 4.0, 4.0, HOUR),
        Consumption(3 * HOUR, 4 * HOUR, 2.0, 2.0, HALF),
    ]


def test_of_intervals_beside_the_rows_nothing_is_known() -> None:
    answer = spread([count(2 * HOUR, 3 * HOUR, 5.0)], [0, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR])
    assert [(interval.amount, interval.covered_ns) for interval in answer] == [(0, 0), (0, 0), (5.0, HOUR), (0, 0)]


def test_what_lies_outside_the_edges_is_not_counted() -> None:
    steps = [count(0, HOUR, 1.0), count(HOUR, 3 * HOUR, 8.0), count(3 * HOUR, 9 * HOUR, 60.0, is_gap=True)]
    assert spread(steps, [2 * HOUR, 4 * HOUR]) == [Consumption(2 * HOUR, 4 * HOUR, 14.0, 10.0, 2 * HOUR)]


def test_a_step_without_length_belongs_to_the_interval_that_begins_there() -> None:
    answer = spread([count(HOUR, HOUR, 3.0)], [0, HOUR, 2 * HOUR])
    assert [interval.amount for interval in answer] == [0.0, 3.0]


def test_rows_that_are_left_out_cover_nothing() -> None:
    assert spread([Step("spike", HALF, HALF, 99.0, 0.0)], [0, HOUR]) == [Consumption(0, HOUR, 0.0, 0.0, 0)]


@pytest.mark.parametrize("edges", [[], [HOUR]])
def test_fewer_than_two_edges_are_no_interval(edges: list[int]) -> None:
    assert spread([count(0, 2 * HOUR, 1.0)], edges) == []


def test_intervals_may_be_of_any_length() -> None:
    night_of_25_hours = [0, 25 * HOUR, 49 * HOUR]
    rows = [(hour * HOUR, float(hour)) for hour in range(50)]
    assert [interval.amount for interval in spread(find_steps(rows, CounterFacts()), night_of_25_hours)] == [25.0, 24.0]
