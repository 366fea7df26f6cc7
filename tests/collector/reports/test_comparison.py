"""Figures beside other periods and budgets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.reports.comparison import Comparison, compare, find_change
from collector.reports.document import Figure

amounts = st.floats(0.001, 1e9)


def test_each_is_told_in_per_cent_of_the_other() -> None:
    figure = Figure(label="used", value=110, unit="kWh", before=100, year_before=220, budget=100, less_is_better=True)
    assert [(each.basis, each.then, round(each.change or 0, 6), each.is_worse) for each in compare(figure)] == [
        ("before", 100, 10, True),
        ("year_before", 220, -50, False),
        ("budget", 100, 10, True),
    ]


def test_shares_differ_by_points() -> None:
    figure = Figure(label="kept", value=90, unit="%", before=75, less_is_better=False)
    assert compare(figure) == [Comparison("before", 75, 15, in_points=True, is_worse=False)]


def test_more_than_nothing_is_no_share_of_it() -> None:
    (found,) = compare(Figure(label="forced", value=2, before=0, less_is_better=True))
    assert (found.change, found.is_worse) == (None, True)


def test_what_reads_the_same_is_neither_better_nor_worse() -> None:
    (found,) = compare(Figure(label="used", value=100.4, before=99.6, less_is_better=True))
    assert found.is_worse is None


def test_what_is_not_known_is_compared_with_nothing() -> None:
    assert compare(Figure(label="used", value=None, before=5)) == []
    assert compare(Figure(label="used", value=5)) == []


@pytest.mark.parametrize("better", [True, False, None])
@given(now=amounts, then=amounts)
def test_the_other_way_round_is_the_opposite(better: bool | None, now: float, then: float) -> None:
    (one,) = compare(Figure(label="x", value=now, before=then, digits=3, less_is_better=better))
    (other,) = compare(Figure(label="x", value=then, before=now, digits=3, less_is_better=better))
    assert one.is_worse is None or one.is_worse is not other.is_worse
    assert (one.is_worse is None) == (other.is_worse is None)


@given(now=amounts, then=amounts)
def test_a_change_leads_from_one_to_the_other(now: float, then: float) -> None:
    change = find_change(now, then)
    assert change is not None
    assert then * (1 + change / 100) == pytest.approx(now, rel=1e-9, abs=then * 1e-12)
