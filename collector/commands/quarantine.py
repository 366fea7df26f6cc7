"""`siteward quarantine list|show|retry|drop`."""

from collections import Counter
from typing import Annotated, NamedTuple

import typer
from msgspec import msgpack

from collector import births, ledger, quarantine
from collector.commands.common import add_keys, load_configuration, show_moment, visit_journal
from collector.configuration import Configuration
from collector.journal import Journal
from collector.quarantine import Group, Rejection
from collector.terminal import DEFAULT_CONFIG, AsJson, ConfigFolder, console, fail, print_json, print_rows
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
            "device": group.device or group.address or "-",
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
        newest = list(quarantine.messages(journal.connection(), found, most))
    if as_json:
        print_json(
            [{"received": item.received, "topic": item.topic, "payload": _payload(item)} for _, item in newest],
        )
        return
    console.print(f"[bold]{found.times:,} times:[/] ", end="")
    console.print(found.reason, markup=False)
    if found.stranger:
        console.print(f"who: {found.address}, heard by profile {found.profile}", markup=False)
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
        configuration = add_keys(configuration)
        groups = quarantine.list_groups(journal.connection()) if group is None else [_find(journal, group)]
        good = sum(retry_group(journal, item, configuration).messages for item in groups)
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


class Retried(NamedTuple):
    """What went through at a second try."""

    messages: int
    readings: int


class _Outcome(NamedTuple):
    """What becomes of a message.

    Attributes:
        number: of the message.
        item: as it was rejected.
        readings: what is taken.
        left: why it is rejected all the same; None where it is not.
        others: the rejection for strangers that it is about beside the group's; None where there are none.
    """

    number: int
    item: Rejection
    readings: list[Reading]
    left: Rejection | None = None
    others: Rejection | None = None


def retry_group(journal: Journal, group: Group, configuration: Configuration) -> Retried:
    """Commits what can be decoded now and takes it out of quarantine; what has another cause now goes to that group.

    Of messages in which a device was not in the register, only that device's readings are taken: those of others
    have been. In the ledger it is as if all had come only now.
    """
    trial = _Trial(group, configuration, journal)
    messages = readings = 0
    kept = list(quarantine.messages(journal.connection(), group))
    for at in range(0, len(kept), _CHUNK_MESSAGES):
        outcomes = [outcome for number, item in kept[at : at + _CHUNK_MESSAGES] if (outcome := trial.run(number, item))]
        done = _commit(journal, group, outcomes)
        messages += sum(outcome.left is None for outcome in done)
        readings += sum(len(outcome.readings) for outcome in done)
    return Retried(messages, readings)


def _commit(journal: Journal, group: Group, outcomes: list[_Outcome]) -> list[_Outcome]:
    """Writes outcomes in one transaction, and returns those that no other process was faster to write."""
    with journal.transaction() as connection:
        fresh: Counter[tuple[str, int]] = Counter()
        done: list[_Outcome] = []
        for outcome in outcomes:
            if outcome.others is not None:
                hour = outcome.item.received // ledger.HOUR
                fresh["", hour] += quarantine.extend(connection, outcome.number, outcome.others)
            if quarantine.take(connection, group.id, outcome.number):
                done.append(outcome)
        readings = [reading for outcome in done for reading in outcome.readings]
        if readings:
            journal.append(connection, readings)
        if group.stage == "decode":
            left = [outcome.left for outcome in done if outcome.left is not None]
            quarantine.record(connection, left)
            change = fresh + quarantine.tally(left)
            change.subtract(quarantine.tally(outcome.item for outcome in done))
            ledger.count(connection, "quarantined", change)
        else:
            ledger.take_back(connection, readings)
    return done


class _Trial:
    """Tries the messages of one group again."""

    def __init__(self, group: Group, configuration: Configuration, journal: Journal) -> None:
        register = configuration.register
        decoder = configuration.decoder()
        births.recall(decoder, journal)
        self._decode = decoder.decode
        self._owners = {d.id for d in register if (d.profile, d.address or d.id) == group.stranger}
        self._topics = {device.topic: device.id for device in register if device.topic}

    def run(self, number: int, item: Rejection) -> _Outcome | None:
        """What becomes of a message; None where nothing has changed."""
        if item.stage == "decode":
            return self._run(number, item)
        readings = _unpack(item)
        return _Outcome(number, item, readings) if readings else None

    def _run(self, number: int, item: Rejection) -> _Outcome | None:
        left = others = None
        try:
            readings = self._decode(item.topic, item.payload, item.received)
        except Undecodable as error:
            if set(item.strangers) & set(error.strangers):
                return None
            readings = list(error.readings)
            again = item._replace(device=error.device, reason=error.reason, hint=error.hint)
            if not item.strangers:
                left = again._replace(strangers=error.strangers)
            elif error.strangers:
                others = again._replace(strangers=error.strangers)
            else:
                left = again
            if left is not None and left._replace(hint=item.hint) == item:
                return None
        if item.strangers:
            owners = self._owners | {self._topics.get(item.topic)}
            readings = [reading for reading in readings if reading.device in owners]
        for reading in readings:
            reading.late = True
        return _Outcome(number, item, readings, left, others)


def _unpack(item: Rejection) -> list[Reading]:
    """Readings that the database rejected; what a failing disk left of the journal is evidence, no readings."""
    try:
        return msgpack.decode(item.payload, type=list[Reading]) if item.device else []
    except ValueError:
        return []
