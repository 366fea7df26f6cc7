"""`siteward devices try`: decodes a captured payload with each step shown."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from collector import quarantine
from collector.commands.common import load_configuration, visit_journal
from collector.commands.profiles import find_configuration, find_profile, read_catalog
from collector.commands.traceview import Message, Outcome, Tryout, Way, show, tell
from collector.configuration import Configuration
from collector.terminal import DEFAULT_CONFIG, EXIT_FINDINGS, AsJson, ConfigFolder, fail, print_json
from devices.errors import Undecodable
from devices.formats.sparkplug import Host
from devices.language.openers import Toolbox
from devices.language.profile import Profile
from devices.language.trace import Trace, trace_form
from devices.register import Device
from devices.topics import DEVICE, SITE, to_pattern, write_example
from devices.values import suggest


def try_(
    profile: Annotated[
        str | None,
        typer.Argument(metavar="PROFILE", help="Tried without the register; left out: what the register makes of it."),
    ] = None,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    device: Annotated[
        str, typer.Option(metavar="ID", help="A device of the register, for its profile and topic.")
    ] = "",
    topic: Annotated[str, typer.Option(help="Where it was published; left out: the profile's first one.")] = "",
    payload: Annotated[str | None, typer.Option(metavar="TEXT", help="As it was sent.")] = None,
    payload_hex: Annotated[str | None, typer.Option(metavar="DIGITS", help="The same in hexadecimal digits.")] = None,
    payload_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same in a file.", exists=True, dir_okay=False)
    ] = None,
    group: Annotated[
        int | None, typer.Option("--quarantine", metavar="GROUP", help="Topic and payload of a group's newest message.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decode a captured payload with each step shown: form, format, items, points, time, device, readings."""
    if profile and group is None and not device:
        configuration = find_configuration(config)  # whatever else may be wrong there
    else:
        configuration = load_configuration(config)
    if group is not None and configuration:
        message = _take_quarantined(configuration, group)
    else:
        message = Message(topic, _read_payload(payload, payload_hex, payload_file), time.time_ns())
    found = _find_device(configuration, device) if device and configuration else None
    if profile or found:
        chosen = find_profile(profile or (found.profile if found else ""), read_catalog(config))
        message = message._replace(topic=message.topic or _guess_topic(chosen, found, configuration))
        ways = list(_find_ways(chosen, message.topic, configuration, found)) or list(_list_own(chosen))
    elif configuration and message.topic:
        ways = list(_find_heard(configuration, message.topic))
    else:
        fail("Name a PROFILE, a --device or a --topic.")
    outcome = None if profile or configuration is None else _decode(configuration, message)
    tryout = Tryout(message, _trace(ways, message, configuration), outcome)
    if as_json:
        print_json(tell(tryout))
    else:
        show(tryout, configuration.settings.site.zone if configuration else ZoneInfo("UTC"))
    if _has_failed(tryout):
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


def _take_quarantined(configuration: Configuration, number: int) -> Message:
    """The newest message of a group."""
    with visit_journal(configuration) as journal:
        groups = {group.id: group for group in quarantine.list_groups(journal.connection())}
        if number not in groups or groups[number].stage != "decode":
            fail(f"There is no group {number} of messages. See: siteward quarantine list")
        kept = list(quarantine.messages(journal.connection(), groups[number], 1))
    if not kept:
        fail(f"No message of group {number} was kept.")
    _, rejection = kept[-1]
    return Message(rejection.topic, rejection.payload, rejection.received)


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
    topic = _fill_site(topics[0], configuration)
    return write_example(topic.replace(DEVICE, (device.address or device.id) if device else DEVICE))


def _fill_site(topic: str, configuration: Configuration | None) -> str:
    return topic.replace(SITE, configuration.settings.site.id if configuration else "site")


# ── who reads it ─────────────────────────────────────────────────────────────────────────────────────────────────


def _find_ways(
    profile: Profile, topic: str, configuration: Configuration | None, device: Device | None = None
) -> Iterator[Way]:
    """The forms of a profile that have a topic; none where it is the device's own."""
    for number, form in enumerate(profile.forms, 1):
        for pattern in form.topics if device is None or device.topic != topic else ():
            bare = _fill_site(pattern, configuration)
            match = to_pattern(bare).fullmatch(topic)
            address = (device.address or device.id) if device else ""
            if match or (address and bare.replace(DEVICE, address) == topic):
                parts = match.groupdict() if match else {"device": address}
                yield Way(profile, number, form, pattern, parts, form.is_named_by(pattern))
                break


def _list_own(profile: Profile) -> Iterator[Way]:
    """All forms, as they read a topic that belongs to one device."""
    for number, form in enumerate(profile.forms, 1):
        yield Way(profile, number, form, "", {}, by_topic=True)


def _find_heard(configuration: Configuration, topic: str) -> Iterator[Way]:
    """The forms by which the register's devices are heard on a topic."""
    owner = next((device for device in configuration.register if device.topic == topic), None)
    if owner:
        yield from _list_own(configuration.profiles[owner.profile])
        return
    done: set[str] = set()
    for device in configuration.register:
        if device.profile not in done:
            ways = list(_find_ways(configuration.profiles[device.profile], topic, configuration, device))
            done |= {device.profile} if ways else set()
            yield from ways


# ── what comes of it ─────────────────────────────────────────────────────────────────────────────────────────────


def _trace(ways: Sequence[Way], message: Message, configuration: Configuration | None) -> list[tuple[Way, Trace]]:
    zone = configuration.settings.site.timezone if configuration else "UTC"
    steps = []
    for way in ways:
        levels = [way.parts.get(name, "") for name in ("group", "node", "device")]
        nodes = ["/".join(filter(None, levels))] if way.form.format == "sparkplug_b" else []
        toolbox = Toolbox(zone, Host(nodes))
        trace = trace_form(way.form, toolbox, message.payload, message.received, way.parts, by_topic=way.by_topic)
        steps.append((way, trace))
    return steps


def _decode(configuration: Configuration, message: Message) -> Outcome:
    """What the site makes of it, but for credentials, which are hidden here."""
    try:
        readings = configuration.decoder().decode(message.topic, message.payload, message.received)
    except Undecodable as error:
        strangers = ", ".join(f"{stranger.address} ({stranger.profile})" for stranger in error.strangers)
        return Outcome(error.readings, f"{error}{': ' if strangers else ''}{strangers}")
    return Outcome(readings, "")


def _has_failed(tryout: Tryout) -> bool:
    if tryout.outcome:
        return bool(tryout.outcome.problem)
    return any(trace.problem for _, trace in tryout.steps) or not any(trace.fits for _, trace in tryout.steps)
