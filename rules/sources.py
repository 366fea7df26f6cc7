"""Sources: what several conditions need and one works out, such as the steps of a meter's register."""

from typing import TYPE_CHECKING, Any, Protocol

from msgspec import convert

from devices.counting.counters import Counter
from devices.counting.state import State
from devices.counting.steps import CounterFacts
from devices.reading import Reading, Value

if TYPE_CHECKING:
    from rules.conditions.node import TakeStep
    from rules.watch import Watch


class Source(Protocol):
    """Takes values, works something out, and has the watches weighed whose nodes want that."""

    def take(self, value: Value, reading: Reading) -> bool:
        """Takes a value of a point that it is planned for, and the reading that it came in; says False always."""

    def snapshot(self) -> Any:  # noqa: ANN401 - every source has a state of its own shape
        """Its state: what msgspec can write."""

    def restore(self, state: Any) -> None:  # noqa: ANN401 - likewise, as msgspec read it
        """Goes on from there."""


class Meter(Counter):
    """One register of one device, which tells others its steps.

    Attributes:
        listeners: who takes the steps, and the watch to weigh where the answer is True.
    """

    __slots__ = ("_facts", "listeners")

    def __init__(self, facts: CounterFacts) -> None:
        super().__init__(facts)
        self._facts = facts
        self.listeners: tuple[tuple[TakeStep, Watch], ...] = ()

    def take(self, value: Value, reading: Reading) -> bool:
        """See `Source`."""
        time = reading.time
        for step in self.feed(time, value):  # type: ignore[arg-type] # registers are numbers
            for listener in self.listeners:
                try:
                    if listener[0](step):
                        listener[1].weigh(time)
                except Exception as error:
                    raise listener[1].blame(error) from error
        return False

    def restore(self, state: Any) -> None:  # noqa: ANN401 - see `Source`
        """See `Source`."""
        super().__init__(self._facts, state=convert(state, State))
