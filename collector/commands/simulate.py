"""`siteward simulate`: publishes the simulated campus to any broker."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.live import Live as Screen
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from collector.commands.common import load_configuration
from collector.configuration import Configuration
from collector.errors import CollectorError
from collector.settings import Mqtt
from collector.simulation.campus import Campus
from collector.simulation.publisher import Publisher, fill_back, go_live
from collector.simulation.rhythm import Rhythm
from collector.terminal import DEFAULT_CONFIG, ConfigFolder, console, fail, messages
from devices.durations import NANOSECONDS, format_duration, parse_duration

Days = Annotated[int, typer.Option("--days", min=0, help="How many days to fill back before it goes live.")]
Live = Annotated[bool, typer.Option("--live/--no-live", help="Go on live after the days are filled back.")]
Interval = Annotated[
    str, typer.Option("--interval", metavar="DURATION", help="How often meters report at least while live.")
]

_DAY = NANOSECONDS["d"]
_NAMED = 8


def simulate(
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    broker: Annotated[
        str,
        typer.Option("--broker", metavar="mqtt://HOST:PORT", help="Broker; left out: that of siteward.yaml."),
    ] = "",
    days: Days = 14,
    live: Live = True,
    interval: Interval = "10s",
) -> None:
    """Publish what a simulated campus says, for the devices of the register, to an MQTT broker."""
    configuration = load_configuration(config)
    settings = _choose_broker(configuration.settings.mqtt, broker)
    every = read_interval(interval)
    now = time.time_ns()
    campus = make_campus(configuration, days, now)
    introduce(campus, configuration, settings.url)
    began = time.monotonic()
    try:
        with Publisher(settings, configuration.settings.site.id) as publisher:
            with suppress(KeyboardInterrupt):
                if days:
                    with show_progress() as progress:
                        task = progress.add_task("Published", total=1.0)
                        fill_back(publisher, campus, now, lambda share: progress.update(task, completed=share))
                if live:
                    with Screen(
                        get_renderable=lambda: f"{_describe(publisher)}, going on live; Ctrl-C ends it.",
                        console=messages,
                        transient=True,
                    ):
                        go_live(publisher, campus, now, interval=every, stopping=threading.Event())
            console.print(f"{_describe(publisher)} in {time.monotonic() - began:.1f} s.", highlight=False)
    except CollectorError as error:
        fail(str(error), 1)


def make_campus(configuration: Configuration, days: int, now: int) -> Campus:
    """The campus of a configuration's register; ends the command where nothing of it can be simulated."""
    settings = configuration.settings
    if days * _DAY >= settings.time.past:
        fail(f"--days {days}: older than {format_duration(settings.time.past)}, which is all that time.past believes.")
    campus = Campus(
        configuration.register,
        Rhythm(settings.site.zone),
        now - days * _DAY,
        now,
        outdoors=configuration.reports.temperature.device if configuration.reports.temperature else "",
    )
    if not campus.devices:
        fail(f"{configuration.folder}: no device of the register speaks Siteward's own payload (profile canonical).")
    return campus


def read_interval(text: str) -> int:
    """A duration in nanoseconds, a second at least; ends the command where it is none."""
    try:
        interval = parse_duration(text)
    except ValueError as error:
        fail(f"--interval: {error}")
    if interval < NANOSECONDS["s"]:
        fail(f"--interval: a second is the least, got {text}")
    return interval


def introduce(campus: Campus, configuration: Configuration, url: str) -> None:
    """Says what is simulated, what is left out, and what will go wrong."""
    site, language = configuration.settings.site, pick_language()
    name = escape(site.name.pick(language, site.id))
    messages.print(f"Simulates {len(campus.devices)} devices of [bold]{name}[/] and publishes to {url}")
    if campus.left_out:
        names = ", ".join(device.id for device in campus.left_out[:_NAMED])
        more = f" and {len(campus.left_out) - _NAMED} more" if len(campus.left_out) > _NAMED else ""
        messages.print(f"Left out, for their payload or kind is not simulated: {names}{more}", style="yellow")
    table = Table(
        title="What you are about to see", title_justify="left", box=None, header_style="bold", pad_edge=False
    )
    for name in ("When", "What", "Where", "For"):
        table.add_column(name)
    for incident in campus.incidents:
        when = datetime.fromtimestamp(incident.begin / NANOSECONDS["s"], UTC).astimezone(site.zone)
        table.add_row(
            f"live at {when:%H:%M:%S}" if incident.id.endswith("-live") else f"{when:%a %m-%d %H:%M}",
            incident.text.pick(language),
            incident.subject,
            format_duration(incident.duration) if incident.duration else "",
        )
    messages.print(table)


def pick_language() -> str:
    """The language of the terminal, where names and texts have two: zh or en."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.startswith("zh") else "en"


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Bars for shares between 0 and 1."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=messages) as progress:
        yield progress


def _describe(publisher: Publisher) -> str:
    return f"Published {publisher.messages:,} messages with {publisher.readings:,} readings"


def _choose_broker(settings: Mqtt, url: str) -> Mqtt:
    """The broker of the settings, or another one with the same credentials."""
    if not url:
        return settings
    try:
        Mqtt(url=url, client_id=settings.client_id)
    except ValidationError as error:
        fail(f"--broker: {error.errors()[0]['msg'].removeprefix('Value error, ')}")
    plain = {} if url.startswith("mqtts:") else {"ca_file": None, "cert_file": None, "key_file": None}
    return settings.model_copy(update={"url": url, **plain})
