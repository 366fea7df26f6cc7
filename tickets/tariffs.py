"""Tariffs: what a kilowatt-hour and a cubic metre cost and emit, each between the dates on which it holds."""

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple, Self, TypeAlias

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from devices.clashes import Clash
from devices.misfits import Misfit, refuse
from devices.register import Model, Text
from rules.calendars import CalendarPlan, Country, Dates, HoursField, Weekday
from rules.selection import OneOrMore

Utility: TypeAlias = Literal["electricity", "water"]
"""What is bought; its unit is the kWh or the m³."""

UNITS: dict[Utility, str] = {"electricity": "kWh", "water": "m³"}

_Path: TypeAlias = tuple[str | int, ...]

CARBON = "kgCO2e"

_EXAMPLES: dict[Utility, tuple[str, str]] = {
    "electricity": ("0.68 CNY/kWh", "0.54 kgCO2e/kWh"),
    "water": ("4.10 CNY/m3", "0.3 kgCO2e/m3"),
}
"""A price, and an emission factor."""

_LEAP_YEAR = 2000
_DAY = timedelta(days=1)
_RATE = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z0-9]+) ?/ ?(kWh|m3|m³)", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


class UnitRate(NamedTuple):
    """So much of something for one unit of a utility.

    Attributes:
        amount: of it.
        of: a currency of ISO 4217, or kgCO2e.
        unit: kWh or m³.
    """

    amount: float
    of: str
    unit: str

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.amount:g} {self.of}/{self.unit}"


def _split(value: object) -> UnitRate | None:
    match = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    return UnitRate(float(match[1]), match[2], match[3].replace("m3", "m³")) if match else None


def _read_price(value: object, utility: Utility) -> object:
    """`0.68 CNY/kWh` as a UnitRate."""
    rate = value if isinstance(value, UnitRate) else _split(value)
    if rate is None or rate.unit != UNITS[utility] or not _CURRENCY.fullmatch(rate.of):
        example = _EXAMPLES[utility][0]
        raise ValueError(f"expected a price such as {example}, with a currency of ISO 4217, got {value!r}")
    return rate


def _read_factor(value: object, utility: Utility) -> object:
    """`0.54 kgCO2e/kWh` as a UnitRate."""
    rate = value if isinstance(value, UnitRate) else _split(value)
    if rate is None or rate[1:] != (CARBON, UNITS[utility]):
        raise ValueError(f"expected an emission factor such as {_EXAMPLES[utility][1]}, got {value!r}")
    return rate


def _read_day(value: object) -> object:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value.strip() if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"expected a date such as 2026-01-31, got {value!r}") from None


Day: TypeAlias = Annotated[
    date, BeforeValidator(_read_day), WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-01-31"]})
]

_WRITE = PlainSerializer(str, return_type=str, when_used="json")


def _schema(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": [example]})


ElectricityPrice: TypeAlias = Annotated[
    UnitRate,
    BeforeValidator(partial(_read_price, utility="electricity")),
    _WRITE,
    _schema(_EXAMPLES["electricity"][0]),
]
WaterPrice: TypeAlias = Annotated[
    UnitRate, BeforeValidator(partial(_read_price, utility="water")), _WRITE, _schema(_EXAMPLES["water"][0])
]
ElectricityFactor: TypeAlias = Annotated[
    UnitRate,
    BeforeValidator(partial(_read_factor, utility="electricity")),
    _WRITE,
    _schema(_EXAMPLES["electricity"][1]),
]
WaterFactor: TypeAlias = Annotated[
    UnitRate, BeforeValidator(partial(_read_factor, utility="water")), _WRITE, _schema(_EXAMPLES["water"][1])
]


class Validity(Model):
    """The days on which something holds, as the site's clocks show them."""

    from_: Day = Field(alias="from", description="The first day on which it holds.")
    until: Day | None = Field(None, description="The last day on which it holds; left out: until further notice.")

    @model_validator(mode="after")
    def _check_until(self) -> Self:
        if self.until is not None and self.until < self.from_:
            refuse(iter([Misfit(("until",), f"expected {self.from_} or later, got {self.until}")]))
        return self

    def holds_on(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.from_ <= day and (self.until is None or day <= self.until)


class Band(Model):
    """Times at which another price holds: those that have all of what is given here."""

    price: UnitRate
    name: Text = Field(Text(), description="What people call it, such as peak, 高峰.")
    months: OneOrMore[Annotated[int, Field(ge=1, le=12)]] | None = Field(None, description="1 to 12; left out: all.")
    days: OneOrMore[Weekday] | None = Field(None, description="Days of the week; left out: all.")
    hours: OneOrMore[HoursField] | None = Field(
        None,
        description="By the site's clocks; left out: all. What passes midnight belongs to the day on which it begins.",
    )
    only_on_holidays: Country | None = Field(None, description="Only on this country's holidays.")

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.months is None and self.days is None and self.hours is None and self.only_on_holidays is None:
            raise ValueError(
                "expected months, days, hours or only_on_holidays; what holds else is the tariff's own price"
            )
        return self

    def plan(self) -> CalendarPlan:
        """Its times, as a calendar has them."""
        times: dict[str, object] = {"only_on_holidays": self.only_on_holidays, "dates": None}
        if self.months is not None:
            times["dates"] = [_whole_month(month) for month in self.months]
        for name in ("days", "hours"):
            if getattr(self, name) is not None:
                times[name] = getattr(self, name)
        return CalendarPlan.model_validate(times)


def _whole_month(month: int) -> Dates:
    last = monthrange(_LEAP_YEAR, month)[1]
    return Dates(f"{month:02}-01..{month:02}-{last}", (0, month, 1), (0, month, last))


class ElectricityBand(Band):
    """Times at which another price of electricity holds."""

    price: ElectricityPrice = Field(description="Such as 1.12 CNY/kWh.")


class WaterBand(Band):
    """Times at which another price of water holds."""

    price: WaterPrice = Field(description="Such as 6.20 CNY/m3.")


class Tariff(Validity):
    """Prices of a utility between two dates."""

    price: UnitRate
    bands: Sequence[Band]


class ElectricityTariff(Tariff):
    """Prices of electricity between two dates."""

    price: ElectricityPrice = Field(description="What holds where no band does, such as 0.68 CNY/kWh.")
    bands: list[ElectricityBand] = Field(
        default_factory=list, description="Times with prices of their own; of several, the first."
    )


class WaterTariff(Tariff):
    """Prices of water between two dates."""

    price: WaterPrice = Field(description="What holds where no band does, such as 4.10 CNY/m3.")
    bands: list[WaterBand] = Field(
        default_factory=list, description="Times with prices of their own; of several, the first."
    )


class ElectricityEmission(Validity):
    """What electricity emits between two dates."""

    factor: ElectricityFactor = Field(description="Such as 0.54 kgCO2e/kWh.")
    source: str = Field("", description="Who published it, for reports.")


class WaterEmission(Validity):
    """What supplying and treating water emits between two dates."""

    factor: WaterFactor = Field(description="Such as 0.3 kgCO2e/m3.")
    source: str = Field("", description="Who published it, for reports.")


class Emissions(Model):
    """Emission factors."""

    electricity: list[ElectricityEmission] = Field(
        default_factory=list, description="Of a kilowatt-hour, one after the other."
    )
    water: list[WaterEmission] = Field(default_factory=list, description="Of a cubic metre, likewise.")


class Tariffs(Model):
    """config/tariffs.yaml."""

    electricity: list[ElectricityTariff] = Field(default_factory=list, description="Prices, one after the other.")
    water: list[WaterTariff] = Field(default_factory=list, description="Likewise.")
    emissions: Emissions = Field(default_factory=Emissions, description="Emission factors, likewise.")

    @property
    def currency(self) -> str:
        """Of all prices; "" where there are none."""
        return next((price.of for _, price in _list_prices(self)), "")


def find_tariff_clashes(tariffs: Tariffs) -> Iterator[Clash]:
    """What entries must agree on: dates without gaps and overlaps, and one currency."""
    lists: dict[_Path, Sequence[Validity]] = {
        ("electricity",): tariffs.electricity,
        ("water",): tariffs.water,
        ("emissions", "electricity"): tariffs.emissions.electricity,
        ("emissions", "water"): tariffs.emissions.water,
    }
    for path, entries in lists.items():
        yield from _find_seams(path, entries)
    prices = list(_list_prices(tariffs))
    for path_, price in prices[1:]:
        if price.of != tariffs.currency:
            yield Clash(path_, f"expected {tariffs.currency}, as in the first price, got {price.of}", prices[0][0])


def _find_seams(path: _Path, entries: Sequence[Validity]) -> Iterator[Clash]:
    order = sorted(range(len(entries)), key=lambda number: entries[number].from_)
    for before, number in pairwise(order):
        first, second = entries[before], entries[number]
        here, there = (*path, number, "from"), (*path, before)
        if first.until is None or second.from_ <= first.until:
            end = "" if second.from_ == first.from_ else f"; let that one end with `until: {second.from_ - _DAY}`"
            yield Clash(here, f"on {second.from_} another one holds already{end}", there)
        elif second.from_ > first.until + _DAY:
            last = second.from_ - _DAY
            span = f"on {last}" if last == first.until + _DAY else f"from {first.until + _DAY} to {last}"
            yield Clash(here, f"nothing holds {span}", there)


def _list_prices(tariffs: Tariffs) -> Iterator[tuple[_Path, UnitRate]]:
    """Every price, and where it stands."""
    lists: dict[Utility, Sequence[Tariff]] = {"electricity": tariffs.electricity, "water": tariffs.water}
    for utility, entries in lists.items():
        for number, entry in enumerate(entries):
            yield (utility, number, "price"), entry.price
            for place, band in enumerate(entry.bands):
                yield (utility, number, "bands", place, "price"), band.price
