"""A tree of topics, level by level: which of many filters with named parts match a topic, without trying them all."""

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct, field

from devices.topics import to_filter, to_pattern

_T = TypeVar("_T")

_Match: TypeAlias = Callable[[str], Mapping[str, str] | None]
"""The named parts of a topic; None where it does not match."""


class _Node(Struct, Generic[_T], eq=False):
    """A level; `any` is for wildcards and named parts, `tails` for what takes all that follows."""

    levels: "dict[str, _Node[_T]]" = field(default_factory=dict)
    any: "_Node[_T] | None" = None
    ends: list[tuple[_Match, _T]] = field(default_factory=list)
    tails: list[tuple[_Match, _T]] = field(default_factory=list)

    def find(self, levels: list[str], at: int) -> Iterator[tuple[_Match, _T]]:
        """What may match, from a level on."""
        yield from self.tails
        if at == len(levels):
            yield from self.ends
            return
        known = self.levels.get(levels[at])
        if known is not None:
            yield from known.find(levels, at + 1)
        if self.any is not None:
            yield from self.any.find(levels, at + 1)


class TopicTree(Generic[_T]):
    """Profile topics, and what each stands for."""

    def __init__(self) -> None:
        self._root: _Node[_T] = _Node()

    def add(self, topic: str, item: _T) -> None:
        """Adds what a profile's topic stands for."""
        pattern = to_pattern(topic)

        def match(name: str) -> Mapping[str, str] | None:
            found = pattern.fullmatch(name)
            return found.groupdict() if found else None

        levels = to_filter(topic).split("/")
        if levels[-1] == "#":
            self._enter(levels[:-1]).tails.append((match, item))
        else:
            self._enter(levels).ends.append((match, item))

    def add_name(self, name: str, item: _T, parts: Mapping[str, str]) -> None:
        """Adds what one topic alone stands for, with its named parts."""
        self._enter(name.split("/"), wildcards=False).ends.append((lambda _name: parts, item))

    def find(self, name: str) -> Iterator[tuple[_T, Mapping[str, str]]]:
        """Everything whose topic matches, with the named parts."""
        for match, item in self._root.find(name.split("/"), 0):
            parts = match(name)
            if parts is not None:
                yield item, parts

    def _enter(self, levels: list[str], *, wildcards: bool = True) -> _Node[_T]:
        node = self._root
        for level in levels:
            if level == "+" and wildcards:
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.levels.setdefault(level, _Node())
        return node
