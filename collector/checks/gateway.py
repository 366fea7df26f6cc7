"""What doctor learns about the gateway itself: folder, disk, clocks, secrets."""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from collector import ledger
from collector.filecheck import find_named
from collector.journal import Journal
from collector.settings import Settings
from collector.store import Finding
from devices.durations import NANOSECONDS, format_duration

_COMMITS = 20
_COMMITS_S = 2.0
_PAGE = b"\0" * 4096
_SLOW_COMMIT_MS = 100
_CLOCK_TOLERANCE = NANOSECONDS["m"]
_LISTED = 5
_ASK_S = 3.0


def check_gateway(settings: Settings, journal: Journal | None) -> Iterator[Finding]:
    """Findings about the machine that Siteward runs on.

    Args:
        settings: of the site.
        journal: None where there is none yet.
    """
    folder = find_existing(settings.data_dir)
    writable = os.access(folder, os.W_OK | os.X_OK)
    yield _judge_folder(settings.data_dir, folder, writable=writable)
    used = 0 if journal is None else journal.used_bytes
    yield judge_disk(shutil.disk_usage(folder).free, int(settings.journal.quota), used)
    if writable:
        yield judge_commit(measure_commit(folder))
    yield check_clock()
    if journal is not None:
        yield judge_device_clocks(ledger.clock_skews(journal.connection()))
    yield check_secrets(settings)


def find_existing(folder: Path) -> Path:
    """A folder, or where it would be made: the nearest one above that there is."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def _judge_folder(wanted: Path, folder: Path, *, writable: bool) -> Finding:
    if not writable:
        message = (
            f"{folder} cannot be written by this user; give it to the user who runs Siteward, or run doctor as that one"
        )
        return Finding("folder", good=False, message=message)
    if folder != wanted:
        return Finding("folder", good=True, message=f"{wanted} is made at the first start")
    return Finding("folder", good=True, message=f"{wanted} can be written")


def judge_disk(free: int, quota: int, used: int) -> Finding:
    """Whether the journal may grow to its quota; all in bytes."""
    needed = max(0, quota - used)
    message = f"{free / 1e9:,.1f} GB free, the journal may take another {needed / 1e9:,.1f} GB"
    if free < needed:
        return Finding("disk", good=False, message=f"{message}; free some space, or lower journal.quota")
    return Finding("disk", good=True, message=message)


def measure_commit(folder: Path) -> float:
    """How long a small synchronous write takes there, in ms; the median of a few."""
    times_ms: list[float] = []
    deadline = time.monotonic() + _COMMITS_S
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        while len(times_ms) < _COMMITS and time.monotonic() < deadline:
            begin = time.perf_counter()
            file.write(_PAGE)
            os.fsync(file.fileno())
            times_ms.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times_ms)


def judge_commit(median_ms: float) -> Finding:
    """Whether the disk takes commits fast enough for readings to be live."""
    message = f"the disk confirms a write after {median_ms:.3g} ms"
    if median_ms > _SLOW_COMMIT_MS:
        advice = (
            "every reading waits that long; use an SSD or an industrial SD card, and see whether the disk is failing"
        )
        return Finding("commit", good=False, message=f"{message}; {advice}")
    return Finding("commit", good=True, message=message)


def check_clock() -> Finding:
    """Whether systemd says that the system's clock is synchronised."""
    command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_ASK_S, check=False).stdout.strip()  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        answer = ""
    return judge_clock(answer)


def judge_clock(answer: str) -> Finding:
    """What timedatectl's NTPSynchronized means; "" where it cannot say."""
    if answer == "yes":
        return Finding("clock", good=True, message="synchronised by NTP")
    if answer == "no":
        message = "not synchronised, so times of readings are wrong sooner or later; run: timedatectl set-ntp true"
        return Finding("clock", good=False, message=message)
    return Finding("clock", good=True, message="systemd does not know whether NTP sets it here; make sure that it does")


def judge_device_clocks(skews: Mapping[str, int]) -> Finding:
    """Whether devices' clocks agree with ours.

    Args:
        skews: how far each device is behind, ns; negative: ahead.
    """
    wrong = sorted(
        ((device, skew) for device, skew in skews.items() if abs(skew) > _CLOCK_TOLERANCE),
        key=lambda item: -abs(item[1]),
    )
    if not wrong:
        return Finding("device clocks", good=True, message=f"none of {len(skews):,} is off by more than a minute")
    listed = [f"{device} is {format_duration(abs(skew))} {'behind' if skew > 0 else 'ahead'}" for device, skew in wrong]
    rest = f", and {len(wrong) - _LISTED:,} more" if len(wrong) > _LISTED else ""
    message = f"{', '.join(listed[:_LISTED])}{rest}; set their clocks or time zones, or let NTP do it"
    return Finding("device clocks", good=False, message=message)


def check_secrets(settings: Settings) -> Finding:
    """Whether files with secrets are closed to other users of the machine."""
    present = [file for file in find_named(settings) if file.secret and file.path.exists()]
    open_ones = [str(file.path) for file in present if file.exposed]
    if open_ones:
        command = f"chmod o= {' '.join(open_ones)}"
        message = f"every user of this machine can read or write {' and '.join(open_ones)}; run: {command}"
        return Finding("secrets", good=False, message=message)
    message = "no other user of this machine can read them" if present else "none are in files"
    return Finding("secrets", good=True, message=message)
