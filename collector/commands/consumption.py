"""`siteward devices consumption`."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import typer

from collector.commands.common import load_configuration, parse_span, show_moment
from collector.configuration import Configuration
from collector.errors import StoreError
from collector.intervals import Interval
from collector.settings import EmbeddedStore
from collector.store import Store
from collector.stores import open_store
from collector.terminal import DEFAULT_CONFIG, AsJson, ConfigFolder, console, fail, print_json, print_rows
from devices.counting.consumption import Consumption, spread
from devices.counting.counters import find_steps
from devices.counting.facts import find_facts
from devices.counting.steps import CounterFacts, Step
from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.register import Device, registers_of
from devices.timestamps import format_rfc3339
from devices.values import suggest

Bounds: TypeAlias = Callable[[int], tuple[int, int]]
"""First nanosecond of the interval that holds a time, and first nanosecond after it."""

_DAY = NANOSECONDS["d"]
_PIECE = 28 * _DAY
"""So much of a series is read at once."""

_QUARTER = 15 * NANOSECONDS["m"]
_WORDS = {"hour": "1h", "day": "1d", "week": "1w"}
_MONTH = "month"
_INTERVALS_MAX = 10_000
_FAULTS_SHOWN = 20


class Account(NamedTuple):
    """What one register counted.

    Attributes:
        point: the register.
        intervals: of the span.
        faults: steps that end in it and are not just counted.
    """

    point: str
    intervals: list[Consumption]
    faults: list[Step]

    def counts(self) -> dict[str, int]:
        """How many faults there are of each kind, and how many gaps."""
        counts = Counter[str](step.kind for step in self.faults if step.kind != "count")
        counts.update("gap" for step in self.faults if step.is_gap)
        return dict(counts)


class Rows(NamedTuple):
    """The rows of a device's registers.

    Attributes:
        store: that has them.
        device: its id.
        raw_from: before it, the store may have summaries only; UTC ns.
        until: from then on there are none; UTC ns.
    """

    store: Store
    device: str
    raw_from: int
    until: int

    def read(self, point: str, start: int, stop: int) -> Iterator[tuple[int, float]]:
        """Rows oldest first; of summaries the last row of each quarter of an hour, at its end.

        Raises:
            StoreError: the database does not answer.
        """
        stop = min(stop, self.until)
        seam = min(max(start, -(-self.raw_from // _QUARTER) * _QUARTER), stop)
        for first in range(start, seam, _PIECE):
            last = min(first + _PIECE, seam)
            samples = self.store.series([self.device], point, first, last, interval="15m", aggregate="last")
            yield from ((sample.time + _QUARTER, float(sample.value)) for sample in samples.get(self.device, ()))
        for first in range(seam, stop, _PIECE):
            samples = self.store.series([self.device], point, first, min(first + _PIECE, stop))
            yield from ((sample.time, float(sample.value)) for sample in samples.get(self.device, ()))


def consumption(
    device: Annotated[str, typer.Argument(metavar="ID", help="Id in the register.")],
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    begin: Annotated[str, typer.Option("--from", help="2026-11-22, 2026-11-22T08:00, or how long ago.")] = "7d",
    end: Annotated[str, typer.Option("--to", help="Likewise; left out: until now.")] = "",
    per: Annotated[str, typer.Option(help="hour, day, week, month, or a length such as 15m.")] = "day",
    as_json: AsJson = False,
) -> None:
    """Show what a meter counted in each interval, and what was wrong with its registers.

    The newest row of a register is provisional: the next one may show that it was wrong.
    """
    configuration = load_configuration(config)
    meter = _find_meter(configuration, device)
    zone, now = configuration.settings.site.zone, time.time_ns()
    start, stop = parse_span(begin, end, zone, now)
    edges = _cut(start, stop, per, zone)
    settings, store = configuration.settings, open_store(configuration)
    raw_from = now - settings.retention.raw if isinstance(settings.store, EmbeddedStore) else 0
    rows = Rows(store, meter.id, raw_from, now + settings.time.future)
    try:
        found = [
            _account(rows, find_facts(configuration.register, meter, point), point, edges)
            for point in registers_of(meter.kind)
        ]
    except StoreError as error:
        fail(str(error), 1)
    finally:
        store.close()
    accounts = [account for account in found if any(interval.covered_ns for interval in account.intervals)]
    if as_json:
        print_json({"device": device, "registers": [_describe(account) for account in accounts]})
        return
    if not accounts:
        console.print("The database holds no two rows of a register of that time.")
    for account in accounts:
        _show(account, zone)


def _find_meter(configuration: Configuration, name: str) -> Device:
    register = configuration.register.by_id()
    found = register.get(name)
    if found is None:
        fail(f"There is no device {name!r}; {suggest(name, register) or 'see: siteward devices list'}")
    if not registers_of(found.kind):
        fail(f"{name} is of kind {found.kind}, which has no registers; only meters have consumption.")
    return found


# ── intervals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _cut(start: int, stop: int, per: str, zone: ZoneInfo) -> list[int]:
    """The edges of the intervals of a span, and of one more before and after it, which shows gaps that reach out."""
    bounds, length = _find_bounds(per, zone)
    if (stop - start) // length >= _INTERVALS_MAX:
        fail(f"--per {per} makes more than {_INTERVALS_MAX:,} intervals; choose longer ones or a shorter span.")
    edges = [bounds(start - 1)[0], start]
    while edges[-1] < stop:
        edges.append(min(bounds(edges[-1])[1], stop))
    return [*edges, bounds(stop)[1]]


def _find_bounds(per: str, zone: ZoneInfo) -> tuple[Bounds, int]:
    """How a word or a length cuts time, and about how long the intervals are."""
    if per == _MONTH:
        return lambda moment: _find_month(moment, zone), 28 * _DAY
    try:
        interval = Interval(_WORDS.get(per, per), zone)
    except ValueError:
        words = ", ".join([*_WORDS, _MONTH])
        fail(f"--per {per}: expected {words}, or what divides time evenly, such as 15m, 6h or 2w.")
    return interval.bounds, interval.length


def _find_month(moment: int, zone: ZoneInfo) -> tuple[int, int]:
    local = datetime.fromtimestamp(moment // NANOSECONDS["s"], zone)
    first = local.replace(day=1, hour=0, minute=0, second=0, fold=0)
    after = (first + timedelta(days=31)).replace(day=1)
    return int(first.timestamp()) * NANOSECONDS["s"], int(after.timestamp()) * NANOSECONDS["s"]


def _account(rows: Rows, facts: CounterFacts, point: str, edges: list[int]) -> Account:
    """What a register counted between the second edge and the one before the last."""
    _, start, *_, stop, _ = edges
    beside = max(_DAY, 3 * (facts.interval_ns or 0))  # rows around the span say what belongs to it
    faults: list[Step] = []

    def watch() -> Iterator[Step]:
        for step in find_steps(rows.read(point, max(0, start - beside), stop + beside), facts):
            if (step.kind != "count" or step.is_gap) and start <= step.end < stop:
                faults.append(step)
            yield step

    return Account(point, spread(watch(), edges)[1:-1], faults)


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _describe(account: Account) -> dict[str, object]:
    """For programs."""
    return {
        "point": account.point,
        "unit": POINTS[account.point].unit,
        "consumption": sum(interval.amount for interval in account.intervals),
        "intervals": [
            {
                "from": format_rfc3339(interval.start),
                "to": format_rfc3339(interval.end),
                "consumption": interval.amount if interval.covered_ns else None,
                "estimated": interval.estimated,
                "known": _known(interval),
            }
            for interval in account.intervals
        ],
        "counts": account.counts(),
        "faults": [
            {
                "kind": step.kind,
                "gap": step.is_gap,
                "from": format_rfc3339(step.begin),
                "to": format_rfc3339(step.end),
                "difference": step.difference,
                "consumption": step.amount,
            }
            for step in account.faults
        ],
    }


def _show(account: Account, zone: ZoneInfo) -> None:
    """For people."""
    unit = POINTS[account.point].unit
    total = sum(interval.amount for interval in account.intervals)
    told = ", ".join(f"{number} {name}" for name, number in account.counts().items())
    console.print(f"[bold]{account.point}: {total:,.3f} {unit}[/]; wrong with the register: {told or 'nothing'}")
    rows: list[dict[str, object]] = [
        {
            "from": show_moment(interval.start, zone),
            unit: round(interval.amount, 3) if interval.covered_ns else None,
            "estimated": round(interval.estimated, 3),
            "known": f"{_known(interval):.0%}",
        }
        for interval in account.intervals
    ]
    print_rows("Consumption", rows, as_json=False)
    faults = [step for step in account.faults if step.kind != "slip" or step.is_gap]  # those may be many
    if faults:
        rows = [
            {
                "from": show_moment(step.begin, zone),
                "to": show_moment(step.end, zone),
                "what": "gap" if step.kind == "count" else step.kind,
                "register": round(step.difference, 3),
                "consumption": round(step.amount, 3),
            }
            for step in faults[-_FAULTS_SHOWN:]
        ]
        print_rows("Faults", rows, as_json=False)
    if len(faults) > _FAULTS_SHOWN:
        console.print(f"and {len(faults) - _FAULTS_SHOWN} before these: --json")


def _known(interval: Consumption) -> float:
    """Share of an interval that lies between rows of the register."""
    return interval.covered_ns / (interval.end - interval.start)
