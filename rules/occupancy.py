"""Occupancy: how many people are in an area, counted from entries and exits."""

from typing import TYPE_CHECKING, Any

from devices.reading import Reading, Value
from rules.site import Site

if TYPE_CHECKING:
    from rules.conditions.node import TakeCount
    from rules.watch import Watch


class Occupancy:
    """The people in one area (`building/floor/area`).

    Attributes:
        area: which.
        doors: ids of the doors that lead into it or out of it.
    """

    def __init__(self, area: str, site: Site) -> None:
        del site
        self.area = area
        self.doors: tuple[str, ...] = ()
        self.listeners: list[tuple[TakeCount, Watch]] = []

    def take(self, value: Value, reading: Reading) -> None:
        """See `rules.sources.Source`."""

    def snapshot(self) -> Any:  # noqa: ANN401 - see `rules.sources.Source`
        """See `rules.sources.Source`."""

    def restore(self, state: Any) -> None:  # noqa: ANN401 - see `rules.sources.Source`
        """See `rules.sources.Source`."""
