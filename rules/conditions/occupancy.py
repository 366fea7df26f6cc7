"""`occupancy`: nobody is in a place, somebody is, or too many are."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from devices.durations import write_duration
from devices.reading import Reading, Value
from devices.register import Device, Duration, Text
from devices.timestamps import format_rfc3339
from rules.alerts import Evidence
from rules.conditions.node import Condition, Node, Scope
from rules.occupancy import STAY, Boundary
from rules.site import area_of

_DEPTH = 3


class Occupied(Condition):
    """How many people are in a place, counted from who is let in and out at its doors, or by a people counter.

    What `empty` means depends on what there is: with readers on the ways in and out, all who came in have gone out;
    with readers on the ways in alone, nobody came in for as long as `stay`; with a counter that tells `occupancy` in
    this very area, the counter shows nobody, and doors do not matter. Whoever is not heard of for `stay` is taken for
    gone. For as long after the first start it is not known who is inside: then it can be occupied, but never empty.
    """

    summary: ClassVar[str] = "nobody, somebody, or too many people in a place"

    area: str = Field(
        "", description="`building/floor/area`, or a larger place; left out: the subject's own.", examples=["A/2F/lab"]
    )
    is_: Literal["empty", "occupied"] | None = Field(None, alias="is", description="Nobody is there, or somebody is.")
    above: int | None = Field(None, ge=1, description="More people than this are there.")
    stay: Duration = Field(
        STAY,
        le=STAY,
        description="Whoever is not heard of for so long has left; where nobody badges out, how long a visit lasts.",
    )

    @field_validator("area")
    @classmethod
    def _check_area(cls, area: str) -> str:
        parts = area.split("/")
        if area and (not all(parts) or len(parts) > _DEPTH):
            raise ValueError(
                f"expected building/floor/area such as A/2F/lab, or building/floor, or building, got {area!r}"
            )
        return area

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.is_ is None) == (self.above is None):
            raise ValueError(f"expected one of is and above, got {'none' if self.is_ is None else 'both'}")
        return self

    def fits(self, device: Device) -> str:
        """See the base."""
        return "" if self.area or area_of(device) else "no place"

    def build(self, scope: Scope) -> Node:
        """See the base."""
        place = self._find_place(scope)
        doors = Boundary(place, scope.site).doors
        node = _Occupied(self, place, scope.now + self.stay if doors else None)
        scope.listen_occupancy(place, node.take_count)
        for device in scope.site.devices_at(place):
            if area_of(device) == place:
                scope.listen(device.id, "occupancy", node.take_people)
        return node

    def _find_place(self, scope: Scope) -> str:
        match scope.subject.kind:
            case _ if self.area:
                return self.area
            case "device":
                return area_of(scope.devices[0])
            case "site":
                return ""
        return scope.subject.id

    def describe(self) -> Text:
        """See the base."""
        en, zh = self.area or "its area", self.area or "所在区域"
        if self.above is not None:
            text = Text(en=f"more than {self.above} people are in {en}", zh=f"{zh}内超过 {self.above} 人")
        elif self.is_ == "occupied":
            text = Text(en=f"somebody is in {en}", zh=f"{zh}内有人")
        else:
            text = Text(en=f"nobody is in {en}", zh=f"{zh}内无人")
        if self.stay == STAY:
            return text
        stay = write_duration(self.stay)
        return Text(
            en=f"{text.en} (whoever is not heard of for {stay} has left)",
            zh=f"{text.zh}（{stay} 无记录者视为已离开）",
        )


class _Occupied(Node):
    """One place. What doors say and what counters say are alike: so many people, and when that was last heard."""

    __slots__ = ("_above", "_certain_from", "_counters", "_doors", "_empty", "_now", "_place", "_stay")

    def __init__(self, condition: Occupied, place: str, certain_from: int | None) -> None:
        super().__init__()
        self._place, self._stay = place, condition.stay
        self._above, self._empty = condition.above or 0, condition.is_ == "empty"
        self._certain_from = certain_from  # when all who were inside at the start have gone; None where nobody tells
        self._doors: tuple[float, int] | None = None  # people, and when the last of them was heard of
        self._counters: dict[str, tuple[float, int]] = {}  # likewise, by device
        self._now = 0
        self.due = certain_from

    def take_count(self, people: int, seen: int) -> bool:
        """See `TakeCount`."""
        self._doors = people, seen
        return self._judge(seen)

    def take_people(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        self._counters[reading.device] = value, reading.time  # type: ignore[assignment] # a point's type is fixed
        return self._judge(reading.time)

    def advance(self, time: int) -> None:
        """See the base."""
        self._judge(time)

    def _judge(self, time: int) -> bool:
        """Weighs all that was heard; whether the truth has changed, or `due` come nearer."""
        before, due_before = self.truth, self.due
        self._now = max(self._now, time)
        certain = bool(self._counters) or (self._certain_from is not None and self._certain_from <= self._now)
        dues = [] if certain or self._certain_from is None else [self._certain_from]
        dues += [seen + self._stay for people, seen in self._heard() if people and seen + self._stay > self._now]
        self.due = min(dues, default=None)
        many = self.people > self._above
        self.truth = many != self._empty if many or certain else None
        return self.truth is not before or (self.due is not None and (due_before is None or self.due < due_before))

    def _heard(self) -> list[tuple[float, int]]:
        return list(self._counters.values()) or ([self._doors] if self._doors else [])

    @property
    def people(self) -> float:
        """How many there are."""
        return sum(people for people, seen in self._heard() if seen + self._stay > self._now)

    def evidence(self) -> Evidence:
        """How many people, and when the last of them was heard of."""
        last = max((seen for _, seen in self._heard()), default=0)
        details: dict[str, Value] = {"area": self._place}
        if last:
            details["last_seen"] = format_rfc3339(last)
        limit = float(self._above) if self._above else None
        return Evidence("", "occupancy", float(self.people), limit, "", details)

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [self.truth, self.due, self._certain_from, self._doors, dict(self._counters), self._now]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self.due, self._certain_from, doors, counters, self._now = state
        self._doors = tuple(doors) if doors else None
        self._counters = {device: tuple(heard) for device, heard in counters.items()}
