"""What `siteward devices try` says, for people and for programs."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson
from rich.markup import escape

from collector.commands.common import show_moment
from collector.terminal import console, print_rows
from devices.language.profile import Form, Profile
from devices.language.trace import ITEMS_SHOWN, Item, Look, Trace
from devices.message import Record
from devices.points import POINTS
from devices.reading import Reading, Value
from devices.timestamps import format_rfc3339

_TEXT_LENGTH_MAX = 300
_CELL_LENGTH_MAX = 60


class Message(NamedTuple):
    """What was published, and when it arrived (nanoseconds since 1970)."""

    topic: str
    payload: bytes
    received: int


class Way(NamedTuple):
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


class Outcome(NamedTuple):
    """What the site makes of a message: readings, and why it goes to quarantine all the same."""

    readings: Sequence[Reading]
    problem: str


class Tryout(NamedTuple):
    """All that is known of a message.

    Attributes:
        message: itself.
        steps: how each form that may read it does.
        outcome: what the site makes of it; None where a profile is tried without the register.
    """

    message: Message
    steps: Sequence[tuple[Way, Trace]]
    outcome: Outcome | None


# ── for programs ─────────────────────────────────────────────────────────────────────────────────────────────────


def tell(tryout: Tryout) -> dict[str, object]:
    """All of it as JSON."""
    message, steps, outcome = tryout
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
                "problem": trace.problem,
                "conditions": [{"condition": words, "holds": holds} for words, holds in trace.conditions],
                "opened": trace.opened,
                "items": [_tell_item(item) for item in trace.items],
                "records": [_tell_record(record) for record in trace.records],
            }
            for way, trace in steps
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


def show(tryout: Tryout, zone: ZoneInfo) -> None:
    """Prints each step, and what comes of it."""
    message, steps, outcome = tryout
    console.print(f"[bold]topic[/]    {escape(message.topic) or '(a device has its own)'}", highlight=False)
    console.print(f"[bold]payload[/]  {escape(_show_payload(message.payload))}", highlight=False)
    for way, trace in steps:
        _show_form(way, trace)
    if not steps:
        console.print("\nNo profile of the register's devices has this topic.")
    console.print()
    if outcome is None:
        _show_records([(way, record) for way, trace in steps for record in trace.records], zone)
    else:
        _show_outcome(outcome, zone)


def _show_form(way: Way, trace: Trace) -> None:
    count = len(way.profile.forms)
    which = f", form {way.number} of {count}" if count > 1 else ""
    console.print(
        f"\n[bold]{escape(way.profile.id)}{which}:[/] {escape(way.topic) or 'a topic of its own'}", highlight=False
    )
    if way.parts:
        _say("topic: " + ", ".join(f"{name} = {part}" for name, part in way.parts.items()))
    for words, holds in trace.conditions:
        _say(f"when {words}: {'yes' if holds else 'no'}")
    if way.form.format != "json" or way.form.bytes:
        for body in (trace.opened or ())[:ITEMS_SHOWN]:
            _say(f"{way.form.format}: {_show_json(body, _TEXT_LENGTH_MAX)}")
    for item in trace.items:
        _show_item(way.form, item)
    if len(trace.items) == ITEMS_SHOWN and len(trace.records) > ITEMS_SHOWN:
        _say("… and further items")
    if trace.problem:
        _say(trace.problem, "red")
    elif not trace.fits:
        _say(f"not of this form: {trace.reason}", "yellow")
    elif trace.reason:
        _say(trace.reason, "yellow")


def _show_item(form: Form, item: Item) -> None:
    if item.label:
        _say(f"{item.label}: {_show_json(item.content, _TEXT_LENGTH_MAX)}")
    elif form.within or form.entries or form.under:
        _say(f"points stand in: {_show_json(item.content, _TEXT_LENGTH_MAX)}")
    unseen = {look.name for look in item.looks if look.found is None} - {
        look.name for look in item.looks if look.found is not None or look.made is not None
    }
    rows = [
        {
            "point": look.name,
            "where": look.path,
            "found": "" if look.found is None else _show_json(look.found, _CELL_LENGTH_MAX),
            "result": _show_made(look),
            "how": look.note,
        }
        for look in item.looks
        if look.name not in unseen
    ]
    if rows:
        print_rows("", rows, as_json=False)
    if unseen:
        wheres = {name: ", ".join(look.path for look in item.looks if look.name == name) for name in sorted(unseen)}
        _say("nothing there: " + "; ".join(f"{name} ({where})" for name, where in wheres.items()))
    if item.problem:
        _say(item.problem, "red")


def _say(text: str, style: str = "") -> None:
    console.print(f"  {text}", style=style, markup=False, highlight=False)


def _show_records(records: Sequence[tuple[Way, Record]], zone: ZoneInfo) -> None:
    rows = [
        {
            "device": address or way.parts.get("device", "") or "(that of the topic)",
            "time": show_moment(moment[0], zone) if moment else "(the arrival)",
            "readings": _show_values(values),
        }
        for way, (moment, values, address) in records
    ]
    print_rows("Readings, before what the register adds", rows, as_json=False, empty="No reading.")


def _show_outcome(outcome: Outcome, zone: ZoneInfo) -> None:
    rows = [
        {
            "device": reading.device,
            "time": show_moment(reading.time, zone),
            "not believed": "" if reading.claimed is None else show_moment(reading.claimed, zone),
            "readings": _show_values(reading.values),
        }
        for reading in outcome.readings
    ]
    if not any(row["not believed"] for row in rows):
        rows = [{name: value for name, value in row.items() if name != "not believed"} for row in rows]
    print_rows("Readings as they are stored", rows, as_json=False, empty="No reading.")
    if outcome.problem:
        console.print(outcome.problem, style="red", markup=False, highlight=False)


def _show_payload(payload: bytes) -> str:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = payload.hex(" ")
    return _shorten(" ".join(text.split()), _TEXT_LENGTH_MAX) or "(empty)"


def _show_json(value: Any, most: int) -> str:  # noqa: ANN401 - JSON is anything
    try:
        text = orjson.dumps(value, default=str).decode()
    except (TypeError, ValueError):  # what a codec made
        text = repr(value)
    return _shorten(text, most)


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _show_made(look: Look) -> str:
    if look.made is None:
        return ""
    return format_rfc3339(look.made[0]) if isinstance(look.made, tuple) else _show_value(look.name, look.made)


def _show_values(values: Mapping[str, Value]) -> str:
    return "\n".join(f"{name}: {_show_value(name, value)}" for name, value in values.items())


def _show_value(name: str, value: Value) -> str:
    """A value with its unit."""
    if isinstance(value, bool):
        return str(value).lower()
    unit = POINTS[name].unit if name in POINTS else ""
    return f"{value:.12g} {unit}".rstrip() if isinstance(value, float) else value
