"""Tickets, reviewed: how long they took in hours that count, what was open when, and what people said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS, parse_duration
from tests.deskbench import START, Bench, open_file
from tickets.review import Review, find_beginning, read_reviews, sum_up_ratings, sum_up_speed
from tickets.servicelevels import AllHours
from tickets.ticket import Rating

HOUR = NANOSECONDS["h"]
PLAN = {"teams": {"electricians": {"calendar": "work"}}, "categories": {"other": {"team": "electricians"}}}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    database = open_file(tmp_path)
    yield Bench(database, PLAN)
    database.close()


def review(bench: Bench, start: int = START, end: int | None = None) -> list[Review]:
    with bench.database.read() as connection:
        return read_reviews(connection, bench.site.id, start, end or bench.clock.now + 1)


def test_times_are_measured_without_waiting(bench: Bench) -> None:
    bench.do("open")
    bench.clock.pass_("1h")
    bench.counter.take("1", "wang")
    bench.clock.pass_("1h")
    bench.counter.wait("1", "wang", "parts")
    bench.clock.pass_("10h")
    bench.counter.resume("1", "wang")
    bench.clock.pass_("2h")
    bench.counter.finish("1", "wang")
    (found,) = review(bench)
    assert found.measure_response(AllHours()) == HOUR
    assert found.measure_resolution(AllHours()) == 4 * HOUR
    assert found.finished_at == START + 14 * HOUR


def test_what_is_neither_answered_nor_done_has_no_times(bench: Bench) -> None:
    bench.do("open")
    (found,) = review(bench)
    assert (found.measure_response(AllHours()), found.measure_resolution(AllHours())) == (None, None)
    assert found.finished_at is None


def test_left_to_do_is_what_was_so_then_whatever_came_later(bench: Bench) -> None:
    bench.do("open")
    bench.clock.pass_("1d")
    bench.counter.cancel("1", "wang", "twice")
    bench.clock.pass_("1d")
    (found,) = review(bench)
    days = [START + parse_duration(day) for day in ("1h", "1d", "2d")]
    assert [found.is_undone_at(time) for time in (START, *days)] == [False, True, True, False]
    assert found.finished_at is None  # a cancelled one is never done


def test_what_is_done_is_not_left_to_do_though_it_is_not_closed(bench: Bench) -> None:
    bench.do("open")
    bench.clock.pass_("1h")
    bench.counter.take("1", "wang")
    bench.counter.finish("1", "wang")
    (found,) = review(bench)
    assert found.is_undone_at(bench.clock.now)
    assert not found.is_undone_at(bench.clock.now + 1)


def test_a_span_concerns_what_was_open_or_touched_in_it(bench: Bench) -> None:
    bench.do("open", device="em-1")
    bench.clock.pass_("1d")
    bench.counter.cancel("1", "wang", "twice")
    bench.clock.pass_("1d")
    bench.do("open", device="em-2")
    bench.clock.pass_("1d")
    numbers = [
        [each.ticket.number[-1] for each in review(bench, START + parse_duration(a), START + parse_duration(b))]
        for a, b in (("0h", "12h"), ("12h", "36h"), ("36h", "40h"), ("3d", "4d"))
    ]
    assert numbers == [["1"], ["1"], [], ["2"]]


def test_the_desk_began_with_its_first_ticket(bench: Bench) -> None:
    with bench.database.read() as connection:
        assert find_beginning(connection, bench.site.id) is None
    bench.do("open")
    with bench.database.read() as connection:
        assert find_beginning(connection, bench.site.id) == START
        assert find_beginning(connection, "elsewhere") is None


def test_nine_of_ten_by_the_nearest_rank() -> None:
    found = sum_up_speed([number * HOUR for number in (9, 1, 3, 2, 4, 5, 6, 7, 8, 100)])
    assert (found.count, found.median, found.most) == (10, 5.5 * HOUR, 9 * HOUR)
    assert sum_up_speed([]).median is None


@given(times=st.lists(st.integers(0, 10**15), min_size=1))
def test_nine_of_ten_did_not_exceed_it(times: list[int]) -> None:
    found = sum_up_speed(times)
    assert found.most is not None
    assert sum(time <= found.most for time in times) >= 0.9 * len(times)
    assert found.most in times
    assert sum(time < found.most for time in times) < 0.9 * len(times)


def test_satisfied_is_a_mean_of_four_or_more() -> None:
    found = sum_up_ratings([Rating(5, 4, 3), Rating(5, 5, 1), Rating(4, 4, 4)])
    assert (found.count, found.satisfied) == (3, 2 / 3)
    assert (found.speed, found.attitude, found.resolution) == (14 / 3, 13 / 3, 8 / 3)
    assert sum_up_ratings([]).satisfied is None
