"""Hindsight: what late readings show of an alert that is there: that it began earlier."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from rules.pace import SETTLE

Truths: TypeAlias = Sequence[bool | None]
"""What the conditions of a rule say, from left to right; empty where nothing is known of any."""

Recall: TypeAlias = Callable[[Truths], tuple[Truths, bool]]
"""What they would have said after a late reading, from what they said before it, and whether the rule was true then."""


class Hindsight:
    """The late readings of one alert's device, in constant memory.

    The rule became true at the first late reading after which it was, if it was true after all those between that one
    and the beginning as known before. Where readings come in order, each is judged from what those before it left;
    where they come in disorder, each by itself, which claims too little rather than too much.

    Attributes:
        due: when what was gathered is to be told, by the engine's clock; None where nothing is.
    """

    __slots__ = ("_bad", "_began", "_carried", "_floor", "_good", "_truths", "_upto", "due")

    def __init__(self, floor: int, began: int, truths: Truths = ()) -> None:
        """Nothing is known yet.

        Args:
            floor: the moment up to which the rule is known to have been false, UTC ns.
            began: when it became true as the readings in order show it, UTC ns.
            truths: what its conditions said at `floor`.
        """
        self._floor, self._began = floor, began
        self._bad: int | None = None  # the first bad one after the last good one
        self._good = floor  # the last good one
        self._upto, self._truths = floor, truths  # the newest one, and what the conditions said after it
        self._carried = False  # whether what is claimed rests on readings before
        self.due: int | None = None

    @property
    def since(self) -> int:
        """When the rule became true, as known now."""
        return self._began if self._bad is None else self._bad

    def take(self, time: int, recall: Recall, now: int) -> None:
        """Takes a late reading.

        Args:
            time: of the reading.
            recall: what it would have meant.
            now: the engine's clock.
        """
        if not self._floor < time < self._began:
            return
        truths, bad = recall(())
        if time >= self._upto:
            alone = bad
            truths, bad = recall(self._truths)
            self._upto, self._truths = time, truths
            self._carried = self._carried or bad != alone
        else:
            if self._carried:  # what it rests on may have been otherwise
                self._carried = False
                self._judge(self._upto, bad=False)
            self._truths = ()
        self._judge(time, bad=bad)
        self.due = now + SETTLE

    def _judge(self, time: int, *, bad: bool) -> None:
        if not bad:
            self._good = max(self._good, time)
            if self._bad is not None and self._bad <= time:
                self._bad = None
        elif time > self._good:
            self._bad = time if self._bad is None else min(self._bad, time)

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [
            self._floor, self._began, self._bad, self._good, self.due, self._upto, self._carried, list(self._truths),
        ]  # fmt: skip

    @classmethod
    def restored(cls, state: list[Any]) -> "Hindsight":
        """One that goes on from a snapshot."""
        floor, began, bad, good, due, *course = state
        hindsight = cls(floor, began)
        hindsight._bad, hindsight._good, hindsight.due = bad, good, due
        if course:  # snapshots of before have none
            hindsight._upto, hindsight._carried, hindsight._truths = course
        return hindsight
