"""Whether a profile reads its own test payloads as it says."""

from collections.abc import Iterator, Mapping
from math import isclose
from typing import NamedTuple, TypeAlias

from devices.errors import Pointless, Undecodable
from devices.formats.canonical import read_object
from devices.formats.sparkplug import Host
from devices.language.forms import ReadForm, compile_form
from devices.language.openers import Toolbox
from devices.language.profile import Profile, ProfileTest
from devices.message import Record
from devices.reading import Value
from devices.timestamps import format_rfc3339, parse_rfc3339
from devices.topics import SITE, write_example
from devices.topictree import TopicTree

_SITE_ID = "site"

Path: TypeAlias = tuple[str | int, ...]
"""Where something stands in a test, such as ("readings", 0, "power_kw")."""


class Failure(NamedTuple):
    """What a test of a profile wants and does not get.

    Attributes:
        test: its number, from 0.
        path: where in it that stands.
        problem: what is wrong.
    """

    test: int
    path: Path
    problem: str


class _Reading(NamedTuple):
    """What a test wants, or what came: the device's address, its time, and the points."""

    device: str
    values: Mapping[str, Value]


def check_profile(profile: Profile) -> list[Failure]:
    """What its tests do not get; nothing where all pass. The site is `site`, its time zone UTC here.

    Raises:
        ValueError: a codec is no JavaScript.
    """
    bench = _Bench(profile)
    return [
        Failure(number, path, problem) for number, test in enumerate(profile.tests) for path, problem in bench.run(test)
    ]


class _Bench:
    """A profile's forms without a register: every address is known."""

    def __init__(self, profile: Profile) -> None:
        toolbox = Toolbox("UTC", Host(_list_nodes(profile)))
        self._topics = [topic for form in profile.forms for topic in form.topics]
        self._tree: TopicTree[ReadForm] = TopicTree()
        self._own = [compile_form(form, toolbox, by_topic=True) for form in profile.forms]
        for form in profile.forms:
            for topic in form.topics:
                read = compile_form(form, toolbox, by_topic=form.is_named_by(topic))
                self._tree.add(topic.replace(SITE, _SITE_ID), read)

    def run(self, test: ProfileTest) -> Iterator[tuple[Path, str]]:
        """What is wrong with a test, and where."""
        wanted: list[_Reading] = []
        for number, reading in enumerate(test.readings or ()):
            try:
                wanted.append(_expect(reading))
            except Undecodable as error:
                yield ("readings", number, *_find_refused(reading)), str(error)
                return
        try:
            got = self._read(test, _find_arrival(test, wanted))
        except Undecodable as error:
            if not test.error:
                yield ("readings",), f"expected {_show(wanted)}, got the error: {error}"
            elif test.error not in str(error):
                yield ("error",), f"expected {test.error!r}, got {str(error)!r}"
            return
        if test.error:
            yield ("error",), f"expected {test.error!r}, got {_show(got)}"
        elif len(got) != len(wanted):
            yield ("readings",), f"expected {_show(wanted)}, got {_show(got)}"
        else:
            for number, (one, other) in enumerate(zip(wanted, got, strict=True)):
                for name, problem in _compare(one, other):
                    hint = "; say its `topic`" if name == "device" and not test.topic else ""
                    yield ("readings", number, name), f"{name}: {problem}{hint}"

    def _read(self, test: ProfileTest, arrival: int) -> list[_Reading]:
        readings: list[_Reading] = []
        fits = False
        pointless: Pointless | None = None
        for read, parts in self._find_ways(test.topic):
            try:
                records = read(test.data, arrival, parts)
            except Pointless as error:
                pointless = error
                continue
            fits = fits or records is not None
            readings += [_flatten(record, parts) for record in records or ()]
        if pointless and not readings:
            raise pointless
        if not fits:
            raise Undecodable("no form of the profile takes this message")
        return readings

    def _find_ways(self, topic: str) -> list[tuple[ReadForm, Mapping[str, str]]]:
        """The forms that read a topic, and its named parts; any other topic is a device's own."""
        if not topic and self._topics:
            topic = write_example(self._topics[0])
        return list(self._tree.find(topic)) or [(read, {}) for read in self._own]


def _list_nodes(profile: Profile) -> list[str]:
    """The addresses of Sparkplug's nodes and devices in the topics of the tests: namespace/group/type/node/device."""
    levels = [test.topic.split("/") for test in profile.tests]
    return ["/".join([level[1], *level[3:]]) for level in levels if level[0] == "spBv1.0" and len(level) > 3]  # noqa: PLR2004 - see above


def _expect(reading: Mapping[str, object]) -> _Reading:
    """What a test says as Siteward's own payload would."""
    if not reading.keys() - {"device", "time"}:
        raise Undecodable("expected at least one point")
    record = read_object({name: value for name, value in reading.items() if name != "device"})
    return _flatten(record, {"device": str(reading.get("device", ""))})


def _find_refused(reading: Mapping[str, object]) -> Iterator[str]:
    """The first name whose value a reading cannot have; nothing where it is not about one of them."""
    for name, value in reading.items():
        if name == "device":
            continue
        try:
            read_object({"leak": True, name: value})
        except Undecodable:
            yield name
            return


def _find_arrival(test: ProfileTest, wanted: list[_Reading]) -> int:
    if test.arrival is not None:
        return test.arrival
    times = [str(reading.values["time"]) for reading in wanted if "time" in reading.values]
    return parse_rfc3339(times[0])[0] if times else 0


def _flatten(record: Record, parts: Mapping[str, str]) -> _Reading:
    moment, values, address = record
    time = {} if moment is None else {"time": format_rfc3339(moment[0])}
    return _Reading(address or parts.get("device", ""), time | values)


def _compare(wanted: _Reading, got: _Reading) -> Iterator[tuple[str, str]]:
    if wanted.device and got.device != wanted.device:
        yield "device", f"expected {wanted.device}, got {got.device or 'nothing'}"
    for name in sorted(wanted.values.keys() | got.values.keys()):
        one, other = wanted.values.get(name), got.values.get(name)
        if not _same(one, other):
            yield name, f"expected {_show_value(one)}, got {_show_value(other)}"


def _same(one: Value | None, other: Value | None) -> bool:
    if type(one) is float and type(other) is float:
        return isclose(
            one, other, rel_tol=1e-9, abs_tol=1e-12
        )  # a scale may leave a last digit that nobody writes down
    return one == other


def _show(readings: list[_Reading]) -> str:
    shown = "; ".join(
        (f"{reading.device}: " if reading.device else "")
        + ", ".join(f"{name} {_show_value(value)}" for name, value in reading.values.items())
        for reading in readings
    )
    return f"{len(readings)} reading{'' if len(readings) == 1 else 's'}" + (f" ({shown})" if shown else "")


def _show_value(value: Value | None) -> str:
    """A value as YAML has it."""
    if value is None:
        return "nothing"
    if type(value) is bool:
        return str(value).lower()
    return f"{value:.12g}" if type(value) is float else str(value)
