"""What one value in the bytes means: whole numbers, parts of them, fractions, decimal digits, texts."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, TypeAlias

from devices.errors import Undecodable
from devices.formats.layout import BinaryField, ByteOrder, Word

Convert: TypeAlias = Callable[[Any], Any]
"""What a number, or bytes, as they are sent mean; None where it is that nothing was measured."""

ORDER_CODES = {"little": "<", "big": ">"}
"""What struct calls the order of bytes."""

PIECES: dict[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "text": lambda piece: piece.decode(errors="replace").rstrip("\0 "),
}
"""What bytes that are no number mean."""

_CODES = {8: "b", 16: "h", 32: "i", 64: "q"}
_FLOAT_CODES = {"float16": "e", "float32": "f", "float64": "d"}


def compile_value(field: BinaryField, order: ByteOrder, label: str) -> tuple[str, Convert | None]:
    """What struct calls a value of known size, and what then becomes of it.

    Args:
        field: which value.
        order: of its bytes.
        label: what an error calls it.
    """
    if field.type == "hex" and field.byte_order == "little":
        return f"{field.size}s", lambda piece: piece[::-1].hex()
    if field.type in PIECES:
        return f"{field.size}s", PIECES[field.type]
    convert = compile_conversion(field)
    if field.type in _FLOAT_CODES:
        return _FLOAT_CODES[field.type], convert
    if field.type == "bcd":
        return f"{field.size}s", _chain([_compile_bcd(order, label), *([convert] if convert else [])])
    signed = field.signed and not field.bits  # where there are bits, the sign is one of them
    if field.width in _CODES:
        code = _CODES[field.width]
        return code if signed else code.upper(), convert
    return f"{field.size}s", _chain([_compile_integer(order, signed=signed), *([convert] if convert else [])])


def _compile_integer(order: ByteOrder, *, signed: bool) -> Convert:
    return lambda piece: int.from_bytes(piece, order, signed=signed)


def _compile_bcd(order: ByteOrder, label: str) -> Convert:
    step = 1 if order == "big" else -1

    def read(piece: bytes) -> int:
        digits = piece[::step].hex()
        if not digits.isdecimal():
            raise Undecodable(f"{label}: not in decimal digits (BCD)")
        return int(digits)

    return read


def compile_conversion(field: BinaryField) -> Convert | None:
    """What becomes of a number as it is sent; None where it stays."""
    steps: list[Convert] = []
    if field.bit is not None:
        bit = field.bit
        steps.append(lambda number: number >> bit & 1 == 1)
    if field.bits:
        steps.append(_compile_bits(field.bits[0], field.bits[1], signed=field.signed))
    if field.sentinels:
        sentinels = frozenset(field.sentinels)
        steps.append(lambda number: None if number in sentinels else number)
    if field.scale != 1 or field.offset:
        steps.append(_compile_scale(field.scale, field.offset))
    if field.type in _FLOAT_CODES:
        steps.append(lambda number: number if isfinite(number) else None)
    if field.map:
        steps.append(_compile_map(field.map))
    return _chain(steps)


def _chain(steps: Sequence[Convert]) -> Convert | None:
    if len(steps) < 2:  # noqa: PLR2004 - one alone, or none
        return steps[0] if steps else None

    def convert(value: Any) -> Any:  # noqa: ANN401 - a number becomes anything
        for step in steps:
            if value is None:
                return None
            value = step(value)
        return value

    return convert


def _compile_map(words: Mapping[bool | int, Word]) -> Convert:
    return lambda number: words.get(number, number)


def _compile_bits(lowest: int, highest: int, *, signed: bool) -> Convert:
    mask = (1 << highest - lowest + 1) - 1
    sign = 1 << highest - lowest if signed else 0
    return lambda number: ((number >> lowest & mask) ^ sign) - sign


def _compile_scale(scale: float, offset: float) -> Convert:
    divisor = round(1 / scale)
    shift = offset * divisor
    if divisor and 1 / divisor == scale and shift.is_integer():
        # 3 * 0.1 is not 0.3, 3 / 10 is: the value has the decimal digits that the device means.
        return lambda number: (number + shift) / divisor
    return lambda number: number * scale + offset
