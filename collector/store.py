"""The store: what any database of readings must offer. Implemented by influx.py and embedded.py."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias, get_args

from devices.points import POINTS
from devices.reading import Reading, Value
from devices.register import Register

Aggregate: TypeAlias = Literal["mean", "min", "max", "sum", "count", "first", "last"]


_OF_ANYTHING = {"count", "first", "last"}


def check_aggregate(point: str, aggregate: Aggregate) -> None:
    """Looks at a question before it is asked; what is no number can only be counted and picked.

    Raises:
        ValueError: there is no such aggregate, or the point's values have none.
    """
    if aggregate not in get_args(Aggregate):
        raise ValueError(f"aggregate: expected one of {', '.join(get_args(Aggregate))}, got {aggregate!r}")
    if point in POINTS and POINTS[point].type is not float and aggregate not in _OF_ANYTHING:
        raise ValueError(f"{point} is no number: expected count, first or last, got {aggregate!r}")


class Sample(NamedTuple):
    """One value of a series: `time` in UTC nanoseconds; with an interval, the interval's start."""

    time: int
    value: Value


class Annotation(NamedTuple):
    """What is written beside readings: a step of an alert or of a ticket, or a figure that was worked out from them.

    Attributes:
        measurement: what it is; docs/dashboards.md describes the figures.
        time: when it happened, or the interval began, UTC ns.
        tags: what it is found by, from closed lists; with measurement and time its key.
        fields: what it says; a name always has the same type, and is never that of a tag.
    """

    measurement: Literal["alert", "ticket", "consumption", "balance", "occupancy", "desk", "service"]
    time: int
    tags: Mapping[str, str]
    fields: Mapping[str, Value]


class Finding(NamedTuple):
    """What `siteward doctor` learned about one thing.

    Attributes:
        subject: what was looked at: "database", "bucket siteward".
        good: whether it is as it should be.
        message: what was found, and what to do where it is not good.
    """

    subject: str
    good: bool
    message: str


class Store(Protocol):
    """A database of readings. One thread writes; reading is allowed from any thread."""

    def write(self, readings: Sequence[Reading]) -> None:
        """Stores readings; storing one again changes nothing (same device, time, point: one row).

        Raises:
            StoreUnavailable, StoreRefused, BatchTooLarge, BatchRejected: see collector/errors.py.
        """

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """Stores annotations; any thread may. Storing one again (same measurement, tags, time) replaces its fields.

        Raises:
            StoreUnavailable, StoreRefused, BatchTooLarge, BatchRejected: as for `write`.
        """

    def series(
        self,
        devices: Sequence[str],
        point: str,
        start: int,
        end: int,
        *,
        interval: str | None = None,
        aggregate: Aggregate = "mean",
    ) -> Mapping[str, list[Sample]]:
        """Values of a point, oldest first, by device, for start <= time < end (UTC nanoseconds).

        Args:
            devices: ids in the register; a device without values is absent from the answer.
            point: its name.
            start: first nanosecond.
            end: first nanosecond after.
            interval: None for the raw values, else "15m", "1h", "1d", "1w": buckets aligned to the site's
                time zone (a day is the local day, also when it has 23 or 25 hours).
            aggregate: how a bucket becomes one value; an empty bucket is absent.

        Raises:
            ValueError: the interval does not divide time evenly, or `check_aggregate` refuses.
            StoreError: the database does not answer.
        """

    def use(self, register: Register) -> None:
        """Takes over a changed register: where devices stand and which tags they carry."""

    def prepare(self) -> None:
        """Creates what is missing (bucket, database, mapping) where it may.

        Raises:
            StoreUnavailable, StoreRefused: what is missing and may not be created, in plain words.
        """

    def inspect(self) -> list[Finding]:
        """What doctor should know: reachable, permissions, clock, retention."""

    def close(self) -> None:
        """Ends connections."""
