"""Times written in a form of their own: a pattern with %, as strptime has them, is made a regular expression once.

strptime itself takes ten times as long and knows the names of months in the language of the process.
"""

import re
from collections.abc import Callable, Iterator
from datetime import tzinfo
from typing import TypeAlias

from devices.timestamps import Moment, parse_local

ParsePattern: TypeAlias = Callable[[object, tzinfo, int], Moment]
"""Reads a text, for a clock in a zone; of two moments that it shows alike the one nearest to the third is taken."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CENTURY_FROM = 69  # of two digits, 69 to 99 are 19xx, as in POSIX

_EXPRESSIONS = {
    "Y": r"\d{4}",
    "y": r"\d\d",
    "m": r"\d{1,2}",
    "b": "(?i:" + "|".join(_MONTHS) + ")",
    "B": "(?i:" + "|".join(_MONTHS) + ")[A-Za-z]*",
    "d": r"\d{1,2}",
    "a": "[A-Za-z]{3}",
    "A": "[A-Za-z]+",
    "H": r"\d{1,2}",
    "I": r"0?[1-9]|1[0-2]",
    "p": "[AaPp][Mm]",
    "M": r"\d{1,2}",
    "S": r"\d{1,2}",
    "f": r"\d{1,12}",
    "z": r"[Zz]|[+-]\d\d:?[0-5]\d",
}
"""What stands for each directive; names are English."""

_KNOWN = ", ".join(f"%{letter}" for letter in _EXPRESSIONS)
_DIGITS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_ALTERNATIVES = (("Y", "y"), ("m", "b", "B"), ("d",))
_NEEDED_BY = {"I": "p", "p": "I", "H": "M", "M": "HI", "S": "M", "f": "S", "z": "M"}


def compile_pattern(pattern: str) -> ParsePattern:
    """The function that reads times written by a pattern such as `%d/%m/%Y %H:%M:%S`.

    Raises:
        ValueError: it is no pattern, or leaves the day open; the message is for whoever wrote it.
    """
    directives = re.findall("%(.?)", pattern.replace("%%", ""), re.DOTALL)
    for problem in _find_problems(directives):
        raise ValueError(problem)
    match = re.compile(_to_expression(pattern), re.ASCII).fullmatch
    is_number = pattern == "".join(f"%{letter}" for letter in directives) and _DIGITS.keys() >= set(directives)
    width = sum(_DIGITS[letter] for letter in directives) if is_number else 0

    def parse(value: object, zone: tzinfo, near: int) -> Moment:
        if width and type(value) is int:
            value = f"{value:0{width}}"  # a number has no zeros in front
        found = match(value) if type(value) is str else None
        if found is None:
            raise ValueError(f"expected a text such as {pattern}")
        return parse_local(_to_iso(found.groupdict()), zone, near)

    return parse


def _find_problems(directives: list[str]) -> Iterator[str]:
    for letter in directives:
        if letter not in _EXPRESSIONS:
            yield f"%{letter}: expected one of {_KNOWN}"
        if directives.count(letter) > 1:
            yield f"%{letter}: expected once"
    for letters in _ALTERNATIVES:
        given = [letter for letter in letters if letter in directives]
        if len(given) != 1:
            wanted = " or ".join(f"%{letter}" for letter in letters)
            yield f"expected {wanted}, one of them" if given else f"expected {wanted}: the day is open without it"
    if "H" in directives and "I" in directives:
        yield "%I: does not go with %H"
    for letter, needed in _NEEDED_BY.items():
        if letter in directives and not set(needed) & set(directives):
            yield f"%{letter}: needs {' or '.join(f'%{other}' for other in needed)}"


def _to_expression(pattern: str) -> str:
    pieces = re.split("%(.)", pattern, flags=re.DOTALL)
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            pieces[index] = re.sub(r"(\\ )+", " +", re.escape(piece))
        elif piece != "%":
            pieces[index] = f"(?P<{piece}>{_EXPRESSIONS[piece]})"
    return "".join(pieces)


def _to_iso(found: dict[str, str]) -> str:
    get = found.get
    year = get("Y") or str((1900 if int(found["y"]) >= _CENTURY_FROM else 2000) + int(found["y"]))
    name = get("b") or get("B")
    month = str(_MONTHS.index(name[:3].lower()) + 1) if name else found["m"]
    date = f"{year}-{month:0>2}-{found['d']:0>2}"
    if "M" not in found:
        return date
    hour = get("H") or str(int(found["I"]) % 12 + (12 if found["p"][0] in "Pp" else 0))
    second = f":{found['S']:0>2}" if "S" in found else ""
    fraction = f".{found['f']}" if "f" in found else ""
    return f"{date}T{hour:0>2}:{found['M']:0>2}{second}{fraction}{get('z', '')}"
