"""The reports' plan: config/reports.yaml as a model. Its fields are the only definition of what may stand there."""

from collections.abc import Collection, Iterator
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, ValidationInfo, WithJsonSchema, field_serializer, field_validator, model_validator

from collector.crosscheck import miss
from collector.reports.delivery import Delivery
from devices.clashes import Clash
from devices.misfits import Misfit, refuse
from devices.places import Places
from devices.quantities import Quantity, parse_quantity, write_quantity
from devices.register import METERED, Identifier, Model, Place, Register, TagValue, Text
from rules.calendars import Calendars, Hours, HoursField
from rules.selection import OneOrMore
from tickets.tariffs import UNITS, Utility, Validity

_NIGHT = Hours(2 * 60, 5 * 60)

Amount: TypeAlias = Annotated[
    float,
    Field(gt=0),
    WithJsonSchema({"type": "string", "examples": ["120 MWh", "800 m³"]}),
]
"""So much of a utility, in its unit."""


class Temperature(Model):
    """Where the outdoor temperature comes from, and from where on heating and cooling are counted."""

    device: Identifier = Field(description="Id of a sensor outdoors that tells temperature_c.")
    heating_below: Annotated[float, Quantity("°C")] = Field(
        18.0, description="A day whose mean is below has heating degree days."
    )
    cooling_above: Annotated[float, Quantity("°C")] = Field(
        26.0, description="A day whose mean is above has cooling degree days."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.cooling_above < self.heating_below:
            raise ValueError(
                f"expected cooling_above at {self.heating_below:g} °C or more, which is heating_below,"
                f" got {self.cooling_above:g} °C"
            )
        return self


class Category(Model):
    """What something is used for."""

    name: Text = Field(Text(), description="What people call it.")
    values: OneOrMore[TagValue] = Field(description="Values of the tag that belong to it.")


class Categories(Model):
    """What meters measure, by a tag of the register."""

    tag: Identifier = Field(description="One of the register's tags, such as circuit.")
    groups: dict[Identifier, Category] = Field(description="Categories by id.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._find_misfits())
        return self

    def _find_misfits(self) -> Iterator[Misfit]:
        """A value belongs to one category, or what it counts would be counted twice."""
        taken: dict[str, str] = {}
        for name, category in self.groups.items():
            for number, value in enumerate(category.values):
                other = taken.setdefault(value, name)
                if other != name:
                    yield Misfit(("groups", name, "values", number), f"{value!r} belongs to {other} already")

    def find(self, value: str) -> str | None:
        """The category of a tag's value."""
        return next((name for name, category in self.groups.items() if value in category.values), None)


class Budget(Validity):
    """What should not be exceeded."""

    utility: Utility = Field(description="electricity or water.")
    per: Literal["month", "year"] = Field(description="A month or a year of the calendar.")
    amount: Amount = Field(description="Such as 120 MWh or 800 m³.")
    building: Place | None = Field(None, description="Of one building; left out: of the site.")
    category: Identifier | None = Field(None, description="Of one category; left out: of all.")

    @field_validator("amount", mode="before")
    @classmethod
    def _read_amount(cls, value: object, info: ValidationInfo) -> object:
        utility: Utility = info.data.get("utility", "electricity")
        return parse_quantity(value if isinstance(value, str) else str(value), UNITS[utility])

    @field_serializer("amount", when_used="json")
    def _write_amount(self, amount: float) -> str:
        return write_quantity(amount, UNITS[self.utility])


class ReportPlan(Model):
    """config/reports.yaml."""

    working_hours: Identifier | None = Field(
        None, description="A calendar of calendars.yaml that says when the site is in use; the rest is off hours."
    )
    night: HoursField = Field(_NIGHT, description="When hardly any water is needed: the least that flows then is told.")
    temperature: Temperature | None = Field(None, description="For degree days.")
    categories: Categories | None = Field(None, description="What meters measure.")
    budgets: list[Budget] = Field(default_factory=list, description="What should not be exceeded.")
    deliveries: list[Delivery] = Field(default_factory=list, description="Which reports are sent to whom, and when.")


def find_plan_clashes(
    plan: ReportPlan, register: Register | None, places: Places | None, calendars: Calendars | None
) -> Iterator[Clash]:
    """What the plan names and is not there, and budgets that hold at once.

    Args:
        plan: what it says.
        register: None where it is wrong itself, so that nothing can be said of it; likewise what follows.
        places: of places.yaml; where it lists none, those in which devices stand.
        calendars: of calendars.yaml.
    """
    if calendars is not None and plan.working_hours and plan.working_hours not in calendars.calendars:
        yield Clash(("working_hours",), miss("calendar", plan.working_hours, calendars.calendars))
    if register is not None:
        yield from _check_register(plan, register)
        if places is not None:
            buildings = {building.id for building in places.buildings} or {device.building for device in register}
            yield from _check_names(plan, "building", buildings - {""})
    yield from _check_names(plan, "category", plan.categories.groups if plan.categories else ())
    yield from _find_double(plan)


def _check_register(plan: ReportPlan, register: Register) -> Iterator[Clash]:
    devices = register.by_id()
    if plan.temperature is not None:
        name = plan.temperature.device
        if name not in devices:
            yield Clash(("temperature", "device"), miss("device", name, devices))
        elif devices[name].kind != "sensor":
            message = f"{name!r} is of kind {devices[name].kind}; expected a sensor that tells temperature_c"
            yield Clash(("temperature", "device"), message)
    if plan.categories is not None:
        tag = plan.categories.tag
        if tag not in register.tags:
            yield Clash(("categories", "tag"), miss("tag", tag, register.tags))
            return
        values = {device.tags[tag] for device in register if device.kind in METERED and tag in device.tags}
        for name, category in plan.categories.groups.items():
            for number, value in enumerate(category.values):
                if value not in values:
                    path = ("categories", "groups", name, "values", number)
                    yield Clash(path, miss("meter with", f"{tag}: {value}", {f"{tag}: {each}" for each in values}))


def _check_names(plan: ReportPlan, key: Literal["building", "category"], known: Collection[str]) -> Iterator[Clash]:
    """What budgets are of."""
    for number, budget in enumerate(plan.budgets):
        name = getattr(budget, key)
        if name is not None and name not in known:
            yield Clash(("budgets", number, key), miss(key, name, known))


def _find_double(plan: ReportPlan) -> Iterator[Clash]:
    """Of one thing there is one budget at a time."""
    for number, budget in enumerate(plan.budgets):
        for before, other in enumerate(plan.budgets[:number]):
            same = (budget.utility, budget.building, budget.category) == (
                other.utility,
                other.building,
                other.category,
            )
            first, second = sorted((budget, other), key=lambda each: each.from_)
            if same and (first.until is None or second.from_ <= first.until):
                message = f"on {second.from_} another budget of the same holds already; let one end with `until`"
                yield Clash(("budgets", number, "from"), message, ("budgets", before))
