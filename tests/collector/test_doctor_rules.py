"""What doctor says of rules and desk, judged from what it was told."""

import os
from pathlib import Path

from collector import snapshots
from collector.checks import desk, rules
from collector.checks.rules import Lag
from collector.journal import Journal
from collector.judging import CURSOR
from collector.snapshots import Snapshot
from collector.store import Finding
from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Subject
from rules.mutes import Mute
from tickets.database import HEAD
from tickets.mutebook import MuteEntry

SECOND, DAY = NANOSECONDS["s"], NANOSECONDS["d"]
NOW = 1_795_000_000 * SECOND


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rules_that_failed_are_named_with_their_reason() -> None:
    assert rules.judge_set_aside({}).good
    finding = rules.judge_set_aside({"leak": "division by zero", "door": "no area"})
    assert finding == Finding(
        "set aside",
        good=False,
        message="leak: division by zero; door: no area. Change the rule: then it is tried again",
    )


def test_the_lag_is_what_lies_beyond_the_position(tmp_path: Path) -> None:
    moments = iter(range(NOW, NOW + 3 * SECOND, SECOND))
    journal = Journal(tmp_path / "journal.db", 10**9, (CURSOR,), clock=lambda: next(moments))
    assert rules.measure_lag(journal, 0) == Lag(None, 0, None)
    for entry in range(3):
        journal.commit([Reading(f"em-{entry}", entry, entry, {"power_kw": 1.0})] * 10)
    assert rules.measure_lag(journal, 0) == Lag(None, 30, NOW)
    assert rules.measure_lag(journal, 10) == Lag(NOW, 20, NOW + SECOND)
    assert rules.measure_lag(journal, 30) == Lag(NOW + 2 * SECOND, 0, None)
    journal.close()


def test_judging_may_be_a_minute_behind() -> None:
    lag = Lag(NOW, 1200, NOW)
    good = rules.judge_lag(lag, NOW + 60 * SECOND, running=True)
    assert good == Finding("judging", good=True, message="1,200 readings wait, the oldest for 1m")
    late = rules.judge_lag(lag, NOW + 61 * SECOND, running=True)
    assert not late.good
    assert late.message.startswith("1,200 readings wait, the oldest for 1m 1s: alerts come late; look at")
    assert rules.judge_lag(Lag(NOW, 0, None), NOW + DAY, running=True).good
    asleep = rules.judge_lag(lag, NOW + DAY, running=False)
    assert asleep.good
    assert asleep.message == "the daemon does not run; 1,200 readings are judged at its next start"


def test_a_snapshot_is_stale_when_a_running_daemon_does_not_renew_it(tmp_path: Path) -> None:
    path = tmp_path / "rules.snapshot"
    assert rules.check_snapshot(path, NOW, 60 * SECOND).good
    assert not rules.check_snapshot(path, NOW, DAY).good
    snapshots.write(path, Snapshot(7, {"engine": {}}))
    os.utime(path, ns=(NOW, NOW))
    fresh = rules.check_snapshot(path, NOW + 30 * SECOND, DAY)
    assert fresh == Finding("snapshot", good=True, message="0.0 MB, saved 30s ago")
    stale = rules.check_snapshot(path, NOW + 600 * SECOND, DAY)
    assert not stale.good
    assert stale.message.startswith("0.0 MB, saved 10m ago, and should be every 30 s")
    assert rules.check_snapshot(path, NOW + 600 * SECOND, 0).good  # nobody runs who could renew it
    assert rules.check_snapshot(path, NOW + 600 * SECOND, 60 * SECOND).good  # the daemon has just started


def test_a_damaged_snapshot_is_found(tmp_path: Path) -> None:
    path = tmp_path / "rules.snapshot"
    snapshots.write(path, Snapshot(7, {"engine": {}}))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    finding = rules.check_snapshot(path, NOW, 0)
    assert not finding.good
    assert finding.message == (
        f"{path}: damaged; at the next start the journal is judged anew, and what was learned before it is lost"
    )


# ── desk ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_tables_are_good_up_to_this_version() -> None:
    assert desk.judge_version(None).good
    assert desk.judge_version(HEAD).message == f"of version {HEAD}, as they should be"
    older = desk.judge_version("0000")
    assert older.good
    assert older.message == f"of version 0000; the next start brings them to {HEAD}: make a backup before it"
    newer = desk.judge_version("9999")
    assert not newer.good
    assert newer.message.startswith("of version 9999, which a newer Siteward made")


def test_the_desk_needs_room_to_grow_by_half() -> None:
    assert desk.judge_room(2_000_000, 500_000_000).good
    assert not desk.judge_room(2_000_000, 499_999_999).good
    finding = desk.judge_room(4_000_000_000, 1_999_999_999)
    assert not finding.good
    assert finding.message == "4,000.0 MB used, 2.0 GB free; free some space: a full disk takes no tickets"


def test_a_server_may_differ_by_a_minute() -> None:
    assert desk.judge_server_clock(60 * SECOND).good
    assert desk.judge_server_clock(-60 * SECOND).good
    finding = desk.judge_server_clock(-3 * 3600 * SECOND)
    assert not finding.good
    assert finding.message == "the server's clock is 3h ahead; one of both is wrong: let NTP set them"


def shelf(id_: int, begin: int, end: int) -> MuteEntry:
    return MuteEntry(Mute(id_, "shelf", begin, end, (Subject("device", "em-1"),)), "li", "noise", "")


def test_mutes_that_last_for_weeks_are_asked_about() -> None:
    assert desk.judge_mutes([], NOW) == Finding("mutes", good=True, message="none")
    short = shelf(1, NOW - 90 * DAY, NOW + 14 * DAY)  # nearly over
    planned = shelf(2, NOW + 60 * DAY, NOW + 61 * DAY)  # far away, and short
    finding = desk.judge_mutes([short, planned], NOW)
    assert finding == Finding("mutes", good=True, message="2, none for longer than 14d from now")
    finding = desk.judge_mutes([short, shelf(3, NOW, NOW + 40 * DAY)], NOW)
    assert finding == Finding(
        "mutes",
        good=False,
        message="shelf 3 keeps device em-1 quiet for another 40d (li: noise). Is that meant?"
        " End one with: siteward mutes end ID",
    )
