"""Whether a profile reads its own test payloads as it says."""

from collections.abc import Iterator, Mapping
from math import isclose
from typing import NamedTuple

from devices.canonical import read_object
from devices.errors import Undecodable
from devices.formats import Toolbox
from devices.forms import ReadForm, compile_form
from devices.message import Record
from devices.profile import Profile, ProfileTest
from devices.reading import Value
from devices.sparkplug import Host
from devices.timestamps import format_rfc3339, parse_rfc3339
from devices.topics import DEVICE, SITE
from devices.topictree import TopicTree

_SELF = "device"
"""The address that a test's device has where the topic names it."""


class _Reading(NamedTuple):
    """What a test wants, or what came."""

    device: str
    record: Record


def check_profile(profile: Profile) -> list[str]:
    """What is wrong, one line each; nothing where all tests pass. The site is `site`, its time zone UTC here."""
    try:
        bench = _Bench(profile)
    except ValueError as error:
        return [str(error)]
    problems = []
    for index, test in enumerate(profile.tests):
        label = f"test {index + 1}" + (f" ({test.name})" if test.name else "")
        problems += [f"{label}: {problem}" for problem in bench.run(test)]
    return problems


class _Bench:
    """A profile's forms without a register: every address is known."""

    def __init__(self, profile: Profile) -> None:
        toolbox = Toolbox("UTC", Host(_list_nodes(profile)))
        self._profile = profile
        self._tree: TopicTree[ReadForm] = TopicTree()
        self._own = [compile_form(form, toolbox, own_topic=True) for form in profile.forms]
        for form in profile.forms:
            read = compile_form(form, toolbox)
            for topic in form.topics:
                self._tree.add(topic.replace(SITE, "site"), read)

    def run(self, test: ProfileTest) -> list[str]:
        """What is wrong with a test."""
        try:
            expected = [_expect(dict(reading)) for reading in test.readings or ()]
            arrival = _find_arrival(test, expected)
        except (Undecodable, ValueError) as error:
            return [f"its `readings` are none: {error}"]
        try:
            got = self._read(test, arrival)
        except Undecodable as error:
            if test.error:
                return [] if test.error in str(error) else [f"expected the error {test.error!r}, got {str(error)!r}"]
            return [f"undecodable: {error}"]
        if test.error:
            return [f"expected the error {test.error!r}, got {len(got)} readings"]
        if len(got) != len(expected):
            return [f"expected {len(expected)} readings, got {len(got)}"]
        return [
            f"reading {number}: {problem}"
            for number, (reading, wanted) in enumerate(zip(got, expected, strict=True), 1)
            for problem in _compare(reading, wanted)
        ]

    def _read(self, test: ProfileTest, arrival: int) -> list[_Reading]:
        topic = test.topic or self._usual_topic()
        ways: list[tuple[ReadForm, Mapping[str, str]]] = list(self._tree.find(topic)) if topic else []
        ways = ways or [(read, {}) for read in self._own]
        readings: list[_Reading] = []
        fits = False
        for read, parts in ways:
            records = read(test.data, arrival, parts)
            fits = fits or records is not None
            readings += [_Reading(record[2] or parts.get("device", ""), record) for record in records or ()]
        if not fits:
            raise Undecodable("no form of the profile takes this message")
        return readings

    def _usual_topic(self) -> str:
        topics = [topic for form in self._profile.forms for topic in form.topics]
        return topics[0].replace(DEVICE, _SELF).replace(SITE, "site") if topics else ""


def _list_nodes(profile: Profile) -> list[str]:
    """The addresses of Sparkplug's nodes and devices in the topics of the tests: namespace/group/type/node/device."""
    levels = [test.topic.split("/") for test in profile.tests]
    return ["/".join([level[1], *level[3:]]) for level in levels if level[0] == "spBv1.0" and len(level) > 3]  # noqa: PLR2004 - see above


def _expect(reading: dict[str, object]) -> _Reading:
    device = str(reading.pop("device", ""))
    return _Reading(device, read_object(reading))


def _find_arrival(test: ProfileTest, expected: list[_Reading]) -> int:
    if test.arrival:
        return parse_rfc3339(test.arrival)[0]
    return next((moment[0] for _, (moment, _, _) in expected if moment), 0)


def _compare(got: _Reading, wanted: _Reading) -> Iterator[str]:
    if wanted.device and got.device != wanted.device:
        yield f"device: expected {wanted.device}, got {got.device or 'nothing'}"
    found, expected = _flatten(got.record), _flatten(wanted.record)
    for name in sorted(found.keys() | expected.keys()):
        if not _same(found.get(name), expected.get(name)):
            yield f"{name}: expected {expected.get(name, 'nothing')}, got {found.get(name, 'nothing')}"


def _flatten(record: Record) -> dict[str, Value]:
    moment, values, _ = record
    return values if moment is None else {"time": format_rfc3339(moment[0]), **values}


def _same(one: Value | None, other: Value | None) -> bool:
    if type(one) is float and type(other) is float:
        return isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)  # a scale may leave a last digit that nobody writes down
    return one == other
