"""The files around a configuration on this machine: can those that it names be read, and only by whom they should."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from collector.configuration import (
    DEVICES_CSV,
    DEVICES_YAML,
    PLACES,
    PROFILES,
    REPLACEMENTS_CSV,
    SETTINGS,
    Configuration,
    Problem,
)
from collector.secrets import MQTT_PASSWORD, STORE_PASSWORD, STORE_TOKEN
from collector.yamlfile import Document
from devices.values import suggest

_VARIABLES = {
    ("mqtt", "password_file"): MQTT_PASSWORD,
    ("store", "token_file"): STORE_TOKEN,
    ("store", "password_file"): STORE_PASSWORD,
}
"""What stands in for a secret's file in the environment."""

_SECRETS = {*_VARIABLES, ("mqtt", "key_file"), ("access", "credential_key_file")}


def find_missing(configuration: Configuration) -> Iterator[Problem]:
    """Files that siteward.yaml names and that cannot be used."""
    for key, path in _find_named(configuration):
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
    for key, path in _find_named(configuration):
        if key in _SECRETS and os.access(path, os.R_OK) and path.stat().st_mode & stat.S_IROTH:
            yield _place(configuration, key, f"everybody on this machine may read {path}", f"chmod o= {path}")


def find_strangers(configuration: Configuration) -> Iterator[Problem]:
    """Files in the folder that look like configuration and that nothing reads."""
    folder = configuration.folder
    known = (SETTINGS, DEVICES_YAML, DEVICES_CSV, REPLACEMENTS_CSV, PLACES)
    for file in sorted([*folder.iterdir(), *(folder / PROFILES).glob("*")]):
        if file.suffix in {".yaml", ".yml", ".csv"} and file not in configuration.files and file.name[0] != ".":
            hint = suggest(file.name, known) if file.parent == folder else "profiles end in .yaml"
            yield Problem(file, 0, 0, "nothing reads this file", hint)


def _find_named(configuration: Configuration) -> Iterator[tuple[tuple[str, str], Path]]:
    """Every `*_file` of the settings that is given: its key, and the file."""
    settings = configuration.settings
    for section, model in (("mqtt", settings.mqtt), ("store", settings.store), ("access", settings.access)):
        for name in type(model).model_fields:
            if name.endswith("_file") and (path := getattr(model, name)) is not None:
                yield (section, name), path


def _place(configuration: Configuration, key: tuple[str, str], message: str, hint: str) -> Problem:
    file = configuration.folder / SETTINGS
    spot = Document(file.read_text(encoding="utf-8-sig")).locate(key)
    return Problem(file, spot.line, spot.column, f"{key[1]}: {message}", hint)
