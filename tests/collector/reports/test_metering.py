"""What meters counted, on a real store: three levels, unknown meters, a swap, gaps over the edge, both DST nights."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.reports.metering import Metered, read_metered
from collector.reports.plant import Plant
from collector.reports.timeline import Floats, Timeline
from tests.reportsite import QUARTER, Make, ReportSite, making_sites, meter

THREE_LEVELS = [
    meter("grid", "A/B1/switch-room"),
    meter("main-a", "A/1F/switch-room"),
    meter("floor-1", "A/1F/hall"),
    meter("floor-2", "A/2F/hall"),
    meter("main-b", "B/1F/hall"),
]
FEEDS = {"grid": ["main-a", "main-b"], "main-a": ["floor-1", "floor-2"]}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with making_sites(tmp_path) as make:
        yield make


def read(site: ReportSite, period: str, now: str = "2030-01-01", **weights: Floats) -> Metered:
    context = site.context(now)
    plant = Plant(site.configuration, "electricity")
    return read_metered(context, plant, Timeline(site.period(period), context.now), weights)


def test_a_place_has_what_its_meters_measure_wherever_these_stand(make: Make) -> None:
    site = make(*THREE_LEVELS, feeds=FEEDS)
    # Per quarter: the grid meter 10, of which building A 6 (1 on the first floor, 3 on the second), building B 3.
    for id_, rate in {"grid": 10.0, "main-a": 6.0, "floor-1": 1.0, "floor-2": 3.0, "main-b": 3.0}.items():
        site.run(id_, "2026-03-03", "2026-03-04", rate)
    metered = read(site, "2026-03-03")
    assert metered.sum() == pytest.approx(96 * 10)
    assert metered.sum(place=["A"]) == pytest.approx(96 * 6)
    assert metered.sum(place=["A", "1F"]) == pytest.approx(96 * 1), "not what its switch room's meter shows"
    assert metered.sum(place=["A", "2F"]) == pytest.approx(96 * 3)
    assert metered.sum(place=["B"]) == pytest.approx(96 * 3)
    assert metered.usages["grid"].own[0] == pytest.approx(96 * 1), "10 - 6 - 3: lost before the buildings"
    assert metered.usages["main-a"].own[0] == pytest.approx(96 * 2), "6 - 1 - 3"
    losses = {id_: usage.loss.amount for id_, usage in metered.usages.items() if usage.loss}
    assert losses == {"grid": pytest.approx(96), "main-a": pytest.approx(192)}


def test_sub_meters_stand_in_for_a_main_meter_that_is_not_known(make: Make) -> None:
    site = make(*THREE_LEVELS, feeds=FEEDS)
    for id_, rate in {"grid": 10.0, "floor-1": 1.0, "floor-2": 3.0, "main-b": 3.0}.items():
        site.run(id_, "2026-03-03", "2026-03-04", rate)
    metered = read(site, "2026-03-03")
    assert metered.find() == pytest.approx(960)
    assert metered.find(["A"]) == pytest.approx(96 * 4), "at least what its floors used"
    assert metered.known(["A"]) == 0
    assert metered.usages["main-a"].amount == 0
    loss = metered.usages["grid"].loss
    assert loss is not None
    assert loss.amount is None
    assert loss.missing == ("main-a",)


def test_of_a_sub_meter_that_is_not_known_the_main_has_what_it_used(make: Make) -> None:
    site = make(meter("main", "A/1F"), meter("sub-1", "A/1F/hall"), meter("sub-2", "A/2F/hall"),
                feeds={"main": ["sub-1", "sub-2"]})  # fmt: skip
    site.run("main", "2026-03-03", "2026-03-04", 5.0)
    site.run("sub-1", "2026-03-03", "2026-03-04", 2.0)
    site.run("sub-2", "2026-03-03", "2026-03-03T12:00", 1.0)
    metered = read(site, "2026-03-03")
    assert metered.find() == pytest.approx(480)
    assert metered.find(["A", "2F"]) == pytest.approx(48)
    assert metered.known(["A", "2F"]) == pytest.approx(0.5)
    loss = metered.usages["main"].loss
    assert loss is not None
    assert loss.known == pytest.approx(0.5)
    assert loss.amount is None
    assert loss.missing == ("sub-2",)


def test_of_what_was_never_heard_nothing_is_said(make: Make) -> None:
    site = make(meter("em-1"))
    metered = read(site, "2026-03-03")
    assert metered.find() is None
    assert metered.known() == 0


def test_before_a_period_begins_there_is_nothing(make: Make) -> None:
    site = make(meter("em-1"))
    metered = read(site, "2026-03-03", now="2026-03-01")
    assert metered.find() is None
    assert not metered.timeline.is_over


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2026-10-25", 100), ("2026-10-26", 96)])
def test_a_day_has_23_or_25_hours_where_clocks_change(make: Make, day: str, quarters: int) -> None:
    site = make(meter("em-1"))
    site.count("em-1", site.period(day).start - 8 * QUARTER, [0.5] * 200)
    metered = read(site, day)
    assert len(metered.timeline) == quarters
    assert metered.sum() == pytest.approx(quarters * 0.5)
    assert metered.timeline.sum_by_day(metered.total) == pytest.approx([quarters * 0.5])
    assert len(metered.timeline.hour_starts) == quarters // 4


def test_a_swap_within_a_quarter_counts_both_meters(make: Make) -> None:
    # The old one goes at 10:05 at 1100.25 kWh, the new one comes with 7.5 kWh.
    site = make(
        meter("em-1"),
        register={"replacements": [
            {"device": "em-1", "at": "2026-03-03T10:05:00+01:00", "final": "1100.25 kWh", "first": "7.5 kWh"},
        ]},
    )  # fmt: skip
    site.count("em-1", "2026-03-03", [2.5] * 40)  # until 10:00: 1000 + 100
    site.count("em-1", "2026-03-03T10:15", [1.0] * 55, first=8.5)  # from 10:15 on to midnight
    metered = read(site, "2026-03-03")
    # 100 until 10:00; 0.25 until the swap; 8.5 - 7.5 from it to 10:15; 55 after that
    assert metered.sum() == pytest.approx(100 + 0.25 + 1.0 + 55)
    assert metered.known() == pytest.approx(1.0)
    assert metered.usages["em-1"].counts["replacement"] == 1


def test_of_a_gap_over_the_edge_each_day_gets_its_share(make: Make) -> None:
    site = make(meter("em-1"))
    # Silent from 18:00 to 06:00: 12 hours with 24 kWh, of which 6 h of the first day and 6 h of the second.
    site.count("em-1", "2026-03-03", [1.0] * 72)
    site.count("em-1", "2026-03-04T06:00", [1.0] * 72, first=1000 + 72 + 24)
    first, second = read(site, "2026-03-03"), read(site, "2026-03-04")
    assert first.sum() == pytest.approx(72 + 12)
    assert second.sum() == pytest.approx(12 + 72)
    assert first.known() == pytest.approx(1.0)
    assert first.usages["em-1"].estimated == pytest.approx(12)
    assert first.measured.sum() == 72, "what was spread over the gap has no peak"
    assert first.certain.sum() == 96


def test_the_least_of_a_night_is_told_of_nights_that_are_known(make: Make) -> None:
    site = make(meter("em-1"))
    # 0.1 a quarter but between 03:00 and 04:00, where it is 0.05: 0.2 kW over that hour.
    day = [0.1] * 12 + [0.05] * 4 + [0.1] * 80
    site.count("em-1", "2026-03-03", day * 2)
    site.count("em-1", "2026-03-05T03:00", [0.1] * 20, first=2000.0)  # half of that night is missing
    metered = read(site, "2026-03-03..2026-03-05")
    assert metered.usages["em-1"].nights == pytest.approx([0.2, 0.2])
    assert metered.nights == pytest.approx([0.2, 0.2])


RATES = st.floats(0, 40, allow_subnormal=False).map(lambda rate: round(rate, 3))


@settings(max_examples=15, deadline=None)
@given(
    rates=st.lists(st.lists(RATES, min_size=12, max_size=12), min_size=5, max_size=5),
    lengths=st.lists(st.integers(0, 12), min_size=5, max_size=5),
    prices=st.lists(st.floats(0, 2), min_size=96, max_size=96),
)
def test_parts_add_up_to_the_total_whatever_is_known(
    rates: list[list[float]], lengths: list[int], prices: list[float]
) -> None:
    with TemporaryDirectory() as folder:
        site = ReportSite(Path(folder), THREE_LEVELS, feeds=FEEDS, zone="UTC")
        for device, amounts, length in zip(THREE_LEVELS, rates, lengths, strict=True):
            site.count(str(device["id"]), "2026-03-03T08:00", amounts[:length])
        metered = read(site, "2026-03-03", cost=np.array(prices))
        site.store.close()
    for weight in ("amount", "cost"):
        whole = metered.sum(weight)
        rest = sum(float(metered.usages[id_].own[metered.weights.index(weight)]) for id_ in ("grid",))
        assert sum(metered.sum(weight, [building]) for building in "AB") + rest == pytest.approx(whole)
        own = float(metered.usages["main-a"].own[metered.weights.index(weight)])
        assert metered.sum(weight, ["A", "1F"]) + metered.sum(weight, ["A", "2F"]) + own == pytest.approx(
            metered.sum(weight, ["A"])
        )
    assert metered.sum() == pytest.approx(float(metered.total.sum()))
    assert metered.sum("cost") == pytest.approx(float(metered.total @ np.array(prices)))
