"""`siteward quarantine list|show|retry|drop`."""

from collections import Counter
from typing import Annotated

import typer
from msgspec import msgpack

from collector import ledger, quarantine
from collector.commands.common import load_configuration, show_moment, visit_journal
from collector.journal import Journal
from collector.quarantine import Group, Rejection
from collector.terminal import DEFAULT_CONFIG, AsJson, ConfigFolder, console, fail, print_json, print_rows
from devices.decoder import Decoder
from devices.errors import Undecodable
from devices.reading import Reading

app = typer.Typer(no_args_is_help=True, help="Messages that could not be decoded or stored.")

_CHUNK_MESSAGES = 1000
GroupNumber = Annotated[int, typer.Argument(metavar="GROUP", help="Number in `siteward quarantine list`.")]


@app.command("list")
def list_(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """List what is in quarantine, by cause."""
    configuration = load_configuration(config)
    zone = configuration.settings.site.zone
    with visit_journal(configuration) as journal:
        groups = quarantine.list_groups(journal.connection())
    if as_json:
        print_json([group._asdict() for group in groups])
        return
    rows = [
        {
            "group": group.id,
            "device": group.device or "-",
            "reason": group.reason,
            "what to do": group.hint,
            "count": group.times,
            "kept": group.kept,
            "last": show_moment(group.last, zone),
        }
        for group in groups
    ]
    print_rows("Quarantine", rows, as_json=False, empty="Quarantine is empty.")


@app.command()
def show(
    group: GroupNumber,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    most: Annotated[int, typer.Option("--most", min=1, help="How many messages, the newest.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Show messages of a group as they came."""
    configuration = load_configuration(config)
    zone = configuration.settings.site.zone
    with visit_journal(configuration) as journal:
        found = _find(journal, group)
        newest = list(quarantine.messages(journal.connection(), group))[-most:]
    if as_json:
        print_json(
            [{"received": item.received, "topic": item.topic, "payload": _payload(item)} for _, item in newest],
        )
        return
    console.print(f"[bold]{found.times:,} times:[/] ", end="")
    console.print(found.reason, markup=False)
    if found.hint:
        console.print(f"what to do: {found.hint}", markup=False)
    for _, item in newest:
        console.print(f"\n{show_moment(item.received, zone)}  {item.topic}", style="bold", markup=False)
        console.print(_payload(item), markup=False)


@app.command()
def retry(
    group: Annotated[int | None, typer.Argument(metavar="[GROUP]", help="One group; left out: all.")] = None,
    config: ConfigFolder = DEFAULT_CONFIG,
) -> None:
    """Try again, after the profile, the register or the database was mended."""
    configuration = load_configuration(config)
    with visit_journal(configuration) as journal:
        groups = quarantine.list_groups(journal.connection()) if group is None else [_find(journal, group)]
        decoder = configuration.decoder()
        good = sum(retry_group(journal, item, decoder) for item in groups)
        kept = sum(item.kept for item in groups)
    console.print(f"{good:,} of {kept:,} messages went through; {kept - good:,} are still in quarantine.")
    if good < kept:
        raise typer.Exit(1)


@app.command()
def drop(group: GroupNumber, config: ConfigFolder = DEFAULT_CONFIG) -> None:
    """Delete a group and its messages for good."""
    configuration = load_configuration(config)
    with visit_journal(configuration) as journal:
        found = _find(journal, group)
        with journal.transaction() as connection:
            quarantine.remove(connection, group)
    console.print(f"Deleted {found.kept:,} messages.")


def _find(journal: Journal, number: int) -> Group:
    groups = {group.id: group for group in quarantine.list_groups(journal.connection())}
    if number not in groups:
        fail(f"There is no group {number}. See: siteward quarantine list")
    return groups[number]


def _payload(rejection: Rejection) -> str:
    if rejection.stage == "store":
        try:
            return str(msgpack.decode(rejection.payload))
        except ValueError:
            return repr(rejection.payload)
    try:
        return rejection.payload.decode()
    except UnicodeDecodeError:
        return rejection.payload.hex(" ")


def retry_group(journal: Journal, group: Group, decoder: Decoder) -> int:
    """Commits what can be decoded now and takes it out of quarantine; how many messages that were.

    In the ledger it is as if the messages had come only now.
    """
    done = 0
    messages = list(quarantine.messages(journal.connection(), group.id))
    for at in range(0, len(messages), _CHUNK_MESSAGES):
        numbers: list[int] = []
        readings: list[Reading] = []
        cured: Counter[tuple[str, int]] = Counter()
        for number, item in messages[at : at + _CHUNK_MESSAGES]:
            try:
                readings += _decode(item, decoder)
            except (Undecodable, ValueError):
                continue
            numbers.append(number)
            cured[item.device, item.received // ledger.HOUR] -= 1
        with journal.transaction() as connection:
            if readings:
                journal.append(connection, readings)
            if group.stage == "decode":
                ledger.count(connection, "quarantined", cured)
            else:
                ledger.take_back(connection, readings)
            quarantine.remove(connection, group.id, numbers)
        done += len(numbers)
    return done


def _decode(item: Rejection, decoder: Decoder) -> list[Reading]:
    if item.stage == "store":
        if not item.device:
            raise ValueError("what a failing disk left of the journal is evidence, no readings")
        return msgpack.decode(item.payload, type=list[Reading])
    readings = decoder.decode(item.topic, item.payload, item.received)
    for reading in readings:
        reading.late = True
    return readings
