"""`register`: a meter's register that does what none should."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from devices.counting.steps import Step
from devices.durations import NANOSECONDS, write_duration
from devices.points import POINTS
from devices.register import Device, Duration, Text
from rules.alerts import Evidence
from rules.conditions.logic import any_device
from rules.conditions.meters import RegisterName, explain_missing, main_register
from rules.conditions.node import Condition, Node, Scope
from rules.selection import OneOrMore

if TYPE_CHECKING:
    from devices.reading import Value

Fault: TypeAlias = Literal["reset", "backwards", "jump", "rollover", "spike"]

_FAULTS_ZH: dict[str, str] = {
    "reset": "清零", "backwards": "倒走", "jump": "跳变", "rollover": "翻转", "spike": "尖刺",
}  # fmt: skip

_GOOD = frozenset({"count", "slip", "rollover"})
"""Steps that show a register at work."""


class RegisterFault(Condition):
    """A register that was reset, went back, jumped, rolled over, or gave values that cannot be.

    It stays true until the register has counted without a further fault for `good_for`, or another meter takes its
    place.
    """

    summary: ClassVar[str] = "a meter's register that was reset, goes back or jumps"

    fault: OneOrMore[Fault] = Field(description="Which of them; see the glossary.")
    point: RegisterName | None = Field(None, description="The register; left out: energy_import_kwh or volume_m3.")
    good_for: Duration = Field(NANOSECONDS["d"], description="How long it must count well again.")

    def fits(self, device: Device) -> str:
        """That it has no such register."""
        point = self.point or main_register(device)
        return explain_missing(device, point) if point else "no register"

    def build(self, scope: Scope) -> Node:
        """A node for each device."""

        def make(device: Device) -> Node:
            point = self.point or main_register(device)
            node = _RegisterFault(device.id, point, frozenset(self.fault), self.good_for)
            scope.listen_steps(device.id, point, node.take_step)
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        what, length = self.point or "its register", write_duration(self.good_for)
        zh = "、".join(_FAULTS_ZH[name] for name in self.fault)
        return Text(
            en=f"{what} shows a {' or '.join(self.fault)}, until it has counted well for {length}",
            zh=f"{f'{self.point} ' if self.point else '计数器'}出现{zh}，直到正常计数 {length}",
        )


class _RegisterFault(Node):
    """The last fault, and since when the register counts well."""

    __slots__ = ("_count", "_device", "_difference", "_fault", "_faults", "_good_for", "_last", "_point")

    def __init__(self, device: str, point: str, faults: frozenset[str], good_for: int) -> None:
        super().__init__()
        self._device, self._point, self._faults, self._good_for = device, point, faults, good_for
        self._last = 0  # fault's time, UTC ns
        self._fault = ""
        self._difference = 0.0
        self._count = 0  # of faults since the truth was false

    def take_step(self, step: Step) -> bool:
        """See `TakeStep`."""
        kind = step.kind
        if kind in self._faults:
            self._last, self._fault, self._difference = step.end, kind, step.difference
            self._count = self._count + 1 if self.truth else 1
            truth = True
        elif kind == "replacement" or (kind in _GOOD and step.end - self._last >= self._good_for):
            truth = False
        else:
            return False
        if truth is self.truth:
            return False
        self.truth = truth
        return True

    def evidence(self) -> Evidence:
        """The last fault: by how much the register moved then, and how many there were."""
        if not self._fault:
            return Evidence(self._device, self._point)
        details: dict[str, Value] = {"fault": self._fault, "faults": self._count}
        return Evidence(self._device, self._point, self._difference, None, POINTS[self._point].unit, details)

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [self.truth, self._last, self._fault, self._difference, self._count]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self._last, self._fault, self._difference, self._count = state
