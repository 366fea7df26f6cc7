"""`usage`: what was used in an hour, a day, a week or a month, against a budget or the same time before."""

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self, TypeAlias

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from devices.counting.steps import Step
from devices.points import POINTS
from devices.quantities import parse_quantity
from devices.register import Device, Text
from rules.alerts import Evidence
from rules.conditions.meters import RegisterName, explain_missing
from rules.conditions.node import Condition, Node, Scope
from rules.localtime import PeriodName, Periods
from rules.tally import Ledger, Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devices.counting.consumption import Consumption
    from devices.reading import Value

_SHARE = re.compile(r"(\d+(?:\.\d+)?) ?% of last (week|month)", re.ASCII)

_PERIODS_ZH: dict[PeriodName, str] = {"hour": "每小时", "day": "每日", "week": "每周", "month": "每月"}
_BASES_ZH = {"week": "上周同期的", "month": "上月的"}


class Budget(NamedTuple):
    """How much may be used.

    Attributes:
        text: as it was written.
        share: of what was used before, 1.3 for `130 % of …`; 0 where it is a quantity.
        base: week or month; "" where it is a quantity.
    """

    text: str
    share: float = 0.0
    base: str = ""


def read_budget(value: object) -> object:
    """`12 m³` or `130 % of last week` as a Budget.

    Raises:
        ValueError: it is no text.
    """
    if isinstance(value, Budget):
        return value
    if not isinstance(value, str):
        raise ValueError(f"expected a quantity such as 12 m³, or 130 % of last week, got {value!r}")  # noqa: TRY004 - pydantic turns a ValueError into a message
    match = _SHARE.fullmatch(value.strip())
    return Budget(value.strip(), float(match[1]) / 100, match[2]) if match else Budget(value.strip())


BudgetField: TypeAlias = Annotated[
    Budget,
    BeforeValidator(read_budget),
    PlainSerializer(lambda budget: budget.text, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["12 m³", "300 kWh", "130 % of last week"]}),
]
"""A budget as a model's field."""


class Usage(Condition):
    """More or less used in a period than a budget allows.

    `above` is true as soon as the running period passes the budget, and until a whole period has stayed within it.
    `below` is judged when a period is over. Against the week before, an hour or a day is compared with the same one
    then; where next to nothing was used then, join it with a budget by `all`.
    """

    summary: ClassVar[str] = "what was used in a period, against a budget or the same time before"

    point: RegisterName = Field(description="The register that counts.")
    above: BudgetField | None = Field(None, description="A quantity, or a share such as `130 % of last week`.")
    below: BudgetField | None = Field(None, description="Likewise; judged when the period is over.")
    per: PeriodName = Field(description="By the site's clocks; weeks begin on Monday.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError(f"expected one of above and below, got {'both' if self.above else 'none'}")
        base = "month" if self.per == "month" else "week"
        if not self.budget.base:
            if parse_quantity(self.budget.text, POINTS[self.point].unit) < 0.0:
                raise ValueError(f"expected 0 or more, got {self.budget.text!r}")
        elif self.budget.base != base:
            raise ValueError(f"per {self.per}: expected a share of last {base}, got {self.budget.text!r}")
        elif not self.budget.share:
            raise ValueError(f"expected a share of more than 0 %, got {self.budget.text!r}")
        return self

    @property
    def budget(self) -> Budget:
        """The one that is given."""
        budget = self.above or self.below
        assert budget is not None  # noqa: S101 - the model's check saw to it
        return budget

    def fits(self, device: Device) -> str:
        """That it has no such register."""
        return explain_missing(device, self.point)

    def build(self, scope: Scope) -> Node:
        """A node that adds up all the devices."""
        node = _Usage(self, Periods(self.per, scope.site.zone), [device.id for device in scope.devices])
        for device, part in zip(scope.devices, node.parts, strict=True):
            scope.listen_steps(device.id, self.point, part.take_step)
        return node

    def describe(self) -> Text:
        """See the base."""
        budget, is_above = self.budget, self.above is not None
        text = f"{budget.share * 100:.15g} %" if budget.base else budget.text
        of_en = f" of last {budget.base}" if budget.base else ""
        of_zh = _BASES_ZH.get(budget.base, "")
        return Text(
            en=f"the rise of {self.point} in one {self.per} is {'above' if is_above else 'below'} {text}{of_en}",
            zh=f"{_PERIODS_ZH[self.per]} {self.point} 的用量{'高于' if is_above else '低于'}{of_zh} {text}",
        )


class _Part(Tally):
    """What one of the devices used; it tells the node."""

    __slots__ = ("_index", "_usage")

    def __init__(self, periods: Periods, usage: "_Usage", index: int) -> None:
        super().__init__(periods)
        self._usage, self._index = usage, index

    def take_step(self, step: Step) -> bool:
        """See `TakeStep`."""
        before = self.amount
        ended = self.feed(step)
        if not ended and self.start == self._usage.start:
            return self._usage.add(self.amount - before)
        return self._usage.move(self._index, self.start, self.amount, ended)


class _Usage(Node):
    """The devices' sum in the running period, and in each when it is over.

    Attributes:
        parts: one for each device.
        start: of the running period, UTC ns.
    """

    __slots__ = (
        "_budget", "_device", "_earlier", "_fixed", "_history", "_is_above", "_judged", "_ledger", "_limit", "_per",
        "_periods", "_point", "_sum", "parts", "start",
    )  # fmt: skip

    def __init__(self, plan: Usage, periods: Periods, devices: list[str]) -> None:
        super().__init__()
        self._point, self._per, self._is_above = plan.point, plan.per, plan.above is not None
        self._periods, self._budget = periods, plan.budget
        self._device = devices[0] if len(devices) == 1 else ""
        self.parts = tuple(_Part(periods, self, index) for index in range(len(devices)))
        self._ledger = Ledger(len(devices))
        self._fixed = None if plan.budget.base else parse_quantity(plan.budget.text, POINTS[plan.point].unit)
        self._history: dict[int, float] = {}  # amounts that a share may refer to, by their start, the oldest first
        self.start = 0
        self._earlier = 0  # start of the period that it is compared with
        self._sum = 0.0
        self._limit: float | None = None  # of the running period
        self._judged: tuple[float, float] | None = None  # amount and limit of the last period that was judged whole

    def add(self, amount: float) -> bool:
        """A device has used so much more in the running period; answers as a `TakeStep` does."""
        self._sum += amount
        if self.truth is not True and self._is_passed():
            self.truth = True
            return True
        return False

    def move(self, index: int, start: int, amount: float, ended: "Sequence[Consumption]") -> bool:
        """A device has come to the period that begins at `start` and used so much in it; answers likewise."""
        if start > self.start:
            self.start, self._sum = start, 0.0
            self._earlier = self._find_earlier(start)
            self._limit = self._find_limit(self._earlier)
        for total in ended:
            amounts = self._ledger.enter(index, total)
            if amounts is not None:
                self._judge(total.start, sum(amounts))
        return self.add(amount if start == self.start else 0.0) or bool(ended)

    def _is_passed(self) -> bool:
        return self._is_above and self._limit is not None and self._sum > self._limit

    def _judge(self, start: int, amount: float) -> None:
        """A period is over, for all devices."""
        earlier = self._find_earlier(start)
        limit = self._find_limit(earlier)
        self._remember(start, amount, earlier)
        if limit is not None:
            self._judged = amount, limit
            self.truth = amount > limit or self._is_passed() if self._is_above else amount < limit

    def _remember(self, start: int, amount: float, earlier: int) -> None:
        if self._budget.base:
            history = self._history
            history[start] = amount
            while (oldest := next(iter(history))) < earlier:
                del history[oldest]
            if start == self._earlier:
                self._limit = amount * self._budget.share

    def _find_earlier(self, start: int) -> int:
        return self._periods.find_earlier(start) if self._budget.base else 0

    def _find_limit(self, earlier: int) -> float | None:
        if not self._budget.base:
            return self._fixed
        before = self._history.get(earlier)
        return None if before is None else before * self._budget.share

    def evidence(self) -> Evidence:
        """What was used, in the running period where that has passed its budget, else in the last whole one."""
        details: dict[str, Value] = {"per": self._per}
        shown = (self._sum, self._limit) if self._is_passed() else self._judged
        if shown is None:
            return Evidence(self._device, self._point, None, None, POINTS[self._point].unit, details)
        amount, limit = shown
        if self._budget.base and limit is not None:
            details[f"last_{self._budget.base}"] = limit / self._budget.share
        return Evidence(self._device, self._point, amount, limit, POINTS[self._point].unit, details)

    def snapshot(self) -> list[Any]:
        """See the base."""
        tallies = [part.snapshot() for part in self.parts]
        judged = list(self._judged) if self._judged else None
        running = [self.start, self._earlier, self._sum, self._limit]
        return [self.truth, tallies, self._ledger.snapshot(), list(self._history.items()), running, judged]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, tallies, ledger, history, running, judged = state
        self.start, self._earlier, self._sum, self._limit = running
        for part, tally in zip(self.parts, tallies, strict=True):
            part.restore(tally)
        self._ledger.restore(ledger)
        self._history = dict(history)
        self._judged = (judged[0], judged[1]) if judged else None
