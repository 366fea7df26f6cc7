"""Placeholder until its owner writes it."""

from collections.abc import Callable
from typing import Any

from devices.message import Part


def open_lorawan(payload: bytes, decode: Callable[[bytes, int], Any] | None) -> list[Part]:
    """Placeholder."""
    raise NotImplementedError
