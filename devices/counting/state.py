"""What a counter remembers between two rows."""

from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace


class Mark(NamedTuple):
    """A row that has a place in the register's course.

    Attributes:
        time: UTC ns.
        value: of the register.
        spare: what the limit allowed in the hour up to here and was not counted.
    """

    time: int
    value: float
    spare: float


class State(Struct, array_like=True):
    """All that a counter remembers: plain values, of bounded size, that msgspec can write and read.

    Attributes:
        settled: the newest row that is certain.
        held: provisional: the row after it.
        contrary: provisional: a row that contradicts the one that is held, and came after it.
        waiting: rows that others may have to be put before, as a heap.
        newest: time of the newest row so far.
        debt: what the register fell, and must rise again before anything is counted.
        other: where the register was before its last break.
        fall: how far that was from where it went on.
        counted: what a return would take back: consumption since that break, and the debt at it.
    """

    settled: Mark | None = None
    held: Mark | None = None
    contrary: Mark | None = None
    waiting: list[tuple[int, float]] = field(default_factory=list)
    newest: int | None = None
    debt: float = 0.0
    other: Mark | None = None
    fall: float = 0.0
    counted: float = 0.0

    def copy(self) -> "State":
        """One that stays as it is."""
        return replace(self, waiting=list(self.waiting))
