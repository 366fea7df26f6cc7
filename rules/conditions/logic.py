"""`all`, `any` and `not`, where some truths may not be known yet: `any` leaves these out, `all` waits for them."""

from collections.abc import Callable, Sequence
from typing import Any

from devices.reading import Value
from devices.register import Device
from rules.alerts import NOTHING, Evidence
from rules.conditions.node import Node, Scope


class Combined(Node):
    """Several nodes as one; `weigh` it before its truth is asked for."""

    __slots__ = ("nodes",)

    def __init__(self, nodes: Sequence[Node]) -> None:
        super().__init__()
        self.nodes = tuple(nodes)
        self.weigh()

    def judge(self) -> bool | None:
        """The truth, from those of the nodes."""
        raise NotImplementedError

    def weigh(self) -> None:
        """Takes over what the nodes say now, those below first."""
        for node in self.nodes:
            if isinstance(node, Combined):
                node.weigh()
        self.truth = self.judge()
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
        self.weigh()


class AllOf(Combined):
    """True where all are; false where one is."""

    __slots__ = ()

    def judge(self) -> bool | None:
        """See the base."""
        truths = [node.truth for node in self.nodes]
        return False if False in truths else None if None in truths else True

    def recall(self, device: str, point: str, value: Value) -> bool | None:
        """False where one says so; else nothing: the others' values at that moment are not known."""
        return False if any(node.recall(device, point, value) is False for node in self.nodes) else None


class AnyOf(Combined):
    """True where one is; false where none is."""

    __slots__ = ()

    def judge(self) -> bool | None:
        """See the base."""
        truths = [node.truth for node in self.nodes]
        return True if True in truths else False if False in truths else None

    def recall(self, device: str, point: str, value: Value) -> bool | None:
        """True where one says so, false where all do; else nothing."""
        truths = [node.recall(device, point, value) for node in self.nodes]
        return True if True in truths else None if None in truths else False


class Not(Combined):
    """The opposite of its one node."""

    __slots__ = ()

    def judge(self) -> bool | None:
        """See the base."""
        truth = self.nodes[0].truth
        return None if truth is None else not truth

    def recall(self, device: str, point: str, value: Value) -> bool | None:
        """The opposite."""
        truth = self.nodes[0].recall(device, point, value)
        return None if truth is None else not truth

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
