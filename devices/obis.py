"""Placeholder until its owner writes it."""

from collections.abc import Callable
from typing import Any

from devices.reading import Value
from devices.register import Model


class Obis(Model):
    """Placeholder."""


def compile_obis(options: Obis) -> Callable[[Any], dict[str, Value]]:
    """Placeholder."""
    raise NotImplementedError
