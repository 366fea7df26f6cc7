"""Births of Sparkplug B: what a node says once of its metrics, so that later messages may name them by alias alone.

Source: Sparkplug 3.0.0 (https://sparkplug.eclipse.org/specification), chapter 6.
"""

from collections import Counter
from typing import NamedTuple

from msgspec import Struct

from devices.errors import Undecodable
from devices.formats.sparkplug_payload import Metric, Payload, read_alias, read_name, read_unit, read_value
from devices.message import Part
from devices.timestamps import MILLISECOND, Moment, parse_epoch


class Definition(NamedTuple):
    """What a birth says of one metric; `alias` None where it has none."""

    name: str
    alias: int | None
    datatype: int
    unit: str


class _Known(NamedTuple):
    """The names under which the value of a metric is found, and its datatype."""

    names: tuple[str, ...]
    datatype: int


class Birth(Struct, dict=True):
    """The metrics of a node or a device."""

    definitions: list[Definition]

    def __post_init__(self) -> None:
        """Prepares looking up."""
        self._by_name: dict[str, _Known] = {}
        self._by_alias: dict[int, _Known] = {}
        taken = Counter(_cut_folders(definition.name) for definition in self.definitions)
        for name, alias, datatype, unit in self.definitions:
            short = _cut_folders(name)
            names: tuple[str, ...] = (name, short) if short != name and taken[short] == 1 else (name,)
            if unit:
                names += tuple(f"{one} [{unit}]" for one in names)
            self._by_name[name] = known = _Known(names, datatype)
            if alias is not None:
                self._by_alias[alias] = known

    def read(self, message: Payload, address: str) -> tuple[list[Part], bool]:
        """The values in a message, and whether it has no alias that is unknown here.

        Args:
            message: this birth itself, or one that came after it.
            address: of whom it speaks.

        Returns:
            A part for each moment, the oldest first. Its body is an object of values by the metrics' names; also by the
            name without folders where only one metric has that, and by both with the unit that the birth gives:
            `Meter/Power`, `Power`, `Meter/Power [kW]`, `Power [kW]`.

        Raises:
            Undecodable: a value does not fit its datatype, a text is not UTF-8, or a time cannot be.
        """
        bodies: dict[int, dict[str, bool | float | str]] = {}
        complete = True
        for metric in message.metrics:
            known = self._find(metric)
            if known is None:
                complete = False
                continue
            value = read_value(metric, known.datatype)
            if value is not None:
                body = bodies.setdefault(metric.timestamp or message.timestamp, {})
                for name in known.names:
                    body[name] = value
        parts = [Part(body, None, _read_moment(time), address) for time, body in sorted(bodies.items())]
        return parts, complete

    def _find(self, metric: Metric) -> _Known | None:
        name = read_name(metric)
        if name:
            return self._by_name.get(name) or _Known((name,), 0)
        alias = read_alias(metric)
        return None if alias is None else self._by_alias.get(alias)


def read_birth(message: Payload) -> Birth:
    """The birth that a message is.

    Raises:
        Undecodable: a name is not UTF-8.
    """
    return Birth(
        [
            Definition(name, read_alias(metric), metric.datatype, read_unit(metric))
            for metric in message.metrics
            if (name := read_name(metric))
        ]
    )


def _cut_folders(name: str) -> str:
    return name.rpartition("/")[2]


def _read_moment(time: int) -> Moment | None:
    try:
        return parse_epoch(time, MILLISECOND) if time else None
    except ValueError as error:
        raise Undecodable(f"time: {error}") from None
