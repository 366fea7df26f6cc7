"""Mistakes that no part of a configuration can see alone, each with its place."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int | float | bool, ...]
"""Where something stands, such as ("points", "power_kw", 0, "unit")."""


class Misfit(NamedTuple):
    """What does not go with the rest.

    Attributes:
        path: where it stands; of something that is missing, where it should.
        message: what is wrong, and what was expected.
    """

    path: Path
    message: str

    def below(self, *path: str | float) -> "Misfit":
        """The same, seen from further outside."""
        return Misfit((*path, *self.path), self.message)

    def __str__(self) -> str:
        """`points.power_kw.0.unit: expected …`."""
        return ".".join(map(str, self.path)) + ": " + self.message if self.path else self.message


class MisfitError(ValueError):
    """All that does not go together.

    Attributes:
        misfits: at least one.
    """

    def __init__(self, misfits: Iterable[Misfit]) -> None:
        self.misfits = tuple(misfits)
        super().__init__("; ".join(map(str, self.misfits)))


def refuse(misfits: Iterator[Misfit]) -> None:
    """Raises MisfitError where there are any."""
    found = list(misfits)
    if found:
        raise MisfitError(found)
