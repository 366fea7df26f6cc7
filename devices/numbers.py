"""Numbers as devices write them: as text too, with a decimal point or a comma, some with their unit behind."""

import re

from devices.values import widen

_NUMBER = r"\s*([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d{1,3})?)\s*"
_ALONE = re.compile(_NUMBER, re.ASCII).fullmatch
_WITH_UNIT = re.compile(_NUMBER + r"(\S.*?)\s*", re.ASCII).fullmatch
_LENGTH_MAX = 60


def number_of(raw: object) -> object:
    """What devices write for a number, made a float; anything else is left alone."""
    if type(raw) is int:
        return widen(raw)
    if type(raw) is str and len(raw) <= _LENGTH_MAX:
        match = _ALONE(raw)
        if match is not None:
            return _read(match[1])
    return raw


def split_quantity(raw: object) -> tuple[float, str] | None:
    """Number and unit of a text such as `12.5 kWh`; None for anything else."""
    match = _WITH_UNIT(raw) if type(raw) is str and len(raw) <= _LENGTH_MAX else None
    return (_read(match[1]), match[2]) if match else None


def _read(digits: str) -> float:
    return float(digits.replace(",", "."))
