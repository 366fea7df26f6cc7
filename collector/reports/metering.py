"""Metering: what the meters of a plant counted in the quarters of an hour of a period, read one after the other.

Each meter's curve becomes sums at once: a year of a thousand meters has 35 million quarters, and only those of a main
meter's sub-meters have to wait for it. Where a main meter is not known and its sub-meters are, at least what they show
has flowed; that is what is counted, and how much of the time the meter itself is known stands beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from collector.accounts import QUARTER, Account, read_accounts
from collector.reports.context import Context, Progress, keep_quiet
from collector.reports.plant import Plant
from collector.reports.timeline import Floats, Timeline
from devices.register import Device

_FULL = 1 - 1e-9
"""Share of a time from which on all of it is known."""

ENOUGH = 0.95
"""Share of the time that must be known of what is set against something else."""


_COVERS = {"cost": "priced", "carbon": "factored"}
"""Weights that are not known at all times, and those that are 1 where they are."""


class Curve(NamedTuple):
    """What one meter counted, quarter by quarter.

    Attributes:
        amount: kWh or m³ in the part that is known; of a main meter that is not known, what its sub-meters show.
        known: share of each quarter that lies between rows of the register.
        estimated: how much of the amount was spread evenly over a longer time.
        counts: faults of the register and gaps, by kind.
    """

    amount: Floats
    known: Floats
    estimated: Floats
    counts: Mapping[str, int]

    @property
    def measured(self) -> Floats:
        """1 where a quarter is known, and not as a part of a longer time; else 0."""
        return ((self.known >= _FULL) & (self.estimated <= 0)).astype(np.float64)


class Loss(NamedTuple):
    """A main meter against the sum of its sub-meters, over the quarters in which all of them are known.

    Attributes:
        main: kWh or m³ that it counted.
        subs: likewise, all of them.
        known: share of the time that these quarters are.
        missing: ids of the meters that are not known well enough.
    """

    main: float
    subs: float
    known: float
    missing: tuple[str, ...]

    @property
    def amount(self) -> float | None:
        """What is lost or not metered; None where too little is known."""
        return self.main - self.subs if self.known >= ENOUGH else None


class Usage(NamedTuple):
    """What one meter counted in a period.

    Attributes:
        meter: which.
        amount: kWh or m³, in the part that is known.
        known: share of the time.
        estimated: how much of the amount was spread evenly over a longer time.
        counts: faults of its register and gaps, by kind.
        own: what it has beyond its sub-meters, weighed with each of the weights that were asked for.
        loss: against its sub-meters; None where it has none.
        nights: see `Metered.nights`.
    """

    meter: Device
    amount: float
    known: float
    estimated: float
    counts: Mapping[str, int]
    own: Floats
    loss: Loss | None
    nights: Sequence[float]


class Metered(Struct, frozen=True):
    """What a plant counted in a period.

    Attributes:
        plant: whose meters.
        timeline: the period.
        weights: names of the weights, in the order of `Usage.own`.
        usages: by the meters' ids.
        total: of the site, quarter by quarter.
        certain: 1 where all of a quarter's total is known, else 0.
        measured: 1 where it is known, and not as a part of a longer time, else 0.
        nights: the least that flowed in an hour of the clock of each night, kW or m³/h; of nights of which an hour was
            not measured, none.
    """

    plant: Plant
    timeline: Timeline
    weights: Sequence[str]
    usages: Mapping[str, Usage]
    total: Floats
    certain: Floats
    measured: Floats
    nights: Sequence[float]

    def sum(self, weight: str = "amount", place: Sequence[str] = (), category: str | None = "") -> float:
        """What a place used, weighed.

        Args:
            weight: one of the names; `amount` is kWh or m³.
            place: ids from the building down; () is the site.
            category: only this one, None being what has none; "" for all.
        """
        column, plant = self.weights.index(weight), self.plant
        return sum(
            (
                float(usage.own[column])
                for id_, usage in self.usages.items()
                if plant.is_within(id_, place) and category in {"", plant.categories[id_]}
            ),
            start=0.0,
        )

    def known(self, place: Sequence[str] = (), category: str | None = "") -> float:
        """Share of the time that is known of the meters that make up a place's total, or of those of a category."""
        plant = self.plant
        ids: Sequence[str] = (
            plant.find_tops(place)
            if category == ""
            else [id_ for id_ in self.usages if plant.is_within(id_, place) and plant.categories[id_] == category]
        )
        return sum(self.usages[id_].known for id_ in ids) / len(ids) if ids and self.usages else 0.0

    def find(self, place: Sequence[str] = (), category: str | None = "", weight: str = "amount") -> float | None:
        """The same as `sum`; None where nothing at all is known of it, or of what it weighs."""
        known = (usage.known for id_, usage in self.usages.items() if self.plant.is_within(id_, place))
        return self.sum(weight, place, category) if any(known) and self.covered(weight, place, category) else None

    def covered(self, weight: str, place: Sequence[str] = (), category: str | None = "") -> float:
        """Share of the consumption of which a weight is known: of `cost` and `carbon` the price and the factor."""
        cover = _COVERS.get(weight)
        if cover is None:
            return 1.0
        amount = self.sum("amount", place, category)
        return self.sum(cover, place, category) / amount if amount else 0.0


def read_metered(
    context: Context,
    plant: Plant,
    timeline: Timeline,
    weights: Mapping[str, Floats],
    progress: Progress = keep_quiet,
) -> Metered:
    """Reads the meters of a plant.

    Args:
        context: of the report.
        plant: whose meters.
        timeline: the period.
        weights: by name, what a unit weighs in each quarter: its price, or 1 in off hours. `amount` weighs 1.
        progress: is told how far it is.

    Raises:
        StoreError: the database does not answer.
    """
    names = ["amount", *weights]
    matrix = np.column_stack([np.ones(len(timeline)), *weights.values()])
    total, certain, measured = np.zeros(len(timeline)), np.ones(len(timeline)), np.ones(len(timeline))
    night = _find_night(context, timeline)
    usages: dict[str, Usage] = {}
    waiting: dict[str, Curve] = {}  # sub-meters whose main has not been read yet
    if len(timeline) and plant.order:
        found = read_accounts(context.configuration, context.rows, plant.order, plant.point, timeline.edges)
        for number, (meter, account) in enumerate(found, 1):
            subs = {sub: waiting.pop(sub) for sub in plant.subs_of.get(meter.id, ())}
            curve = _draw(account)
            loss = _compare(meter.id, curve, subs) if subs else None
            below = np.sum([sub.amount for sub in subs.values()], axis=0) if subs else np.zeros(len(timeline))
            amount = np.where(curve.known < _FULL, np.maximum(curve.amount, below), curve.amount)
            usages[meter.id] = Usage(
                meter,
                float(curve.amount.sum()),
                float(curve.known.mean()),
                float(curve.estimated.sum()),
                curve.counts,
                (amount - below) @ matrix,
                loss,
                list(_walk_nights(curve.amount, curve.measured, night, timeline)),
            )
            curve = curve._replace(amount=amount)
            if meter.id in plant.main_of:
                waiting[meter.id] = curve
            else:
                total += amount
                certain *= curve.known >= _FULL
                measured *= curve.measured
            progress(number / len(plant.order))
    ordered = {id_: usages[id_] for id_ in plant.meters if id_ in usages}
    nights = list(_walk_nights(total, measured, night, timeline))
    return Metered(plant, timeline, names, ordered, total, certain, measured, nights)


def _draw(account: Account) -> Curve:
    intervals = account.intervals
    amount = np.array([interval.amount for interval in intervals])
    known = np.array([interval.covered_ns for interval in intervals]) / QUARTER
    estimated = np.array([interval.estimated for interval in intervals])
    return Curve(amount, known, estimated, account.counts())


def _compare(id_: str, main: Curve, subs: Mapping[str, Curve]) -> Loss:
    curves = {id_: main, **subs}
    known = np.all([curve.known >= _FULL for curve in curves.values()], axis=0)
    below = sum(float(curve.amount[known].sum()) for curve in subs.values())
    missing = tuple(name for name, curve in curves.items() if curve.known.mean() < ENOUGH)
    return Loss(float(main.amount[known].sum()), below, float(known.mean()), missing)


def _find_night(context: Context, timeline: Timeline) -> Floats:
    """1 in the quarters of the night, else 0."""
    begin, end = (minute // 15 for minute in context.plan.night)
    quarters = np.array([_clock_quarter(timeline, number) for number in range(len(timeline))], dtype=np.int64)
    return (((quarters - begin) % 96) < end - begin).astype(np.float64)


def _clock_quarter(timeline: Timeline, number: int) -> int:
    """The quarter of the day that the clock shows."""
    first = timeline.hour_starts[int(timeline.hour[number])]
    return int(timeline.clock[number]) * 4 + (timeline.edges[number] - first) // QUARTER


def _walk_nights(amount: Floats, measured: Floats, night: Floats, timeline: Timeline) -> Iterator[float]:
    """The least that flowed in an hour of each night, for nights of which every hour was measured."""
    whole = (timeline.sum_by_hour(night) == 4) if len(timeline) else np.zeros(0, dtype=bool)  # noqa: PLR2004 - quarters
    flows, sure = timeline.sum_by_hour(amount), timeline.sum_by_hour(measured) == 4  # noqa: PLR2004 - likewise
    numbers = np.flatnonzero(whole)
    for run in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1):
        if run.size and sure[run].all():
            yield float(flows[run].min())
