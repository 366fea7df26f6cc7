"""Costs of waiting: what an open ticket about electricity or water has wasted so far, from its alerts' evidence. Pure.

The excess of an alert is what flows beyond the normal, in kW or m³/h. It is read from the evidence:

    unit kW or m³/h       value − `usual`, where the condition has learned it, else value − limit
    unit kWh or m³        (value − limit) / the hours of `per`: usage, balance
    change of power       the whole rise, for the normal is what it rose from

It counts from `since` until the alert is over, at the prices and factors of each hour. Where a device has several
alerts at once, the largest excess counts; of meters that feed each other, the upper one. A leak sensor's word, and how
long a machine was on, have no excess that anybody knows: such a device is named as unknown.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from msgspec import Struct

from devices.durations import NANOSECONDS
from rules.site import Site
from tickets.queue import Member
from tickets.rates import Rates
from tickets.tariffs import UNITS, Utility
from tickets.ticket import Ticket

_HOUR = NANOSECONDS["h"]

_UTILITIES: Mapping[str, Utility] = {
    "energy_import_kwh": "electricity",
    "power_kw": "electricity",
    "power_l1_kw": "electricity",
    "power_l2_kw": "electricity",
    "power_l3_kw": "electricity",
    "demand_kw": "electricity",
    "volume_m3": "water",
    "flow_m3_per_h": "water",
    "leak": "water",
    "flood": "water",
}
"""Points that tell of what is bought."""

_PERIODS_H = {"hour": 1, "day": 24, "week": 7 * 24, "month": 30 * 24}
_RATE_UNITS = {"kW", "m³/h"}
_AMOUNT_UNITS = set(UNITS.values())


class Excess(NamedTuple):
    """What flows beyond the normal.

    Attributes:
        utility: of what.
        rate: kW or m³/h; 0 where less flows than is normal; None where nobody knows.
    """

    utility: Utility
    rate: float | None


def find_excess(evidence: Mapping[str, Any]) -> Excess | None:
    """What the evidence of an alert (see `tickets.ticket.Ticket`) says of waste; None where it is not about that."""
    utility = _UTILITIES.get(evidence.get("point", ""))
    if utility is None:
        return None
    value, details = evidence.get("value"), evidence.get("details", {})
    if isinstance(value, bool) or "on_min" in details:
        return Excess(utility, None)
    rate = _find_rate(value, evidence.get("limit"), evidence.get("unit", ""), details)
    return None if rate is None else Excess(utility, max(0.0, rate))


def _find_rate(value: object, limit: float | None, unit: str, details: Mapping[str, Any]) -> float | None:
    """The flow beyond the normal, in kW or m³/h; below zero where less flows."""
    if not isinstance(value, int | float):
        return None
    normal = 0.0 if "from" in details else details.get("usual", limit)
    hours = 1 if unit in _RATE_UNITS else _PERIODS_H.get(details.get("per", "")) if unit in _AMOUNT_UNITS else None
    return None if normal is None or hours is None else (value - normal) / hours


class Cost(Struct, frozen=True, kw_only=True):
    """What waiting has cost.

    Attributes:
        energy_kwh: beyond the normal.
        water_m3: likewise.
        money: what both cost, in the currency, for the hours of which the price is known.
        currency: ISO 4217; "" where there are no prices.
        carbon_kg: CO2 equivalent, for the hours of which the factor is known.
        unpriced_h: hours without a price.
        unfactored_h: hours without a factor.
        unknown: devices that waste, and nobody knows how much.
        is_growing: it goes on.
    """

    energy_kwh: float = 0.0
    water_m3: float = 0.0
    money: float = 0.0
    currency: str = ""
    carbon_kg: float = 0.0
    unpriced_h: float = 0.0
    unfactored_h: float = 0.0
    unknown: tuple[str, ...] = ()
    is_growing: bool = False


class _Drain(NamedTuple):
    """One device wastes for a while, from a first nanosecond to before another one (UTC)."""

    device: str
    start: int
    end: int
    rate: float


def find_cost(members: Iterable[Member], rates: Rates, site: Site, now: int) -> Cost | None:
    """What a ticket has cost so far.

    Args:
        members: its alerts.
        rates: prices and factors.
        site: knows which meter feeds which.
        now: up to when, UTC ns; of a ticket that is over, when it was closed.

    Returns:
        None where none of its alerts is about electricity or water.
    """
    drains: dict[Utility, list[_Drain]] = defaultdict(list)
    unknown: dict[str, None] = {}
    is_growing = False
    for member in members:
        excess = None if member.affected else find_excess(member.evidence)
        if excess is None:
            continue
        device = member.evidence.get("device") or member.subject_id
        end = now if member.cleared_at is None else min(member.cleared_at, now)
        drain = _Drain(device, member.since, end, excess.rate or 0.0)
        if excess.rate is None:
            unknown[device] = None
        elif drain.start < drain.end:
            is_growing |= member.cleared_at is None and drain.rate > 0.0
        drains[excess.utility].append(drain)
    if not drains:
        return None
    sums = {utility: _integrate(utility, found, rates, site) for utility, found in drains.items()}
    return Cost(
        energy_kwh=sums["electricity"].amount if "electricity" in sums else 0.0,
        water_m3=sums["water"].amount if "water" in sums else 0.0,
        money=sum(each.money for each in sums.values()),
        currency=rates.currency,
        carbon_kg=sum(each.carbon_kg for each in sums.values()),
        unpriced_h=sum(each.unpriced_ns for each in sums.values()) / _HOUR,
        unfactored_h=sum(each.unfactored_ns for each in sums.values()) / _HOUR,
        unknown=tuple(unknown),
        is_growing=is_growing,
    )


class _Sum(Struct):
    amount: float = 0.0
    money: float = 0.0
    carbon_kg: float = 0.0
    unpriced_ns: int = 0
    unfactored_ns: int = 0


def _integrate(utility: Utility, drains: Sequence[_Drain], rates: Rates, site: Site) -> _Sum:
    total = _Sum()
    for start, end, rate in _add_up([drain for drain in drains if drain.rate and drain.start < drain.end], site):
        for span in rates.spans(utility, start, end):
            amount = rate * (span.end - span.start) / _HOUR
            total.amount += amount
            if span.price is None:
                total.unpriced_ns += span.end - span.start
            else:
                total.money += amount * span.price
            if span.factor is None:
                total.unfactored_ns += span.end - span.start
            else:
                total.carbon_kg += amount * span.factor
    return total


def _add_up(drains: Sequence[_Drain], site: Site) -> Iterator[tuple[int, int, float]]:
    """What flows in all, in stretches in which it stays the same."""
    above = {drain.device: frozenset(site.ancestors(drain.device)) for drain in drains}
    for start, end in pairwise(sorted({time for drain in drains for time in (drain.start, drain.end)})):
        rates: dict[str, float] = {}
        for drain in drains:
            if drain.start <= start and end <= drain.end:
                rates[drain.device] = max(drain.rate, rates.get(drain.device, 0.0))
        rate = sum(each for device, each in rates.items() if above[device].isdisjoint(rates))
        if rate:
            yield start, end, rate


def find_costs(
    tickets: Iterable[Ticket], members: Mapping[str, Sequence[Member]], rates: Rates, site: Site, now: int
) -> dict[str, Cost]:
    """What each of some tickets has cost so far, by their numbers; one that costs nothing by its nature is absent.

    Args:
        tickets: any.
        members: their alerts, by the tickets' numbers.
        rates: prices and factors.
        site: knows which meter feeds which.
        now: UTC ns.
    """
    costs = {
        ticket.number: find_cost(members.get(ticket.number, ()), rates, site, ticket.closed_at or now)
        for ticket in tickets
    }
    return {number: cost for number, cost in costs.items() if cost is not None}


def sort_dearest(tickets: Iterable[Ticket], costs: Mapping[str, Cost]) -> list[Ticket]:
    """The dearest first, then those of which nobody knows how much, then those that cost nothing by their nature."""

    def rank(ticket: Ticket) -> tuple[float, ...]:
        cost = costs.get(ticket.number)
        if cost is None:
            return (1.0,)
        return (0.0, -cost.money, -cost.carbon_kg, -cost.energy_kwh, -cost.water_m3, -len(cost.unknown))

    return sorted(tickets, key=rank)
