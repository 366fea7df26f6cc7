"""The files around a configuration on this machine: can those that it names be read, and only by whom they should."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

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
    RULE_TESTS,
    RULES,
    SETTINGS,
    TARIFFS,
    Problem,
)
from collector.secrets import DESK_PASSWORD, MQTT_PASSWORD, STORE_PASSWORD, STORE_TOKEN
from collector.yamlfile import Document
from devices.values import suggest

_VARIABLES: dict[tuple[str, ...], str] = {
    ("mqtt", "password_file"): MQTT_PASSWORD,
    ("store", "token_file"): STORE_TOKEN,
    ("store", "password_file"): STORE_PASSWORD,
    ("desk", "database", "password_file"): DESK_PASSWORD,
}
"""What stands in for a secret's file in the environment."""

_SECRETS: set[tuple[str, ...]] = {*_VARIABLES, ("mqtt", "key_file"), ("access", "credential_key_file")}


def find_missing(configuration: Configuration) -> Iterator[Problem]:
    """Files that siteward.yaml names and that cannot be used."""
    for key, path in _find_named(configuration.settings):
        variable = _VARIABLES.get(key, "")
        if os.environ.get(variable):
            continue
        hint = f"write it, or set {variable}" if variable else "put it there, or correct its name"
        try:
            empty = not path.read_bytes().strip()
        except OSError as error:
            yield _place(configuration, key, f"cannot read {path}: {error.strerror}", hint)
        else:
            if empty:
                yield _place(configuration, key, f"{path} is empty", hint)


def find_exposed(configuration: Configuration) -> Iterator[Problem]:
    """Secret files that everybody on this machine may read."""
    for key, path in _find_named(configuration.settings):
        if key in _SECRETS and os.access(path, os.R_OK) and path.stat().st_mode & stat.S_IROTH:
            yield _place(configuration, key, f"everybody on this machine may read {path}", f"chmod o= {path}")


def find_strangers(configuration: Configuration) -> Iterator[Problem]:
    """Files in the folder that look like configuration and that nothing reads."""
    folder = configuration.folder
    known = (SETTINGS, DEVICES_YAML, DEVICES_CSV, REPLACEMENTS_CSV, PLACES, CALENDARS, TARIFFS, DESK)
    for file in sorted([*folder.iterdir(), *(folder / PROFILES).glob("*"), *(folder / RULES).glob("*")]):
        if file.name.endswith(RULE_TESTS) and file.parent.name == RULES:
            continue
        if file.suffix in {".yaml", ".yml", ".csv"} and file not in configuration.files and file.name[0] != ".":
            hint = suggest(file.name, known) if file.parent == folder else f"{file.parent.name} end in .yaml"
            yield Problem(file, 0, 0, "nothing reads this file", hint)


def _find_named(model: BaseModel, around: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Every `*_file` of the settings that is given: its key, and the file."""
    for name in type(model).model_fields:
        value, key = getattr(model, name), (*around, name)
        if isinstance(value, BaseModel):
            yield from _find_named(value, key)
        elif name.endswith("_file") and value is not None:
            yield key, value


def _place(configuration: Configuration, key: tuple[str, ...], message: str, hint: str) -> Problem:
    file = configuration.folder / SETTINGS
    spot = Document(file.read_text(encoding="utf-8-sig")).locate(key)
    return Problem(file, spot.line, spot.column, f"{key[-1]}: {message}", hint)
