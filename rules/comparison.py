"""Comparisons: a value beyond a bound, with a deadband on the way back, or equal to a word."""

from math import inf
from typing import Self

from pydantic import Field, StrictBool, StrictStr, model_validator

from devices.points import POINTS
from devices.reading import Reading, Value
from devices.register import Device, Model, Text
from devices.values import VOCABULARY, suggest
from rules.alerts import Evidence
from rules.bounds import Bound, BoundField, PointName, check_bound, miss_rating
from rules.conditions.node import Node, Scope

_KINDS = ("above", "below", "outside", "equals")


class Comparison(Model):
    """A value above, below or outside a bound, or equal to a word."""

    point: PointName = Field(description="What is compared.")
    above: BoundField | None = Field(None, description="True where the value is higher.")
    below: BoundField | None = Field(None, description="True where the value is lower.")
    outside: tuple[BoundField, BoundField] | None = Field(None, description="[least, most] of what is good.")
    equals: StrictBool | StrictStr | None = Field(
        None, description="For points that are no quantity: true, open, denied."
    )
    clear_below: BoundField | None = Field(None, description="With `above`: below what it is good again.")
    clear_above: BoundField | None = Field(None, description="With `below`: above what it is good again.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.check_comparison()
        return self

    def check_comparison(self) -> None:
        """Looks at everything that can be told before any device is known.

        Raises:
            ValueError: what is wrong, and what was expected.
        """
        given = [name for name in _KINDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of above, below, outside and equals, got {' and '.join(given) or 'none'}")
        point = POINTS[self.point]
        if (point.type is float) == (self.equals is not None):
            wanted = "above, below or outside" if point.type is float else "equals"
            raise ValueError(f"{given[0]}: {point.name} is compared with {wanted}")
        if self.equals is not None:
            self._check_word(self.equals)
        for bound in self._bounds():
            check_bound(bound, point.unit)
        for clear, partner in (("clear_below", "above"), ("clear_above", "below")):
            if getattr(self, clear) is not None and getattr(self, partner) is None:
                raise ValueError(f"{clear} goes with {partner}, which is missing here")
        reason = self._find_disorder(None)
        if reason:
            raise ValueError(reason)

    def _check_word(self, word: bool | str) -> None:  # noqa: FBT001 - a value
        if isinstance(word, bool) != (POINTS[self.point].type is bool):
            wanted = "true or false" if POINTS[self.point].type is bool else "a text"
            raise ValueError(f"equals: {self.point} is {wanted}, got {word!r}")
        words = VOCABULARY.get(self.point)
        if words is not None and word not in words:
            hint = suggest(str(word), sorted(words))
            expected = f"expected one of {', '.join(sorted(words))}"
            raise ValueError(f"equals: {self.point} is never {word!r}; {hint or expected}")

    def _bounds(self) -> list[Bound]:
        single = (self.above, self.below, self.clear_below, self.clear_above)
        return [*(bound for bound in single if bound is not None), *(self.outside or ())]

    def _find_disorder(self, device: Device | None) -> str:
        """Which two bounds lie the wrong way round; "" where none do, or where only a device's rating can tell."""
        unit = POINTS[self.point].unit
        low, high = self.outside or (None, None)
        pairs = (
            (self.clear_below, self.above, "clear_below lies above `above`, expected at or below it"),
            (self.below, self.clear_above, "clear_above lies below `below`, expected at or above it"),
            (low, high, "outside: expected [least, most]"),
        )
        for lower, upper, message in pairs:
            if lower is None or upper is None:
                continue
            if device is None and lower.rating and lower.rating == upper.rating:
                disordered = lower.share > upper.share
            elif device is None and (lower.rating or upper.rating):
                continue
            else:
                disordered = lower.resolve(unit, device) > upper.resolve(unit, device)
            if disordered:
                return f"{message}, got {lower.text} and {upper.text}"
        return ""

    def fits(self, device: Device) -> str:
        """The rating that is missing, or the bounds that a rating puts the wrong way round; else ""."""
        return miss_rating(self._bounds(), device) or self._find_disorder(device)

    def compare(self, device: Device) -> "Beyond | Equal":
        """The node that takes the values of one device."""
        if self.equals is not None:
            return Equal(self.point, self.equals, device.id)
        unit = POINTS[self.point].unit

        def resolve(bound: Bound | None, default: float) -> float:
            return default if bound is None else bound.resolve(unit, device)

        low, high = self.outside or (self.below, self.above)
        least, most = resolve(low, -inf), resolve(high, inf)
        return Beyond(
            self.point, least, most, resolve(self.clear_above, least), resolve(self.clear_below, most), device.id
        )

    def listen(self, scope: Scope, device: Device) -> Node:
        """The same, which listens."""
        node = self.compare(device)
        scope.listen(device.id, self.point, node.take)
        return node

    def describe(self) -> Text:
        """In words: `voltage_v is above 253 V`."""
        point = self.point
        if self.equals is not None:
            word = str(self.equals).lower() if isinstance(self.equals, bool) else self.equals
            return Text(en=f"{point} is {word}", zh=f"{point} 为 {word}")
        if self.outside is not None:
            low, high = (bound.describe() for bound in self.outside)
            return Text(en=f"{point} is outside {low.en} to {high.en}", zh=f"{point} 超出 {low.zh} 至 {high.zh}")
        bound, clear = (self.above, self.clear_below) if self.above is not None else (self.below, self.clear_above)
        (over, sign), (back, back_sign) = ("above", "高于"), ("below", "低于")
        if self.above is None:
            (over, sign), (back, back_sign) = (back, back_sign), (over, sign)
        words = bound.describe() if bound is not None else Text()
        en, zh = f"{point} is {over} {words.en}", f"{point} {sign} {words.zh}"
        if clear is not None:
            words = clear.describe()
            en, zh = f"{en}, until it is {back} {words.en}", f"{zh}，直到{back_sign} {words.zh}"
        return Text(en=en, zh=zh)


class Beyond(Node):
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
        if self._back_least <= value <= self._back_most:  # type: ignore[operator] # a point's type is fixed
            truth = False
        elif value > self._most or value < self._least:  # type: ignore[operator] # likewise
            truth = True
        elif value != value:  # noqa: PLR0124 - what is no number says nothing
            return False
        else:
            truth = bool(self.truth)
        self.value = value  # type: ignore[assignment] # likewise
        if truth is self.truth:
            return False
        self.truth = truth
        return True

    def recall(self, device: str, point: str, value: Value, before: bool | None) -> bool | None:  # noqa: FBT001 - a truth
        """Whether it would have been beyond; in the deadband that depends on what was before."""
        if device != self._device:
            return None
        if point != self._point or not isinstance(value, float):
            return before
        if self._back_least <= value <= self._back_most:
            return False
        return True if value > self._most or value < self._least else before

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


class Equal(Node):
    """A word, or true or false."""

    __slots__ = ("_device", "_point", "_wanted", "value")

    def __init__(self, point: str, wanted: bool | str, device: str) -> None:  # noqa: FBT001 - a value
        super().__init__()
        self._point, self._wanted, self._device = point, wanted, device
        self.value: Value | None = None

    def take(self, value: Value, _reading: Reading) -> bool:
        """See `Take`."""
        truth = value == self._wanted
        self.value = value
        if truth is self.truth:
            return False
        self.truth = truth
        return True

    def recall(self, device: str, point: str, value: Value, before: bool | None) -> bool | None:  # noqa: FBT001 - a truth
        """Whether it would have been equal."""
        if device != self._device:
            return None
        return value == self._wanted if point == self._point else before

    def evidence(self) -> Evidence:
        """The word."""
        return Evidence(self._device, self._point, self.value)

    def snapshot(self) -> list[Value | None]:
        """See the base."""
        return [self.truth, self.value]

    def restore(self, state: list[Value | None]) -> None:
        """See the base."""
        self.truth, self.value = state  # type: ignore[assignment] # as `snapshot` wrote it
