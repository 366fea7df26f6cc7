"""Laws of counters and of the consumption that is made of their steps, whatever the rows are."""

from itertools import accumulate, pairwise

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from devices.counting.consumption import spread
from devices.counting.counters import Counter, find_steps
from devices.counting.state import State
from devices.counting.steps import LEFT_OUT, CounterFacts, Replacement, Step

MINUTE = 60_000_000_000
WIDTH = 1024.0
RATE = 64.0
Rows = list[tuple[int, float]]

minutes = st.integers(1, 200).map(lambda count: count * MINUTE)
eighths = st.integers(0, 80).map(lambda count: count / 8)
"""Steps of rise whose sums are exact."""

values = st.integers(0, 8 * 1023).map(lambda count: count / 8) | st.sampled_from([0.0, 0.125, 1000.0, 1000.125])
strange = values | st.floats(allow_nan=True) | st.just(1_217_440_205.0)
fact_sets = st.builds(
    CounterFacts,
    rolls_over_at=st.none() | st.just(WIDTH),
    rate_max_per_h=st.none() | st.sampled_from([1.0, RATE]),
    interval_ns=st.none() | st.just(60 * MINUTE),
    replacements=st.just(()) | st.just((Replacement(1000 * MINUTE + 1, 500.0, 12.5),)),
)


def series(value: st.SearchStrategy[float], *, least: int = 0) -> st.SearchStrategy[Rows]:
    """Any values, in the order of time."""
    pairs = st.lists(st.tuples(minutes, value), min_size=least, max_size=40)
    return pairs.map(lambda rows: list(zip(accumulate(time for time, _ in rows), (v for _, v in rows), strict=True)))


def rising(rise: st.SearchStrategy[float] = eighths, *, least: int = 2) -> st.SearchStrategy[Rows]:
    """What an honest register says."""
    return st.builds(
        lambda first, rows: [(time, first + value) for time, value in rows],
        st.integers(0, 4000).map(lambda count: count / 8),
        series(rise, least=least).map(
            lambda rows: list(zip((t for t, _ in rows), accumulate(v for _, v in rows), strict=True))
        ),
    )


def confirmed(rows: Rows) -> Rows:
    """With one more row that says the same as the last."""
    return [*rows, (rows[-1][0] + MINUTE, rows[-1][1])]


def counted(rows: Rows, facts: CounterFacts = CounterFacts(), **options: int) -> list[Step]:  # noqa: B008 - it is immutable
    """The steps that count."""
    return [step for step in find_steps(rows, facts, **options) if step.kind not in LEFT_OUT]


def total(rows: Rows, facts: CounterFacts = CounterFacts()) -> float:  # noqa: B008 - it is immutable
    return sum(step.amount for step in find_steps(rows, facts))


@given(rows=st.lists(st.tuples(st.integers(0, 2000).map(lambda n: n * MINUTE), strange)), facts=fact_sets)
def test_consumption_is_never_negative(rows: Rows, facts: CounterFacts) -> None:
    steps = list(find_steps(rows, facts, reorder_rows=2))
    assert all(step.amount >= 0.0 for step in steps)
    for interval in spread(steps, range(0, 2100 * MINUTE, 70 * MINUTE)):
        assert 0.0 <= interval.estimated <= interval.amount
        assert 0 <= interval.covered_ns <= 70 * MINUTE


@given(rows=series(values), facts=fact_sets)
def test_steps_are_a_chain_and_every_row_is_in_it_or_left_out(rows: Rows, facts: CounterFacts) -> None:
    steps = list(find_steps(rows, facts))
    chain = [step for step in steps if step.kind not in LEFT_OUT]
    assert all(before.end == after.begin for before, after in pairwise(chain))
    told = {step.end for step in steps if step.kind in LEFT_OUT}
    ends = {time for step in chain for time in (step.begin, step.end)}
    untold = {time for time, _ in rows} - told - ends
    assert len(untold) <= (0 if chain else 1)
    assert not told & ends


@given(rows=series(values), rate=st.sampled_from([None, 1.0, RATE]))
def test_consumption_is_what_the_register_rose_between_breaks(rows: Rows, rate: float | None) -> None:
    steps, register = counted(rows, CounterFacts(rate_max_per_h=rate)), dict(rows)
    assume(steps and all(step.kind != "return" for step in steps))
    since, highest, expected = register[steps[0].begin], register[steps[0].begin], 0.0
    for step in steps:
        value = register[step.end]
        if step.kind in {"reset", "backwards", "jump"}:
            expected += highest - since + (value if step.kind == "reset" else 0.0)
            since = highest = value
        highest = max(highest, value)
    assert sum(step.amount for step in steps) == expected + highest - since


@given(rows=rising(), cuts=st.lists(st.integers(0, 40 * 200), max_size=12))
def test_the_sum_over_any_intervals_is_last_minus_first(rows: Rows, cuts: list[int]) -> None:
    edges = sorted({rows[0][0], rows[-1][0], *(min(cut * MINUTE, rows[-1][0]) for cut in cuts)})
    edges = [edge for edge in edges if edge >= rows[0][0]]
    intervals = spread(find_steps(rows, CounterFacts()), edges)
    assert sum(interval.amount for interval in intervals) == pytest.approx(rows[-1][1] - rows[0][1], abs=1e-9)
    assert sum(interval.covered_ns for interval in intervals) == rows[-1][0] - rows[0][0]


@given(rows=series(values, least=1), times=st.lists(st.integers(1, 39), max_size=10), facts=fact_sets)
def test_rows_that_come_twice_change_nothing(rows: Rows, times: list[int], facts: CounterFacts) -> None:
    twice = [row for index, row in enumerate(rows) for row in [row] * (1 + times.count(index))]
    steps = list(find_steps(twice, facts))
    assert [step for step in steps if step.kind != "duplicate"] == list(find_steps(rows, facts))
    assert len(steps) - len(list(find_steps(rows, facts))) == len(twice) - len(rows)


@given(rows=series(values), delays=st.lists(st.integers(0, 3), min_size=40, max_size=40), facts=fact_sets)
def test_rows_out_of_order_within_the_tolerance_change_nothing(
    rows: Rows, delays: list[int], facts: CounterFacts
) -> None:
    places = sorted(range(len(rows)), key=lambda index: (index + delays[index], index))
    steps = list(find_steps([rows[place] for place in places], facts, reorder_rows=3))
    assert [step for step in steps if step.kind != "reordered"] == list(find_steps(rows, facts))
    too_late = sum(place < max(places[:index], default=-1) for index, place in enumerate(places))
    assert sum(step.kind == "reordered" for step in steps) == too_late


@given(rows=rising(st.integers(0, 800).map(lambda count: count / 8)))
def test_a_register_that_rolls_over_counts_as_if_it_were_wider(rows: Rows) -> None:
    rolled = [(time, value % WIDTH) for time, value in confirmed(rows)]
    assert total(rolled, CounterFacts(rolls_over_at=WIDTH)) == rows[-1][1] - rows[0][1]


@given(rows=rising(st.integers(0, 8 * 400).map(lambda count: count / 8)))
def test_with_a_limit_it_may_roll_over_in_steps_of_two_fifths_of_its_width(rows: Rows) -> None:
    # Two steps of almost half come back to where they began, which is told as a wrong reading between two good ones.
    rolled = [(time, value % WIDTH) for time, value in confirmed(rows)]
    assert total(rolled, CounterFacts(rolls_over_at=WIDTH, rate_max_per_h=400.0 * 60)) == rows[-1][1] - rows[0][1]


@given(rows=rising(), place=st.integers(1, 39), final=eighths, first=values)
def test_a_replacement_keeps_the_sum(rows: Rows, place: int, final: float, first: float) -> None:
    assume(place < len(rows))
    at = (rows[place - 1][0] + rows[place][0]) // 2
    final += rows[place - 1][1]
    after = [(time, first + value - rows[place][1] + 0.125) for time, value in rows[place:]]
    expected = final - rows[0][1] + rows[-1][1] - rows[place][1] + 0.125
    assume(not first <= final <= after[0][1])  # else its first row may be one of the old meter's
    assert total(rows[:place] + after, CounterFacts(replacements=(Replacement(at, final, first),))) == expected


@given(
    rows=rising(least=4),
    place=st.integers(0, 39),
    spike=st.sampled_from([0.0, 0.4, 1.7, 1000.0]),
    rate=st.none() | st.just(10 * 60.0),
)
def test_one_corrupt_row_changes_nothing(rows: Rows, place: int, spike: float, rate: float | None) -> None:
    assume(place < len(rows) - 2)
    (time, value), (after, _) = rows[place : place + 2]
    corrupt = (1.0 + rows[-1][1]) * spike if spike > 1.0 else value * spike - 0.125
    facts = CounterFacts(rate_max_per_h=rate)
    told = list(find_steps([*rows[: place + 1], ((time + after) // 2, corrupt), *rows[place + 1 :]], facts))
    assert [step for step in told if step.kind != "spike"] == list(find_steps(rows, facts))
    assert sum(step.kind == "spike" for step in told) == 1


@given(rows=series(strange), facts=fact_sets, place=st.integers(0, 40), reorder_rows=st.integers(0, 3))
def test_a_counter_goes_on_from_a_snapshot(rows: Rows, facts: CounterFacts, place: int, reorder_rows: int) -> None:
    counter = Counter(facts, reorder_rows=reorder_rows)
    steps = [step for row in rows[:place] for step in counter.feed(*row)]
    saved = msgspec.json.encode(counter.snapshot())
    counter.feed(10**18, 1.0)
    again = Counter(facts, reorder_rows=reorder_rows, state=msgspec.json.decode(saved, type=State))
    steps += [step for row in rows[place:] for step in again.feed(*row)]
    steps += again.finish()
    assert repr(steps) == repr(list(find_steps(rows, facts, reorder_rows=reorder_rows)))  # NaN is not itself


@given(rows=series(strange, least=1), facts=fact_sets)
def test_a_snapshot_stays_as_it_is(rows: Rows, facts: CounterFacts) -> None:
    counter = Counter(facts, reorder_rows=2)
    for row in rows[:-1]:
        counter.feed(*row)
    saved = counter.snapshot()
    before = msgspec.json.encode(saved)
    counter.feed(*rows[-1])
    Counter(facts, reorder_rows=2, state=saved).feed(*rows[-1])
    assert msgspec.json.encode(saved) == before


@given(rows=series(strange), facts=fact_sets)
def test_what_a_counter_remembers_is_small(rows: Rows, facts: CounterFacts) -> None:
    counter = Counter(facts, reorder_rows=3)
    for row in rows:
        counter.feed(*row)
        assert len(msgspec.json.encode(counter.state)) < 600


@given(rising(), series(strange), rising(), fact_sets)
def test_plain_rows_mean_the_same_the_long_way(before: Rows, between: Rows, after: Rows, facts: CounterFacts) -> None:
    start = before[-1][0]
    rows = before + [(start + time, value) for time, value in between]
    rows += [(rows[-1][0] + time, value) for time, value in after]
    never = Replacement(2**62, 0.0, 0.0)  # while a meter is still to be replaced no row is taken for a plain one
    quick, thorough = Counter(facts), Counter(facts._replace(replacements=(*facts.replacements, never)))
    for time, value in rows:
        assert repr(quick.feed(time, value)) == repr(thorough.feed(time, value))  # NaN is not equal to itself
        assert quick.snapshot() == thorough.snapshot()
    assert quick.finish() == thorough.finish()


@given(rising(), fact_sets)
def test_looking_at_a_counter_changes_nothing(rows: Rows, facts: CounterFacts) -> None:
    seen, unseen = Counter(facts), Counter(facts)
    for time, value in rows:
        assert seen.feed(time, value) == unseen.feed(time, value)
        seen.snapshot()
    assert seen.snapshot() == unseen.snapshot()
