"""Hindsight: what late readings show of an alert that is there: that it began earlier."""

from typing import Any

from rules.pace import SETTLE


class Hindsight:
    """The late readings of one alert's device, in constant memory.

    The condition began at the first late value that was bad, if none was good between it and the beginning as known
    before. Where values come in disorder it claims too little rather than too much.

    Attributes:
        due: when what was gathered is to be told, by the engine's clock; None where nothing is.
    """

    __slots__ = ("_bad", "_began", "_floor", "_good", "due")

    def __init__(self, floor: int, began: int) -> None:
        """Nothing is known yet.

        Args:
            floor: the moment up to which the condition is known to have been false, UTC ns.
            began: when it came true as the readings in order show it, UTC ns.
        """
        self._floor, self._began = floor, began
        self._bad: int | None = None  # the first bad one after the last good one
        self._good = floor  # the last good one
        self.due: int | None = None

    @property
    def since(self) -> int:
        """When the condition came true, as known now."""
        return self._began if self._bad is None else self._bad

    def take(self, time: int, *, bad: bool, now: int) -> None:
        """Takes what a late value of `time` would have meant."""
        if not self._floor < time < self._began:
            return
        if not bad:
            self._good = max(self._good, time)
            if self._bad is not None and self._bad <= time:
                self._bad = None
        elif time > self._good:
            self._bad = time if self._bad is None else min(self._bad, time)
        self.due = now + SETTLE

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [self._floor, self._began, self._bad, self._good, self.due]

    @classmethod
    def restored(cls, state: list[Any]) -> "Hindsight":
        """One that goes on from a snapshot."""
        floor, began, bad, good, due = state
        hindsight = cls(floor, began)
        hindsight._bad, hindsight._good, hindsight.due = bad, good, due
        return hindsight
