"""What waiting costs, worked out by hand beside each case."""

from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from tests.rulebench import at, make_site
from tickets.costs import Cost, Excess, find_cost, find_excess, sort_dearest
from tickets.costwords import sum_up_cost, tell_cost
from tickets.queue import Member
from tickets.rates import Rates
from tickets.tariffs import Tariffs
from tickets.ticket import Ticket

TARIFFS = Tariffs.model_validate(
    {
        "electricity": [
            {"from": "2026-01-01", "until": "2026-06-30", "price": "0.60 CNY/kWh"},
            {
                "from": "2026-07-01",
                "price": "0.80 CNY/kWh",
                "bands": [{"price": "0.30 CNY/kWh", "hours": "00:00-02:00"}],
            },
        ],
        "water": [{"from": "2026-01-01", "price": "5 CNY/m3"}],
        "emissions": {
            "electricity": [
                {"from": "2026-01-01", "until": "2026-06-30", "factor": "0.5 kgCO2e/kWh"},
                {"from": "2026-07-01", "factor": "0.4 kgCO2e/kWh"},
            ]
        },
    }
)
SITE = make_site(
    [
        {"id": "gw", "kind": "gateway"},
        *({"id": id_, "kind": "electricity_meter", "gateway": "gw"} for id_ in ("main", "em-1", "em-2")),
        {"id": "wm-1", "kind": "water_meter"},
    ],
    zone="Asia/Shanghai",
    places={"feeds": [{"main": "main", "subs": ["em-1", "em-2"]}]},
)
RATES = Rates(TARIFFS, SITE.zone)
BERLIN = Rates(
    Tariffs.model_validate(
        {
            "electricity": [
                {
                    "from": "2026-01-01",
                    "price": "0.40 EUR/kWh",
                    "bands": [{"price": "0.10 EUR/kWh", "hours": "00:00-06:00"}],
                }
            ]
        }
    ),
    ZoneInfo("Europe/Berlin"),
)


def power(value: float, limit: float = 2.0, device: str = "em-1", **details: object) -> dict[str, Any]:
    return {"device": device, "point": "power_kw", "value": value, "limit": limit, "unit": "kW", "details": details}


def water(value: float, limit: float) -> dict[str, Any]:
    return {"device": "wm-1", "point": "volume_m3", "value": value, "limit": limit, "unit": "m³/h"}


def member(evidence: dict[str, Any], since: str, until: str | None = None, *, affected: bool = False) -> Member:
    cleared_at = None if until is None else at(until)
    return Member("r", "device", evidence.get("device", "em-1"), at(since), "minor", evidence, cleared_at, affected)


def cost(*members: Member, now: str, rates: Rates = RATES) -> Cost:
    found = find_cost(members, rates, SITE, at(now))
    assert found is not None
    return found


# ── what flows beyond the normal ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("evidence", "excess"),
    [
        (power(5.0), Excess("electricity", 3.0)),
        (power(5.0, 4.0, usual=1.0), Excess("electricity", 4.0)),  # unlike_usual: over what is usual
        (power(15.0, 10.0, "em-1", **{"from": 2.0, "to": 17.0}), Excess("electricity", 15.0)),  # change: the whole rise
        (power(1.0), Excess("electricity", 0.0)),  # below: no waste
        (water(0.5, 0.1), Excess("water", 0.4)),  # night_flow, off_hours, never_zero
        (
            {"point": "volume_m3", "value": 60.0, "limit": 12.0, "unit": "m³", "details": {"per": "day"}},
            Excess("water", 2.0),
        ),
        (
            {"point": "energy_import_kwh", "value": -9.0, "limit": -5.0, "unit": "kWh", "details": {"per": "hour"}},
            Excess("electricity", 0.0),
        ),
        ({"point": "volume_m3", "value": 60.0, "limit": 12.0, "unit": "m³"}, None),
        ({"point": "leak", "value": True}, Excess("water", None)),
        ({"point": "power_kw", "unit": "kW", "details": {"on_min": 70.0}}, Excess("electricity", None)),
        ({"point": "volume_m3", "value": -7.0, "unit": "m³", "details": {"fault": "reset"}}, None),  # register
        ({"point": "flow_m3_per_h", "value": 0.4, "unit": "m³/h", "details": {}}, None),  # stuck
        ({"point": "voltage_v", "value": 260.0, "limit": 253.0, "unit": "V"}, None),
        ({"point": "silence", "value": 900.0, "unit": "s"}, None),
        ({}, None),
    ],
)
def test_the_excess_is_read_from_the_evidence(evidence: dict[str, Any], excess: Excess | None) -> None:
    found = find_excess(evidence)
    assert (found and found.utility) == (excess and excess.utility)
    assert (found and found.rate) == pytest.approx(excess and excess.rate)


# ── worked out by hand ───────────────────────────────────────────────────────────────────────────────────────────────


def test_each_hour_counts_at_its_own_price_and_factor() -> None:
    # 3 kW from 22:00 on 30 June to 04:00 on 1 July in Shanghai:
    #   2 h at 0.60 and 0.5, then 2 h at 0.30 and 0.4, then 2 h at 0.80 and 0.4
    found = cost(member(power(5.0), "2026-06-30 14:00"), now="2026-06-30 20:00")
    assert found.energy_kwh == pytest.approx(18.0)
    assert found.money == pytest.approx(6 * 0.6 + 6 * 0.3 + 6 * 0.8)  # 10.20
    assert found.carbon_kg == pytest.approx(6 * 0.5 + 12 * 0.4)  # 7.8
    assert (found.currency, found.unpriced_h, found.is_growing) == ("CNY", 0.0, True)


@pytest.mark.parametrize(
    ("day", "after", "money"), [("2026-03-28", "2026-03-29", 1.3), ("2026-10-24", "2026-10-25", 1.5)]
)
def test_a_night_in_which_clocks_change(day: str, after: str, money: float) -> None:
    # 1 kW from 22:00 to 06:00 by the clock: 2 h at 0.40, then 5 or 7 h at 0.10
    hours = {"2026-03-28": ("21:00", "04:00"), "2026-10-24": ("20:00", "05:00")}[day]
    found = cost(member(power(3.0), f"{day} {hours[0]}"), now=f"{after} {hours[1]}", rates=BERLIN)
    assert found.money == pytest.approx(money)
    assert found.energy_kwh == pytest.approx(money * 10 - 6)


def test_an_amendment_that_moves_the_beginning_counts_from_there() -> None:
    before = cost(member(water(0.5, 0.1), "2026-05-10 00:00"), now="2026-05-11 00:00")
    after = cost(member(water(0.5, 0.1), "2026-05-08 12:00"), now="2026-05-11 00:00")
    assert [before.water_m3, before.money] == pytest.approx([24 * 0.4, 24 * 0.4 * 5])
    assert [after.water_m3, after.money] == pytest.approx([60 * 0.4, 60 * 0.4 * 5])
    assert (after.carbon_kg, after.unfactored_h) == (0.0, 60.0)


def test_it_stops_when_the_alert_is_over() -> None:
    found = cost(member(power(5.0), "2026-05-01 00:00", "2026-05-01 02:00"), now="2026-05-20 00:00")
    assert [found.energy_kwh, found.money] == pytest.approx([6.0, 3.6])
    assert not found.is_growing


def test_hours_without_a_price_are_counted() -> None:
    # 2026 begins at 16:00 UTC in Shanghai
    found = cost(member(power(3.0), "2025-12-31 14:00"), now="2025-12-31 18:00")
    assert [found.energy_kwh, found.money, found.unpriced_h] == pytest.approx([4.0, 1.2, 2.0])


# ── several alerts ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_one_device_the_largest_excess_counts() -> None:
    found = cost(
        member(power(3.0), "2026-05-01 00:00", "2026-05-01 10:00"),
        member(power(6.0), "2026-05-01 04:00", "2026-05-01 06:00"),
        now="2026-05-02 00:00",
    )
    assert found.energy_kwh == pytest.approx(8 * 1 + 2 * 4)


def test_of_meters_that_feed_each_other_the_upper_one_counts_while_it_does() -> None:
    found = cost(
        member(power(12.0, device="main"), "2026-05-01 02:00", "2026-05-01 04:00"),
        member(power(5.0, device="em-1"), "2026-05-01 00:00", "2026-05-01 06:00"),
        member(power(6.0, device="em-2"), "2026-05-01 00:00", "2026-05-01 06:00"),
        now="2026-05-02 00:00",
    )
    assert found.energy_kwh == pytest.approx(4 * (3 + 4) + 2 * 10)


def test_consequences_do_not_count_and_what_is_not_known_is_named() -> None:
    leak = member({"device": "leak-1", "point": "leak", "value": True}, "2026-05-01 00:00")
    found = cost(leak, member(water(9.0, 0.0), "2026-05-01 00:00", affected=True), now="2026-05-02 00:00")
    assert found == Cost(currency="CNY", unknown=("leak-1",))
    assert find_cost([member({"point": "voltage_v"}, "2026-05-01 00:00")], RATES, SITE, at("2026-05-02 00:00")) is None


@given(cuts=st.lists(st.integers(0, 5000), min_size=2, max_size=6, unique=True))
def test_a_time_cut_into_parts_costs_what_the_whole_does(cuts: list[int]) -> None:
    times = [at("2026-06-28 00:00") + cut * NANOSECONDS["m"] for cut in sorted(cuts)]
    first, last = times[0], times[-1]

    def between(start: int, end: int) -> Cost:
        found = find_cost([Member("r", "device", "em-1", start, "minor", power(4.0), end, False)], RATES, SITE, last)
        assert found is not None
        return found

    parts = [between(start, end) for start, end in pairwise(times)]
    whole = between(first, last)
    assert sum(part.money for part in parts) == pytest.approx(whole.money)
    assert sum(part.carbon_kg for part in parts) == pytest.approx(whole.carbon_kg)
    assert whole.energy_kwh == pytest.approx(2.0 * (last - first) / NANOSECONDS["h"])


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_dearest_comes_first_then_what_nobody_knows_then_the_rest() -> None:
    tickets = [
        Ticket(site="s", number=number, kind="incident", category="c", title="t", opened_at=0, version=1, updated_at=0)
        for number in ("none", "unknown", "cheap", "dear")
    ]
    costs = {"dear": Cost(money=9.0), "cheap": Cost(money=1.0), "unknown": Cost(unknown=("leak-1",))}
    assert [ticket.number for ticket in sort_dearest(tickets, costs)] == ["dear", "cheap", "unknown", "none"]


def test_a_cost_in_words() -> None:
    found = Cost(energy_kwh=18.04, money=1010.2, currency="CNY", carbon_kg=7.8, unpriced_h=2.0, unknown=("leak-1",))
    assert tell_cost(found, "en") == (
        "18.04 kWh; 1,010.20 CNY; 7.8 kgCO2e; 2.0 h without a price; nobody knows how much at leak-1"
    )
    assert tell_cost(found, "zh").endswith("2.0 小时无电价或水价；leak-1 的损失量未知")
    assert sum_up_cost(found, "en") == "1,010.20 CNY"
    assert sum_up_cost(Cost(water_m3=0.5), "en") == "500 L"
    assert sum_up_cost(Cost(unknown=("leak-1",)), "en") == "?"
    assert tell_cost(Cost(unfactored_h=3.0, carbon_kg=1.0), "en") == "1 kgCO2e; 3.0 h without an emission factor"
