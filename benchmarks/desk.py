"""Times the desk on SQLite and on PostgreSQL: a storm of 2,000 alerts in one ticket, and single tickets one by one.

The storm is one transaction; so is each single step. SQLite writes to this disk with synchronous=FULL. PostgreSQL runs
as the tests start it, without fsync, so that its figures show the work and the conversation, not the disk. Aims: the
storm under 3 s; a single ticket far below the 200 ms that a message may take to become one.

    python benchmarks/desk.py [--members 2000] [--singles 200]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.deskbench import Bench, open_file
from tests.integration.postgres import PASSWORD, PostgreSQL
from tickets.database import Database, open_database


def measure(act: Callable[[], object]) -> float:
    """How long something takes, in ms."""
    begin = time.perf_counter()
    act()
    return (time.perf_counter() - begin) * 1000


def run_storm(bench: Bench, members: int) -> dict[str, float]:
    lead = bench.order("open", "silent", "gw")
    key = bench.key("silent", "gw")
    names = [f"em-{number}" for number in range(members)]
    joins = [lead, *(bench.order("join", "silent", name, lead=key) for name in names)]
    found = {"storm": measure(lambda: bench.desk.apply(joins)), "again": measure(lambda: bench.desk.apply(joins))}
    clears = [bench.order("clear", "silent", name) for name in ["gw", *names]]
    found["over"] = measure(lambda: bench.desk.apply(clears))
    assert bench.desk.show("1").ticket.state == "resolved"
    return found


def run_singles(bench: Bench, singles: int) -> list[float]:
    orders = [bench.order("open", "plain", f"wm-{number}") for number in range(singles)]
    return sorted(measure(lambda order=order: bench.desk.apply([order])) for order in orders)  # type: ignore[misc] # bound at once


def add_row(table: Table, name: str, database: Database, members: int, singles: int) -> None:
    bench = Bench(database)
    storm, each = run_storm(bench, members), run_singles(bench, singles)
    tick = measure(lambda: bench.desk.tick(bench.clock.now))
    due = measure(lambda: bench.desk.tick(bench.clock.pass_("8h")))  # half of the first clock of all is over
    figures = [
        storm["storm"],
        storm["again"],
        storm["over"],
        each[len(each) // 2],
        each[-1 - len(each) // 100],
        tick,
        due,
    ]
    table.add_row(name, *(f"{figure:,.1f}" for figure in figures))
    database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=2000)
    parser.add_argument("--singles", type=int, default=200)
    options = parser.parse_args()
    table = Table(title=f"ms; a storm of {options.members:,} alerts, {options.singles:,} single tickets")
    for head in (
        "database",
        "storm",
        "done again",
        "all over",
        "single, median",
        "99 %",
        "idle tick",
        "all due at once",
    ):
        table.add_column(head, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        add_row(table, "SQLite", open_file(Path(folder)), options.members, options.singles)
    with PostgreSQL() as server:
        database = open_database(server.make_database("desk"), PASSWORD)
        add_row(table, "PostgreSQL", database, options.members, options.singles)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
