"""Judges the shipped rules on measured and labelled series: false tickets, days with faults, NAB scores, known changes.

    water       tickets a meter and year on 31 real household meters, a year each, of all rules of config/rules
    appliances  days of 1-minute power with simulated faults: is a day flagged where it has one, and only there?
    nab         score on 18 files of the Numenta Anomaly Benchmark, of the learned profile as a rule has it
    changes     two series with known anomalies, one with a known change of 10 %, one of people at a door

Rules are read from config/rules and used as they are. A meter is one device of an engine of its own.

Appliances: a unit has ten normal days, and for each fault the same days with it. The days are dealt into five parts.
An engine is trained on the normal days of four parts as one stream, in which a day keeps its time of day. Each day of
the fifth part, with and without faults, goes on from that same state. Nothing is trained on what it is judged by, a
day with a fault is judged by itself, and each normal day is judged once. Rules for silence are left out, for the days
do not follow each other: the meter is silent between them.

    python benchmarks/detectors.py [water|appliances|nab|changes ...] [--data FOLDER]
"""

import argparse
import csv
import gzip
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))


from benchmarks import nab
from benchmarks.consumption import read_meters
from collector.yamlfile import Document
from devices.durations import NANOSECONDS
from devices.reading import Reading
from devices.register import Register
from rules.calendars import Calendars
from rules.conditions.unlike_usual import SENSITIVITIES
from rules.engine import Engine
from rules.learning.profile import Profile
from rules.learning.values import Values
from rules.rule import Rule, RuleFile
from rules.site import Site

CONFIG = Path(__file__).parents[1] / "config"
DAY, MINUTE = NANOSECONDS["d"], NANOSECONDS["m"]
PARTS = 5
YEAR_DAYS = 365.25

Rows: TypeAlias = Sequence[tuple[int, float]]
Minutes: TypeAlias = list[tuple[int, float, bool]]
"""Of a day: minute of the day at which the row is, W, whether it is part of a fault."""


class Counts(NamedTuple):
    """Days by what they are and what was said."""

    hits: int = 0
    misses: int = 0
    false: int = 0
    quiet: int = 0

    @property
    def f1(self) -> float:
        return 2 * self.hits / (2 * self.hits + self.misses + self.false)

    @property
    def f1_balanced(self) -> float:
        """As if there were as many days without a fault as with one."""
        recall, false = self.hits / (self.hits + self.misses), self.false / (self.false + self.quiet)
        return 2 * recall / (1 + recall + false)


def read_rules() -> list[Rule]:
    files = [path for path in sorted((CONFIG / "rules").glob("*.yaml")) if not path.name.endswith(".test.yaml")]
    return [rule for path in files for rule in RuleFile.model_validate(read_yaml(path)).rules]


def read_yaml(path: Path) -> object:
    return Document(path.read_text(encoding="utf-8")).value


def make_engine(rules: Sequence[Rule], device: Mapping[str, object], zone: str, now: int) -> Engine:
    register = Register.model_validate({"tags": ["circuit"], "devices": [{"building": "A", **device}]})
    calendars = Calendars.model_validate(read_yaml(CONFIG / "calendars.yaml"))
    site = Site("site", ZoneInfo(zone), register, calendars=calendars)
    return Engine([rule for rule in rules if list(rule.select.pick(register))], site, now)


def play(engine: Engine, point: str, rows: Iterable[tuple[int, float]]) -> list[tuple[str, int]]:
    """The rules that fired, and when."""
    fired = []
    for moment, value in rows:
        told = engine.evaluate(Reading("meter", moment, moment, {point: value}))
        fired += [(transition.rule, transition.at) for transition in told if transition.kind == "fired"]
    return fired


# ── water ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def judge_water(data: Path, console: Console) -> None:
    began = time.perf_counter()
    device = {"id": "meter", "kind": "water_meter", "interval": "1h", "flow_limit": "3.125 m³/h"}
    meters = read_meters(data / "series/water_daiad/swm_trialA_31_meters.csv.gz")
    counts: Counter[str] = Counter()
    affected: dict[str, set[str]] = defaultdict(set)
    rows = years = 0.0
    for meter, series in meters.items():
        engine = make_engine(read_rules(), device, "Europe/Madrid", series[0][0])
        newest = 0
        ordered = []
        for moment, value in series:
            if moment > newest:  # late rows never reach a condition
                ordered.append((moment, value))
                newest = moment
        for rule, _ in play(engine, "volume_m3", ordered):
            counts[rule] += 1
            affected[rule].add(meter)
        rows += len(series)
        years += (series[-1][0] - series[0][0]) / DAY / YEAR_DAYS
    seconds = time.perf_counter() - began
    table = Table(title=f"Water: {len(meters)} meters, {years:.1f} meter-years, {rows:,.0f} rows in {seconds:.0f} s")
    for name in ("rule", "tickets", "a meter and year", "meters"):
        table.add_column(name, justify="left" if name == "rule" else "right")
    for rule, count in counts.most_common():
        table.add_row(rule, str(count), f"{count / years:.2f}", str(len(affected[rule])))
    table.add_section()
    table.add_row(
        "all", str(counts.total()), f"{counts.total() / years:.2f}", str(len(set().union(*affected.values())))
    )
    console.print(table)


# ── appliances ───────────────────────────────────────────────────────────────────────────────────────────────────────


def read_days(path: Path) -> dict[str, dict[str, list[Minutes]]]:
    """By unit and condition, the days in their order."""
    days: dict[str, dict[str, dict[str, Minutes]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            clock = (row["ctime"].partition(" ")[2] or "0:00").split(":")  # midnight has none
            watts = float(row["activePower"] or "nan")
            if watts == watts:  # noqa: PLR0124 - some rows have no value
                minute = int(clock[0]) * 60 + int(clock[1])
                days[row["unit"]][row["condition"]][row["day"]].append((minute, watts, float(row["label"] or 0) == 1))
    return {unit: {name: list(some.values()) for name, some in kinds.items()} for unit, kinds in days.items()}


def place(day: Minutes, after: int) -> list[tuple[int, float]]:
    """A day's rows in kW, in a stream that has come to `after`, at their time of day."""
    start = after // DAY * DAY + day[0][0] * MINUTE
    while start <= after:
        start += DAY
    return [(start + minute * MINUTE, watts / 1000) for minute, (_, watts, _) in enumerate(day)]


def judge_unit(rules: Sequence[Rule], conditions: dict[str, list[Minutes]]) -> dict[str, Counts]:
    """Counts by condition."""
    device = {"id": "meter", "kind": "electricity_meter", "interval": "1m", "tags": {"circuit": "machine"}}
    first = int(datetime(2020, 1, 6, tzinfo=UTC).timestamp()) * 10**9
    counts = {name: Counts() for name in conditions}
    for part in range(PARTS):
        engine = make_engine(rules, device, "UTC", first)
        after = first
        for place_of_day, day in enumerate(conditions["Normal"]):
            if place_of_day % PARTS != part:
                rows = place(day, after)
                play(engine, "power_kw", rows)
                after = rows[-1][0]
        state = engine.snapshot()
        for name, days in conditions.items():
            for day in days[part::PARTS]:
                judge = make_engine(rules, device, "UTC", first)
                judge.restore(state)
                flagged = bool(play(judge, "power_kw", place(day, after)))
                faulty = any(fault for _, _, fault in day)
                known = counts[name]
                counts[name] = Counts(
                    known.hits + (flagged and faulty),
                    known.misses + (not flagged and faulty),
                    known.false + (flagged and not faulty),
                    known.quiet + (not flagged and not faulty),
                )
    return counts


def add(all_counts: Iterable[Counts]) -> Counts:
    return Counts(*map(sum, zip(*all_counts, strict=True)))


def judge_appliances(data: Path, console: Console) -> None:
    began = time.perf_counter()
    table = Table(title="Appliances: days flagged")
    columns = (
        "unit",
        "hits",
        "misses",
        "false",
        "quiet",
        "F1",
        "F1, balanced",
        "F1 of flagging all",
        "its F1, balanced",
    )
    for name in columns:
        table.add_column(name, justify="left" if name == "unit" else "right")
    every: list[Counts] = []
    rules = [rule for rule in read_rules() if not rule.when.is_silence]
    for path in sorted((data / "series/appliance_power").glob("*.csv.gz")):
        for unit, conditions in read_days(path).items():
            found = add(judge_unit(rules, conditions).values())
            every.append(found)
            table.add_row(unit, *map(str, found), *_show(found))
    total = add(every)
    table.add_section()
    table.add_row("all", *map(str, total), *_show(total))
    console.print(table)
    console.print(f"{time.perf_counter() - began:.0f} s; protocol: see the head of this file", highlight=False)


def _show(counts: Counts) -> list[str]:
    blind = Counts(counts.hits + counts.misses, 0, counts.false + counts.quiet, 0)
    return [f"{number:.2f}" for number in (counts.f1, counts.f1_balanced, blind.f1, blind.f1_balanced)]


# ── the Numenta Anomaly Benchmark ────────────────────────────────────────────────────────────────────────────────────


def judge_nab(data: Path, console: Console) -> None:
    folder = data / "series/nab"
    files = list(nab.read_series(folder))
    known: dict[str, list[float]] = defaultdict(list)
    with gzip.open(folder / "windowedGaussian_scores_for_scorer_check.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            known[row["file"]].append(float(row["anomaly_score"]))
    began = time.perf_counter()
    settings = {"season": "week", "direction": "both", "sensitivity": "medium"}
    scores: dict[str, list[float]] = {}
    for series in files:
        profile = Profile(Values("week", "both"), 2.0, ZoneInfo("UTC"))
        scores[series.name] = found = []
        for moment, value in zip(series.times, series.values, strict=True):
            profile.take(moment, value)
            found.append(profile.news)
    seconds = time.perf_counter() - began
    rows = sum(len(series.times) for series in files)
    table = Table(title=f"NAB: {len(files)} files, {rows:,} rows, {seconds / rows * 1e6:.1f} µs a row, {settings}")
    for name in ("profile", "score", "threshold", "once in days", "windowed Gaussian", "must be"):
        table.add_column(name, justify="left" if name == "profile" else "right")
    expected = {"standard": 12.07, "reward_low_FP_rate": 4.81, "reward_low_FN_rate": 16.04}
    for name, weights in nab.read_profiles(folder).items():
        mine, other = nab.score(files, scores, weights), nab.score(files, known, weights)
        days = f"{10**mine.threshold:.0f}"
        table.add_row(
            name, f"{mine.score:.1f}", f"{mine.threshold:.2f}", days, f"{other.score:.2f}", str(expected[name])
        )
    console.print(table)


# ── known changes ────────────────────────────────────────────────────────────────────────────────────────────────────


def read_plain(path: Path) -> list[tuple[int, float]]:
    """Time and value of the first two columns."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = list(csv.reader(content.decode().splitlines()))[1:]
    moments = (datetime.fromisoformat(row[0]) for row in rows)
    return [
        (int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 10**9, float(row[1]))
        for moment, row in zip(moments, rows, strict=True)
        if row[1]
    ]


def judge_changes(data: Path, console: Console) -> None:
    table = Table(
        title="Known changes: when the profile first says so (sensitivity medium, season week, both directions)"
    )
    for name in ("series", "rows", "days", "alarms", "when"):
        table.add_column(name, overflow="fold")
    paths = (
        "water_flow_river/water-flow.csv",
        "energy_eemeter/il-electricity-cdd-hdd-hourly.csv.gz",
        "energy_eemeter/uk-electricity-hdd-only-hourly-sample-0.csv.gz",
        "door_counts/cal-inflow-2.csv",
    )
    for path in paths:
        rows = read_plain(data / "series" / path)
        limit = 2.0
        profile = Profile(Values("week", "both"), limit, ZoneInfo("UTC"))
        alarms: list[int] = []
        for moment, value in rows:
            if profile.take(moment, value) >= limit and profile.days >= 7 and profile.news >= limit:
                alarms.append(moment)
        days = [f"{datetime.fromtimestamp(moment / 1e9, UTC):%Y-%m-%d %H:%M}" for moment in alarms]
        told = [day for place, day in enumerate(days) if place == 0 or alarms[place] - alarms[place - 1] > DAY]
        span = (rows[-1][0] - rows[0][0]) / DAY
        table.add_row(path, f"{len(rows):,}", f"{span:.0f}", str(len(told)), ", ".join(told))
    console.print(table)


PARTS_OF_IT = {"water": judge_water, "appliances": judge_appliances, "nab": judge_nab, "changes": judge_changes}


def main() -> int:
    parser = argparse.ArgumentParser(description="Judges the shipped rules on measured and labelled series.")
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS_OF_IT)}; left out: all")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS_OF_IT):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; expected {', '.join(PARTS_OF_IT)}")
    if not (options.data / "series").is_dir():
        print(f"{options.data}/series is not there: nothing to judge. --data says where the series are.")
        return 0
    console = Console(width=150)
    console.print(f"sensitivity, in days: {SENSITIVITIES}", highlight=False)
    for part in options.parts or PARTS_OF_IT:
        PARTS_OF_IT[part](options.data, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
