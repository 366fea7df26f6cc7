"""The catalog of profiles: a site's own, and the built-in ones, a folder each, read when they are asked for."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import yaml

from devices.language.profile import Profile


class Catalog(Mapping[str, Profile]):
    """Profiles by their id.

    Attributes:
        own: the site's own.
    """

    def __init__(self, own: Mapping[str, Profile] | None = None) -> None:
        """Puts a site's profiles beside the built-in ones.

        Args:
            own: by id; none has the id of a built-in one.
        """
        self.own = dict(own or {})

    def __getitem__(self, name: str) -> Profile:
        """The profile of an id.

        Raises:
            KeyError: there is none.
        """
        return self.own[name] if name in self.own else read_builtin(name)

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield from builtin_folders()

    def __len__(self) -> int:
        return len(self.own) + len(builtin_folders())

    def __contains__(self, name: object) -> bool:
        return name in self.own or name in builtin_folders()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Catalog) and self.own == other.own

    __hash__ = None  # type: ignore[assignment] # its content may be compared, not hashed


@cache
def builtin_folders() -> Mapping[str, Traversable]:
    """The folders of the built-in profiles: profile.yaml, cases.yaml, README.md and codecs."""
    folders = sorted((files("devices") / "profiles").iterdir(), key=lambda folder: folder.name)
    return {folder.name: folder for folder in folders if (folder / "profile.yaml").is_file()}


@cache
def read_builtin(name: str) -> Profile:
    """A built-in profile; the cases beside it are its tests.

    Raises:
        KeyError: there is none of that name.
    """
    folder = builtin_folders()[name]
    content, cases = (
        yaml.load((folder / file).read_bytes(), yaml.CSafeLoader) for file in ("profile.yaml", "cases.yaml")
    )
    profile = Profile.model_validate(content | {"tests": cases})
    return profile.with_codecs(lambda file: (folder / file).read_text(encoding="utf-8"))
