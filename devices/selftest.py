"""Whether a profile reads its own test payloads as it says."""

from collections.abc import Iterator
from math import isclose

from devices.canonical import read_object
from devices.compile import compile_profile
from devices.errors import Undecodable
from devices.message import Reader, Record
from devices.profile import Profile, ProfileTest
from devices.reading import Value
from devices.timestamps import format_rfc3339


def check_profile(profile: Profile) -> list[str]:
    """What is wrong, one line each; nothing where all tests pass. The site's time zone is UTC here."""
    read = compile_profile(profile, "UTC")
    problems = []
    for index, test in enumerate(profile.tests):
        label = f"test {index + 1}" + (f" ({test.name})" if test.name else "")
        problems += [f"{label}: {problem}" for problem in _run(read, test)]
    return problems


def _run(read: Reader, test: ProfileTest) -> list[str]:
    try:
        expected = [read_object(dict(reading)) for reading in test.readings]
    except Undecodable as error:
        return [f"its `readings` are none: {error}"]
    arrival = next((moment[0] for moment, _ in expected if moment), 0)
    try:
        records = read(test.payload.encode(), arrival)
    except Undecodable as error:
        return [f"undecodable: {error}"]
    if len(records) != len(expected):
        return [f"expected {len(expected)} readings, got {len(records)}"]
    return [
        f"reading {number}: {problem}"
        for number, (record, wanted) in enumerate(zip(records, expected, strict=True), 1)
        for problem in _compare(record, wanted)
    ]


def _compare(record: Record, wanted: Record) -> Iterator[str]:
    got, expected = _flatten(record), _flatten(wanted)
    for name in sorted(got.keys() | expected.keys()):
        if not _same(got.get(name), expected.get(name)):
            yield f"{name}: expected {expected.get(name, 'nothing')}, got {got.get(name, 'nothing')}"


def _flatten(record: Record) -> dict[str, Value]:
    moment, values = record
    return values if moment is None else {"time": format_rfc3339(moment[0]), **values}


def _same(one: Value | None, other: Value | None) -> bool:
    if type(one) is float and type(other) is float:
        return isclose(one, other)  # a scale may leave a last digit that nobody wants to write down
    return one == other
