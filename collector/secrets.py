"""Secrets: from the environment, else from the files that the settings name. Nothing here is ever logged."""

import os
from pathlib import Path

from collector.errors import CollectorError
from collector.settings import Database, InfluxStore, Mqtt, read_secret

MQTT_PASSWORD = "SITEWARD_MQTT_PASSWORD"  # noqa: S105 - the name of a variable
STORE_TOKEN = "SITEWARD_STORE_TOKEN"  # noqa: S105 - the name of a variable
STORE_PASSWORD = "SITEWARD_STORE_PASSWORD"  # noqa: S105 - the name of a variable
DESK_PASSWORD = "SITEWARD_DESK_PASSWORD"  # noqa: S105 - the name of a variable
NOTIFY_PREFIX = "SITEWARD_NOTIFY_"


def mqtt_password(settings: Mqtt) -> str | None:
    """The broker's password, None where there is none.

    Raises:
        CollectorError: its file cannot be read, or holds nothing.
    """
    return _find(MQTT_PASSWORD, settings.password_file)


def store_token(settings: InfluxStore) -> str | None:
    """The token for InfluxDB's v2 interface, None where there is none.

    Raises:
        CollectorError: its file cannot be read, or holds nothing.
    """
    return _find(STORE_TOKEN, settings.token_file)


def store_password(settings: InfluxStore) -> str | None:
    """The password for InfluxDB's v1 interface, None where there is none.

    Raises:
        CollectorError: its file cannot be read, or holds nothing.
    """
    return _find(STORE_PASSWORD, settings.password_file)


def desk_password(settings: Database) -> str | None:
    """The password for the desk's database, None where there is none.

    Raises:
        CollectorError: its file cannot be read, or holds nothing.
    """
    return _find(DESK_PASSWORD, settings.password_file)


def notify_secret(channel: str, path: Path | None) -> str:
    """A channel's URL or key, from SITEWARD_NOTIFY_ and its name in capitals, else from its file.

    Raises:
        CollectorError: there is none, or its file cannot be read, or holds nothing.
    """
    variable = name_notify_variable(channel)
    secret = _find(variable, path)
    if secret is None:
        raise CollectorError(f"notify.channels.{channel}: its secret is missing; name its file or set {variable}")
    return secret


def name_notify_variable(channel: str) -> str:
    """The variable that holds a channel's secret."""
    return NOTIFY_PREFIX + "".join(letter if letter.isalnum() else "_" for letter in channel).upper()


def _find(variable: str, path: Path | None) -> str | None:
    secret = os.environ.get(variable)
    if secret:
        return secret
    if path is None:
        return None
    try:
        secret = read_secret(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CollectorError(f"{path}: cannot read the secret: {reason}; mend the file or set {variable}") from None
    if not secret:
        raise CollectorError(f"{path}: the secret is empty; write it into the file or set {variable}")
    return secret
