"""What doctor says about an InfluxDB, judged from what the server told. Pure: no I/O."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from collector.settings import Time
from collector.store import Finding
from devices.durations import NANOSECONDS, format_duration, parse_duration

_CLOCK_TOLERANCE = 5 * NANOSECONDS["s"]

_FLAG = re.compile(r'^-([\w.]+)="(.*)"$', re.MULTILINE)


def judge_clock(date: str, now: int) -> Finding:
    """Compares the server's clock with ours.

    Args:
        date: the answer's header `Date`, whole seconds.
        now: when it came, UTC ns.
    """
    try:
        theirs = int(parsedate_to_datetime(date).timestamp()) * NANOSECONDS["s"]
    except ValueError:
        return Finding("database clock", good=False, message=f"the server's header Date cannot be read: {date!r}")
    ahead = theirs - now
    if abs(ahead) <= _CLOCK_TOLERANCE:
        return Finding("database clock", good=True, message="agrees with ours")
    direction = "ahead of" if ahead > 0 else "behind"
    message = f"{format_duration(abs(ahead))} {direction} ours; let NTP set both, or recent data seems to be missing"
    return Finding("database clock", good=False, message=message)


def judge_retention(kept: int) -> Finding:
    """Whether readings are kept as long as late ones may take to arrive.

    Args:
        kept: ns; 0 is for ever.
    """
    needed = Time().past
    if kept == 0:
        return Finding("retention", good=True, message="readings are kept for ever")
    if kept >= needed:
        return Finding("retention", good=True, message=f"readings are kept for {format_duration(kept)}")
    message = (
        f"readings are kept for {format_duration(kept)}, but late ones may be {format_duration(needed)} old (time.past)"
        " and would be rejected; lengthen the retention"
    )
    return Finding("retention", good=False, message=message)


def read_flags(text: str) -> Mapping[str, str]:
    """The command line of VictoriaMetrics, from its address /flags; empty for other servers."""
    flags = dict(_FLAG.findall(text))
    return flags if "storageDataPath" in flags else {}


def judge_victoria(flags: Mapping[str, str], *, has_doors: bool) -> list[Finding]:
    """What matters where VictoriaMetrics stands in for InfluxDB.

    Args:
        flags: its command line.
        has_doors: whether the register has any.
    """
    once = flags.get("dedup.minScrapeInterval") == "1ms"
    return [
        Finding(
            "duplicates",
            good=once,
            message="a reading that is sent again is kept once"
            if once
            else "start VictoriaMetrics with -dedup.minScrapeInterval=1ms: after a crash readings are sent again, and"
            " would be kept twice",
        ),
        judge_retention(_read_victoria_retention(flags.get("retentionPeriod", "1"))),
        Finding(
            "events",
            good=not has_doors,
            message="VictoriaMetrics keeps numbers to the millisecond, and of texts nothing"
            + ("; the register has doors: store their events in InfluxDB" if has_doors else ""),
        ),
    ]


def _read_victoria_retention(text: str) -> int:
    """Nanoseconds; a number without a unit counts months."""
    if text.endswith("y"):
        return round(float(text.removesuffix("y")) * 365 * NANOSECONDS["d"])
    if text[-1].isdecimal():
        return round(float(text) * 31 * NANOSECONDS["d"])
    return parse_duration(text)
