"""`siteward devices try`: decodes a captured payload with each step shown."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import orjson
import typer
from rich.markup import escape

from collector import quarantine
from collector.commands.common import add_keys, load_configuration, show_moment, visit_journal
from collector.commands.profiles import find_configuration, find_profile, read_catalog
from collector.configuration import Configuration
from collector.terminal import (
    DEFAULT_CONFIG,
    EXIT_FINDINGS,
    AsJson,
    ConfigFolder,
    console,
    fail,
    print_json,
    print_rows,
)
from devices.errors import Undecodable
from devices.formats import Toolbox
from devices.message import Record
from devices.points import POINTS
from devices.profile import Form, Profile
from devices.reading import Reading, Value
from devices.register import Device
from devices.sparkplug import Host
from devices.timestamps import format_rfc3339
from devices.topics import DEVICE, SITE, to_pattern, write_example
from devices.trace import ITEMS_SHOWN, Item, Look, Trace, trace_form
from devices.values import suggest

_TEXT_LENGTH_MAX = 300
_CELL_LENGTH_MAX = 60


class _Message(NamedTuple):
    topic: str
    payload: bytes
    received: int


class _Way(NamedTuple):
    """A form that may read a message.

    Attributes:
        profile: which has it.
        number: from 1.
        form: itself.
        topic: of the profile; "" for a device's own.
        parts: what the topic's named parts are.
        by_topic: the topic says whose the message is.
    """

    profile: Profile
    number: int
    form: Form
    topic: str
    parts: Mapping[str, str]
    by_topic: bool


class _Outcome(NamedTuple):
    """What becomes of the message: readings, or why there are none."""

    readings: Sequence[Reading]
    problem: str


def try_(
    profile: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROFILE]", help="Left out: the profiles of the register's devices that have the topic."
        ),
    ] = None,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    device: Annotated[str, typer.Option(metavar="ID", help="A device of the register, instead of PROFILE.")] = "",
    topic: Annotated[str, typer.Option(help="Where it was published; left out: the first one of the profile.")] = "",
    payload: Annotated[str | None, typer.Option(metavar="TEXT", help="As it was sent.")] = None,
    payload_hex: Annotated[str | None, typer.Option(metavar="DIGITS", help="The same as hexadecimal digits.")] = None,
    payload_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same in a file.", exists=True, dir_okay=False)
    ] = None,
    group: Annotated[
        int | None,
        typer.Option(
            "--quarantine", metavar="GROUP", help="The newest message of a group in quarantine, with its topic."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decode a captured payload with each step shown: topic, form, format, items, points, time, device, readings."""
    configuration = None if profile and group is None else load_configuration(config)
    if configuration is None:
        configuration = find_configuration(config)
    if group is not None and configuration is not None:
        message = _take_quarantined(configuration, group)
    else:
        message = _Message(topic, _read_payload(payload, payload_hex, payload_file), time.time_ns())
    found = _find_device(configuration, device) if device and configuration else None
    if profile or found:
        chosen = find_profile(profile or (found.profile if found else ""), read_catalog(config))
        message = message._replace(topic=message.topic or _guess_topic(chosen, found, configuration))
        ways = list(_find_ways(chosen, message.topic, configuration, found)) or list(_list_own(chosen))
    elif configuration and message.topic:
        ways = list(_find_register_ways(configuration, message.topic))
    else:
        fail("Name a PROFILE, a --device or a --topic.")
    traces = _trace(ways, message, configuration)
    outcome = None if profile else _decode(configuration, message)
    if as_json:
        print_json(_tell(message, ways, traces, outcome))
    else:
        _print(message, ways, traces, outcome, configuration)
    if (outcome.problem if outcome else "") or not any(trace.fits for trace in traces):
        raise typer.Exit(EXIT_FINDINGS)


# ── the message ──────────────────────────────────────────────────────────────────────────────────────────────────


def _read_payload(text: str | None, digits: str | None, file: Path | None) -> bytes:
    if [text, digits, file].count(None) != 2:  # noqa: PLR2004 - of three, one is given
        fail("Give the payload once: --payload, --payload-hex, --payload-file or --quarantine.")
    if file is not None:
        return file.read_bytes()
    if digits is not None:
        try:
            return bytes.fromhex(digits)
        except ValueError:
            fail(f"--payload-hex: expected pairs of hexadecimal digits, got {digits!r}.")
    return (text or "").encode()


def _take_quarantined(configuration: Configuration, number: int) -> _Message:
    with visit_journal(configuration) as journal:
        groups = {group.id: group for group in quarantine.list_groups(journal.connection())}
        if number not in groups or groups[number].stage != "decode":
            fail(f"There is no group {number} of messages. See: siteward quarantine list")
        kept = list(quarantine.messages(journal.connection(), groups[number], 1))
    if not kept:
        fail(f"No message of group {number} was kept.")
    rejection = kept[-1][1]
    return _Message(rejection.topic, rejection.payload, rejection.received)


def _find_device(configuration: Configuration, name: str) -> Device:
    devices = configuration.register.by_id()
    if name not in devices:
        fail(f"There is no device {name!r}; {suggest(name, devices) or 'see: siteward devices list'}")
    return devices[name]


def _guess_topic(profile: Profile, device: Device | None, configuration: Configuration | None) -> str:
    """The device's own topic, or the first one of its profile."""
    if device and device.topic:
        return device.topic
    topics = [topic for form in profile.forms for topic in form.topics]
    if not topics:
        return ""
    topic = topics[0].replace(SITE, _site(configuration))
    return write_example(topic.replace(DEVICE, (device.address or device.id) if device else DEVICE))


def _site(configuration: Configuration | None) -> str:
    return configuration.settings.site.id if configuration else "site"


# ── who reads it ─────────────────────────────────────────────────────────────────────────────────────────────────


def _find_ways(
    profile: Profile, topic: str, configuration: Configuration | None, device: Device | None = None
) -> Iterator[_Way]:
    """The forms of a profile that have a topic."""
    if device and device.topic == topic:
        return
    for number, form in enumerate(profile.forms, 1):
        for pattern in form.topics:
            bare = pattern.replace(SITE, _site(configuration))
            match = to_pattern(bare).fullmatch(topic)
            address = (device.address or device.id) if device else ""
            if match or (address and bare.replace(DEVICE, address) == topic):
                parts = match.groupdict() if match else {"device": address}
                yield _Way(profile, number, form, pattern, parts, form.is_named_by(pattern))
                break


def _list_own(profile: Profile) -> Iterator[_Way]:
    """All forms, as they read a topic that belongs to one device."""
    for number, form in enumerate(profile.forms, 1):
        yield _Way(profile, number, form, "", {}, by_topic=True)


def _find_register_ways(configuration: Configuration, topic: str) -> Iterator[_Way]:
    """The forms of the profiles that devices of the register have."""
    for device in configuration.register:
        if device.topic == topic:
            yield from _list_own(configuration.profiles[device.profile])
            return
    for name in dict.fromkeys(device.profile for device in configuration.register):
        devices = [device for device in configuration.register if device.profile == name]
        for device in devices:
            ways = list(_find_ways(configuration.profiles[name], topic, configuration, device))
            if ways:
                yield from ways
                break


# ── what comes of it ─────────────────────────────────────────────────────────────────────────────────────────────


def _trace(ways: Sequence[_Way], message: _Message, configuration: Configuration | None) -> list[Trace]:
    zone = configuration.settings.site.timezone if configuration else "UTC"
    traces = []
    for way in ways:
        levels = [way.parts.get(name, "") for name in ("group", "node", "device")]
        nodes = ["/".join(filter(None, levels))] if way.form.format == "sparkplug_b" else []
        tools = Toolbox(zone, Host(nodes))
        traces.append(trace_form(way.form, tools, message.payload, message.received, way.parts, by_topic=way.by_topic))
    return traces


def _decode(configuration: Configuration | None, message: _Message) -> _Outcome | None:
    """What the site's decoder makes of it."""
    if configuration is None:
        return None
    try:
        decoder = add_keys(configuration).decoder()
        return _Outcome(decoder.decode(message.topic, message.payload, message.received), "")
    except Undecodable as error:
        return _Outcome(error.readings, str(error))


def _tell(
    message: _Message, ways: Sequence[_Way], traces: Sequence[Trace], outcome: _Outcome | None
) -> dict[str, object]:
    """All of it for programs."""
    told: dict[str, object] = {
        "topic": message.topic,
        "received": format_rfc3339(message.received),
        "forms": [
            {
                "profile": way.profile.id,
                "form": way.number,
                "topic": way.topic,
                "parts": dict(way.parts),
                "fits": trace.fits,
                "reason": trace.reason,
                "conditions": [{"condition": words, "holds": holds} for words, holds in trace.conditions],
                "opened": trace.opened,
                "items": [_tell_item(item) for item in trace.items],
                "records": [_tell_record(record) for record in trace.records],
            }
            for way, trace in zip(ways, traces, strict=True)
        ],
    }
    if outcome:
        told |= {"readings": [_tell_reading(reading) for reading in outcome.readings], "problem": outcome.problem}
    return told


def _tell_item(item: Item) -> dict[str, object]:
    looks = [look._asdict() | {"made": _show_made(look)} for look in item.looks]
    return {"item": item.label, "content": item.content, "looks": looks, "problem": item.problem}


def _tell_record(record: Record) -> dict[str, object]:
    moment, values, address = record
    return {"address": address, "time": format_rfc3339(moment[0]) if moment else None, **values}


def _tell_reading(reading: Reading) -> dict[str, object]:
    claimed = {} if reading.claimed is None else {"claimed": format_rfc3339(reading.claimed)}
    return {"device": reading.device, "time": format_rfc3339(reading.time), **claimed, **reading.values}


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────


def _print(
    message: _Message,
    ways: Sequence[_Way],
    traces: Sequence[Trace],
    outcome: _Outcome | None,
    configuration: Configuration | None,
) -> None:
    console.print(f"[bold]topic[/]    {escape(message.topic) or '(a device has its own)'}")
    console.print(f"[bold]payload[/]  {len(message.payload)} bytes: {escape(_show_payload(message.payload))}")
    for way, trace in zip(ways, traces, strict=True):
        _print_form(way, trace)
    if not ways:
        console.print("\nNo profile of the register's devices has this topic.")
    if outcome is None:
        _print_records([(way, record) for way, trace in zip(ways, traces, strict=True) for record in trace.records])
    else:
        _print_readings(outcome, configuration)


def _print_form(way: _Way, trace: Trace) -> None:
    count = len(way.profile.forms)
    which = f", form {way.number} of {count}" if count > 1 else ""
    console.print(f"\n[bold]{escape(way.profile.id)}{which}[/]  {escape(way.topic) or 'a topic of its own'}")
    for name, part in way.parts.items():
        console.print(f"  {{{name}}} is {part!r}", markup=False)
    for words, holds in trace.conditions:
        console.print(f"  when {words}: {'yes' if holds else 'no'}", markup=False)
    for body in trace.opened or ():
        console.print(f"  {way.form.format}: {_show(body, _TEXT_LENGTH_MAX)}", markup=False, highlight=False)
    for item in trace.items:
        _print_item(way, item)
    if len(trace.records) > ITEMS_SHOWN and len(trace.items) == ITEMS_SHOWN:
        console.print("  … and further items")
    if not trace.fits:
        console.print(f"  is not of this form: {trace.reason}", style="yellow", markup=False)
    elif trace.reason:
        console.print(
            f"  {trace.reason}", style="" if not trace.records and "ignored" in trace.reason else "red", markup=False
        )


def _print_item(way: _Way, item: Item) -> None:
    if item.label:
        console.print(f"  {item.label}: {_show(item.content, _TEXT_LENGTH_MAX)}", markup=False, highlight=False)
    elif way.form.within or way.form.entries or way.form.under:
        console.print(f"  read in: {_show(item.content, _TEXT_LENGTH_MAX)}", markup=False, highlight=False)
    rows = [
        {
            "": look.name,
            "where": look.path,
            "found": "" if look.found is None else _show(look.found, _CELL_LENGTH_MAX),
            "result": _show_made(look),
            "how": look.note,
        }
        for look in item.looks
    ]
    if rows:
        print_rows("", rows, as_json=False)
    if item.problem:
        console.print(f"  {item.problem}", style="red", markup=False)


def _print_records(records: Sequence[tuple[_Way, Record]]) -> None:
    rows = [
        {
            "device": address or way.parts.get("device", "") or "(that of the topic)",
            "time": format_rfc3339(moment[0]) if moment else "(the arrival)",
            "readings": _show_values(values),
        }
        for way, (moment, values, address) in records
    ]
    console.print()
    print_rows("Readings, before what the register adds", rows, as_json=False, empty="No reading.")


def _print_readings(outcome: _Outcome, configuration: Configuration | None) -> None:
    zone = configuration.settings.site.zone if configuration else None
    rows = [
        {
            "device": reading.device,
            "time": show_moment(reading.time, zone) if zone else "",
            "not believed": "" if reading.claimed is None or zone is None else show_moment(reading.claimed, zone),
            "readings": _show_values(reading.values),
        }
        for reading in outcome.readings
    ]
    console.print()
    print_rows("Readings as they are stored", rows, as_json=False, empty="No reading.")
    if outcome.problem:
        console.print(outcome.problem, style="red", markup=False)


def _show_payload(payload: bytes) -> str:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = payload.hex(" ")
    return _shorten(" ".join(text.split()), _TEXT_LENGTH_MAX)


def _show(value: Any, most: int) -> str:  # noqa: ANN401 - JSON is anything
    try:
        text = orjson.dumps(value, default=str).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return _shorten(text, most)


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _show_made(look: Look) -> str:
    made = look.made
    if made is None:
        return ""
    if isinstance(made, tuple):
        return format_rfc3339(made[0])
    return _show_value(look.name, made)


def _show_values(values: Mapping[str, Value]) -> str:
    return "\n".join(f"{name}: {_show_value(name, value)}" for name, value in values.items())


def _show_value(name: str, value: Value) -> str:
    """A value with its unit."""
    if isinstance(value, bool):
        return str(value).lower()
    unit = POINTS[name].unit if name in POINTS else ""
    return f"{value:.12g} {unit}".rstrip() if isinstance(value, float) else value
