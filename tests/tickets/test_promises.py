"""Whether promises were kept, on a real desk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deskbench import Bench, open_file
from tickets.promises import Tally, count_verdicts, judge_resolution, judge_response

PLAN = {
    "service_levels": {
        priority: {"respond_within": "30m", "resolve_within": "4h"} for priority in ("P1", "P2", "P3", "P4")
    }
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    database = open_file(tmp_path)
    bench = Bench(database, PLAN)
    bench.do("open")
    yield bench
    database.close()


def verdicts(bench: Bench) -> tuple[str, str]:
    ticket, now = bench.desk.show("1").ticket, bench.clock.now
    return judge_response(ticket, now), judge_resolution(ticket, now)


def test_both_are_open_until_somebody_acts_or_time_is_up(bench: Bench) -> None:
    assert verdicts(bench) == ("open", "open")
    bench.clock.pass_("30m")
    assert verdicts(bench) == ("broken", "open")


def test_who_answers_in_time_keeps_the_one_and_who_finishes_the_other(bench: Bench) -> None:
    bench.clock.pass_("29m")
    bench.counter.take("1", "wang")
    assert verdicts(bench) == ("kept", "open")
    bench.clock.pass_("3h")
    bench.do("clear")
    bench.clock.pass_("1d")
    assert verdicts(bench) == ("kept", "kept")


def test_a_pause_decides_nothing(bench: Bench) -> None:
    bench.counter.take("1", "wang")
    bench.counter.wait("1", "wang", "parts")
    bench.clock.pass_("9h")
    assert verdicts(bench) == ("kept", "open")


def test_what_was_late_stays_late(bench: Bench) -> None:
    bench.clock.pass_("5h")
    bench.do("clear")
    bench.clock.pass_("1d")
    assert verdicts(bench) == ("broken", "broken")


def test_a_cancelled_ticket_kept_nothing_and_broke_nothing(bench: Bench) -> None:
    bench.counter.cancel("1", "wang", "opened by mistake")
    assert verdicts(bench) == ("none", "none")


def test_where_nothing_is_promised_there_is_nothing_to_keep(tmp_path: Path) -> None:
    plan: dict[str, object] = {"service_levels": {priority: {} for priority in ("P1", "P2", "P3", "P4")}}
    database = open_file(tmp_path)
    bench = Bench(database, plan)
    bench.do("open")
    assert verdicts(bench) == ("none", "none")
    database.close()


def test_only_what_is_decided_counts() -> None:
    assert count_verdicts(["kept", "kept", "broken", "open", "none"]) == Tally(2, 1)
    assert count_verdicts(["kept", "kept", "broken"]).ratio == pytest.approx(2 / 3)
    assert count_verdicts(["open", "none"]).ratio is None
