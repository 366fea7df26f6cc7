"""`siteward devices consumption`."""

import time
from collections.abc import Callable
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

import typer

from collector.accounts import Account, Rows, find_margin, settle
from collector.commands.common import Begin, DeviceId, End, load_configuration, parse_span, show_moment
from collector.configuration import Configuration
from collector.errors import StoreError
from collector.intervals import Interval
from collector.stores import open_store
from collector.terminal import DEFAULT_CONFIG, AsJson, ConfigFolder, console, fail, print_json, print_rows
from devices.counting.consumption import Consumption
from devices.counting.facts import find_facts
from devices.counting.steps import CounterFacts
from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.register import Device, registers_of
from devices.timestamps import format_rfc3339
from devices.values import suggest
from rules.localtime import Periods

Bounds: TypeAlias = Callable[[int], tuple[int, int]]
"""First nanosecond of the interval that holds a time, and first nanosecond after it."""

_DAY = NANOSECONDS["d"]
_WORDS = {"hour": "1h", "day": "1d", "week": "1w"}
_MONTH = "month"
_INTERVALS_MAX = 10_000
_FAULTS_SHOWN = 20


def consumption(
    device: DeviceId,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    begin: Begin = "7d",
    end: End = "",
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
    store = open_store(configuration)
    rows = Rows.of(configuration, store, now)
    try:
        found = [
            _account(rows, meter.id, find_facts(configuration.register, meter, point), point, edges)
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
        return Periods("month", zone).bounds, 28 * _DAY
    try:
        interval = Interval(_WORDS.get(per, per), zone)
    except ValueError:
        words = ", ".join([*_WORDS, _MONTH])
        fail(f"--per {per}: expected {words}, or what divides time evenly, such as 15m, 6h or 2w.")
    return interval.bounds, interval.length


def _account(rows: Rows, device: str, facts: CounterFacts, point: str, edges: list[int]) -> Account:
    """What a register counted between the second edge and the one before the last; gaps reach out to the others."""
    _, start, *_, stop, _ = edges
    margin = find_margin(facts)
    account = settle(rows.read(device, point, max(0, start - margin), stop + margin), facts, point, edges)
    within = [step for step in account.faults if start <= step.end < stop]
    return Account(point, account.intervals[1:-1], within)


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
