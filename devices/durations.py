"""Durations as people write them: `500ms`, `30s`, `15m`, `12h`, `7d`, `2w`, also combined: `1h30m`."""

import re
from decimal import Decimal

NANOSECONDS = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
"""The units and their lengths in nanoseconds."""

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)\s*", re.ASCII)


def parse_duration(text: str) -> int:
    """Turns `1h30m` into nanoseconds.

    Raises:
        ValueError: the text is no duration; the message says what is expected.
    """
    total, position = Decimal(), 0  # a float would lose nanoseconds after 104 days
    for match in _PART.finditer(text):
        if match.start() != position:
            break
        unit = "m" if match[2] == "min" else match[2]
        total += Decimal(match[1]) * NANOSECONDS[unit]
        position = match.end()
    if position != len(text) or not text:
        raise ValueError(f"expected a duration such as 30s, 15m, 12h or 7d, got {text!r}")
    return round(total)


def write_duration(nanoseconds: int) -> str:
    """The text that `parse_duration` reads as exactly that, in the largest unit up to days that divides it: `90m`."""
    unit = next((unit for unit in ("d", "h", "m", "s") if nanoseconds % NANOSECONDS[unit] == 0), "ms")
    return f"{nanoseconds / NANOSECONDS[unit]:.15g}{unit}"


def format_duration(nanoseconds: float) -> str:
    """The two largest parts, for people, up to days: `1h 30m`, `4.2s`."""
    if nanoseconds < 0:
        return f"-{format_duration(-nanoseconds)}"
    seconds = nanoseconds / NANOSECONDS["s"]
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.3g}s"
    parts = []
    rest = round(seconds)
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, NANOSECONDS[unit] // NANOSECONDS["s"])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])
