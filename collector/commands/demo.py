"""`siteward demo`: a whole site in one command: broker, simulated campus, daemon and store."""

import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import yaml
from rich.live import Live as Screen

from collector import logs
from collector.commands.common import load_configuration
from collector.commands.live import LiveView
from collector.commands.simulate import (
    Days,
    Interval,
    Live,
    introduce,
    make_campus,
    pick_language,
    read_interval,
    show_progress,
)
from collector.configuration import Configuration
from collector.daemon import Daemon
from collector.errors import CollectorError
from collector.simulation.broker import EmbeddedBroker, find_free_port
from collector.simulation.campus import Campus
from collector.simulation.publisher import Publisher, fill_back, go_live
from collector.terminal import DEFAULT_CONFIG, ConfigFolder, console, fail

_SUBSCRIBED_S = 15.0
_STORED_S = 120.0
_POLL_S = 0.1
_REDRAW_S = 0.5
_LINE_S = 5.0


def demo(
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    days: Days = 14,
    live: Live = True,
    interval: Interval = "10s",
) -> None:
    """Show a living site: an embedded broker, a simulated campus that speaks to it, and Siteward itself.

    The register is that of the configuration; its broker, database and data are left alone.
    """
    every = read_interval(interval)
    original = load_configuration(config)
    folder, port = Path(tempfile.mkdtemp(prefix="siteward-demo-")), find_free_port()
    configuration = furnish(original, folder, port)
    settings = configuration.settings
    now = time.time_ns()
    campus = make_campus(configuration, days, now)
    introduce(campus, configuration, settings.mqtt.url)
    console.print(
        f"\nThe demo keeps everything in {folder}\nLook into it with: siteward tickets list -c {configuration.folder}"
    )
    ended = _end_on_signals()
    try:
        with (
            _log_to(folder / "daemon.log"),
            EmbeddedBroker(port, folder / "broker.log"),
            _run_daemon(configuration) as daemon,
            Publisher(settings.mqtt, settings.site.id) as publisher,
        ):
            with suppress(KeyboardInterrupt):
                if days:
                    _fill_back(daemon, publisher, campus, now)
                if live:
                    _watch(
                        daemon,
                        campus,
                        lambda stop: go_live(publisher, campus, now, interval=every, stopping=stop),
                        ended,
                    )
            summary = _summarize(daemon)
    except (CollectorError, OSError, sqlite3.Error) as error:
        fail(f"{error}\nThe logs in {folder} say more.", 1)
    except KeyboardInterrupt:
        return
    console.print(f"{summary} Everything stays in {folder}", highlight=False, soft_wrap=True)


def furnish(configuration: Configuration, folder: Path, port: int) -> Configuration:
    """Copies a configuration for the demo: the same site and devices, but a broker, database and address of its own.

    Args:
        configuration: the site's.
        folder: where the copy and the demo's data go.
        port: of the demo's broker on loopback.

    Returns:
        The copy, read from FOLDER/config.
    """
    copy = folder / "config"
    for source in configuration.files:
        target = copy / source.relative_to(configuration.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    content = {
        "site": configuration.settings.site.model_dump(mode="json"),
        "data_dir": str(folder / "data"),
        "mqtt": {"url": f"mqtt://127.0.0.1:{port}", "client_id": "siteward-demo", "username": "demo"},
        "store": {"kind": "embedded"},
        "http": {"listen": f"127.0.0.1:{find_free_port()}"},
    }
    (copy / "rules").mkdir(exist_ok=True)
    with as_file(files("collector.simulation") / "demo-rules.yaml") as rules:
        shutil.copyfile(rules, copy / "rules" / "demo.yaml")
    (copy / "siteward.yaml").write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return load_configuration(copy)


@contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """Sends the logs of this process to a file, off the screen."""
    with path.open("w", encoding="utf-8") as log:
        with redirect_stderr(log):
            logs.configure()
        yield


@contextmanager
def _run_daemon(configuration: Configuration) -> Iterator[Daemon]:
    """The daemon, from when it has subscribed."""
    configuration.settings.data_dir.mkdir()
    daemon = Daemon(configuration)
    daemon.start()
    try:
        _wait_until(lambda: not daemon.obstacles(), _SUBSCRIBED_S, lambda: "; ".join(daemon.obstacles()))
        yield daemon
    finally:
        daemon.stop()


def _fill_back(daemon: Daemon, publisher: Publisher, campus: Campus, until: int) -> None:
    """Publishes the days before now, and waits until the daemon has stored them."""
    began = time.monotonic()
    with show_progress() as progress:
        published, stored = (progress.add_task(name, total=1.0) for name in ("Published", "Stored"))

        def look() -> bool:
            live: dict[str, Any] = daemon.live()
            position: int = live["journal"]["store"]
            head: int = live["journal"]["head"]
            share: float = progress.tasks[published].completed
            progress.update(stored, completed=share * min(1.0, position / max(1, publisher.readings)))
            arrived: int = live["counts"]["messages"]
            return arrived >= publisher.messages and position >= head

        def advance(share: float) -> None:
            progress.update(published, completed=share)
            look()

        fill_back(publisher, campus, until, advance)
        _wait_until(look, _STORED_S, lambda: _summarize(daemon))
    seconds = time.monotonic() - began
    console.print(
        f"{publisher.readings:,} readings of {len(campus.devices)} devices, published and stored in {seconds:.1f} s.",
        highlight=False,
    )


def _end_on_signals() -> threading.Event:
    """Has SIGTERM end the demo as Ctrl-C does. What is set then ends it, too, where the interrupt gets lost.

    That happens where it comes while a finalizer runs: Python reports such an exception and goes on.
    """
    ended = threading.Event()

    def end(*_: object) -> None:
        ended.set()
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return ended


def _watch(daemon: Daemon, campus: Campus, publish: Callable[[threading.Event], None], ended: threading.Event) -> None:
    """Publishes in a thread and shows what arrives, until the demo is ended or publishing fails."""
    site = daemon.configuration.settings.site
    language = pick_language()
    title = f"Siteward demo · {site.name.pick(language, site.id)} · Ctrl-C ends it"
    address = f"http://{daemon.http.address}/live"
    view = LiveView(title, address, campus.devices, campus.incidents, zone=site.zone, language=language)
    stopping = threading.Event()
    with ThreadPoolExecutor(1, "simulator") as pool:
        try:  # from here on: what publishes must be told to stop, or the pool waits for it
            publishing = pool.submit(publish, stopping)
            if console.is_terminal:
                _draw(daemon, view, lambda pause_s: ended.wait(pause_s) or publishing.done())
            else:
                _print_lines(daemon, view, lambda pause_s: ended.wait(pause_s) or publishing.done())
        finally:
            stopping.set()
        publishing.result()


def _draw(daemon: Daemon, view: LiveView, is_over: Callable[[float], bool]) -> None:
    with Screen(console=console, screen=True, auto_refresh=False) as screen:
        while not is_over(_REDRAW_S):
            screen.update(view.render(daemon.live(), time.time_ns(), console.height), refresh=True)


def _print_lines(daemon: Daemon, view: LiveView, is_over: Callable[[float], bool]) -> None:
    while not is_over(_LINE_S):
        now, live = time.time_ns(), daemon.live()
        for line in (view.summarize(live, now), *view.tell_tickets(live)):
            console.print(f"{view.tell_time(now)}  {line}", markup=False, highlight=False, soft_wrap=True)


def _summarize(daemon: Daemon) -> str:
    live: dict[str, Any] = daemon.live()
    journal, counts = live["journal"], live["counts"]
    return (
        f"{counts['readings']:,} readings arrived, {journal['head'] - journal['store']:,} wait for the store, "
        f"{counts['late']:,} came late, {counts['quarantined']:,} are in quarantine."
    )


def _wait_until(reached: Callable[[], bool], timeout_s: float, explain: Callable[[], str]) -> None:
    """Waits for something.

    Raises:
        CollectorError: it did not come in time, with an explanation.
    """
    deadline = time.monotonic() + timeout_s
    while not reached():
        if time.monotonic() > deadline:
            raise CollectorError(f"Waited {timeout_s:.0f} s in vain: {explain()}")
        time.sleep(_POLL_S)
