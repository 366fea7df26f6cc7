"""Placeholder until its owner writes it."""

from typing import Any


class Codec:
    """Placeholder."""

    def __init__(self, source: str, name: str) -> None:
        """Placeholder."""

    def decode(self, data: bytes, port: int) -> Any:  # noqa: ANN401 - placeholder
        """Placeholder."""
        raise NotImplementedError
