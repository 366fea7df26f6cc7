"""Rollups of consumption: what each meter counted in each local hour, what of it off hours, what it cost and emitted.

Registers are read as everywhere (`collector/accounts.py`), so a rollover, a reset or another meter is no consumption.
An hour of which nothing is known has no row; of one that is known in part, `known_ratio` says how much.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from collector.accounts import QUARTER, Account, Rows, read_accounts
from collector.configuration import Configuration
from collector.store import Annotation
from devices.counting.consumption import Consumption
from devices.durations import NANOSECONDS
from devices.register import METERED, Device
from rules.calendars import Calendar
from rules.localtime import find_hour
from tickets.rates import Rates
from tickets.tariffs import Utility

_HOUR = NANOSECONDS["h"]
_FULL = 1 - 1e-9
"""Share of an hour from which on all of it is known."""

UTILITIES: Mapping[str, Utility] = {"electricity_meter": "electricity", "water_meter": "water"}
"""What each kind of meter meters."""

_FIELDS: Mapping[Utility, tuple[str, str]] = {"electricity": ("energy", "kwh"), "water": ("volume", "m3")}


class Prices(NamedTuple):
    """What tells the value of a quarter of an hour.

    Attributes:
        rates: what a unit costs and emits.
        working: the hours in which the site is in use; None where nobody said.
    """

    rates: Rates
    working: Calendar | None


class _Hour:
    """Sums of one hour."""

    __slots__ = ("amount", "cost", "covered_ns", "emissions", "estimated", "off_hours")

    def __init__(self) -> None:
        self.amount = self.estimated = self.off_hours = 0.0
        self.cost: float | None = 0.0
        self.emissions: float | None = 0.0
        self.covered_ns = 0

    def add(self, quarter: Consumption, *, off_hours: bool, price: float | None, factor: float | None) -> None:
        self.amount += quarter.amount
        self.estimated += quarter.estimated
        self.covered_ns += quarter.covered_ns
        if off_hours:
            self.off_hours += quarter.amount
        self.cost = None if price is None or self.cost is None else self.cost + quarter.amount * price
        self.emissions = None if factor is None or self.emissions is None else self.emissions + quarter.amount * factor


def roll_consumption(
    configuration: Configuration, rows: Rows, prices: Prices, start: int, end: int
) -> Iterator[Annotation]:
    """Rows of `consumption` and `balance` for the hours of a span; both ends are where a local hour begins (UTC ns).

    Raises:
        StoreError: the database does not answer.
    """
    site, zone = configuration.rule_site(), configuration.settings.site.zone
    edges = list(range(start, end + 1, QUARTER))
    hours = [find_hour(edge, zone) for edge in edges[:-1]]
    fed = {sub for feed in configuration.places.feeds for sub in feed.subs}
    devices, working = configuration.register.by_id(), prices.working
    off = [working is not None and not working.covers(edge, zone) for edge in edges[:-1]]
    for kind, utility in UTILITIES.items():
        meters = [device for device in configuration.register.devices if device.kind == kind]
        values = _value_quarters(prices.rates, utility, edges)
        known: dict[str, dict[int, float]] = {}
        for meter, account in read_accounts(configuration, rows, meters, METERED[kind], edges):
            sums = _sum_hours(account, hours, off, values)
            known[meter.id] = {hour: found.amount for hour, found in sums.items() if found.covered_ns >= _FULL * _HOUR}
            tags = _tag(meter, site.id, utility) | {"role": "sub" if meter.id in fed else "top"}
            yield from _draw_hours(sums, tags, utility, has_hours=working is not None)
        for main, tags in ((each, _tag(devices[each], site.id, utility)) for each in known if site.subs(each)):
            yield from _draw_balance(known[main], [known.get(sub, {}) for sub in site.subs(main)], tags, utility)


def _value_quarters(rates: Rates, utility: Utility, edges: Sequence[int]) -> list[tuple[float | None, float | None]]:
    """Price and factor at the beginning of each quarter."""
    values = []
    spans = rates.spans(utility, edges[0], edges[-1])
    span = next(spans, None)
    for edge in edges[:-1]:
        while span is not None and span.end <= edge:
            span = next(spans, None)
        values.append((span.price, span.factor) if span else (None, None))
    return values


def _sum_hours(
    account: Account, hours: Sequence[int], off: Sequence[bool], values: Sequence[tuple[float | None, float | None]]
) -> dict[int, _Hour]:
    sums: dict[int, _Hour] = {}
    for quarter, hour, is_off, (price, factor) in zip(account.intervals, hours, off, values, strict=True):
        if quarter.covered_ns:
            sums.setdefault(hour, _Hour()).add(quarter, off_hours=is_off, price=price, factor=factor)
    return sums


def _draw_hours(
    sums: Mapping[int, _Hour], tags: Mapping[str, str], utility: Utility, *, has_hours: bool
) -> Iterator[Annotation]:
    what, unit = _FIELDS[utility]
    for hour, found in sums.items():
        fields: dict[str, float] = {
            f"{what}_{unit}": found.amount,
            "known_ratio": found.covered_ns / _HOUR,
            "estimated_ratio": found.estimated / found.amount if found.amount else 0.0,
        }
        if has_hours:
            fields[f"{what}_off_hours_{unit}"] = found.off_hours
        if found.cost is not None:
            fields["cost"] = found.cost
        if found.emissions is not None:
            fields["emissions_kgco2e"] = found.emissions
        yield Annotation("consumption", hour, tags, fields)


def _draw_balance(
    main: Mapping[int, float], subs: Sequence[Mapping[int, float]], tags: Mapping[str, str], utility: Utility
) -> Iterator[Annotation]:
    """Losses between a main meter and what it feeds, for the hours in which all of them are known."""
    unit = _FIELDS[utility][1]
    for hour, amount in main.items():
        if all(hour in sub for sub in subs):
            below = sum(sub[hour] for sub in subs)
            yield Annotation(
                "balance",
                hour,
                tags,
                {f"main_{unit}": amount, f"subs_{unit}": below, f"loss_{unit}": amount - below},
            )


def _tag(meter: Device, site: str, utility: Utility) -> dict[str, str]:
    place = {"building": meter.building, "floor": meter.floor, "area": meter.area}
    return {"site": site, **place, "device": meter.id, "utility": utility}
