"""The places of a site: buildings, their floors, and the areas on these."""

from pydantic import Field

from devices.register import Identifier, Model, Place, Text


class Area(Model):
    """A room, a corridor, a yard: the smallest place that is told apart."""

    id: Place = Field(description="Unique on its floor.")
    name: Text = Field(Text(), description="What people call it.")


class Floor(Model):
    """A floor of a building."""

    id: Place = Field(description="Unique in its building.")
    name: Text = Field(Text(), description="What people call it.")
    areas: list[Area] = Field(default_factory=list, description="What is told apart on it.")


class Building(Model):
    """A building, or another part of the site that has floors of its own."""

    id: Place = Field(description="Unique on the site.")
    name: Text = Field(Text(), description="What people call it.")
    floors: list[Floor] = Field(default_factory=list, description="From the lowest to the highest, or in any order.")


class Feed(Model):
    """One main meter and what it feeds."""

    main: Identifier = Field(description="Id of the main meter.")
    subs: list[Identifier] = Field(min_length=1, description="Ids of the sub-meters that it feeds directly.")


class Places(Model):
    """config/places.yaml."""

    buildings: list[Building] = Field(default_factory=list, description="All of the site's.")
    feeds: list[Feed] = Field(default_factory=list, description="Which main meter feeds which sub-meters.")
