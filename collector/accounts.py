"""Accounts: what registers counted in each interval, worked out from the rows that the store has.

One register may be read row by row (`Rows.read`). Many are read by quarters of an hour (`read_accounts`), the last row
of each standing at its end: by such quarters electricity is billed, and a year of a thousand meters could not be read
otherwise. Where a meter was replaced within a quarter, its rows say which of them is the old one's.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from collector.configuration import Configuration
from collector.settings import EmbeddedStore
from collector.store import Sample, Store
from devices.counting.consumption import Consumption, spread
from devices.counting.counters import find_steps
from devices.counting.facts import find_facts
from devices.counting.steps import CounterFacts, Step
from devices.durations import NANOSECONDS
from devices.register import Device

QUARTER = 15 * NANOSECONDS["m"]

_DAY = NANOSECONDS["d"]
_PIECE = 28 * _DAY
"""So much of a series is read at once."""

_ROWS_TOGETHER = 200_000
"""So many rows of several devices are held at once."""


class Account(NamedTuple):
    """What one register counted.

    Attributes:
        point: the register.
        intervals: of the span.
        faults: steps that end in it and are not just counted.
    """

    point: str
    intervals: list[Consumption]
    faults: list[Step]

    def counts(self) -> dict[str, int]:
        """How many faults there are of each kind, and how many gaps."""
        counts = Counter[str](step.kind for step in self.faults if step.kind != "count")
        counts.update("gap" for step in self.faults if step.is_gap)
        return dict(counts)


class Rows(NamedTuple):
    """The rows of registers, as a store has them.

    Attributes:
        store: that has them.
        raw_from: before it, the store may have summaries only; UTC ns.
        until: from then on there are none; UTC ns.
    """

    store: Store
    raw_from: int
    until: int

    @classmethod
    def of(cls, configuration: Configuration, store: Store, now: int) -> "Rows":
        """The rows of a site's store at a time (UTC ns)."""
        settings = configuration.settings
        raw_from = now - settings.retention.raw if isinstance(settings.store, EmbeddedStore) else 0
        return cls(store, raw_from, now + settings.time.future)

    def read(self, device: str, point: str, start: int, stop: int) -> Iterator[tuple[int, float]]:
        """Rows of one register, oldest first; of summaries the last row of each quarter of an hour, at its end.

        Raises:
            StoreError: the database does not answer.
        """
        stop = min(stop, self.until)
        seam = min(max(start, -(-self.raw_from // QUARTER) * QUARTER), stop)
        for first in range(start, seam, _PIECE):
            found = self._read_quarters([device], point, first, min(first + _PIECE, seam))
            yield from map(_at_its_end, found.get(device, ()))
        for first in range(seam, stop, _PIECE):
            samples = self.store.series([device], point, first, min(first + _PIECE, stop))
            yield from ((sample.time, float(sample.value)) for sample in samples.get(device, ()))

    def read_quarters(
        self, devices: Sequence[str], point: str, start: int, stop: int
    ) -> dict[str, list[tuple[int, float]]]:
        """The last row of each quarter of an hour, at its end, of several devices.

        Raises:
            StoreError: the database does not answer.
        """
        stop = min(stop, self.until)
        rows: dict[str, list[tuple[int, float]]] = {device: [] for device in devices}
        for first in range(start, stop, _PIECE):
            for device, samples in self._read_quarters(devices, point, first, min(first + _PIECE, stop)).items():
                rows[device].extend(map(_at_its_end, samples))
        return rows

    def _read_quarters(self, devices: Sequence[str], point: str, start: int, stop: int) -> dict[str, list[Sample]]:
        return dict(self.store.series(devices, point, start, stop, interval="15m", aggregate="last"))


def _at_its_end(sample: Sample) -> tuple[int, float]:
    return sample.time + QUARTER, float(sample.value)


def settle(rows: Iterable[tuple[int, float]], facts: CounterFacts, point: str, edges: Sequence[int]) -> Account:
    """What a register counted.

    Args:
        rows: of the register, oldest first, from `find_margin` before the first edge to as much after the last.
        facts: what is known of the register.
        point: its name.
        edges: of the intervals, UTC ns, ascending.
    """
    start, stop = edges[0], edges[-1]
    faults: list[Step] = []

    def watch() -> Iterator[Step]:
        for step in find_steps(rows, facts):
            if (step.kind != "count" or step.is_gap) and start <= step.end < stop:
                faults.append(step)
            yield step

    return Account(point, spread(watch(), edges), faults)


def find_margin(facts: CounterFacts) -> int:
    """How far around a span rows are read: they say what belongs to it (ns)."""
    return max(_DAY, 3 * (facts.interval_ns or 0))


def read_accounts(
    configuration: Configuration, rows: Rows, meters: Sequence[Device], point: str, edges: Sequence[int]
) -> Iterator[tuple[Device, Account]]:
    """What many meters counted, by quarters of an hour; meters follow in their order.

    Args:
        configuration: of the site.
        rows: of its store.
        meters: whose register is asked for.
        point: the register.
        edges: of the intervals, UTC ns, ascending; best where quarters of an hour begin.

    Raises:
        StoreError: the database does not answer.
    """
    together = max(1, _ROWS_TOGETHER // max(1, (edges[-1] - edges[0]) // QUARTER))
    for first in range(0, len(meters), together):
        batch = meters[first : first + together]
        facts = [_by_quarters(find_facts(configuration.register, meter, point)) for meter in batch]
        margin = max(map(find_margin, facts))
        start, stop = max(0, edges[0] - margin) // QUARTER * QUARTER, edges[-1] + margin
        found = rows.read_quarters([meter.id for meter in batch], point, start, stop)
        for meter, known in zip(batch, facts, strict=True):
            series = found.pop(meter.id)
            for replacement in known.replacements:
                if start <= replacement.at_ns < stop:
                    series = _look_closer(series, rows, meter.id, point, replacement.at_ns)
            yield meter, settle(series, known, point, edges)


def _by_quarters(facts: CounterFacts) -> CounterFacts:
    """Rows that are further apart than the meter reports are no gaps here."""
    return facts._replace(interval_ns=max(facts.interval_ns, QUARTER)) if facts.interval_ns else facts


def _look_closer(
    series: list[tuple[int, float]], rows: Rows, device: str, point: str, at: int
) -> list[tuple[int, float]]:
    """The rows themselves in the quarter in which a meter was replaced."""
    start = at // QUARTER * QUARTER
    end = start + QUARTER
    within = list(rows.read(device, point, start, end))
    if not within:
        return series
    before, after = [row for row in series if row[0] <= start], [row for row in series if row[0] > end]
    return [*before, *within, *after]
