"""What the desk's rows say, on a SQLite file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.rollups.service import roll_desk, roll_service
from collector.store import Annotation
from tests.deskbench import START, Bench, open_file

PLAN = {
    "teams": {"electricians": {}},
    "categories": {"other": {"team": "electricians"}},
    "service_levels": {
        priority: {"respond_within": "30m", "resolve_within": "4h"} for priority in ("P1", "P2", "P3", "P4")
    },
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    database = open_file(tmp_path)
    yield Bench(database, PLAN)
    database.close()


def desk_rows(bench: Bench) -> list[Annotation]:
    with bench.database.read() as connection:
        return list(roll_desk(connection, bench.site.id, ["electricians", "plumbers"], bench.clock.now))


def service_rows(bench: Bench, start: int = START) -> list[Annotation]:
    with bench.database.read() as connection:
        return list(roll_service(connection, bench.site, start, bench.clock.now))


def test_teams_with_nothing_to_do_say_so(bench: Bench) -> None:
    assert {(row.tags["team"], row.fields["open"]) for row in desk_rows(bench)} == {
        ("electricians", 0),
        ("plumbers", 0),
    }


def test_open_tickets_are_counted_and_what_is_late_with_them(bench: Bench) -> None:
    bench.do("open", device="em-1")
    bench.do("open", device="em-2")
    bench.counter.take("2", "wang")
    bench.clock.pass_("31m")
    (row,) = [row for row in desk_rows(bench) if row.fields["open"]]
    assert row.time % (15 * 60 * 10**9) == 0
    assert row.fields == {"open": 2.0, "unowned": 1.0, "response_overdue": 1.0, "resolution_overdue": 0.0}
    assert (row.tags["kind"], row.tags["site"]) == ("incident", bench.site.id)


def test_a_day_says_what_was_opened_and_resolved_and_kept(bench: Bench) -> None:
    bench.do("open", device="em-1")
    bench.do("open", device="em-2")
    bench.counter.take("1", "wang")
    bench.clock.pass_("1h")
    bench.do("clear", device="em-1")
    rows = [row for row in service_rows(bench) if row.fields["opened"]]
    assert len(rows) == 1
    assert rows[0].fields == {
        "opened": 2.0,
        "resolved": 1.0,
        "response_met_ratio": 0.5,
        "resolution_met_ratio": 1.0,
    }


def test_what_is_resolved_another_day_is_counted_there(bench: Bench) -> None:
    bench.do("open", device="em-1")
    bench.clock.pass_("1d")
    bench.do("clear", device="em-1")
    rows = service_rows(bench)
    assert [(row.fields["opened"], row.fields["resolved"]) for row in rows] == [(1.0, 0.0), (0.0, 1.0)]
    assert rows[0].fields["resolution_met_ratio"] == 0.0
