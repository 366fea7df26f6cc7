"""What a backtest costs: a year of quarter-hours of 100 meters, 3.5 million readings, from the embedded store or a CSV.

Each reading is of one register, and three rules look at it. Prints the seconds that replaying takes, by the clock and
of CPU time, and the most memory that the process had. Filling the store is not counted.
Run by `make bench`, or alone: .venv/bin/python benchmarks/backtest.py [--meters N] [--days N] [--csv]
"""

import argparse
import math
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import perf_counter, process_time

sys.path.insert(0, str(Path(__file__).parents[1]))

from collector.backtest.csvhistory import CsvHistory
from collector.backtest.history import History, StoreHistory, find_heard
from collector.backtest.replay import Replay, Span, replay
from collector.embedded import EmbeddedDatabase
from collector.settings import Retention
from collector.settings import Site as SiteSettings
from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.rule import Rule
from rules.site import Site
from tests.rulebench import at, make_site, read_rules

_START = at("2025-01-01 00:00")
_STEP = 15 * NANOSECONDS["m"]
_DAY = NANOSECONDS["d"]
_AIM_S = 60.0
_RULES = """
- {id: day, when: {usage: {point: energy_import_kwh, above: 205 kWh, per: day}}}
- {id: fault, when: {register: {fault: [reset, backwards, jump]}}}
- {id: silent, when: {silent: {for: 1h}}}
"""


def make_readings(meters: int, days: int) -> Iterator[list[Reading]]:
    """A day at a time."""
    energy = [0.0] * meters
    for day in range(days):
        batch = []
        for quarter in range(96):
            time = _START + day * _DAY + quarter * _STEP
            for meter in range(meters):
                power = 8 + 5 * math.sin(quarter / 15 + meter) + (day * 7 + meter * 3) % 11 / 10
                energy[meter] += power / 4
                batch.append(Reading(f"em-{meter}", time, time, {"energy_import_kwh": energy[meter]}))
        yield batch


def fill_store(path: Path, meters: int, days: int, site: Site) -> EmbeddedDatabase:
    store = EmbeddedDatabase(path, SiteSettings(id="site"), site.register, Retention())
    store.prepare()
    for batch in make_readings(meters, days):
        store.write(batch)
    return store


def write_file(path: Path, meters: int, days: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("device,time,energy_import_kwh\n")
        for batch in make_readings(meters, days):
            file.writelines(f"{r.device},{r.time},{r.values['energy_import_kwh']}\n" for r in batch)


def measure(history: History, rules: list[Rule], site: Site, days: int) -> Replay:
    return replay(history, rules, site, Span(_START, _START + days * _DAY, 0))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--meters", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--csv", action="store_true", help="from a CSV file, reading of which is counted")
    options = parser.parse_args()
    devices = [{"id": f"em-{number}", "kind": "electricity_meter"} for number in range(options.meters)]
    site, rules = make_site(devices), read_rules(_RULES)
    with tempfile.TemporaryDirectory() as folder:
        history: History
        if options.csv:
            path = Path(folder) / "history.csv"
            write_file(path, options.meters, options.days)
            begin, spent = perf_counter(), process_time()
            with closing(CsvHistory(path, site.devices, site.zone)) as file:
                found = measure(file, rules, site, options.days)
        else:
            with closing(fill_store(Path(folder) / "store.db", options.meters, options.days, site)) as store:
                begin, spent = perf_counter(), process_time()
                history = StoreHistory(store, find_heard(rules, site), 0)
                found = measure(history, rules, site, options.days)
        seconds, cpu = perf_counter() - begin, process_time() - spent
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'from a CSV file' if options.csv else 'from the embedded store'}")
    print(f"{found.readings:>12,} readings, {len(found.alerts):,} alerts, {len(found.tickets):,} tickets")
    print(f"{seconds:>12.1f} s, {cpu:.1f} s of CPU time (aim: {_AIM_S:.0f} s for a year of 100 meters)")
    print(f"{found.readings / cpu:>12,.0f} readings a second of CPU time")
    print(f"{memory:>12.0f} MB at most")


if __name__ == "__main__":
    main()
