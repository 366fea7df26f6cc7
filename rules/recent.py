"""What is remembered of each key, such as a credential: bounded, and what was not heard of for longest goes first."""

from collections.abc import Hashable, Sequence
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
State = TypeVar("State")

MOST = 5_000
"""How many keys are remembered at most."""


class Recent(Generic[Key, State]):
    """The last thing known of each key, with its time (ns), in the order in which they were heard of."""

    __slots__ = ("_entries", "_most")

    def __init__(self, most: int = MOST) -> None:
        self._entries: dict[Key, tuple[int, State]] = {}
        self._most = most

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def get(self, key: Key) -> tuple[int, State] | None:
        """When a key was last heard of, and what is known of it; None where it is not known."""
        return self._entries.get(key)

    def put(self, key: Key, time: int, state: State) -> None:
        """A key is heard of; where there is no room, the one that was not heard of for longest is forgotten."""
        self._entries.pop(key, None)
        self._entries[key] = time, state
        if len(self._entries) > self._most:
            del self._entries[next(iter(self._entries))]

    def drop(self, key: Key) -> bool:
        """Forgets a key; whether it was known."""
        return self._entries.pop(key, None) is not None

    def drop_oldest(self) -> None:
        """Forgets the key that was not heard of for longest."""
        del self._entries[next(iter(self._entries))]

    def forget(self, until: int) -> int:
        """Forgets what was not heard of after a moment, and says of how many keys that was."""
        count = 0
        while self._entries and next(iter(self._entries.values()))[0] <= until:
            self.drop_oldest()
            count += 1
        return count

    def clear(self) -> None:
        """Forgets everything."""
        self._entries.clear()

    @property
    def newest(self) -> int | None:
        """When the last of them was heard of; None where there is none."""
        return next(reversed(self._entries.values()))[0] if self._entries else None

    def snapshot(self) -> list[list[Any]]:
        """All that is known, in plain values: key, time, state."""
        return [[key, time, state] for key, (time, state) in self._entries.items()]

    def restore(self, state: Sequence[Sequence[Any]]) -> None:
        """Goes on from a snapshot."""
        self._entries = {key: (time, known) for key, time, known in state}
