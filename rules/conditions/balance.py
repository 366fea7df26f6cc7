"""`balance`: what a main meter counts, against the sum of the sub-meters that it feeds."""

import re
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self, TypeAlias

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from devices.counting.steps import Step
from devices.points import POINTS
from devices.quantities import parse_quantity
from devices.register import METERED, Device, Identifier, Text
from rules.alerts import Evidence
from rules.conditions.logic import any_device
from rules.conditions.meters import main_register
from rules.conditions.node import Condition, Node, Scope
from rules.localtime import Periods
from rules.selection import OneOrMore
from rules.site import Site
from rules.tally import Ledger, Tally

if TYPE_CHECKING:
    from devices.reading import Value

_SHARE = re.compile(r"(\d+(?:\.\d+)?) ?%", re.ASCII)


class Tolerance(NamedTuple):
    """A difference that is no fault.

    Attributes:
        text: as it was written.
        share: of what the main meter counts; 0 where it is a quantity.
        quantity: in the unit of `point`.
        point: the register that it is a quantity of; "" where it is a share.
    """

    text: str
    share: float = 0.0
    quantity: float = 0.0
    point: str = ""


def read_tolerance(value: object) -> object:
    """`5 %`, `20 kWh` or `500 L` as a Tolerance.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, Tolerance):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if match := _SHARE.fullmatch(text):
        return Tolerance(text, share=float(match[1]) / 100)
    for point in METERED.values():
        try:
            quantity = parse_quantity(text, POINTS[point].unit)
        except ValueError:
            continue
        if quantity > 0:
            return Tolerance(text, quantity=quantity, point=point)
    raise ValueError(f"expected a share such as 5 %, an energy such as 20 kWh or a volume such as 500 L, got {value!r}")


ToleranceField: TypeAlias = Annotated[
    Tolerance,
    BeforeValidator(read_tolerance),
    PlainSerializer(lambda tolerance: tolerance.text, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["5 %", "20 kWh", "500 L"]}),
]
"""A tolerance as a model's field."""


class Balance(Condition):
    """A main meter and its sub-meters that do not add up.

    Where the main counts more, something is lost, or drawn past the sub-meters; where the sub-meters count more, a
    meter, a ratio of transformers or places.yaml is wrong. Only periods are judged that every meter knows without a
    hole; it stays true until one is within the tolerance.
    """

    summary: ClassVar[str] = "losses between a main meter and its sub-meters"

    main: Identifier | None = Field(None, description="The main meter; left out: each selected device.")
    subs: OneOrMore[Identifier] | None = Field(
        None, description="The meters below it; left out: what it feeds in places.yaml."
    )
    tolerance: OneOrMore[ToleranceField] = Field(
        description="How much of the main, or how much at all, may be missing; of several, all must be passed."
    )
    per: Literal["hour", "day", "week", "month"] = Field("day", description="What is compared, by the site's clocks.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.main is not None and self.main in (self.subs or ()):
            raise ValueError(f"{self.main} is the main meter and cannot be below itself")
        points = {tolerance.point for tolerance in self.tolerance if tolerance.point}
        if len(points) > 1:
            raise ValueError("expected tolerances of energy or of water, got both")
        return self

    @property
    def _point(self) -> str:
        """The register that the tolerance is a quantity of; "" where it is a share."""
        return next((tolerance.point for tolerance in self.tolerance if tolerance.point), "")

    def fits(self, device: Device) -> str:
        """That it is no meter, or one of something else than the tolerance is of."""
        register = main_register(device)
        if not register:
            return "no register"
        return "" if self._point in ("", register) else f"no {self._point}"

    def misses(self, device: Device, site: Site) -> str:
        """Meters below it."""
        return "" if self.subs or site.subs(self.main or device.id) else "no sub-meters"

    def build(self, scope: Scope) -> Node:
        """A node for the main meter that is named, or for each selected device."""
        if self.main is not None:
            return self._make(scope, scope.site.devices[self.main])
        return any_device(scope, partial(self._make, scope))

    def _make(self, scope: Scope, main: Device) -> Node:
        subs = tuple(self.subs or scope.site.subs(main.id))
        node = _Balance(self, Periods(self.per, scope.site.zone), main, len(subs))
        for index, meter in enumerate((main.id, *subs)):
            scope.listen_steps(meter, main_register(main), partial(node.take_step, index))
        return node

    def describe(self) -> Text:
        """See the base."""
        main, subs = self.main or "a main meter", ", ".join(self.subs or ()) or "its sub-meters"
        main_zh, subs_zh = self.main or "总表", "、".join(self.subs or ()) or "分表"
        tolerance = [each.text for each in self.tolerance]
        per_zh = {"hour": "小时", "day": "日", "week": "周", "month": "月"}[self.per]
        return Text(
            en=f"{main} and the sum of {subs} differ by more than {' and '.join(tolerance)} in one {self.per}",
            zh=f"{main_zh}与{subs_zh}之和每{per_zh}相差超过 {' 且 '.join(tolerance)}",
        )


class _Balance(Node):
    """A main meter, and the sum of those below it, in each period."""

    __slots__ = ("_device", "_judged", "_ledger", "_per", "_point", "_tallies", "_tolerance")

    def __init__(self, plan: Balance, periods: Periods, main: Device, subs: int) -> None:
        super().__init__()
        self._device, self._point, self._per = main.id, main_register(main), plan.per
        self._tolerance = tuple(plan.tolerance)
        self._tallies = [Tally(periods) for _ in range(subs + 1)]
        self._ledger = Ledger(subs + 1)
        self._judged: tuple[float, float] | None = None  # of the last period: the main, and the sum of the others

    def take_step(self, index: int, step: Step) -> bool:
        """See `TakeStep`."""
        changed = False
        for total in self._tallies[index].feed(step):
            amounts = self._ledger.enter(index, total)
            if amounts is not None:
                self._judged = main, _ = amounts[0], sum(amounts[1:])
                truth = abs(self._difference()) > self._find_limit(main)
                changed = changed or truth is not self.truth
                self.truth = truth
        return changed

    def _difference(self) -> float:
        main, subs = self._judged or (0.0, 0.0)
        return main - subs

    def _find_limit(self, main: float) -> float:
        return max(each.quantity if each.point else each.share * main for each in self._tolerance)

    def evidence(self) -> Evidence:
        """What is missing; below zero where the sub-meters count more than the main."""
        if self._judged is None:
            return Evidence(self._device, self._point)
        main, subs = self._judged
        details: dict[str, Value] = {"main": main, "subs": subs, "per": self._per}
        if main:
            details["share_percent"] = round(100 * (main - subs) / main, 2)
        unit = POINTS[self._point].unit
        return Evidence(self._device, self._point, main - subs, self._find_limit(main), unit, details)

    def snapshot(self) -> list[Any]:
        """See the base."""
        judged = list(self._judged) if self._judged else None
        return [self.truth, judged, [tally.snapshot() for tally in self._tallies], self._ledger.snapshot()]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, judged, tallies, ledger = state
        self._judged = (judged[0], judged[1]) if judged else None
        for tally, part in zip(self._tallies, tallies, strict=True):
            tally.restore(part)
        self._ledger.restore(ledger)
