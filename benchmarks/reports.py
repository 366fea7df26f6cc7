"""Makes the energy report of a month with both comparisons from the embedded store: seconds and memory by meters.

Every meter reports by the clock, all of them but one in ten hang behind main meters. The last column says what a year
of 1,000 meters would take at the same cost a row.

    python benchmarks/reports.py [--meters 60 240]
"""

import argparse
import resource
import sys
import time
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from collector.configuration import Configuration, load
from collector.reports.context import open_context
from collector.reports.energy import make_energy
from collector.reports.period import parse_period
from collector.stores import open_store
from devices.durations import NANOSECONDS
from devices.reading import Reading

QUARTER = 15 * NANOSECONDS["m"]
ZONE = ZoneInfo("UTC")
SPANS = (("2025-10-01", 31), ("2026-09-01", 61))
"""The month a year before; the month before and the month itself."""
GROUP = 10
_YEAR_ROWS = 1000 * 365 * 96 * 2
"""A year and the one before it."""

_SETTINGS = """\
site: {id: bench, timezone: UTC, language: en}
data_dir: ../data
mqtt: {url: "mqtt://127.0.0.1", client_id: bench}
retention: {raw: 3650d}
"""


def write_site(folder: Path, meters: int) -> Configuration:
    """A site of main meters with nine sub-meters each."""
    config = folder / "config"
    config.mkdir()
    (config / "siteward.yaml").write_text(_SETTINGS, encoding="utf-8")
    rows = [f"em-{number},electricity_meter,15m,B{number // GROUP}" for number in range(meters)]
    (config / "devices.csv").write_text("\n".join(["id,kind,interval,building", *rows]) + "\n", encoding="utf-8")
    places = [f"  - {{id: B{number}}}" for number in range(-(-meters // GROUP))]
    feeds = [
        f"  - {{main: em-{first}, subs: [{', '.join(f'em-{n}' for n in range(first + 1, first + GROUP))}]}}"
        for first in range(0, meters, GROUP)
    ]
    (config / "places.yaml").write_text("\n".join(["buildings:", *places, "feeds:", *feeds]) + "\n", encoding="utf-8")
    (config / "tariffs.yaml").write_text("electricity: [{from: 2025-01-01, price: 0.5 EUR/kWh}]\n", encoding="utf-8")
    return load(config)


def fill(configuration: Configuration, meters: int) -> int:
    """Writes the registers; how many rows there are."""
    store, written = open_store(configuration), 0
    store.prepare()
    for begin, days in SPANS:
        start = int(datetime.fromisoformat(begin).replace(tzinfo=ZONE).timestamp()) * NANOSECONDS["s"]
        for day in range(days + 1):
            times = range(start + day * 96 * QUARTER, start + (day + 1) * 96 * QUARTER, QUARTER)
            readings = [
                Reading(
                    f"em-{n}", moment, moment, {"energy_import_kwh": (moment - start) / QUARTER * (9 if n % 10 else 99)}
                )
                for n in range(meters)
                for moment in times
            ]
            store.write(readings)
            written += len(readings)
    store.close()
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meters", type=int, nargs="+", default=[60, 240])
    table = Table("meters", "rows", "s", "µs a row", "MB at most", "1,000 meters and a year: s")
    for meters in parser.parse_args().meters:
        with TemporaryDirectory() as folder:
            configuration = write_site(Path(folder), meters)
            rows = fill(configuration, meters)
            now = int(datetime(2026, 11, 2, tzinfo=ZONE).timestamp()) * NANOSECONDS["s"]
            with open_context(configuration, "en", now) as context:
                begin = time.perf_counter()
                made = make_energy(context, parse_period("2026-10", ZONE, now))
                took = time.perf_counter() - begin
        assert made.sections[0].figures[0].value == -(-meters // GROUP) * 31 * 96 * 99
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        cost = took / rows
        table.add_row(
            f"{meters:,}", f"{rows:,}", f"{took:.1f}", f"{cost * 1e6:.1f}", f"{memory:.0f}", f"{cost * _YEAR_ROWS:.0f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
