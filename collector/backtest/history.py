"""The history: recorded readings of a site, in the order of their arrival, from its store."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Protocol

from collector.store import Sample, Store
from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.reading import Reading, Value
from rules.engine import Engine
from rules.plans import Wiring
from rules.rule import Rule
from rules.site import Site

_PIECE = 7 * NANOSECONDS["d"]
"""So much is read at once."""

_QUARTER = 15 * NANOSECONDS["m"]
_ARRIVAL = "received_time_s"
"""As what the store keeps when a late reading arrived."""


class History(Protocol):
    """Readings that were recorded."""

    def readings(self, start: int, stop: int) -> Iterator[Reading]:
        """All that rules hear, in the order of arrival, with times from `start` to before `stop` (UTC ns).

        Raises:
            CollectorError: they cannot be read.
        """

    def series(self, device: str, point: str, start: int, stop: int) -> Sequence[Sample]:
        """Values of a point, oldest first.

        Raises:
            CollectorError: they cannot be read.
        """


def find_heard(rules: Sequence[Rule], site: Site) -> Mapping[str, Sequence[str]]:
    """Which points of which devices rules listen to; all points of a device where any reading of it counts."""
    plans = Wiring(rules, site, Engine((), site, 0)).plans
    return {device: list(POINTS if plan.arrivals else plan.points) for device, plan in plans.items()}


class StoreHistory:
    """What the site's store holds.

    A reading is taken to have arrived at its own time, since the store does not know better, unless it was late: of
    those it knows.
    """

    def __init__(self, store: Store, heard: Mapping[str, Sequence[str]], raw_from: int) -> None:
        """Reads nothing yet.

        Args:
            store: of the site.
            heard: devices and points that matter.
            raw_from: before it the store may have nothing but quarters of an hour, UTC ns; then the last value of each
                stands at its end.
        """
        self._store = store
        self._raw_from = -(-raw_from // _QUARTER) * _QUARTER
        self._devices = list(heard)
        self._wanted: dict[str, list[str]] = {}
        for device, points in heard.items():
            for point in points:
                self._wanted.setdefault(point, []).append(device)

    def readings(self, start: int, stop: int) -> Iterator[Reading]:
        """See `History`."""
        waiting: list[Reading] = []  # late ones, which arrive in a later piece or after the end
        seam = min(max(start, self._raw_from), stop)
        cuts = [*range(start, seam, _PIECE), *range(seam, stop, _PIECE), stop]
        for first, last in pairwise(cuts):
            piece = waiting + self._read(first, last)
            piece.sort(key=attrgetter("received"))
            arrived = next((i for i, reading in enumerate(piece) if reading.received >= last), len(piece))
            waiting = piece[arrived:]
            yield from piece[:arrived]

    def _read(self, start: int, stop: int) -> list[Reading]:
        found: dict[str, dict[int, dict[str, Value]]] = {}
        for point, devices in self._wanted.items():
            for device, samples in self._ask(devices, point, start, stop).items():
                rows = found.setdefault(device, {})
                for time, value in samples:
                    values = rows.get(time)
                    if values is None:
                        rows[time] = {point: value}
                    else:
                        values[point] = value
        readings = [
            Reading(device, time, time, values) for device, rows in found.items() for time, values in rows.items()
        ]
        arrivals = {
            (device, sample.time): round(float(sample.value) * NANOSECONDS["s"])
            for device, samples in self._find_arrivals(start, stop).items()
            for sample in samples
        }
        if arrivals:
            for reading in readings:
                received = arrivals.get((reading.device, reading.time))
                if received is not None:
                    reading.late, reading.received = True, max(received, reading.time)
        return readings

    def _find_arrivals(self, start: int, stop: int) -> Mapping[str, list[Sample]]:
        return self._store.series(self._devices, _ARRIVAL, start, stop) if start >= self._raw_from else {}

    def _ask(self, devices: Sequence[str], point: str, start: int, stop: int) -> Mapping[str, list[Sample]]:
        if start >= self._raw_from:
            return self._store.series(devices, point, start, stop)
        if POINTS[point].type is str:
            return {}
        found = self._store.series(devices, point, start, stop, interval="15m", aggregate="last")
        # The end of a quarter lies in the next piece; a nanosecond less keeps it in its own.
        return {
            device: [Sample(sample.time + _QUARTER - 1, sample.value) for sample in samples]
            for device, samples in found.items()
        }

    def series(self, device: str, point: str, start: int, stop: int) -> Sequence[Sample]:
        """See `History`."""
        seam = min(max(start, self._raw_from), stop)
        samples: list[Sample] = []
        for first in (*range(start, seam, _PIECE), *range(seam, stop, _PIECE)):
            last = min(first + _PIECE, seam if first < seam else stop)
            samples += self._ask([device], point, first, last).get(device, ())
        return samples
