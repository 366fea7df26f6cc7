"""Readings to tickets through the real judge: a crash anywhere, and judging again from a snapshot, change nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import msgpack
from sqlalchemy import delete

from devices.durations import NANOSECONDS
from devices.reading import Reading, Value
from rules.judge import Judge
from tests.deskbench import START
from tests.rulebench import make_site, read_rules
from tickets.database import Database, file_url, open_database
from tickets.desk import Desk
from tickets.deskplan import DeskPlan
from tickets.queue import Filter
from tickets.tables import NAMES

SECOND, MINUTE = NANOSECONDS["s"], NANOSECONDS["m"]
RULES = read_rules(
    """
- id: gone
  when: &when {threshold: {point: voltage_v, below: 10 V}}
  inhibits: true
  yields: true
  ticket: {title: "{device.id} gone", group: {within: 15m}}
- {id: high, when: {threshold: {point: voltage_v, above: 253 V}}, for: 2m, ticket: {verify: {quiet_for: 30m}}}
- {id: room, per: floor, when: {threshold: {point: voltage_v, above: 280 V}}}
"""
)
METERS = [f"em-{number}" for number in range(6)]
SITE = make_site(
    [
        {"id": "main", "kind": "electricity_meter", "building": "A"},
        *(
            {"id": name, "kind": "electricity_meter", "building": "A", "floor": f"{n % 2}F"}
            for n, name in enumerate(METERS)
        ),
    ],
    places={"feeds": [{"main": "main", "subs": METERS}]},
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = open_database(file_url(Path(tmp_path_factory.mktemp("judged")) / "desk.db"))
    yield database
    database.close()


def open_desk(database: Database, *, fresh: bool) -> Desk:
    if fresh:
        with database.write() as connection:
            for table in reversed(NAMES.sorted_tables):
                connection.execute(delete(table))
    return Desk(database, DeskPlan(), SITE, RULES, language="en", clock=lambda: START)


def look(desk: Desk) -> list[tuple[Any, ...]]:
    """What is at the desk, without the moments at which it was written down."""
    files = [desk.show(ticket.number) for ticket in desk.list(Filter(states=()), "opened")]
    return [(file.ticket.title, file.ticket.state, file.ticket.firing, file.events, file.members) for file in files]


def judge(desk: Desk, readings: Sequence[Reading], crashes: Sequence[int]) -> None:
    """Judges as the daemon does; at each crash, what was judged since the last snapshot is judged again."""
    judging = Judge(RULES, SITE, START)
    snapshot, saved = msgpack.encode(judging.snapshot()), 0
    waiting = sorted(crashes, reverse=True)
    position = 0
    while position < len(readings):
        orders = judging.evaluate(readings[position])
        position += 1
        if orders:
            desk.apply(orders, position)
        if waiting and waiting[-1] <= position:
            if waiting.pop() % 2:
                snapshot, saved = msgpack.encode(judging.snapshot()), position
            judging = Judge(RULES, SITE, 0)
            again, position = judging.restore(msgpack.decode(snapshot)), saved
            if again:
                desk.apply(again)
    desk.apply(judging.advance(readings[-1].received + 30 * MINUTE), position)


steps = st.lists(
    st.tuples(st.sampled_from(["main", *METERS]), st.sampled_from([0.0, 230.0, 260.0, 290.0]), st.integers(1, 240)),
    min_size=1,
    max_size=60,
)


def make_readings(drawn: Sequence[tuple[str, float, int]]) -> list[Reading]:
    time, readings = START, []
    for device, voltage, seconds in drawn:
        time += seconds * SECOND
        readings.append(Reading(device, time, time, {"voltage_v": voltage}))
    return readings


@given(steps, st.lists(st.integers(1, 60), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_crashes_change_nothing(database: Database, drawn: list[tuple[str, float, int]], crashes: list[int]) -> None:
    readings = make_readings(drawn)
    desk = open_desk(database, fresh=True)
    judge(desk, readings, [])
    expected = look(desk)
    desk = open_desk(database, fresh=True)
    judge(desk, readings, crashes)
    assert look(desk) == expected
    assert desk.position() == len(readings)


def test_a_backlog_amends_the_ticket_of_what_joins_points_and_a_wrong_clock_has_one(database: Database) -> None:
    rules = read_rules("""
- id: load
  when: {all: [{threshold: {point: power_kw, above: 10 kW}}, {not: {threshold: {point: voltage_v, below: 200 V}}}]}
- {id: clock, when: {clock_skew: {above: 5m}}}
""")
    open_desk(database, fresh=True)
    desk = Desk(database, DeskPlan(), SITE, rules, language="en", clock=lambda: START)
    judging = Judge(rules, SITE, START)

    def say(minute: int, power: float, voltage: float, **rest: Any) -> None:  # noqa: ANN401 - fields of a reading
        time, now = START + minute * MINUTE, START + max(minute, 20 * rest.get("late", 0)) * MINUTE
        values: dict[str, Value] = {"power_kw": float(power), "voltage_v": float(voltage)}
        desk.apply(judging.evaluate(Reading("em-1", time, now, values, **rest)))

    say(0, 5, 230)
    say(20, 12, 230, claimed=START - 400 * 24 * 60 * MINUTE)
    for minute, voltage in ((5, 190), (10, 230), (15, 230)):
        say(minute, 12, voltage, late=True)
    desk.apply(judging.advance(START + 30 * MINUTE))
    load, clock = sorted(desk.list(Filter()), key=lambda ticket: ticket.rule, reverse=True)
    assert (load.rule, load.since) == ("load", START + 10 * MINUTE)
    amended = desk.show(load.number).events[-1]
    assert (amended.kind, amended.details["cause"]) == ("amended", "began_earlier")
    assert (clock.rule, clock.evidence["details"]) == ("clock", {"clock": "slow"})


def test_when_a_main_fails_there_is_one_ticket_that_names_all_below_it(database: Database) -> None:
    desk = open_desk(database, fresh=True)
    readings = make_readings([(name, 230.0, 1) for name in ("main", *METERS)])
    dead = make_readings(
        [*((name, 230.0, 1) for name in ("main", *METERS)), *((name, 0.0, 1) for name in (*METERS, "main"))]
    )
    judge(desk, [*readings, *dead[len(readings) :]], [])
    titles = [ticket.title for ticket in desk.list(Filter(), "opened")]
    file = desk.show(desk.list(Filter())[0].number)
    assert titles == ["main gone"]
    assert {member.subject_id for member in file.members} == {"main", *METERS}
