"""`siteward journal status|replay`."""

import time
from collections.abc import Iterator

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from collector.commands.common import Begin, End, load_configuration, parse_span, show_moment, visit_journal
from collector.errors import BatchRejected, BatchTooLarge, StoreError
from collector.journal import Journal, Span
from collector.store import Store
from collector.stores import open_store
from collector.terminal import DEFAULT_CONFIG, AsJson, ConfigFolder, console, fail, messages, print_json, print_rows
from devices.reading import Reading

app = typer.Typer(no_args_is_help=True, help="The durable log between broker and database.")

_BATCH_READINGS = 5000


@app.command()
def status(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show what the journal holds and how far its consumers are."""
    configuration = load_configuration(config)
    zone = configuration.settings.site.zone
    with visit_journal(configuration) as journal:
        used, oldest = journal.measure(), journal.oldest()
        consumers = [
            {"consumer": name, "position": position, "waiting": journal.head - position}
            for name, position in journal.cursors().items()
        ]
        if as_json:
            print_json(
                {
                    "path": journal.path,
                    "head": journal.head,
                    "bytes": used,
                    "quota_bytes": int(journal.quota_bytes),
                    "oldest": oldest,
                    "consumers": consumers,
                },
            )
            return
        console.print(f"{journal.path}: {journal.head:,} readings were committed in all", soft_wrap=True)
        console.print(
            f"{used / 1e6:,.1f} of {journal.quota_bytes / 1e6:,.0f} MB used ({used / journal.quota_bytes:.1%})"
        )
        console.print(f"can be replayed from {show_moment(oldest, zone)}")
        print_rows("Consumers", consumers, as_json=False)


@app.command()
def replay(
    begin: Begin,
    end: End = "",
    config: ConfigFolder = DEFAULT_CONFIG,
) -> None:
    """Store again what arrived in a span, for instance after the database was restored from an old backup.

    Nothing becomes double: the same device, time and point is one row.
    """
    configuration = load_configuration(config)
    zone, now = configuration.settings.site.zone, time.time_ns()
    start, stop = parse_span(begin, end, zone, now)
    with visit_journal(configuration) as journal:
        span = journal.span(start, stop)
        if span.readings == 0:
            oldest = show_moment(journal.oldest(), zone)
            fail(f"The journal holds nothing of that span; it reaches back to {oldest}.", 1)
        store = open_store(configuration)
        columns = (TextColumn("Storing again"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        rejected = 0
        try:
            store.prepare()
            with Progress(*columns, console=messages) as progress:
                task = progress.add_task("", total=span.readings)
                for batch in _batches(journal, span):
                    rejected += _store(store, batch)
                    progress.advance(task, len(batch))
        except StoreError as error:
            fail(f"{error}\nRun the same command again; nothing becomes double.", 1)
        finally:
            store.close()
    console.print(f"Stored {span.readings - rejected:,} readings again.")
    if rejected:
        fail(f"{rejected:,} readings were rejected by the database.", 1)


def _store(store: Store, readings: list[Reading]) -> int:
    """Stores readings, in parts where they are not taken as a whole; returns how many the database rejects."""
    try:
        store.write(readings)
    except (BatchRejected, BatchTooLarge) as error:
        if len(readings) == 1:
            messages.print(f"rejected: {error}", style="red", markup=False, soft_wrap=True)
            return 1
        middle = len(readings) // 2
        return _store(store, readings[:middle]) + _store(store, readings[middle:])
    return 0


def _batches(journal: Journal, span: Span) -> Iterator[list[Reading]]:
    """The readings of a span in pieces that any database takes."""
    position = span.after
    while position < span.last:
        entries = [entry for entry in journal.read(position, _BATCH_READINGS) if entry.position <= span.last]
        if not entries:
            return
        position = entries[-1].position
        readings = [reading for entry in entries for reading in entry.readings]
        for at in range(0, len(readings), _BATCH_READINGS):
            yield readings[at : at + _BATCH_READINGS]
