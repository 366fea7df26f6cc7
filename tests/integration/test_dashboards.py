"""Every question of every dashboard, asked of a real InfluxDB that holds a week of the simulated site."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from sqlalchemy import select
from typer.testing import CliRunner

from collector import telemetry
from collector.cli import app
from collector.commands.demo import furnish
from collector.configuration import Configuration, load
from collector.daemon import Daemon
from collector.dashboards.export import render
from collector.deskopening import open_desk_database
from collector.rollups.occupancy import roll_occupancy
from collector.rollups.rollups import Rollups
from collector.simulation.campus import Campus, Delivery
from collector.simulation.publisher import Publisher, fill_back
from collector.simulation.report import Report
from collector.simulation.rhythm import Rhythm
from devices.durations import NANOSECONDS
from rules.localtime import find_hour
from tests.grafana import ALL, Question, Span, expand, questions, variables
from tests.integration.servers import InfluxDB, Mosquitto, wait_until
from tickets.queue import Filter, list_tickets
from tickets.tables import ALERTS, TICKETS

DATABASE = "dashboards"
BOARDS = {path.stem: json.loads(text) for path, text in render() if path.parent.name == "en"}
"""Those in English; the others ask the same, see tests/collector/test_dashboards.py."""

HOUR, DAY = NANOSECONDS["h"], NANOSECONDS["d"]
RULES = """
rules:
  - id: leak-now
    select: {kind: water_meter}
    when: {threshold: {point: leak, equals: true}}
    ticket: {category: plumbing}
  - id: voltage-now
    select: {kind: electricity_meter}
    when: {threshold: {point: voltage_v, above: 260 V}}
    ticket: {category: electrical}
  - id: tamper-now
    select: {kind: door}
    when: {threshold: {point: tamper, equals: true}}
    ticket: {category: access}
"""
"""Faults that are told, and are over, at once."""

OTHERS = """id,kind,building,floor,area
em-single,electricity_meter,A,1F,hall
wm-smart,water_meter,A,1F,toilets
door-plain,door,A,1F,hall
"""
"""Devices that say what no simulated one does: one phase, a leak, water that flows backwards, a button, no floor."""


class Site(NamedTuple):
    """A database that is filled.

    Attributes:
        influxdb: the server.
        span: the week in it.
    """

    influxdb: InfluxDB
    span: Span

    def ask(self, question: Question, values: dict[str, str | Sequence[str]]) -> list[Any]:
        """Values of the answer, without those that are missing and without times."""
        tables = self.influxdb.ask(DATABASE, expand(question, values, self.span))
        return [value for table in tables for row in table["values"] for value in row[1:] if value is not None]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, mosquitto: Mosquitto, influxdb: InfluxDB) -> Iterator[Site]:
    """The daemon takes a week from the broker, judges it and stores it; then the rollups are worked out."""
    original = load(Path("config"))
    configuration = _configure(original, tmp_path_factory.mktemp("site"), mosquitto, influxdb)
    now = time.time_ns()
    campus = Campus(original.register, Rhythm(original.settings.site.zone), now - 7 * DAY, now, outdoors="ws-1")
    with _running(configuration) as daemon, Publisher(configuration.settings.mqtt, "campus") as publisher:
        for age in range(24, 0, -1):  # what the daemon says of itself: not two readings in half a minute, but a day's
            daemon.journal.commit([telemetry.self_reading(daemon, now - age * HOUR)])
        fill_back(publisher, campus, now, lambda _: None)
        wait_until(lambda: _has_taken(daemon, publisher), 60)
        for delivery in _say_more(configuration):
            publisher.publish(delivery)
            publisher.flush()
        wait_until(lambda: _has_taken(daemon, publisher) and _is_drawn(configuration), 60)
        _take_ticket(configuration)
        _roll_up(configuration, daemon, campus.start, now)
        yield Site(influxdb, Span((now - 7 * DAY) // 1_000_000, time.time_ns() // 1_000_000 + 1))


def _configure(original: Configuration, folder: Path, broker: Mosquitto, database: InfluxDB) -> Configuration:
    """The example site with the broker and the database of the tests, and with some more devices."""
    copy = furnish(original, folder, broker.port)
    path = copy.folder / "siteward.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["store"] = {"kind": "influxdb", "api": "v1", "url": database.url, "database": DATABASE}
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    (copy.folder / "devices.csv").write_text(OTHERS, encoding="utf-8")
    (copy.folder / "rules" / "demo.yaml").write_text(RULES, encoding="utf-8")
    return load(copy.folder)


@contextmanager
def _running(configuration: Configuration) -> Iterator[Daemon]:
    configuration.settings.data_dir.mkdir()
    daemon = Daemon(configuration)
    daemon.start()
    try:
        wait_until(lambda: not daemon.obstacles())
        yield daemon
    finally:
        daemon.stop()


def _say_more(configuration: Configuration) -> Iterator[Delivery]:
    """What happens now: faults that begin and end, and what no simulated device says."""
    devices = configuration.register.by_id()
    begun = time.time_ns() // 1_000_000 * 1_000_000
    says: list[tuple[str, dict[str, Any]]] = [
        ("em-single", {"voltage_v": 270.0}),
        ("em-single", {"voltage_v": 231.0}),
        ("door-plain", {"event": "held_open", "tamper": True}),
        ("door-plain", {"event": "exit_request", "tamper": False}),
        ("wm-smart", {"leak": True, "backflow_m3": 0.0}),
        ("wm-smart", {"leak": False, "backflow_m3": 0.2}),
    ]
    for count, (device, values) in enumerate(says):
        yield Delivery(devices[device], [Report(begun + count * 1_000_000, values)])


def _take_ticket(configuration: Configuration) -> None:
    """A plumber answers the open ticket in time."""
    with closing(open_desk_database(configuration)) as database, database.read() as connection:
        ticket = next(each for each in list_tickets(connection, "campus", Filter()) if each.rule == "leak-sensor")
    folder = str(configuration.folder)
    taken = CliRunner().invoke(app, ["tickets", "take", ticket.number, "--as", "chen.jie", "--config", folder])
    assert taken.exit_code == 0, taken.output


def _has_taken(daemon: Daemon, publisher: Publisher) -> bool:
    """Everything that was published has arrived, was stored and judged."""
    return (
        daemon.pipeline.messages >= publisher.messages
        and daemon.writer.position >= daemon.journal.head
        and daemon.judging.position >= daemon.journal.head
    )


def _is_drawn(configuration: Configuration) -> bool:
    """Whether alerts and tickets that the desk knows are in the database, too."""
    with closing(open_desk_database(configuration)) as database, database.read() as connection:
        alerts = connection.execute(select(ALERTS)).all()
        tickets = connection.execute(select(TICKETS)).all()
    told = all(row.drawn == row.serial for row in alerts) and all(row.drawn == row.version for row in tickets)
    return told and {row.rule for row in alerts if row.cleared_at} >= {"leak-now", "voltage-now", "tamper-now"}


def _roll_up(configuration: Configuration, daemon: Daemon, start: int, now: int) -> None:
    rollups = Rollups(configuration, daemon.store)
    zone = configuration.settings.site.zone
    rollups.roll(find_hour(start, zone), find_hour(now, zone), now)
    rollups.count(now)
    quarter = HOUR // 4
    people = roll_occupancy(
        daemon.store, configuration.rule_site(), start // quarter * quarter, now // quarter * quarter
    )
    daemon.store.annotate(list(people))


def _choose_all(site: Site, board: dict[str, Any], **chosen: str) -> dict[str, str | Sequence[str]]:
    """What is chosen when the dashboard is opened: All is its own value where it has one, else every value."""
    found: dict[str, str | Sequence[str]] = {}
    for name, variable in variables(board).items():
        value = variable.get("current", {}).get("value", "")
        if value == [ALL]:
            value = variable.get("allValue") or site.ask(Question(name, variable["query"]), found)
        found[name] = chosen.get(name, value)
    return found


def _choose_by_name(site: Site, board: dict[str, Any]) -> dict[str, str | Sequence[str]]:
    """Every value of each variable, one by one."""
    found = _choose_all(site, board)
    for name, variable in variables(board).items():
        if variable["type"] == "query":
            values = site.ask(Question(name, variable["query"]), found)
            assert values == sorted(set(values))
            assert values, name
            found[name] = values
    return found


@pytest.mark.parametrize("name", BOARDS)
def test_every_question_is_answered(site: Site, name: str) -> None:
    board = BOARDS[name]
    chosen = _choose_all(site, board)
    empty = [question.where for question in questions(board) if not site.ask(question, chosen)]
    assert not empty, empty


@pytest.mark.parametrize("name", BOARDS)
def test_every_question_is_answered_where_each_value_is_chosen_by_name(site: Site, name: str) -> None:
    board = BOARDS[name]
    chosen = _choose_by_name(site, board)
    answers = {question.where: site.ask(question, chosen) for question in questions(board)}
    empty = [where for where, answer in answers.items() if not answer and not where.startswith("annotation")]
    assert not empty, empty


@pytest.mark.parametrize("name", ["electricity", "water"])
def test_totals_are_of_main_meters_or_of_sub_meters_and_never_of_both(site: Site, name: str) -> None:
    board = BOARDS[name]
    total = next(question for question in questions(board) if "${role:raw}" in question.text)
    [mains], [subs] = site.ask(total, _choose_all(site, board)), site.ask(total, _choose_all(site, board, role="sub"))
    assert 0 < subs < mains
    assert site.ask(total, _choose_all(site, board, role="sub", floor="2F"))[0] < subs


def test_a_place_narrows_what_can_be_chosen_within_it(site: Site) -> None:
    board = BOARDS["electricity"]
    devices = Question("device", variables(board)["device"]["query"])
    everywhere = site.ask(devices, _choose_all(site, board))
    here = site.ask(devices, _choose_all(site, board, building="A", floor="1F"))
    assert set(here) < set(everywhere)
    assert "em-single" in here
    assert all(device == "em-single" or device.startswith("em-a-") for device in here)


@pytest.mark.parametrize(
    ("name", "rule"), [("electricity", "voltage-now"), ("water", "leak-now"), ("access", "tamper-now")]
)
def test_only_alerts_of_what_is_shown_are_drawn_over_its_curves(site: Site, name: str, rule: str) -> None:
    board = BOARDS[name]
    drawn = next(each for each in questions(board) if each.where == "annotation Alerts")
    titles = site.ask(drawn, _choose_all(site, board))
    assert any(rule in str(title) for title in titles)
    assert not any(
        other in str(title) for title in titles for other in {"leak-now", "voltage-now", "tamper-now"} - {rule}
    )
