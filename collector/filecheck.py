"""The files around a configuration on this machine: can those that it names be read, and only by whom they should."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from pydantic import BaseModel

from collector.configuration import Configuration
from collector.folder import (
    CALENDARS,
    DESK,
    DEVICES_CSV,
    DEVICES_YAML,
    PLACES,
    PROFILES,
    REPLACEMENTS_CSV,
    REPORTS,
    RULE_TESTS,
    RULES,
    SETTINGS,
    TARIFFS,
    Problem,
)
from collector.secrets import DESK_PASSWORD, MQTT_PASSWORD, STORE_PASSWORD, STORE_TOKEN, name_notify_variable
from collector.settings import Settings
from collector.yamlfile import Document
from devices.values import suggest

_Key: TypeAlias = tuple[str, ...]

_VARIABLES: dict[_Key, str] = {
    ("mqtt", "password_file"): MQTT_PASSWORD,
    ("store", "token_file"): STORE_TOKEN,
    ("store", "password_file"): STORE_PASSWORD,
    ("desk", "database", "password_file"): DESK_PASSWORD,
}
"""What stands in for a secret's file in the environment."""

_OPEN = {"ca_file", "cert_file"}
"""Certificates are for everybody; every other file holds a secret."""

_CHANNELS = ("notify", "channels")


class NamedFile(NamedTuple):
    """A file that siteward.yaml names.

    Attributes:
        key: where it stands there.
        path: of the file.
        variable: of the environment, which stands in for it; "" where none does.
        secret: whether it is nobody else's business.
    """

    key: _Key
    path: Path
    variable: str
    secret: bool

    @property
    def exposed(self) -> bool:
        """Whether it is a secret that every user of this machine may read or write."""
        return self.secret and self.path.exists() and bool(self.path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))


def find_missing(configuration: Configuration) -> Iterator[Problem]:
    """Files that siteward.yaml names and that cannot be used."""
    for file in find_named(configuration.settings):
        if os.environ.get(file.variable):
            continue
        hint = f"write it, or set {file.variable}" if file.variable else "put it there, or correct its name"
        try:
            empty = not file.path.read_bytes().strip()
        except OSError as error:
            yield _place(configuration, file.key, f"cannot read {file.path}: {error.strerror}", hint)
        else:
            if empty:
                yield _place(configuration, file.key, f"{file.path} is empty", hint)


def find_exposed(configuration: Configuration) -> Iterator[Problem]:
    """Secret files that everybody on this machine may read or write."""
    for file in find_named(configuration.settings):
        if file.exposed:
            message = f"everybody on this machine may read or write {file.path}"
            yield _place(configuration, file.key, message, f"chmod o= {file.path}")


def find_strangers(configuration: Configuration) -> Iterator[Problem]:
    """Files in the folder that look like configuration and that nothing reads."""
    folder = configuration.folder
    known = (SETTINGS, DEVICES_YAML, DEVICES_CSV, REPLACEMENTS_CSV, PLACES, CALENDARS, TARIFFS, REPORTS, DESK)
    for file in sorted([*folder.iterdir(), *(folder / PROFILES).glob("*"), *(folder / RULES).glob("*")]):
        if file.name.endswith(RULE_TESTS) and file.parent.name == RULES:
            continue
        if file.suffix in {".yaml", ".yml", ".csv"} and file not in configuration.files and file.name[0] != ".":
            hint = suggest(file.name, known) if file.parent == folder else f"{file.parent.name} end in .yaml"
            yield Problem(file, 0, 0, "nothing reads this file", hint)


def find_named(settings: Settings) -> Iterator[NamedFile]:
    """Every `*_file` of the settings that is given."""
    for key, path in _walk(settings, ()):
        variable = name_notify_variable(key[2]) if key[:2] == _CHANNELS else _VARIABLES.get(key, "")
        secret = key[-1] not in _OPEN
        yield NamedFile(key, path, variable if secret else "", secret)


def _walk(part: object, around: _Key) -> Iterator[tuple[_Key, Path]]:
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from _walk(getattr(part, name), (*around, name))
    elif isinstance(part, dict):
        for name, below in part.items():
            yield from _walk(below, (*around, name))
    elif isinstance(part, Path) and around[-1].endswith("_file"):
        yield around, part


def _place(configuration: Configuration, key: _Key, message: str, hint: str) -> Problem:
    file = configuration.folder / SETTINGS
    spot = Document(file.read_text(encoding="utf-8-sig")).locate(key)
    return Problem(file, spot.line, spot.column, f"{key[-1]}: {message}", hint)
