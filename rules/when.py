"""`when`: the tree of conditions as the YAML has it, and the tree of nodes that it becomes."""

from collections.abc import Iterator
from functools import cached_property
from typing import Self

from pydantic import Field, model_validator

from devices.register import Device, Model, Text
from rules.conditions.balance import Balance
from rules.conditions.change import Change
from rules.conditions.clock_skew import ClockSkew
from rules.conditions.count import Count
from rules.conditions.first_seen import FirstSeen
from rules.conditions.forced_open import ForcedOpen
from rules.conditions.held_open import HeldOpen
from rules.conditions.imbalance import Imbalance
from rules.conditions.impossible_travel import ImpossibleTravel
from rules.conditions.logic import AllOf, AnyOf, Not
from rules.conditions.never_zero import NeverZero
from rules.conditions.night_flow import NightFlow
from rules.conditions.node import Condition, Node, Scope
from rules.conditions.occupancy import Occupied
from rules.conditions.off_hours import OffHours
from rules.conditions.passback import Passback
from rules.conditions.register import RegisterFault
from rules.conditions.sequence import Sequence
from rules.conditions.silent import Silent
from rules.conditions.stuck import Stuck
from rules.conditions.threshold import Threshold
from rules.conditions.unlike_peers import UnlikePeers
from rules.conditions.unlike_usual import UnlikeUsual
from rules.conditions.usage import Usage
from rules.site import Site


class When(Model):
    """One condition, or several that `all`, `any` and `not` combine."""

    all: list["When"] | None = Field(None, min_length=1, description="Each of these is true.")
    any: list["When"] | None = Field(None, min_length=1, description="At least one of these is true.")
    not_: "When | None" = Field(None, alias="not", description="This is false.")
    threshold: Threshold | None = Field(None, description=Threshold.summary)
    balance: Balance | None = Field(None, description=Balance.summary)
    change: Change | None = Field(None, description=Change.summary)
    clock_skew: ClockSkew | None = Field(None, description=ClockSkew.summary)
    count: Count | None = Field(None, description=Count.summary)
    first_seen: FirstSeen | None = Field(None, description=FirstSeen.summary)
    forced_open: ForcedOpen | None = Field(None, description=ForcedOpen.summary)
    held_open: HeldOpen | None = Field(None, description=HeldOpen.summary)
    imbalance: Imbalance | None = Field(None, description=Imbalance.summary)
    impossible_travel: ImpossibleTravel | None = Field(None, description=ImpossibleTravel.summary)
    never_zero: NeverZero | None = Field(None, description=NeverZero.summary)
    night_flow: NightFlow | None = Field(None, description=NightFlow.summary)
    occupancy: Occupied | None = Field(None, description=Occupied.summary)
    off_hours: OffHours | None = Field(None, description=OffHours.summary)
    passback: Passback | None = Field(None, description=Passback.summary)
    register_: RegisterFault | None = Field(None, alias="register", description=RegisterFault.summary)
    sequence: Sequence | None = Field(None, description=Sequence.summary)
    silent: Silent | None = Field(None, description=Silent.summary)
    stuck: Stuck | None = Field(None, description=Stuck.summary)
    unlike_peers: UnlikePeers | None = Field(None, description=UnlikePeers.summary)
    unlike_usual: UnlikeUsual | None = Field(None, description=UnlikeUsual.summary)
    usage: Usage | None = Field(None, description=Usage.summary)

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            got = " and ".join(name.rstrip("_") for name in given) or "none"
            raise ValueError(f"expected one condition, got {got}; combine several with all or any")
        return self

    @cached_property
    def condition(self) -> Condition | None:
        """The one that stands here; None where others are combined."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Condition):
                return value
        return None

    @property
    def parts(self) -> "list[When]":
        """What is combined here."""
        return [*(self.all or ()), *(self.any or ()), *([self.not_] if self.not_ else ())]

    def conditions(self) -> Iterator[Condition]:
        """Every condition of the tree, in the order of the text."""
        if self.condition is not None:
            yield self.condition
        for part in self.parts:
            yield from part.conditions()

    @property
    def is_silence(self) -> bool:
        """Whether it is true where a device has fallen silent, and for nothing else."""
        return self.condition is not None and self.condition.is_silence

    def fits(self, device: Device) -> str:
        """Why a device cannot be judged by this; "" where it can."""
        return next(filter(None, (condition.fits(device) for condition in self.conditions())), "")

    def misses(self, device: Device, site: Site) -> str:
        """What the site does not say of a device that fits, and would have to; "" where nothing is missing."""
        return next(filter(None, (condition.misses(device, site) for condition in self.conditions())), "")

    def build(self, scope: Scope) -> Node:
        """The nodes for a subject."""
        if self.condition is not None:
            return self.condition.build(scope)
        nodes = [part.build(scope) for part in self.parts]
        return AllOf(nodes) if self.all else AnyOf(nodes) if self.any else Not(nodes)

    def describe(self) -> Text:
        """In words: what follows 'fires when'."""
        if self.condition is not None:
            return self.condition.describe()
        if self.not_ is not None:
            words = _describe_part(self.not_)
            return Text(en=f"it is not so that {words.en}", zh=f"并非{words.zh}")
        if len(self.parts) == 1:
            return self.parts[0].describe()
        texts = [_describe_part(part) for part in self.parts]
        en, zh = (" and ", "，并且") if self.all else (" or ", "，或者")
        return Text(en=en.join(text.en for text in texts), zh=zh.join(text.zh for text in texts))


def _describe_part(when: When) -> Text:
    """In words, as a part of others: in brackets, where it is a combination itself."""
    words = when.describe()
    if when.parts:
        return Text(en=f"({words.en})", zh=f"（{words.zh}）")
    return Text.model_construct(en=words.en, zh=f" {words.zh}" if words.zh[:1].isascii() else words.zh)
