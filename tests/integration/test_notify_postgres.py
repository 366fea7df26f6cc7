"""The courier and the annotator on a real PostgreSQL: their questions are answered as in SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.annotations import Annotator
from collector.configuration import load
from collector.embedded import EmbeddedDatabase
from collector.stores import open_store
from tests.integration.postgres import PASSWORD, PostgreSQL
from tests.sites import write_site
from tests.tickets.notify.courierbench import CourierBench, read_secret
from tests.tickets.notify.receivers import Answer, HttpServer, MailServer
from tickets.database import Database, open_database
from tickets.notify.letterbook import Backlog
from tickets.notify.webhook import Webhook


@pytest.fixture
def database() -> Iterator[Database]:
    with PostgreSQL() as server:
        database = open_database(server.make_database("desk"), PASSWORD)
        yield database
        database.close()


def test_people_and_systems_are_told_and_the_store_knows(database: Database, tmp_path: Path) -> None:
    bench = CourierBench(database)
    with MailServer() as mail, HttpServer() as cmms:
        bench.add_mail(mail.url)
        bench.channels["cmms"] = Webhook("cmms", f"http://127.0.0.1:{cmms.port}/", read_secret, answer="number")
        cmms.answer = lambda _: Answer(503)
        bench.do("open", "silent")
        bench.tell()
        assert [message.recipients for message in mail.mails] == [["li@campus.test"]]
        bench.tell("1s")
        assert bench.courier.backlogs == [
            Backlog("cmms", 1, bench.clock.now - 21 * 10**9, 0, "cmms: it answers 503: {}")
        ]
        cmms.answer = lambda _: Answer(200, b'{"number": "WO-7"}')
        bench.tell("10m")
        bench.do("clear", "silent")
        bench.tell("1m")
        bench.tell("31d")
        bench.tell("1s")
    kinds = [event.kind for event in bench.desk.show("1").events]
    assert kinds == ["opened", "referenced", "cleared", "resolved"]
    assert bench.letters() == []
    configuration = load(write_site(tmp_path))
    store = open_store(configuration)
    assert isinstance(store, EmbeddedDatabase)
    store.prepare()
    annotator = Annotator(configuration, store, lambda _: database)
    annotator.step()
    told = [(each.measurement, each.tags["state"]) for each in store.annotations(0, 2**62)]
    assert told == [("alert", "firing"), ("ticket", "new"), ("alert", "resolved"), ("ticket", "resolved")]
    annotator.step()
    assert annotator.written == 4
    store.close()
