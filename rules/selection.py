"""Which devices a rule is about."""

from collections.abc import Iterable
from typing import Annotated, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field

from devices.register import Device, Identifier, Kind, Model, Place, TagValue

_Item = TypeVar("_Item")


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


OneOrMore: TypeAlias = Annotated[list[_Item], BeforeValidator(_listed), Field(min_length=1)]
"""One value, or a list of them."""


class Selection(Model):
    """Devices that have all of these; of a list, one of its entries. Left out: any."""

    kind: OneOrMore[Kind] | None = None
    building: OneOrMore[Place] | None = None
    floor: OneOrMore[Place] | None = None
    area: OneOrMore[Place] | None = None
    device: OneOrMore[Identifier] | None = Field(None, description="Ids in the register.")
    profile: OneOrMore[str] | None = None
    tags: dict[str, OneOrMore[TagValue]] = Field(default_factory=dict, description="Tags of the register's own.")

    def __contains__(self, device: Device) -> bool:
        """Whether a device is meant."""
        for name in ("kind", "building", "floor", "area", "profile"):
            wanted = getattr(self, name)
            if wanted is not None and getattr(device, name) not in wanted:
                return False
        if self.device is not None and device.id not in self.device:
            return False
        return all(device.tags.get(tag) in wanted for tag, wanted in self.tags.items())

    def pick(self, devices: Iterable[Device]) -> list[Device]:
        """The devices that are meant, in their order."""
        return [device for device in devices if device in self]
