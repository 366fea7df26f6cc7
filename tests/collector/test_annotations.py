"""What dashboards are told of alerts and tickets, in the embedded store."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import update

from collector import annotations
from collector.annotations import Annotator
from collector.configuration import Configuration, load
from collector.embedded import EmbeddedDatabase
from collector.errors import BatchRejected, StoreUnavailable
from collector.lineprotocol import render_annotations
from collector.settings import Retention, Site
from collector.store import Annotation
from devices.durations import NANOSECONDS
from devices.register import Register
from tests.deskbench import START, Bench, open_file
from tests.integration.servers import wait_until
from tests.sites import write_site
from tickets.tables import ALERTS, TICKETS

DEVICES = "id,kind,building,floor\n" + "".join(f"em-{n},electricity_meter,A,1F\n" for n in range(10))
SECOND = NANOSECONDS["s"]


class Fragile(EmbeddedDatabase):
    """The embedded store, with faults when a test wants them."""

    unavailable = False
    refused = ""
    calls = 0

    def annotate(self, wanted: Sequence[Annotation]) -> None:
        self.calls += 1
        if self.unavailable:
            raise StoreUnavailable("the disk is full")
        if self.refused and any(self.refused in each.tags.values() for each in wanted):
            raise BatchRejected("not this one")
        super().annotate(wanted)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    database = open_file(tmp_path)
    yield Bench(database)
    database.close()


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return load(write_site(tmp_path, DEVICES))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Fragile]:
    store = Fragile(tmp_path / "store.db", Site(id="site"), Register(), Retention())
    store.prepare()
    yield store
    store.close()


@pytest.fixture
def annotator(bench: Bench, configuration: Configuration, store: Fragile) -> Annotator:
    return Annotator(configuration, store, lambda _: bench.database)


def everything(store: EmbeddedDatabase) -> list[Annotation]:
    return store.annotations(0, 2**62)


def test_an_alert_and_its_ticket_are_drawn_from_beginning_to_end(
    bench: Bench, annotator: Annotator, store: Fragile
) -> None:
    bench.do("open", "silent", severity="major")
    annotator.step()
    place = {"site": "site", "building": "A", "floor": "1F", "device": "em-1"}
    alert, ticket = everything(store)
    assert alert == Annotation(
        "alert",
        START,
        place | {"rule": "silent", "severity": "major", "state": "firing"},
        {"title": "silent: em-1", "ticket": "W-2026-00001", "value": 260.0, "state_text": "firing"},
    )
    assert ticket == Annotation(
        "ticket",
        START,
        place | {"rule": "silent", "category": "other", "kind": "incident", "priority": "P2", "state": "new"},
        {"title": "em-1 gone", "number": "W-2026-00001", "state_text": "new", "duration_s": 0.0, "value": 260.0},
    )
    bench.clock.pass_("10m")
    bench.do("clear", "silent")
    annotator.step()
    told = [
        (each.measurement, each.tags["state"], each.time - START, each.fields.get("duration_s"))
        for each in everything(store)
    ]
    assert told == [
        ("alert", "firing", 0, 600.0),
        ("ticket", "new", 0, 0.0),
        ("alert", "resolved", 600 * SECOND, 600.0),
        ("ticket", "resolved", 600 * SECOND, 600.0),
    ]


def test_every_step_of_a_ticket_is_drawn_however_late(bench: Bench, annotator: Annotator, store: Fragile) -> None:
    bench.do("open", "waits")
    bench.clock.pass_("1m")
    bench.counter.take("1", "li")
    bench.counter.comment("1", "li", "nothing new")
    bench.clock.pass_("1m")
    bench.counter.wait("1", "li", "parts")
    annotator.step()
    states = [each.tags["state"] for each in everything(store) if each.measurement == "ticket"]
    assert states == ["new", "in_progress", "waiting"]


def test_where_nothing_happened_nothing_is_written(bench: Bench, annotator: Annotator, store: Fragile) -> None:
    bench.do("open", "silent")
    annotator.step()
    annotator.step()
    assert store.calls == 1


def test_drawing_again_changes_nothing(bench: Bench, annotator: Annotator, store: Fragile) -> None:
    bench.do("open", "silent")
    bench.clock.pass_("1m")
    bench.do("clear", "silent")
    annotator.step()
    before = everything(store)
    with bench.database.write() as connection:  # as if the process had been killed before it noted anything
        connection.execute(update(ALERTS).values(drawn=-1))
        connection.execute(update(TICKETS).values(drawn=0))
    annotator.step()
    assert everything(store) == before
    assert store.calls == 2


def test_what_was_held_back_is_drawn_with_its_reason(bench: Bench, annotator: Annotator, store: Fragile) -> None:
    bench.do("hold", "silent", reason="maintenance 12")
    annotator.step()
    (alert,) = everything(store)
    assert (alert.fields["held"], alert.fields["ticket"]) == ("maintenance 12", "")


def test_an_outage_loses_nothing(
    bench: Bench, annotator: Annotator, store: Fragile, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.unavailable = True
    monkeypatch.setattr(annotations, "_PAUSE_S", 0.01)
    bench.do("open", "silent")
    annotator.start()
    wait_until(lambda: annotator.trouble == "the disk is full")
    bench.do("clear", "silent")
    store.unavailable = False
    wait_until(lambda: len(everything(store)) == 4)
    annotator.stop()
    assert not annotator.is_alive()
    assert annotator.trouble == ""


def test_one_that_is_rejected_holds_up_no_other(bench: Bench, annotator: Annotator, store: Fragile) -> None:
    store.refused = "em-3"
    for number in range(6):
        bench.do("open", "silent", f"em-{number}")
    annotator.step()
    assert sorted({each.tags["device"] for each in everything(store)}) == ["em-0", "em-1", "em-2", "em-4", "em-5"]
    annotator.step()
    assert annotator.written == 10


def test_a_storm_is_drawn_in_pieces(bench: Bench, annotator: Annotator, store: Fragile) -> None:
    bench.desk.apply([bench.order("hold", "silent", f"em-{n}", reason="inhibited") for n in range(1200)])
    annotator.step()
    assert (store.calls, len(everything(store))) == (3, 1200)


def test_a_store_of_the_first_version_gets_its_table(tmp_path: Path) -> None:
    def open_store() -> EmbeddedDatabase:
        return EmbeddedDatabase(tmp_path / "old.db", Site(id="site"), Register(), Retention())

    first = open_store()
    first.prepare()
    first.close()
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.executescript("DROP TABLE annotation; PRAGMA user_version = 1;")
    connection.close()
    again = open_store()
    again.prepare()
    one = Annotation("alert", 7, {"site": "site"}, {"title": "a"})
    again.annotate([one])
    assert everything(again) == [one]
    again.close()


def test_what_is_older_than_everything_else_expires(store: Fragile) -> None:
    old, new = (Annotation("alert", time, {"site": "site"}, {"title": "a"}) for time in (1, START))
    store.annotate([old, new])
    store.expire(START)
    assert everything(store) == [new]


def test_line_protocol_escapes_and_leaves_out_empty_tags() -> None:
    one = Annotation("ticket", 7, {"site": "a b", "rule": "", "area": "x,y=z"}, {"title": 'say "hi"', "value": 1.5})
    assert render_annotations(
        [one, one]
    ) == b'ticket,area=x\\,y\\=z,site=a\\ b title="say \\"hi\\"",value=1.5 7\n' * 1 + (
        b'ticket,area=x\\,y\\=z,site=a\\ b title="say \\"hi\\"",value=1.5 7'
    )
