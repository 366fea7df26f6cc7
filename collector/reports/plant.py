"""The plant: the meters of a utility, what feeds what, and what each of them measures. Pure.

A meter counts for the smallest place that holds it and all that it feeds: a building's main meter stands in the switch
room on the first floor, and measures the building. What a main meter shows beyond its sub-meters is its own; so every
place and every category is the sum of what its meters have of their own, whatever feeds whatever, and nothing is
counted twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from collector.configuration import Configuration
from devices.register import METERED, Device
from tickets.tariffs import Utility

KINDS: Mapping[Utility, str] = {"electricity": "electricity_meter", "water": "water_meter"}
"""The kind of device that meters a utility."""

_LEVELS = 3


class Plant:
    """The meters of one utility.

    Attributes:
        point: their register.
        meters: by id, in the order of the register.
        main_of: the meter that feeds each; absent where none does.
        subs_of: what each feeds directly; absent where that is nothing.
    """

    def __init__(self, configuration: Configuration, utility: Utility) -> None:
        kind = KINDS[utility]
        self.point = METERED[kind]
        self.meters = {device.id: device for device in configuration.register if device.kind == kind}
        feeds = {feed.main: feed.subs for feed in configuration.places.feeds if feed.main in self.meters}
        self.subs_of: Mapping[str, Sequence[str]] = feeds
        self.main_of = {sub: main for main, subs in feeds.items() for sub in subs}
        self._categories = configuration.reports.categories

    @cached_property
    def order(self) -> list[Device]:
        """Every meter, after all that it feeds."""
        found: list[Device] = []
        for id_ in self.meters:
            if id_ not in self.main_of:
                found += self._list_below(id_)
        return found

    def _list_below(self, id_: str) -> Iterator[Device]:
        for sub in self.subs_of.get(id_, ()):
            yield from self._list_below(sub)
        yield self.meters[id_]

    @cached_property
    def scopes(self) -> Mapping[str, tuple[str, ...]]:
        """What each meter measures: the ids of a place from the building down; () is the site."""
        found: dict[str, tuple[str, ...]] = {}
        for meter in self.order:
            parts = [_find_place(meter), *(found[sub] for sub in self.subs_of.get(meter.id, ()))]
            found[meter.id] = _find_common(parts)
        return found

    @cached_property
    def categories(self) -> Mapping[str, str | None]:
        """What each meter's use is: its own category, else that of the meter that feeds it; None where nobody said."""
        found: dict[str, str | None] = {}
        for meter in reversed(self.order):
            own = self._categories.find(meter.tags.get(self._categories.tag, "")) if self._categories else None
            found[meter.id] = own or found.get(self.main_of.get(meter.id, ""))
        return found

    def is_within(self, meter: str, place: Sequence[str]) -> bool:
        """Whether a meter measures a place or a part of it."""
        return self.scopes[meter][: len(place)] == tuple(place)

    def find_tops(self, place: Sequence[str] = ()) -> list[str]:
        """The meters of a place that none of it feeds: together they are its total."""
        within = {id_: None for id_ in self.meters if self.is_within(id_, place)}
        return [id_ for id_ in within if self.main_of.get(id_) not in within]

    @cached_property
    def places(self) -> list[tuple[str, ...]]:
        """Every place that is measured: each building, then its floors and areas, in the register's order."""
        found: dict[tuple[str, ...], None] = {}
        for scope in self.scopes.values():
            for length in range(1, len(scope) + 1):
                found[scope[:length]] = None
        ranks = {place: number for number, place in enumerate(found)}
        return sorted(found, key=lambda place: [ranks[place[:length]] for length in range(1, len(place) + 1)])


def _find_place(meter: Device) -> tuple[str, ...]:
    """As far down as the register knows it."""
    parts = (meter.building, meter.floor, meter.area)
    return next((parts[:length] for length in range(_LEVELS) if not parts[length]), parts)


def _find_common(places: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The smallest place that holds all of some."""
    first = places[0]
    length = max(number for number in range(len(first) + 1) if all(each[:number] == first[:number] for each in places))
    return first[:length]
