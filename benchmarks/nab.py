"""The score of the Numenta Anomaly Benchmark, from its published formula.

A detector gives each row of a series a score; rows at or above a threshold are detections. Within a labelled window the
earliest detection counts, by a sigmoid of its place (+1 at the window's begin, 0 at its end); every detection outside
costs by a sigmoid of its distance from the window before, down to -1. A window without detection costs its weight. The
first 15 % of a file (of 5,000 rows at most) count for nothing. One threshold holds for all files; it is the one that
gives the most, for each profile, as for every published detector. 0 is what no detection gives, 100 what a detection at
the begin of each window and nowhere else gives.

Source: A. Lavin, S. Ahmad, "Evaluating Real-time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark",
IEEE ICMLA 2015, section III; weights from the benchmark's profiles.json.
"""

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import exp
from pathlib import Path
from typing import NamedTuple

PROBATION = 0.15
PROBATION_ROWS_MAX = 5000


class Series(NamedTuple):
    """One file.

    Attributes:
        name: as the labels have it.
        times: UTC ns.
        values: beside them.
        windows: first and last row of each labelled window.
    """

    name: str
    times: list[int]
    values: list[float]
    windows: list[tuple[int, int]]


class Weights(NamedTuple):
    """What a profile gives for a detection, takes for a false one and for a window without."""

    hit: float
    false: float
    miss: float


class Result(NamedTuple):
    """What a detector reached under a profile, and the threshold that gave it."""

    score: float
    threshold: float


def read_profiles(folder: Path) -> dict[str, Weights]:
    """The profiles by name."""
    profiles = json.loads((folder / "config/profiles.json").read_text())
    costs = {name: profile["CostMatrix"] for name, profile in profiles.items()}
    return {name: Weights(cost["tpWeight"], cost["fpWeight"], cost["fnWeight"]) for name, cost in costs.items()}


def read_series(folder: Path) -> Iterator[Series]:
    """The files that have labels, in the order of their names."""
    labels = json.loads((folder / "labels/combined_windows.json").read_text())
    for name, windows in sorted(labels.items()):
        with gzip.open(folder / "data" / f"{name}.gz", "rt") as file:
            rows = list(csv.DictReader(file))
        times = [_parse(row["timestamp"]) for row in rows]
        places = {time: row for row, time in reversed(list(enumerate(times)))}
        limits = [(places[_parse(begin)], places[_parse(end)]) for begin, end in windows]
        yield Series(name, times, [float(row["value"]) for row in rows], limits)


def _parse(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def _sigmoid(place: float) -> float:
    return -1.0 if place > 3 else 2 / (1 + exp(5 * place)) - 1


def _weigh_rows(series: Series, weights: Weights) -> list[tuple[float, int | None]]:
    """What a detection at each row gives, and in which window it lies."""
    found: list[tuple[float, int | None]] = []
    window, before = 0, None
    for row in range(len(series.times)):
        if window < len(series.windows) and row >= series.windows[window][0]:
            first, last = series.windows[window]
            width = last - first + 1
            found.append((weights.hit * _sigmoid(-(last - row + 1) / width) / _sigmoid(-1), window))
            if row == last:
                before, window = (last, width), window + 1
        else:
            place = (row - before[0]) / (before[1] - 1) if before else 4
            found.append((weights.false * _sigmoid(place), None))
    return found


def score(all_series: Sequence[Series], scores: Mapping[str, Sequence[float]], weights: Weights) -> Result:
    """The score of a detector, at the threshold that gives the most.

    Args:
        all_series: the files.
        scores: of each row, by the files' names; the higher, the more unusual.
        weights: the profile.
    """
    rows = []
    windows = sum(len(series.windows) for series in all_series)
    for series in all_series:
        skipped = int(PROBATION * min(len(series.times), PROBATION_ROWS_MAX))
        marks = zip(scores[series.name], _weigh_rows(series, weights), strict=True)
        rows += [(mark, worth, (series.name, window)) for mark, (worth, window) in list(marks)[skipped:]]
    rows.sort(key=lambda row: -row[0])
    best: dict[tuple[str, int | None], float] = defaultdict(lambda: -weights.miss)
    total = null = -weights.miss * windows
    highest = Result(null, float("inf"))
    for place, (mark, worth, key) in enumerate(rows):
        if key[1] is None:
            total += worth
        elif worth > best[key]:
            total += worth - best[key]
            best[key] = worth
        if total > highest.score and (place + 1 == len(rows) or rows[place + 1][0] < mark):
            highest = Result(total, mark)
    return Result(100 * (highest.score - null) / (weights.hit * windows - null), highest.threshold)
