"""Nodes: what a condition becomes for one subject. A rule is a tree of them.

Everything that a node may do:
    take     a value that it listens to; True where its truth may have changed, and only then is the tree weighed
    advance  time has come to `due`; nothing else tells a node about time
    truth    True, False, or None while it cannot say: too little history, or no value yet
    recall   what it would have said after a late value, for nodes that need no memory to judge one

Times are UTC ns by the devices' clocks: a backlog is judged as it happened. Only `silent` goes by arrivals. A value may
be older than the last `advance`: by the seconds that it was under way, or, in a node that hears several devices, by as
much as one of them is behind.
A node has no other clock, no randomness and no I/O, and its state is a plain value that msgspec can write.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from devices.reading import Reading, Value
from devices.register import Model, Text
from rules.alerts import NOTHING, Evidence

if TYPE_CHECKING:
    from devices.counting.steps import Step
    from devices.register import Device
    from rules.alerts import Subject
    from rules.site import Site

Take: TypeAlias = Callable[[Value, Reading], bool]
"""Takes a value of a point, and the reading that it came in; True where the tree must be weighed."""

TakeStep: TypeAlias = Callable[["Step"], bool]
"""Takes a step of a meter's register; likewise."""

TakeArrival: TypeAlias = Callable[[Reading], bool]
"""Takes any reading of a device, late ones too; likewise."""

TakeCount: TypeAlias = Callable[[int, int], bool]
"""Takes how many people are in a place, and when the last of them was heard of (UTC ns; 0 where nobody is there);
likewise."""


class Node:
    """One condition for one subject."""

    __slots__ = ("due", "truth")

    truth: bool | None
    """What it says now."""

    due: int | None
    """When `advance` must be called; None where only values count."""

    def __init__(self) -> None:
        self.truth = None
        self.due = None

    def advance(self, time: int) -> None:
        """Time has come to `due`; sets truth and the next `due`, which lies later."""

    def resume(self, time: int) -> None:
        """Nothing could be heard up to here: what is missing since then says nothing of any device."""

    def recall(self, device: str, point: str, value: Value, before: bool | None) -> bool | None:  # noqa: FBT001 - a truth
        """What it would have said after a value that came too late; None where it cannot tell.

        Args:
            device: that sent the value; of another one than the node hears, nothing can be told.
            point: of the value; one that the node does not listen to leaves it as it was.
            value: as it came.
            before: what it said before; None where that is not known.
        """
        del device, point, value, before
        return None

    def amendment(self) -> str:
        """What late data show of what it last said, such as `was_reporting`; once, then "" again."""
        return ""

    def evidence(self) -> Evidence:
        """What shows its truth now."""
        return NOTHING

    def snapshot(self) -> Any:  # noqa: ANN401 - every node has a state of its own shape
        """Its state: lists, dicts, numbers, texts, None."""
        return None

    def restore(self, state: Any) -> None:  # noqa: ANN401 - likewise
        """Goes on from a snapshot of a node of the same condition, for the same subject."""


class Scope(Protocol):
    """What a condition is told when its node is made, and where the node says what it listens to."""

    @property
    def subject(self) -> "Subject":
        """What the rule watches here."""

    @property
    def devices(self) -> "tuple[Device, ...]":
        """The selected devices of the subject: one where the subject is a device, never none."""

    @property
    def site(self) -> "Site":
        """Everything else that is known."""

    @property
    def now(self) -> int:
        """The engine's clock when the node is made, UTC ns: from then on it can hear."""

    def listen(self, device: str, point: str, take: Take) -> None:
        """Values of a point, in the order of their times; late ones are left out."""

    def listen_arrivals(self, device: str, take: TakeArrival) -> None:
        """Every reading, in the order of arrival."""

    def listen_steps(self, device: str, point: str, take: TakeStep) -> None:
        """Steps of a meter's register, as devices.counting tells them; a step ends one row before the newest."""

    def listen_occupancy(self, area: str, take: TakeCount) -> None:
        """How many people are in a place and when the last of them was heard of, after each passage at its doors.

        Args:
            area: `building/floor/area`, or a larger place; "" is the site.
            take: the node's.
        """


class Condition(Model):
    """What the YAML says of a condition. Subclasses: fields with descriptions, and `build`."""

    summary: ClassVar[str] = ""
    """One line for the reference."""

    is_silence: ClassVar[bool] = False
    """Whether it is true where a device has fallen silent: then nothing can be expected of what hangs below it."""

    def fits(self, device: "Device") -> str:
        """Why a selected device cannot be judged so, such as a rating that is missing; "" where it can."""
        del device
        return ""

    def misses(self, device: "Device", site: "Site") -> str:
        """What else the site would have to say of a device that fits, such as what a main meter feeds; "" mostly."""
        del device, site
        return ""

    def build(self, scope: Scope) -> Node:
        """The node for a subject; it listens from now on."""
        raise NotImplementedError

    def describe(self) -> Text:
        """The condition in words, for `siteward rules explain`: what follows 'fires when'."""
        raise NotImplementedError
