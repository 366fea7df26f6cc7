"""Accounts: what registers counted in each interval, worked out from the rows that the store has.

One register may be read row by row (`Rows.read`). Of many that report every few seconds a year could not be read so:
`read_accounts` takes the first row of each quarter of an hour as the register at its beginning, for by such quarters
electricity is billed, and devices report by the clock: rows of 00:00 are then right to the second, all others by less
than the device's interval. Where a meter was replaced within a quarter, its rows say which of them is the old one's.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from collector.configuration import Configuration
from collector.settings import EmbeddedStore
from collector.store import Store
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
"""So many quarters of several devices are held at once."""

_SELDOM = 5 * NANOSECONDS["m"]
"""A device that reports no more often is read row by row: that is hardly more, and exact whenever it does."""


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
        """Rows of one register, oldest first; of summaries the first row of each quarter of an hour, at its beginning.

        Raises:
            StoreError: the database does not answer.
        """
        stop = min(stop, self.until)
        seam = self._find_seam(start, stop)
        for first, last, interval in (*_cut(start, seam, "15m"), *_cut(seam, stop, None)):
            yield from self._ask([device], point, first, last, interval).get(device, ())

    def read_together(
        self, devices: Sequence[str], point: str, start: int, stop: int, *, by_quarters: bool
    ) -> dict[str, list[tuple[int, float]]]:
        """The same of several registers.

        Args:
            devices: ids.
            point: the register.
            start: first nanosecond (UTC), where a quarter of an hour begins.
            stop: first nanosecond after.
            by_quarters: of all, and not just of summaries, the first row of each quarter of an hour, at its beginning.

        Raises:
            StoreError: the database does not answer.
        """
        stop = min(stop, self.until)
        seam = max(start, stop) if by_quarters else self._find_seam(start, stop)
        rows: dict[str, list[tuple[int, float]]] = {device: [] for device in devices}
        for first, last, interval in (*_cut(start, seam, "15m"), *_cut(seam, stop, None)):
            for device, found in self._ask(devices, point, first, last, interval).items():
                rows[device].extend(found)
        return rows

    def _find_seam(self, start: int, stop: int) -> int:
        """Where summaries end and rows begin."""
        return min(max(start, -(-self.raw_from // QUARTER) * QUARTER), max(start, stop))

    def _ask(
        self, devices: Sequence[str], point: str, start: int, stop: int, interval: str | None
    ) -> dict[str, list[tuple[int, float]]]:
        found = self.store.series(devices, point, start, stop, interval=interval, aggregate="first")
        return {device: [(time, float(value)) for time, value in samples] for device, samples in found.items()}


def _cut(start: int, stop: int, interval: str | None) -> Iterator[tuple[int, int, str | None]]:
    """A span in pieces that are asked for at once."""
    for first in range(start, stop, _PIECE):
        yield first, min(first + _PIECE, stop), interval


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
        found: dict[str, list[tuple[int, float]]] = {}
        for by_quarters in (True, False):
            some = [meter.id for meter in batch if ((meter.interval or 0) < _SELDOM) is by_quarters]
            found |= rows.read_together(some, point, start, stop, by_quarters=by_quarters) if some else {}
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
    """The rows themselves in the quarter in which a meter was replaced; where they are gone, none.

    What the old one showed last and the new one first is known; which of them a quarter's first row is of is not.
    """
    start = at // QUARTER * QUARTER
    end = start + QUARTER
    within = rows.read(device, point, start, end) if start >= rows.raw_from else ()
    before, after = [row for row in series if row[0] < start], [row for row in series if row[0] >= end]
    return [*before, *within, *after]
