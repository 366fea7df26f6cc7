"""What stands on a meter's face: its transformers' ratio, the worth of a pulse, where its register starts again."""

import re

from devices.quantities import convert_factor, parse_quantity

_RATIO = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?/ ?(\d{1,9}(?:\.\d{1,9})?)", re.ASCII)
_PULSES = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(?:imp|pulses?)\.? ?/ ?(.+)", re.ASCII)
_BITS = re.compile(r"(\d{1,3}) ?bits?", re.ASCII)
_DIGITS = re.compile(r"(\d{1,2}) ?digits?", re.ASCII)
_NINES = re.compile(r"(9+)(\.9+)? ?([^\d.].*)")

_BITS_RANGE = range(8, 65)


def parse_ratio(text: str) -> float:
    """The factor of a transformer whose plate says `200/5`: 40.

    Raises:
        ValueError: it is none; the message says what is expected.
    """
    match = _RATIO.fullmatch(text)
    if match is None or float(match[2]) == 0:
        raise ValueError(f"expected primary/secondary such as 200/5, got {text!r}")
    ratio = float(match[1]) / float(match[2])
    if ratio < 1:
        raise ValueError(f"expected the primary in front, {match[2]}/{match[1]}, got {text!r}")
    return ratio


def parse_pulse_weight(text: str, unit: str) -> float:
    """What a pulse stands for.

    Args:
        text: a quantity such as `10 L` or `1 Wh`, or the meter's constant: `1600 imp/kWh`.
        unit: what the number is wanted in.

    Raises:
        ValueError: it is neither, or nothing; the message says what is expected.
    """
    constant = _PULSES.fullmatch(text)
    if constant and float(constant[1]) > 0:
        return convert_factor(constant[2], unit)[0] / float(constant[1])
    return _check_positive(parse_quantity(re.sub(r" ?/ ?(imp|pulse)$", "", text), unit), text)


def parse_rollover(text: str, unit: str, pulse_weight: float | None) -> float:
    """Where a register starts again from zero.

    Args:
        text: a quantity such as `100000 m³`, one more than all its digits can show; or how wide it is: `24 bit`, which
            are 16,777,216 pulses.
        unit: what the number is wanted in.
        pulse_weight: what a pulse stands for, in that unit; None where nobody knows.

    Raises:
        ValueError: it is neither, or there are pulses of no weight; the message says what is expected.
    """
    bits = _BITS.fullmatch(text)
    if bits:
        if pulse_weight is None:
            raise ValueError(f"{text!r} counts pulses: give their pulse_weight, or write a quantity in {unit}")
        if int(bits[1]) not in _BITS_RANGE:
            raise ValueError(f"expected {_BITS_RANGE[0]} to {_BITS_RANGE[-1]} bits, got {text!r}")
        return pulse_weight * (1 << int(bits[1]))
    digits = _DIGITS.fullmatch(text)
    if digits:
        raise ValueError(
            f"{text!r} leaves the unit open; write where it starts again from zero: {10 ** int(digits[1])} {unit}"
        )
    value = _check_positive(parse_quantity(text, unit), text)
    nines = _NINES.fullmatch(text)
    if nines and len(nines[1] + (nines[2] or "")) > 2:  # noqa: PLR2004 - 99 kWh may be meant
        end = f"{10 ** len(nines[1])} {nines[3]}"
        raise ValueError(f"{text!r} is the last that it shows; write where it starts again from zero: {end}")
    return value


def _check_positive(value: float, text: str) -> float:
    if value <= 0:
        raise ValueError(f"expected more than 0, got {text!r}")
    return value
