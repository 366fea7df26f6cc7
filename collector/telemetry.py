"""What the daemon says of itself: the one list of its metrics, for /metrics and for the measurement `siteward`."""

import resource
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from collector.states import State
from devices.reading import Reading
from devices.register import SELF

if TYPE_CHECKING:
    from collector.daemon import Daemon


class Figure(NamedTuple):
    """One figure: `siteward_NAME` in /metrics (with `_total` for a counter), the field NAME in the database."""

    name: str
    kind: Literal["counter", "gauge"]
    meaning: str
    read: "Callable[[Daemon], float]"


def _memory_bytes(_daemon: "Daemon") -> float:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - a kernel file
        return int(statm.read().split()[1]) * float(resource.getpagesize())


FIGURES = [
    Figure("messages", "counter", "Messages taken from the broker", lambda d: d.pipeline.messages),
    Figure("readings", "counter", "Readings committed to the journal", lambda d: d.pipeline.readings),
    Figure("late", "counter", "Readings older than their device's newest", lambda d: d.pipeline.late),
    Figure("duplicates", "counter", "Readings that came again and were left out", lambda d: d.pipeline.duplicates),
    Figure("quarantined", "counter", "Messages not decoded, or not all of it", lambda d: d.pipeline.quarantined),
    Figure("ignored", "counter", "Messages that hold no reading, as profiles say", lambda d: d.pipeline.ignored),
    Figure("commits", "counter", "Transactions of the journal", lambda d: d.pipeline.commits),
    Figure("devices_seen", "gauge", "Devices that have ever sent a reading", lambda d: len(d.pipeline.latest)),
    Figure("journal_bytes", "gauge", "Journal's size on disk", lambda d: d.journal.used_bytes),
    Figure("journal_quota_bytes", "gauge", "Journal's largest size", lambda d: d.journal.quota_bytes),
    Figure("journal_full", "gauge", "1 while nothing is read for want of room", lambda d: d.subscriber.held),
    Figure(
        "store_lag_readings",
        "gauge",
        "Readings that wait for the database",
        lambda d: max(0, d.journal.head - d.writer.position),
    ),
    Figure("stored", "counter", "Readings that the database took", lambda d: d.writer.written),
    Figure("store_batches", "counter", "Writes that the database took", lambda d: d.writer.batches),
    Figure("store_retries", "counter", "Writes that had to be tried again", lambda d: d.writer.retries),
    Figure("store_rejected", "counter", "Readings that the database rejected", lambda d: d.writer.rejected),
    Figure("judged", "counter", "Readings that the rules judged", lambda d: d.judging.judged),
    Figure(
        "rules_lag_readings",
        "gauge",
        "Readings that wait for the rules",
        lambda d: max(0, d.journal.head - d.judging.position),
    ),
    Figure("orders", "counter", "Orders that the desk carried out", lambda d: d.judging.orders),
    Figure("connects", "counter", "Connections that the broker accepted", lambda d: d.subscriber.session.connects),
    Figure(
        "sessions_forgotten",
        "counter",
        "Connections where the broker had lost our session, and what it held",
        lambda d: d.subscriber.session.forgotten,
    ),
    Figure(
        "connected",
        "gauge",
        "1 while subscribed at the broker",
        lambda d: d.subscriber.session.state in {State.QUIET, State.FLOWING},
    ),
    Figure("reload_failures", "counter", "Changed configurations with errors", lambda d: d.reload_failures),
    Figure("uptime_s", "gauge", "Time since the daemon started", lambda d: d.uptime_s),
    Figure("cpu_s", "counter", "CPU time of the daemon", lambda _: time.process_time()),
    Figure("memory_bytes", "gauge", "Resident memory of the daemon", _memory_bytes),
]
"""Every figure, in the order of the life of a message."""


class Exporter(Collector):
    """Hands the figures to Prometheus."""

    def __init__(self, daemon: "Daemon") -> None:
        self._daemon = daemon

    def collect(self) -> Iterator[Metric]:
        """Reads every figure now."""
        for figure in FIGURES:
            family = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
            yield family(f"siteward_{figure.name}", figure.meaning, value=float(figure.read(self._daemon)))


def self_reading(daemon: "Daemon", now: int) -> Reading:
    """The figures as a reading of the device `siteward`."""
    return Reading(SELF, now, now, {figure.name: float(figure.read(daemon)) for figure in FIGURES})
