"""What doctor concludes from what servers tell."""

import pytest

from collector.influxdoctor import judge_clock, judge_retention, judge_victoria, read_flags

DATE = "Tue, 22 Sep 2026 13:33:20 GMT"
NOW = 1_790_084_000_000_000_000
DAY = 86_400_000_000_000


@pytest.mark.parametrize(
    ("now", "good", "message"),
    [
        (NOW, True, "agrees with ours"),
        (NOW + 4_900_000_000, True, "agrees with ours"),
        (NOW + 61_000_000_000, False, "1m 1s behind ours; let NTP set both"),
        (NOW - 3_600_000_000_000, False, "1h ahead of ours; let NTP set both"),
    ],
)
def test_clock(now: int, message: str, *, good: bool) -> None:
    finding = judge_clock(DATE, now)
    assert finding.good is good
    assert finding.message.startswith(message)


def test_clock_that_is_not_told() -> None:
    assert not judge_clock("", NOW).good


@pytest.mark.parametrize(
    ("kept", "good", "message"),
    [
        (0, True, "readings are kept for ever"),
        (35 * DAY, True, "readings are kept for 35d"),
        (30 * DAY, False, "readings are kept for 30d, but late ones may be 35d old (time.past)"),
    ],
)
def test_retention(kept: int, message: str, *, good: bool) -> None:
    finding = judge_retention(kept)
    assert finding.good is good
    assert finding.message.startswith(message)


def test_flags_of_other_servers_are_none() -> None:
    assert read_flags("404 page not found") == {}
    assert read_flags('-verbose="true"\n') == {}


def test_victoria_with_its_defaults_keeps_duplicates_and_forgets_after_a_month() -> None:
    flags = read_flags('-httpListenAddr=":8428"\n-storageDataPath="/var/lib/victoria"\n')
    duplicates, retention, events = judge_victoria(flags, has_doors=False)
    assert (duplicates.good, retention.good, events.good) == (False, False, True)
    assert duplicates.message.startswith("start VictoriaMetrics with -dedup.minScrapeInterval=1ms")
    assert retention.message.startswith("readings are kept for 31d")


@pytest.mark.parametrize(
    ("period", "message"),
    [
        ("2", "readings are kept for 62d"),
        ("90d", "readings are kept for 90d"),
        ("1.5y", "readings are kept for 547d 12h"),
    ],
)
def test_periods_of_victoria(period: str, message: str) -> None:
    _, retention, _ = judge_victoria({"retentionPeriod": period}, has_doors=True)
    assert retention.message == message


def test_thinning_loses_readings() -> None:
    duplicates, _, _ = judge_victoria({"dedup.minScrapeInterval": "30s"}, has_doors=False)
    assert not duplicates.good
