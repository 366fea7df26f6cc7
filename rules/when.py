"""`when`: the tree of conditions as the YAML has it, and the tree of nodes that it becomes."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from devices.register import Device, Model
from rules.conditions.logic import AllOf, AnyOf, Not
from rules.conditions.node import Condition, Node, Scope
from rules.conditions.threshold import Threshold


class When(Model):
    """One condition, or several that `all`, `any` and `not` combine."""

    all: list["When"] | None = Field(None, min_length=1, description="Each of these is true.")
    any: list["When"] | None = Field(None, min_length=1, description="At least one of these is true.")
    not_: "When | None" = Field(None, alias="not", description="This is false.")
    threshold: Threshold | None = Field(None, description=Threshold.summary)

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            got = " and ".join(name.rstrip("_") for name in given) or "none"
            raise ValueError(f"expected one condition, got {got}; combine several with all or any")
        return self

    @property
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

    def fits(self, device: Device) -> str:
        """Why a device cannot be judged by this; "" where it can."""
        return next(filter(None, (condition.fits(device) for condition in self.conditions())), "")

    def build(self, scope: Scope) -> Node:
        """The nodes for a subject."""
        if self.condition is not None:
            return self.condition.build(scope)
        nodes = [part.build(scope) for part in self.parts]
        return AllOf(nodes) if self.all else AnyOf(nodes) if self.any else Not(nodes)
