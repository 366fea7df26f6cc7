"""A tree of topics, level by level: which of many filters with named parts match a topic, without trying them all."""

import re
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from msgspec import Struct, field

from devices.topics import to_filter, to_pattern

_T = TypeVar("_T")


class _Node(Struct, Generic[_T], eq=False):
    """A level; `any` is for wildcards and named parts, `tails` for what takes all that follows."""

    levels: "dict[str, _Node[_T]]" = field(default_factory=dict)
    any: "_Node[_T] | None" = None
    ends: list[tuple[re.Pattern[str], _T]] = field(default_factory=list)
    tails: list[tuple[re.Pattern[str], _T]] = field(default_factory=list)

    def find(self, levels: list[str], at: int) -> Iterator[tuple[re.Pattern[str], _T]]:
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
        node = self._root
        levels = to_filter(topic).split("/")
        entry = (to_pattern(topic), item)
        if levels[-1] == "#":
            levels.pop()
            ends = False
        else:
            ends = True
        for level in levels:
            if level == "+":
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.levels.setdefault(level, _Node())
        (node.ends if ends else node.tails).append(entry)

    def find(self, topic: str) -> Iterator[tuple[_T, Mapping[str, str]]]:
        """Everything whose topic matches, with the named parts."""
        for pattern, item in self._root.find(topic.split("/"), 0):
            match = pattern.fullmatch(topic)
            if match is not None:
                yield item, match.groupdict()
