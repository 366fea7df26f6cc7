"""Which devices a rule is about."""

from collections.abc import Iterable
from typing import Annotated, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from devices.register import Device, Identifier, Kind, Model, Place, TagValue

_Item = TypeVar("_Item")


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


class _OneAlone:
    """Tells editors that one entry may stand without its list."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        several = handler(schema)
        return {"anyOf": [several["items"], several]}


OneOrMore: TypeAlias = Annotated[list[_Item], BeforeValidator(_listed), Field(min_length=1), _OneAlone()]
"""One value, or a list of them."""


class Selection(Model):
    """Devices that have all of these; of a list, one of its entries. Left out: any."""

    kind: OneOrMore[Kind] | None = Field(None, description="Left out: every kind.")
    building: OneOrMore[Place] | None = Field(None, description="Left out: every building.")
    floor: OneOrMore[Place] | None = Field(None, description="Left out: every floor.")
    area: OneOrMore[Place] | None = Field(None, description="Left out: every area.")
    device: OneOrMore[Identifier] | None = Field(None, description="Ids in the register.")
    profile: OneOrMore[str] | None = Field(None, description="Left out: every profile.")
    tags: dict[str, OneOrMore[TagValue]] = Field(default_factory=dict, description="Tags of the register's own.")

    def __contains__(self, device: Device) -> bool:
        """Whether a device is meant."""
        return bool(self.pick([device]))

    def pick(self, devices: Iterable[Device]) -> list[Device]:
        """The devices that are meant, in their order."""
        picked = list(devices)
        for name in ("kind", "building", "floor", "area", "profile"):
            wanted = getattr(self, name)
            if wanted is not None:
                picked = [device for device in picked if getattr(device, name) in wanted]
        if self.device is not None:
            ids = frozenset(self.device)
            picked = [device for device in picked if device.id in ids]
        for tag, wanted in self.tags.items():
            picked = [device for device in picked if device.tags.get(tag) in wanted]
        return picked
