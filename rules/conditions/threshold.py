"""`threshold`: a value beyond a bound, with a deadband on the way back."""

from math import inf
from typing import ClassVar, Self

from pydantic import Field, model_validator

from devices.points import POINTS
from devices.reading import Reading, Value
from devices.register import Device, Text
from rules.alerts import Evidence
from rules.bounds import Bound, BoundField, PointName, check_bound
from rules.conditions.node import Condition, Node, Scope


class Threshold(Condition):
    """A value above, below or outside a bound, or equal to a word."""

    summary: ClassVar[str] = "a value beyond a bound, with a deadband on the way back"

    point: PointName = Field(description="What is compared.")
    above: BoundField | None = None
    below: BoundField | None = None
    outside: tuple[BoundField, BoundField] | None = Field(None, description="[least, most] of what is good.")
    equals: bool | str | None = Field(None, description="For points that are no quantity: true, open, denied.")
    clear_below: BoundField | None = Field(None, description="With `above`: below what it is good again.")
    clear_above: BoundField | None = Field(None, description="With `below`: above what it is good again.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in ("above", "below", "outside", "equals") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of above, below, outside and equals, got {' and '.join(given) or 'none'}")
        point = POINTS[self.point]
        if (point.type is float) == (self.equals is not None):
            wanted = "above, below or outside" if point.type is float else "equals"
            raise ValueError(f"{given[0]}: {point.name} is compared with {wanted}")
        for bound in self._bounds():
            check_bound(bound, point.unit)
        return self

    def _bounds(self) -> list[Bound]:
        single = (self.above, self.below, self.clear_below, self.clear_above)
        return [*(bound for bound in single if bound is not None), *(self.outside or ())]

    def fits(self, device: Device) -> str:
        """The rating that is missing."""
        for bound in self._bounds():
            if bound.rating and getattr(device, bound.rating) is None:
                return f"no {bound.rating}"
        return ""

    def build(self, scope: Scope) -> Node:
        """A node that remembers which side it was on."""
        device, unit = scope.devices[0], POINTS[self.point].unit
        if self.equals is not None:
            equal = _Equal(self.point, self.equals, device.id)
            scope.listen(device.id, self.point, equal.take)
            return equal

        def resolve(bound: Bound | None, default: float) -> float:
            return default if bound is None else bound.resolve(unit, device)

        low, high = self.outside or (self.below, self.above)
        least, most = resolve(low, -inf), resolve(high, inf)
        band = _Beyond(
            self.point, least, most, resolve(self.clear_above, least), resolve(self.clear_below, most), device.id
        )
        scope.listen(device.id, self.point, band.take)
        return band

    def describe(self) -> Text:
        """See the base."""
        raise NotImplementedError


class _Beyond(Node):
    """Outside of [least, most], until it is back within [back_least, back_most]."""

    __slots__ = ("_back_least", "_back_most", "_device", "_least", "_most", "_point", "value")

    def __init__(self, point: str, least: float, most: float, back_least: float, back_most: float, device: str) -> None:
        super().__init__()
        self._point, self._device = point, device
        self._least, self._most = least, most
        self._back_least, self._back_most = back_least, back_most
        self.value: float | None = None

    def take(self, value: Value, _reading: Reading) -> bool:
        """See `Take`."""
        self.value = value  # type: ignore[assignment] # a point's type is fixed
        if self._back_least <= value <= self._back_most:  # type: ignore[operator] # likewise
            truth = False
        elif value > self._most or value < self._least:  # type: ignore[operator] # likewise
            truth = True
        else:
            truth = bool(self.truth)
        if truth is self.truth:
            return False
        self.truth = truth
        return True

    def recall(self, point: str, value: Value) -> bool | None:
        """Whether it would have been beyond."""
        if point != self._point or not isinstance(value, float):
            return None
        return not self._least <= value <= self._most

    def evidence(self) -> Evidence:
        """The value, and the bound that it passed."""
        if self.value is None:
            return Evidence(self._device, self._point)
        limit = self._most if self.value > self._back_most or self._least == -inf else self._least
        return Evidence(self._device, self._point, self.value, limit, POINTS[self._point].unit)

    def snapshot(self) -> list[float | bool | None]:
        """See the base."""
        return [self.truth, self.value]

    def restore(self, state: list[float | bool | None]) -> None:
        """See the base."""
        self.truth, self.value = state  # type: ignore[assignment] # as `snapshot` wrote it


class _Equal(Node):
    """A word, or true or false."""

    __slots__ = ("_device", "_point", "_wanted")

    def __init__(self, point: str, wanted: bool | str, device: str) -> None:  # noqa: FBT001 - a value
        super().__init__()
        self._point, self._wanted, self._device = point, wanted, device

    def take(self, value: Value, _reading: Reading) -> bool:
        """See `Take`."""
        truth = value == self._wanted
        if truth is self.truth:
            return False
        self.truth = truth
        return True

    def recall(self, point: str, value: Value) -> bool | None:
        """Whether it would have been equal."""
        return value == self._wanted if point == self._point else None

    def evidence(self) -> Evidence:
        """The word."""
        return Evidence(self._device, self._point, self._wanted if self.truth else None)

    def snapshot(self) -> bool | None:
        """See the base."""
        return self.truth

    def restore(self, state: bool | None) -> None:  # noqa: FBT001 - as `snapshot` wrote it
        """See the base."""
        self.truth = state
