"""`siteward devices adopt`."""

import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
import urllib3
from pydantic import ValidationError

from collector import quarantine, wording
from collector.announcements import listen
from collector.commands.common import add_keys, load_configuration, show_moment, visit_journal
from collector.commands.quarantine import Retried, retry_group
from collector.configuration import Configuration
from collector.errors import CollectorError
from collector.folder import ConfigurationError
from collector.journal import Journal
from collector.newcomers import Newcomer, gather
from collector.registerwriter import add_device
from collector.terminal import (
    DEFAULT_CONFIG,
    EXIT_FINDINGS,
    AsJson,
    ConfigFolder,
    console,
    fail,
    messages,
    print_json,
    print_rows,
)
from collector.yamlfile import Document
from devices.discovery.identification import Place
from devices.durations import parse_duration
from devices.errors import Stranger
from devices.points import POINTS
from devices.reading import Value
from devices.register import Device
from devices.values import suggest

_PAUSE_S = 0.2
_TAKE_OVER_S = 15.0
_SHOWN_POINTS = 4


def adopt(
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="What the device calls itself; left out: list them.")
    ] = None,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    profile: Annotated[str, typer.Option(help="How its payloads are read, where several profiles hear it.")] = "",
    id_: Annotated[str, typer.Option("--id", help="Id in the register; left out: made of its address.")] = "",
    kind: Annotated[str, typer.Option(help="What it is; left out: what its points speak for.")] = "",
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    building: Annotated[str, typer.Option(help="Where it stands.")] = "",
    floor: Annotated[str, typer.Option(help="Likewise.")] = "",
    area: Annotated[str, typer.Option(help="Likewise.")] = "",
    pulse_weight: Annotated[str, typer.Option(help="What a pulse of it stands for, such as '10 L'.")] = "",
    listening: Annotated[
        str, typer.Option("--listen", help="Longest time to listen for announcements; 0s: not at all.")
    ] = "5s",
    as_json: AsJson = False,
) -> None:
    """List devices that are heard or announced and not in the register; take one into it, with all that it sent."""
    configuration = load_configuration(config)
    with ExitStack() as stack:
        path = configuration.settings.data_dir / "journal.db"
        journal = stack.enter_context(visit_journal(configuration)) if path.exists() else None
        newcomers = gather(configuration, journal, [])
        if address is None or not any(_is_called(newcomer, address) for newcomer in newcomers):
            newcomers = gather(configuration, journal, _hear(configuration, listening))
        if address is None:
            _list(newcomers, configuration, as_json=as_json)
            return
        newcomer = _pick(newcomers, address, profile, configuration)
        given = {
            "id": id_, "kind": kind, "building": building, "floor": floor, "area": area, "pulse_weight": pulse_weight,
        }  # fmt: skip
        device = _make_device(newcomer, {key: value for key, value in given.items() if value}, name, configuration)
        file = _write(device, configuration)
        taken_over = _await_daemon(configuration, time.time_ns())
        retried, left = _replay(journal, newcomer.place, load_configuration(config)) if journal else (Retried(0, 0), 0)
    if as_json:
        listed = {"device": device.model_dump(mode="json", exclude_defaults=True), "file": str(file)}
        print_json(listed | retried._asdict() | {"left": left})
        return
    console.print(f"Added {device.id} ({device.kind}, {device.profile}) to {file}.", markup=False, highlight=False)
    if retried.messages:
        console.print(f"{retried.readings:,} readings of {retried.messages:,} messages came in out of quarantine.")
    if left:
        console.print(f"{left:,} of its messages could not be read. See: siteward quarantine list")
    if not taken_over:
        messages.print("The daemon has not taken it over yet; when it has: siteward quarantine retry", style="yellow")


# ── what there is ────────────────────────────────────────────────────────────────────────────────────────────────


def _hear(configuration: Configuration, listening: str) -> list[tuple[str, bytes]]:
    """Announcements; a broker that cannot be reached is said, and is no reason not to go on."""
    try:
        longest = parse_duration(listening)
    except ValueError as error:
        fail(f"--listen: {error}")
    if not longest:
        return []
    try:
        heard = listen(configuration.settings.mqtt, longest)
    except (CollectorError, OSError) as error:
        messages.print(f"Announcements were not heard: {error}", style="yellow", markup=False, soft_wrap=True)
        return []
    if heard.refused:
        refused = ", ".join(heard.refused)
        messages.print(f"The broker does not let us read {refused}", style="yellow", markup=False, soft_wrap=True)
    return heard.messages


def _list(newcomers: list[Newcomer], configuration: Configuration, *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                newcomer.place._asdict() | newcomer._asdict() | {"sketch": newcomer.sketch and newcomer.sketch.text}
                for newcomer in newcomers
            ]
        )
        return
    zone = configuration.settings.site.zone
    rows = [
        {
            "address": newcomer.place.address or newcomer.place.topic,
            "profile": newcomer.place.profile or "none yet",
            "messages": newcomer.messages or f"announced ({newcomer.source})",
            "last": show_moment(newcomer.last, zone),
            "says": _show_points(newcomer.says),
            "proposed": f"{newcomer.id}, {newcomer.kind}",
        }
        for newcomer in newcomers
    ]
    print_rows("Not in the register", rows, as_json=False, empty="Nothing is heard that is not in the register.")
    if rows:
        console.print("To take one in: siteward devices adopt ADDRESS")


def _show_points(says: dict[str, Value | None]) -> str:
    shown = [
        name if value is None else f"{name} {_show_value(name, value)}"
        for name, value in list(says.items())[:_SHOWN_POINTS]
    ]
    return ", ".join(shown + ["…"] * (len(says) > _SHOWN_POINTS))


def _show_value(name: str, value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,.6g} {POINTS[name].unit}".rstrip() if isinstance(value, float) else value


# ── the one that is meant ────────────────────────────────────────────────────────────────────────────────────────


def _is_called(newcomer: Newcomer, address: str) -> bool:
    return address in {newcomer.place.address, newcomer.place.topic}


def _pick(newcomers: list[Newcomer], address: str, profile: str, configuration: Configuration) -> Newcomer:
    """The newcomer of an address, with the profile that reads it; ends the command where there is none."""
    if profile and profile not in configuration.profiles:
        hint = suggest(profile, configuration.profiles) or "see: siteward devices profiles"
        fail(f"There is no profile {profile!r}; {hint}")
    found = [newcomer for newcomer in newcomers if _is_called(newcomer, address)]
    if not found:
        _miss(newcomers, address, configuration)
    fitting = [newcomer for newcomer in found if newcomer.place.profile in {profile or newcomer.place.profile, ""}]
    heard_by = ", ".join(sorted(newcomer.place.profile for newcomer in found))
    if not fitting:
        fail(f"{address!r} is heard by profile {heard_by}, not by {profile!r}.")
    if len(fitting) > 1:
        fail(f"{address!r} is heard by several profiles: {heard_by}. Choose one with --profile.")
    newcomer = fitting[0]
    if newcomer.place.profile:
        return newcomer
    if not profile:
        _offer_sketch(newcomer, address)
    return newcomer._replace(place=newcomer.place._replace(profile=profile))


def _miss(newcomers: list[Newcomer], address: str, configuration: Configuration) -> NoReturn:
    for device in configuration.register:
        if address in {device.id, device.address, device.topic}:
            again = "siteward quarantine retry"
            fail(f"{address!r} is in the register, as device {device.id!r}. What it sent before comes in with: {again}")
    known = [newcomer.place.address or newcomer.place.topic for newcomer in newcomers]
    hint = suggest(address, known) or "see what is: siteward devices adopt"
    fail(f"Nothing was heard of {address!r}; {hint}")


def _offer_sketch(newcomer: Newcomer, address: str) -> NoReturn:
    """Prints a profile that somebody has to look at first, alone, so that it can be sent to a file."""
    assert newcomer.sketch is not None  # noqa: S101 - what no profile reads is announced with its points
    typer.echo(newcomer.sketch.text, nl=False)
    option = f" --profile {newcomer.sketch.id}" if newcomer.sketch.topic else ""
    fail(
        f"No profile reads {address!r} yet. Above is a sketch of one, from what it announces: look at it, save it as"
        f" profiles/{newcomer.sketch.id}.yaml in the configuration, then: siteward devices adopt {address}{option}",
        EXIT_FINDINGS,
    )


# ── into the register ────────────────────────────────────────────────────────────────────────────────────────────


def _make_device(newcomer: Newcomer, given: dict[str, str], name: str, configuration: Configuration) -> Device:
    """The device as it will be listed; ends the command where an option cannot be."""
    place, language = newcomer.place, configuration.settings.site.language
    fields: dict[str, Any] = {"id": newcomer.id, "kind": newcomer.kind} | given
    known = configuration.register.by_id().get(fields["id"])
    if known is not None:
        fail(f"There is a device {known.id!r} already; choose another --id")
    if place.profile != "canonical":
        fields["profile"] = place.profile
    if place.topic:
        fields["topic"] = place.topic
    elif place.address != fields["id"]:
        fields["address"] = place.address
    if name or newcomer.name:
        fields["name"] = {language: name or newcomer.name}
    try:
        return Device.model_validate(fields)
    except ValidationError as error:
        for fault in wording.explain(error, Device, Document(orjson.dumps(fields).decode())):
            hint = f" ({fault.hint})" if fault.hint else ""
            messages.print(f"{fault.message}{hint}", style="red", markup=False, soft_wrap=True)
        fail("Nothing was added.")


def _write(device: Device, configuration: Configuration) -> Path:
    try:
        return add_device(configuration.folder, device)
    except ConfigurationError as error:
        for problem in error.problems:
            messages.print(str(problem), style="red", markup=False, soft_wrap=True)
        fail("Nothing was added.")
    except (CollectorError, OSError) as error:
        fail(f"Nothing was added: {error}")


def _await_daemon(configuration: Configuration, written: int) -> bool:
    """Waits until a running daemon has the configuration of a time (ns); False where it takes too long."""
    address = configuration.settings.http.listen
    deadline = time.monotonic() + _TAKE_OVER_S
    while time.monotonic() < deadline:
        try:
            answer = urllib3.request("GET", f"http://{address}/live", timeout=3, retries=False)
            state: dict[str, Any] = orjson.loads(answer.data)["configuration"]
        except (urllib3.exceptions.HTTPError, orjson.JSONDecodeError, KeyError):
            return True  # none runs, so all that it will ever hear comes after this
        if state["in_force"] and state["loaded"] >= written:
            return True
        time.sleep(_PAUSE_S)
    return False


def _replay(journal: Journal, place: Place, configuration: Configuration) -> tuple[Retried, int]:
    """Takes what a device sent before out of quarantine: what came in, and how many messages stay."""
    configuration = add_keys(configuration)
    messages_, readings, left = 0, 0, 0
    stranger = Stranger(place.profile, place.address)
    try:
        for group in quarantine.list_groups(journal.connection()):
            if group.stranger == stranger:
                retried = retry_group(journal, group, configuration)
                messages_ += retried.messages
                readings += retried.readings
                left += group.kept - retried.messages
    except sqlite3.Error as error:
        fail(
            f"It is in the register, but what it sent stays in quarantine: {error}. Later: siteward quarantine retry", 1
        )
    return Retried(messages_, readings), left
