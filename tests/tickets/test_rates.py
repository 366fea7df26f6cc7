"""Tariffs on the clocks of a site: prices by hour, both nights in which clocks change, days without a price."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from tests.rulebench import at
from tickets.rates import Rates
from tickets.tariffs import Tariffs, find_tariff_clashes

HOUR = NANOSECONDS["h"]

BERLIN = {
    "electricity": [
        {
            "from": "2026-01-01",
            "until": "2026-12-31",
            "price": "0.20 EUR/kWh",
            "bands": [
                {"price": "0.90 EUR/kWh", "months": [1], "days": ["mon"], "hours": "18:00-20:00"},
                {"price": "0.50 EUR/kWh", "hours": ["08:00-12:00", "18:00-20:00"]},
                {"price": "0.05 EUR/kWh", "hours": "22:00-06:00"},
            ],
        }
    ],
    "emissions": {"electricity": [{"from": "2026-06-01", "factor": "0.4 kgCO2e/kWh"}]},
}


def rates(tariffs: object = BERLIN, zone: str = "Europe/Berlin") -> Rates:
    return Rates(Tariffs.model_validate(tariffs), ZoneInfo(zone))


def hours_by_price(start: str, end: str) -> dict[float | None, float]:
    found: dict[float | None, float] = {}
    for span in rates().spans("electricity", at(start), at(end)):
        found[span.price] = found.get(span.price, 0) + (span.end - span.start) / HOUR
    return found


def test_a_day_has_its_bands_and_of_several_the_first_holds() -> None:
    # 2026-01-12 is a Monday; Berlin is an hour ahead of UTC
    assert hours_by_price("2026-01-11 23:00", "2026-01-12 23:00") == {0.05: 8, 0.2: 10, 0.5: 4, 0.9: 2}
    assert hours_by_price("2026-01-12 23:00", "2026-01-13 23:00") == {0.05: 8, 0.2: 10, 0.5: 6}


def test_the_night_that_is_an_hour_shorter_has_an_hour_less_at_night_price() -> None:
    assert hours_by_price("2026-03-28 20:00", "2026-03-29 05:00") == {0.2: 2, 0.05: 7}


def test_the_night_that_is_an_hour_longer_has_an_hour_more() -> None:
    assert hours_by_price("2026-10-24 19:00", "2026-10-25 06:00") == {0.2: 2, 0.05: 9}


def test_before_the_first_price_and_after_the_last_nothing_is_known() -> None:
    # 2027 begins at 23:00 UTC
    assert hours_by_price("2026-12-31 20:00", "2027-01-01 01:00") == {0.2: 1, 0.05: 2, None: 2}
    assert [span.price for span in rates().spans("water", at("2026-05-01 00:00"), at("2026-05-01 01:00"))] == [None]


def test_factors_hold_from_their_own_day_on() -> None:
    spans = list(rates().spans("electricity", at("2026-05-31 21:00"), at("2026-05-31 23:00")))
    assert [(span.start, span.factor) for span in spans] == [
        (at("2026-05-31 21:00"), None),
        (at("2026-05-31 22:00"), 0.4),
    ]


def test_a_band_may_hold_on_holidays_alone() -> None:
    band = {"price": "0.1 CNY/kWh", "hours": "10:00-14:00", "only_on_holidays": "CN"}
    china = rates({"electricity": [{"from": "2026-01-01", "price": "1 CNY/kWh", "bands": [band]}]}, "Asia/Shanghai")
    prices = {
        day: [span.price for span in china.spans("electricity", at(f"2026-10-{day} 03:00"), at(f"2026-10-{day} 04:00"))]
        for day in ("01", "15")
    }
    assert prices == {"01": [0.1], "15": [1.0]}


@given(
    start=st.integers(0, 400 * 24 * 60),
    length=st.integers(0, 20 * 24 * 60),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"]),
)
def test_spans_follow_each_other_without_gaps(start: int, length: int, zone: str) -> None:
    first = at("2025-12-01 00:00") + start * NANOSECONDS["m"]
    last = first + length * NANOSECONDS["m"]
    spans = list(rates(zone=zone).spans("electricity", first, last))
    ends = [first, *(span.end for span in spans)]
    assert [span.start for span in spans] == ends[:-1]
    assert ends[-1] == last
    assert all(span.start < span.end for span in spans)


@pytest.mark.parametrize("model", [BERLIN, {}])
def test_what_is_written_out_is_read_again(model: object) -> None:
    tariffs = Tariffs.model_validate(model)
    assert Tariffs.model_validate_json(tariffs.model_dump_json(by_alias=True, exclude_none=True)) == tariffs
    assert list(find_tariff_clashes(tariffs)) == []
