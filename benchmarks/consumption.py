"""Runs 31 real water meters through the counters: faults found, whether sums agree, and the time that a row takes.

The first table has the meters as they are (a year, about hourly, litres turned into m³). For the second one, faults
whose truth is known are put into 1,000 rows of each meter, one at a time: how many of 31 are called by their name and
nothing else, and in how many the consumption is what it must be; without and with the limit of the meter's flow.

    python benchmarks/consumption.py [--data FOLDER]
"""

import argparse
import csv
import gzip
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from devices.counting.counters import find_steps
from devices.counting.steps import LEFT_OUT, CounterFacts, Kind, Replacement
from devices.durations import NANOSECONDS
from devices.timestamps import parse_local

HOUR = NANOSECONDS["h"]
FLOW_MAX_M3_PER_H = 3.125
"""Overload flow rate Q4 of the usual household meter (Q3 = 2.5 m³/h; ISO 4064-1, 4.1.3)."""
FACTS = CounterFacts(rate_max_per_h=FLOW_MAX_M3_PER_H, interval_ns=HOUR)
_FILE = Path("series/water_daiad/swm_trialA_31_meters.csv.gz")
_ZONE = ZoneInfo("Europe/Madrid")
_SHOWN: tuple[Kind, ...] = (
    "slip", "spike", "reset", "backwards", "jump", "return", "rollover", "duplicate", "late", "unconfirmed",
)  # fmt: skip

Rows: TypeAlias = list[tuple[int, float]]


class Case(NamedTuple):
    """A series into which a fault was put.

    Attributes:
        rows: time and m³.
        expected: what the counters have to say beside `count`, `slip` and what the meter has of its own.
        lost: consumption that the fault hides for good.
        facts: of the register.
        reorder_rows: see `find_steps`.
    """

    rows: Rows
    expected: tuple[Kind, ...]
    lost: float = 0.0
    facts: CounterFacts = FACTS
    reorder_rows: int = 0


class Balance(NamedTuple):
    """What a series comes to.

    Attributes:
        consumption: of all steps, m³.
        correction: what the steps add to the register's own difference, m³.
        counts: of each kind of step.
        gaps: among the steps.
    """

    consumption: float
    correction: float
    counts: Counter[Kind]
    gaps: int


def read_meters(path: Path) -> dict[str, Rows]:
    """Rows by meter. In the night in which an hour comes twice, the order of the rows tells one from the other."""
    meters: dict[str, Rows] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file, delimiter=";"):
            rows = meters[line["user key"]]
            day, clock = line["datetime"].split(" ")
            local = f"{'-'.join(reversed(day.split('/')))}T{clock}"
            moment, _ = parse_local(local, _ZONE, rows[-1][0] + HOUR if rows else 0)
            rows.append((moment, float(line["meter reading"]) / 1000))
    return meters


def weigh(case: Case, facts: CounterFacts) -> Balance:
    steps = list(find_steps(case.rows, facts, reorder_rows=case.reorder_rows))
    chain = [step for step in steps if step.kind not in LEFT_OUT]
    return Balance(
        sum(step.amount for step in chain),
        sum(step.amount - step.difference for step in chain),
        Counter(step.kind for step in steps),
        sum(step.is_gap for step in chain),
    )


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def replace_values(rows: Rows, at: int, values: list[float]) -> Rows:
    changed = [(moment, value) for (moment, _), value in zip(rows[at:], values, strict=False)]
    return rows[:at] + changed + rows[at + len(values) :]


def shift(rows: Rows, at: int, by: float) -> Rows:
    return rows[:at] + [(moment, value + by) for moment, value in rows[at:]]


def put_radio_error(rows: Rows, at: int) -> Case:
    return Case(replace_values(rows, at, [1_217_440.205]), ("spike",))


def put_zero(rows: Rows, at: int) -> Case:
    return Case(replace_values(rows, at, [0.0]), ("spike",))


def put_zeros(rows: Rows, at: int) -> Case:
    return Case(replace_values(rows, at, [0.0] * 5), ("reset", "return"))


def put_high_rows(rows: Rows, at: int) -> Case:
    return Case(replace_values(rows, at, [rows[at][1] + 5000] * 3), ("jump", "return"))


def put_reset(rows: Rows, at: int) -> Case:
    return Case(shift(rows, at, -rows[at][1]), ("reset",), lost=rows[at][1] - rows[at - 1][1])


def put_step_back(rows: Rows, at: int) -> Case:
    return Case(shift(rows, at, -rows[at][1] / 2), ("backwards",), lost=rows[at][1] - rows[at - 1][1])


def put_jump(rows: Rows, at: int) -> Case:
    hours = (rows[at][0] - rows[at - 1][0]) / HOUR
    return Case(shift(rows, at, 50 + FLOW_MAX_M3_PER_H * hours), ("jump",), lost=rows[at][1] - rows[at - 1][1])


def put_rollover(rows: Rows, at: int) -> Case:
    offset = 1000 - (rows[at][1] + rows[at - 1][1]) / 2
    rolled = [(moment, (value + offset) % 1000) for moment, value in rows]
    return Case(rolled, ("rollover",), facts=FACTS._replace(rolls_over_at=1000.0))


def put_replacement(rows: Rows, at: int) -> Case:
    moment, final = (rows[at - 1][0] + rows[at][0]) // 2, (rows[at - 1][1] + rows[at][1]) / 2
    facts = FACTS._replace(replacements=(Replacement(moment, final, 0.125),))
    return Case(shift(rows, at, 0.125 - final), ("replacement",), facts=facts)


def put_other_meter(rows: Rows, at: int) -> Case:
    between = [
        ((before + after) // 2, 7000.0 + number) for number, ((before, _), (after, _)) in enumerate(pairwise(rows))
    ]
    return Case(sorted(rows[:at] + between[at : at + 5] + rows[at:]), ("spike",) * 5)


def put_duplicate(rows: Rows, at: int) -> Case:
    return Case(rows[:at] + rows[at - 1 :], ("duplicate",))


def put_late_row(rows: Rows, at: int) -> Case:
    return Case([*rows[: at - 1], rows[at], rows[at - 1], *rows[at + 1 :]], ("late",))


def put_disorder(rows: Rows, at: int) -> Case:
    return put_late_row(rows, at)._replace(expected=("reordered",), reorder_rows=2)


FAULTS: dict[str, Callable[[Rows, int], Case]] = {
    "1,217,440.205 in one row": put_radio_error,
    "0 in one row": put_zero,
    "0 in five rows": put_zeros,
    "5,000 too high in three rows": put_high_rows,
    "reset to 0": put_reset,
    "set back by half": put_step_back,
    "up by more than 50, for good": put_jump,
    "rollover at 1,000": put_rollover,
    "replaced by another meter": put_replacement,
    "five rows of another meter": put_other_meter,
    "a row twice": put_duplicate,
    "two rows exchanged": put_late_row,
    "likewise, put in order": put_disorder,
}


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def show_meters(meters: dict[str, Rows], console: Console) -> None:
    balances = {meter: weigh(Case(rows, ()), FACTS) for meter, rows in meters.items()}
    shown = [kind for kind in _SHOWN if any(balance.counts[kind] for balance in balances.values())]
    table = Table(title="Meters as they are, m³", title_justify="left")
    for name in ("meter", "rows", "gap", *shown, "consumption", "last - first", "corrected", "unexplained", "naive"):
        table.add_column(name, justify="left" if name == "meter" else "right")
    unexplained_most = 0.0
    for meter, rows in meters.items():
        balance = balances[meter]
        difference, corrected = rows[-1][1] - rows[0][1], balance.correction
        unexplained = abs(balance.consumption - difference - corrected)
        unexplained_most = max(unexplained_most, unexplained)
        naive = sum(max(0.0, value - before) for (_, before), (_, value) in pairwise(rows))
        numbers = (balance.consumption, difference, corrected, unexplained, naive)
        counts = (len(rows), balance.gaps, *(balance.counts[kind] for kind in shown))
        table.add_row(meter[:8], *map(str, counts), *(f"{abs(number):.3f}" for number in numbers))
    totals = [sum(map(len, meters.values())), sum(balance.gaps for balance in balances.values())]
    totals += [sum(balance.counts[kind] for balance in balances.values()) for kind in shown]
    table.add_row("all", *map(str, totals), end_section=True)
    console.print(table)
    console.print(f"largest unexplained difference: {unexplained_most:.9f} m³; naive: the sum of all rises\n")


def cut_piece(rows: Rows, chance: random.Random) -> tuple[Rows, int]:
    """About 1,000 rows, and a place in their middle where the register rises."""
    highest = list(accumulate((value for _, value in rows), max))
    rises = [at for at in range(10, len(rows) - 10) if rows[at][1] > rows[at - 1][1] == highest[at - 1]]
    at = chance.choice(rises)
    begin = max(0, at - 500)
    return rows[begin : at + 500], at - begin


def show_faults(meters: dict[str, Rows], console: Console) -> None:
    table = Table(title=f"Faults put in, of {len(meters)}", title_justify="left")
    for name in ("fault", "found", "sum right", "found with limit", "sum right with limit"):
        table.add_column(name, justify="left" if name == "fault" else "right")
    chance = random.Random(3)
    pieces = [cut_piece(rows, chance) for rows in meters.values()]
    limits = (None, FLOW_MAX_M3_PER_H)
    for name, put in FAULTS.items():
        results: Counter[tuple[str, float | None]] = Counter()
        for rows, at in pieces:
            case = put(rows, at)
            for limit in limits:
                own = weigh(Case(rows, ()), FACTS._replace(rate_max_per_h=limit))
                balance = weigh(case, case.facts._replace(rate_max_per_h=limit))
                told = {kind: number - own.counts[kind] for kind, number in balance.counts.items()}
                strange = {kind: number for kind, number in told.items() if number and kind not in {"count", "slip"}}
                results["found", limit] += strange == Counter(case.expected)
                results["right", limit] += abs(balance.consumption - own.consumption + case.lost) < 1e-6
        table.add_row(name, *(str(results[what, limit]) for limit in limits for what in ("found", "right")))
    console.print(table)


def show_speed(meters: dict[str, Rows], console: Console) -> None:
    rows = sum(map(len, meters.values()))
    begin = time.process_time_ns()
    for series in meters.values():
        for _ in find_steps(series, FACTS):
            pass
    console.print(f"\n{(time.process_time_ns() - begin) / 1000 / rows:.2f} µs of CPU a row, {rows:,} rows")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    path = parser.parse_args().data / _FILE
    console = Console(width=170)
    if not path.exists():
        console.print(f"{path} is absent: nothing was measured. Name the folder of the data: --data FOLDER")
        return
    meters = read_meters(path)
    show_meters(meters, console)
    show_faults(meters, console)
    show_speed(meters, console)


if __name__ == "__main__":
    main()
