"""`threshold`: a value beyond a bound, with a deadband on the way back."""

from typing import ClassVar

from rules.comparison import Comparison
from rules.conditions.logic import any_device
from rules.conditions.node import Condition, Node, Scope


class Threshold(Comparison, Condition):
    """A value above, below or outside a bound, or equal to a word.

    An event is what it says until the next event of its device.
    """

    summary: ClassVar[str] = "a value beyond a bound, with a deadband on the way back"

    def build(self, scope: Scope) -> Node:
        """A node that remembers which side it was on."""
        return any_device(scope, lambda device: self.listen(scope, device))
