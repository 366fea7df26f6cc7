"""Ledger sums: what became of the readings of some devices in a period, as far back as the loss ledger reaches."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from collector import ledger
from collector.reports.context import Context
from collector.reports.timeline import Timeline
from devices.register import Device


class Tally(Struct):
    """Readings of one device.

    Attributes:
        expected: from its interval; 0 where the register gives none.
        stored: in the database.
        late: that came after newer ones.
        quarantined: that could not be read or stored.
        unexplained: that should be in the database and are not.
    """

    expected: int = 0
    stored: int = 0
    late: int = 0
    quarantined: int = 0
    unexplained: int = 0


class LedgerSums(NamedTuple):
    """The ledger of a period.

    Attributes:
        tallies: by device; those of which it knows nothing are absent.
        begins: first moment that it knows of, UTC ns; None where it knows of none.
    """

    tallies: dict[str, Tally]
    begins: int | None


def sum_ledger(context: Context, timeline: Timeline, devices: Iterable[Device]) -> LedgerSums:
    """The ledger of some devices in a period."""
    if context.journal is None:
        return LedgerSums({}, None)
    register = {device.id: device for device in devices}
    start, end = timeline.edges[0], timeline.edges[-1]
    lines = ledger.lines(context.journal, register, start=start, end=end, now=context.now)
    tallies: dict[str, Tally] = {}
    for line in lines:
        if line.device in register:
            tally = tallies.setdefault(line.device, Tally())
            tally.expected += line.expected or 0
            tally.stored += line.stored
            tally.late += line.late
            tally.quarantined += line.quarantined
            tally.unexplained += line.unexplained
    first = min((line.hour for line in lines), default=None)
    return LedgerSums(tallies, None if first is None else first * ledger.HOUR)
