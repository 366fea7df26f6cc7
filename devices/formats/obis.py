"""OBIS codes: what a meter's registers are called, mapped to points once for all profiles.

The codes are those of IEC 62056-6-1 (DLMS UA blue book, part 2: electricity, abstract objects) and EN 13757-1 (water),
as DSMR P1, IDIS, SML and OMS use them: medium A, channel B, quantity C, kind D, tariff E, and F, which is 255 or left
out for what holds now.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from math import isfinite
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

from pydantic import AfterValidator, Field

from devices.errors import Undecodable
from devices.numbers import number_of
from devices.paths import Scope, check_path, compile_path
from devices.points import POINTS
from devices.quantities import convert_factor
from devices.reading import Value
from devices.register import Model
from devices.values import check_value

Codes: TypeAlias = Mapping[str, object]
"""By code, in any spelling: a number, a text with or without its unit, or a pair of either and the unit."""

_SOURCES = {
    "energy_import_kwh": ("1-0:1.8.0",),
    "energy_export_kwh": ("1-0:2.8.0",),
    "power_kw": ("1-0:16.7.0", "1-0:1.7.0 -1-0:2.7.0"),
    "power_l1_kw": ("1-0:36.7.0", "1-0:21.7.0 -1-0:22.7.0"),
    "power_l2_kw": ("1-0:56.7.0", "1-0:41.7.0 -1-0:42.7.0"),
    "power_l3_kw": ("1-0:76.7.0", "1-0:61.7.0 -1-0:62.7.0"),
    "reactive_power_kvar": ("1-0:3.7.0 -1-0:4.7.0", "1-0:5.7.0 1-0:6.7.0 -1-0:7.7.0 -1-0:8.7.0"),
    "apparent_power_kva": ("1-0:9.7.0 1-0:10.7.0",),
    "power_factor": ("1-0:13.7.0",),
    "voltage_v": ("1-0:12.7.0",),
    "voltage_l1_v": ("1-0:32.7.0",),
    "voltage_l2_v": ("1-0:52.7.0",),
    "voltage_l3_v": ("1-0:72.7.0",),
    "current_a": ("1-0:11.7.0",),
    "current_l1_a": ("1-0:31.7.0",),
    "current_l2_a": ("1-0:51.7.0",),
    "current_l3_a": ("1-0:71.7.0",),
    "frequency_hz": ("1-0:14.7.0",),
    "demand_kw": ("1-0:1.4.0",),
    "volume_m3": ("8-0:1.0.0", "9-0:1.0.0"),
    "flow_m3_per_h": ("8-0:2.0.0", "9-0:2.0.0"),
    "tariff": ("0-0:96.14.0", "1-0:96.14.0"),
}
"""The registers of each point: those of the first alternative of which there are any add up, after a - taken away."""

_RATES = {"energy_import_kwh": "1-0:1.8", "energy_export_kwh": "1-0:2.8"}
"""Registers that meters also keep for each tariff, whose number is E."""

_RATES_MAX = 63
_NEED_UNITS = frozenset({"kWh", "kW", "kvar", "kVA"})
_CHANNELS = frozenset({None, 0, 1})
_NOW = frozenset({None, 255})
_CODE_LENGTH_MAX = 32

_CODE = re.compile(
    r"(?:(\d{1,3})[-._](\d{1,3})[:._-])?(\d{1,3})[._-](\d{1,3})(?:[._-](\d{1,3}))?(?:[*&._-](\d{1,3}))?",
    re.ASCII,
).fullmatch
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{12}", re.ASCII).fullmatch


class Obis(Model):
    """Where OBIS codes stand: an object with codes as keys, or a list of objects that name theirs."""

    path: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(check_path)] = Field(
        "@",
        description="Where the object or the list stands.",
    )
    code: str = Field("obis", min_length=1, description="In a list: the key under which an object names its code.")
    value: str = Field("value", min_length=1, description="The key of the value, where an object holds it.")
    unit: str = Field("unit", min_length=1, description="The key of its unit, likewise.")
    energy: Literal["Wh", "kWh", "MWh"] | None = Field(None, description="The unit of energies that come without one.")
    power: Literal["W", "kW", "MW"] | None = Field(
        None,
        description="The unit of powers that come without one; of var and VA likewise.",
    )


class _Register(NamedTuple):
    """What a code stands for.

    Attributes:
        code: as people write it.
        point: what it gives, or a part of it.
        unit: of that point.
        sign: 1 or, for what is taken away, -1.
        rank: of the alternative that it belongs to, the lowest holding.
        rate: the number of the tariff that it counts in, 0 for all.
    """

    code: str
    point: str
    unit: str
    sign: float = 1.0
    rank: int = 0
    rate: int = 0


def compile_obis(options: Obis) -> Callable[[Any], dict[str, Value]]:
    """The function that reads the points of an item's OBIS codes; it raises Undecodable as `read_obis` does."""
    find = compile_path(options.path)
    factors = _assume_units(options.energy, options.power)
    scope = Scope(None, {})

    def read_codes(item: Any) -> dict[str, Value]:  # noqa: ANN401 - JSON is anything
        found = find(item, scope)
        if found is None:
            return {}
        if type(found) is dict:
            return _read(_open_object(found, options), factors)
        if type(found) is list:
            return _read(_open_list(found, options), factors)
        raise Undecodable("expected OBIS codes: an object or a list")

    return read_codes


def read_obis(codes: Codes) -> dict[str, Value]:
    """The points that a meter's registers give; codes that are none of them, and empty values, are passed over.

    The total of an energy is its register of all tariffs, else the sum of its tariffs, if none from the first on is
    missing. Powers are import less export.

    Raises:
        Undecodable: a register's value is no number, or its unit is missing or another quantity's.
    """
    entries = ((code, *entry) if type(entry) is tuple else (code, entry, None) for code, entry in codes.items())
    return _read(entries, _OWN_FACTORS)


def _read(entries: Iterable[tuple[str, object, object]], factors: Mapping[str, float]) -> dict[str, Value]:
    """The points of codes, values and units; by a point's unit, what turns a value without one into it."""
    points: dict[str, Value] = {}
    sums: dict[str, tuple[int, float]] = {}
    rates: dict[str, dict[int, float]] = {}
    seen = set()
    for written, value, unit in entries:
        register = _find_register(written) if len(written) <= _CODE_LENGTH_MAX else None
        if register is None or register.code in seen:
            continue
        code, point, _, sign, rank, rate = register
        if point == "tariff":
            points |= _read_tariff(value)
            continue
        number = _read_number(register, value, unit, factors)
        if number is None:
            continue
        seen.add(code)
        best, total = sums.get(point, (rank, 0.0))
        if rate:
            rates.setdefault(point, {})[rate] = number
        elif rank <= best:
            sums[point] = rank, sign * number + (total if rank == best else 0.0)
    for point, counted in rates.items():
        if len(counted) == max(counted):
            sums.setdefault(point, (0, sum(counted.values())))
    # Registers have four decimals or fewer: what floats add behind the ninth was not measured, nor was -0.
    return points | {point: round(total, 9) + 0.0 for point, (_, total) in sums.items()}


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _open_object(found: dict[str, Any], options: Obis) -> Iterator[tuple[str, object, object]]:
    for code, entry in found.items():
        if type(entry) is dict:
            yield code, entry.get(options.value), entry.get(options.unit)
        else:
            yield code, entry, None


def _open_list(found: list[Any], options: Obis) -> Iterator[tuple[str, object, object]]:
    for entry in found:
        code = entry.get(options.code) if type(entry) is dict else None
        if type(code) is not str:
            raise Undecodable(f"expected OBIS codes: objects with {options.code!r}")
        yield code, entry.get(options.value), entry.get(options.unit)


def _read_number(register: _Register, value: object, unit: object, factors: Mapping[str, float]) -> float | None:
    """A register's value in its point's unit; None where there is none."""
    if type(value) is str:
        value, given = _split_unit(value)
        unit = given or unit
    if value is None or value == "":
        return None
    number = number_of(value)
    if type(number) is not float or not isfinite(number):
        raise Undecodable(f"{register.code}: expected a number")
    factor = factors.get(register.unit) if unit is None or unit == "" else _find_factor(register, unit)
    if factor is None:
        hint = "say which it is under `obis` in the profile: energy: Wh, power: W"
        raise Undecodable(f"{register.code}: no unit", hint=hint)
    if register.point == "power_factor" and abs(number) > 1:
        return None  # some meters send another number under its code
    return number * factor


def _split_unit(text: str) -> tuple[str, str]:
    """`00012.3*kWh`, as meters write it, or `12.3 kWh`."""
    number, star, unit = text.strip().partition("*")
    if not star:
        number, _, unit = number.partition(" ")
    return number, unit.strip()


def _find_factor(register: _Register, unit: object) -> float:
    if type(unit) is not str:
        raise Undecodable(f"{register.code}: expected a unit")
    try:
        return _convert(unit, register.unit)
    except ValueError as error:
        raise Undecodable(f"{register.code}: not a unit of this register", hint=str(error)) from None


@lru_cache(maxsize=256)
def _convert(unit: str, into: str) -> float:
    return convert_factor(unit, into)[0]


def _read_tariff(value: object) -> dict[str, Value]:
    """A tariff's number without the zeros before it: 0002 and 2 are one."""
    word = value.strip() if type(value) is str else str(value) if type(value) is int else ""
    if word.isdecimal():
        word = word.lstrip("0") or "0"
    return {"tariff": check_value("tariff", word)} if word else {}


def _assume_units(energy: str | None, power: str | None) -> dict[str, float]:
    factors = dict(_OWN_FACTORS)
    if energy:
        factors["kWh"] = convert_factor(energy, "kWh")[0]
    if power:
        factors |= dict.fromkeys(("kW", "kvar", "kVA"), convert_factor(power, "kW")[0])
    return factors


# ── codes ────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=4096)
def _find_register(code: str) -> _Register | None:
    """What a code stands for, however it is spelt: `1-0:1.8.0*255`, `1.8.0`, `1_8_0`, `0100010800FF`."""
    if _HEXADECIMAL(code):
        groups: tuple[int | None, ...] = tuple(bytes.fromhex(code))
    else:
        match = _CODE(code.strip())
        if match is None:
            return None
        groups = tuple(int(group) if group else None for group in match.groups())
    medium, channel, quantity, kind, rate, until = groups
    if channel not in _CHANNELS or until not in _NOW:
        return None
    return _REGISTERS.get(f"{1 if medium is None else medium}-0:{quantity}.{kind}.{rate or 0}")


def _list_registers() -> Iterator[_Register]:
    for point, alternatives in _SOURCES.items():
        unit = POINTS[point].unit
        for rank, codes in enumerate(alternatives):
            for code in codes.split():
                yield _Register(code.removeprefix("-"), point, unit, -1.0 if code.startswith("-") else 1.0, rank)
    for point, code in _RATES.items():
        for rate in range(1, _RATES_MAX + 1):
            yield _Register(f"{code}.{rate}", point, POINTS[point].unit, rate=rate)


_REGISTERS = {register.code: register for register in _list_registers()}

_OWN_FACTORS = {register.unit: 1.0 for register in _REGISTERS.values() if register.unit not in _NEED_UNITS}
"""Volts, amperes and the like are written in their point's unit, where they come without one."""
