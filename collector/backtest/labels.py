"""Labels: what people know went wrong and when, and how well alerts agree with it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collector.errors import CollectorError
from devices.durations import NANOSECONDS
from rules.outcome import ToldAlert


class Label(NamedTuple):
    """Something that went wrong at one device, from a first nanosecond to the first one after it (UTC)."""

    device: str
    start: int
    stop: int


@dataclass(frozen=True)
class Score:
    """How alerts agree with labels.

    Attributes:
        labels: how many there are within the span.
        found: how many of them an alert met.
        alerts: how many there are.
        right: how many of them met a label.
        delay: median time from a label's start to the first alert that met it, ns; None where none was found.
    """

    labels: int
    found: int
    alerts: int
    right: int
    delay: int | None

    @property
    def precision(self) -> float | None:
        """Share of alerts that are right."""
        return self.right / self.alerts if self.alerts else None

    @property
    def recall(self) -> float | None:
        """Share of labels that were found."""
        return self.found / self.labels if self.labels else None


def read_labels(path: Path, zone: ZoneInfo) -> list[Label]:
    """The labels of a CSV file with the columns device, from and to.

    Args:
        path: of the file.
        zone: of times without an offset.

    Raises:
        CollectorError: it cannot be read; the message names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = {"device", "from", "to"} - set(rows.fieldnames or ())
            if missing:
                raise CollectorError(f"{path}:1: missing columns {', '.join(sorted(missing))}")
            return [_read_row(row, path, rows.line_num, zone) for row in rows]
    except (OSError, UnicodeDecodeError) as error:
        raise CollectorError(f"{path}: {error}") from error


def _read_row(row: dict[str, str | None], path: Path, line: int, zone: ZoneInfo) -> Label:
    try:
        start, stop = (_read_time(row[name] or "", zone) for name in ("from", "to"))
    except ValueError:
        raise CollectorError(
            f"{path}:{line}: expected times such as 2026-03-01T08:00, got {row['from']!r} and {row['to']!r}"
        ) from None
    if stop <= start:
        raise CollectorError(f"{path}:{line}: this label ends before it begins")
    return Label((row["device"] or "").strip(), start, stop)


def _read_time(text: str, zone: ZoneInfo) -> int:
    moment = datetime.fromisoformat(text.strip())
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()) * NANOSECONDS["s"]


def score(labels: Sequence[Label], alerts: Sequence[ToldAlert], start: int, stop: int) -> Score:
    """How alerts of a span agree with the labels that touch it.

    An alert meets a label of its device where the time from when its condition came true until it was over touches
    the label's; of an alert about a place, where the device showed it.

    Args:
        labels: of any time.
        alerts: told within the span.
        start: first nanosecond of the span, UTC.
        stop: first nanosecond after.
    """
    labels = [label for label in labels if label.start < stop and label.stop > start]
    delays: dict[Label, int] = {}
    right = 0
    for alert in alerts:
        told = alert.transition
        devices = {told.subject.id, told.evidence.device}
        end = stop if alert.resolved is None else alert.resolved
        met = [label for label in labels if label.device in devices and label.start < end and label.stop > told.since]
        right += bool(met)
        for label in met:
            delay = max(0, told.opened - label.start)
            delays[label] = min(delay, delays.get(label, delay))
    typical = int(median(delays.values())) if delays else None
    return Score(len(labels), len(delays), len(alerts), right, typical)
