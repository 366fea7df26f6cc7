"""`all`, `any` and `not`, where some truths may not be known yet: `any` leaves these out, `all` waits for them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from devices.register import Device
from rules.alerts import NOTHING, Evidence
from rules.conditions.node import Node, Scope

RECALLED_MOST = 64
"""A tree with more leaves is not looked back into: that would cost too much a late reading."""


class Combined(Node):
    """Several nodes as one; `look` at it before its truth is asked for.

    Attributes:
        nodes: those below.
        leaves: the conditions themselves, from left to right.
        seen: what they said when it was last looked at; empty where there are too many.
    """

    __slots__ = ("leaves", "nodes", "seen")

    def __init__(self, nodes: Sequence[Node]) -> None:
        super().__init__()
        self.nodes = tuple(nodes)
        self.leaves: tuple[Node, ...] = tuple(
            leaf for node in nodes for leaf in (node.leaves if isinstance(node, Combined) else (node,))
        )
        self.seen: list[bool | None] = []
        self.look()

    def judge(self, truths: Sequence[bool | None]) -> bool | None:
        """The truth, from those of the nodes."""
        raise NotImplementedError

    def combine(self, truths: Iterator[bool | None]) -> bool | None:
        """The truth as it once was, from those of the leaves: takes as many as it has.

        None stands for what was true or false, and nobody knows which; so nothing is left out.
        """
        return self.judge(self.share(truths))

    def share(self, truths: Iterator[bool | None]) -> list[bool | None]:
        """The truths of the nodes, likewise."""
        return [node.combine(truths) if isinstance(node, Combined) else next(truths) for node in self.nodes]

    def look(self) -> None:
        """Takes over what the nodes say now, and keeps what the leaves do."""
        self.weigh()
        if len(self.leaves) <= RECALLED_MOST:
            self.seen = [leaf.truth for leaf in self.leaves]

    def weigh(self) -> None:
        """Takes over what the nodes say now, those below first."""
        for node in self.nodes:
            if isinstance(node, Combined):
                node.weigh()
        self.truth = self.judge([node.truth for node in self.nodes])
        self.due = min((node.due for node in self.nodes if node.due is not None), default=None)

    def resume(self, time: int) -> None:
        """See the base."""
        for node in self.nodes:
            node.resume(time)
        self.weigh()

    def advance(self, time: int) -> None:
        """See the base."""
        for node in self.nodes:
            if node.due is not None and node.due <= time:
                node.advance(time)
        self.weigh()

    def amendment(self) -> str:
        """Of the first node that has one."""
        return next(filter(None, [node.amendment() for node in self.nodes]), "")

    def evidence(self) -> Evidence:
        """Of the first node that is true and has some."""
        found = [node.evidence() for node in self.nodes if node.truth]
        return next((evidence for evidence in found if evidence is not NOTHING), NOTHING)

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [node.snapshot() for node in self.nodes]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        for node, part in zip(self.nodes, state, strict=True):
            node.restore(part)
        self.look()


class AllOf(Combined):
    """True where all are; false where one is."""

    __slots__ = ()

    def judge(self, truths: Sequence[bool | None]) -> bool | None:
        """See the base."""
        return False if False in truths else None if None in truths else True


class AnyOf(Combined):
    """True where one is; false where none is."""

    __slots__ = ()

    def judge(self, truths: Sequence[bool | None]) -> bool | None:
        """See the base."""
        return True if True in truths else False if False in truths else None

    def combine(self, truths: Iterator[bool | None]) -> bool | None:
        """See the base."""
        shares = self.share(truths)
        return None if None in shares and True not in shares else self.judge(shares)


class Not(Combined):
    """The opposite of its one node."""

    __slots__ = ()

    def judge(self, truths: Sequence[bool | None]) -> bool | None:
        """See the base."""
        return None if truths[0] is None else not truths[0]

    def evidence(self) -> Evidence:
        """What shows that it is false: the node's own evidence."""
        return self.nodes[0].evidence()


def any_device(scope: Scope, make: Callable[[Device], Node]) -> Node:
    """The node of a condition that judges one device alone: of a place, it is true where it is for any device.

    Args:
        scope: whose devices.
        make: the node for one of them; it must listen by itself.
    """
    nodes = [make(device) for device in scope.devices]
    return nodes[0] if len(nodes) == 1 else AnyOf(nodes)
