"""Placeholder until its owner writes it."""

from datetime import tzinfo

from devices.message import Part


def open_dsmr(payload: bytes, zone: tzinfo) -> list[Part]:
    """Placeholder."""
    raise NotImplementedError
