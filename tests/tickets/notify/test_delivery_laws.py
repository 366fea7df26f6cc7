"""Laws of delivery: whatever happens and however often the other side fails, everything is told, once and in order."""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tickets.notify.courierbench import CourierBench, read_secret
from tests.tickets.notify.receivers import Answer, HttpServer, Post
from tickets.errors import TicketsError
from tickets.notify.webhook import Webhook
from tickets.queue import Filter

STATUSES = (200, 200, 200, 400, 429, 500, 302)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.integers(0, 3)),
        st.tuples(st.just("clear"), st.integers(0, 3)),
        st.tuples(st.sampled_from(["acknowledge", "take", "finish"]), st.integers(1, 3)),
        st.tuples(st.just("tell"), st.integers(0, 1200)),
        st.tuples(st.just("restart"), st.integers(0, 0)),
    ),
    min_size=1,
    max_size=25,
)


@given(steps, st.lists(st.sampled_from(STATUSES), max_size=30))
@settings(max_examples=25, deadline=None)
def test_an_outside_system_learns_every_event_once_and_in_order(
    day: list[tuple[str, int]], statuses: list[int]
) -> None:
    waiting = iter(statuses)
    known: dict[str, Post] = {}

    def answer(post: Post) -> Answer:
        status = next(waiting, 200)
        if status == 200:
            known.setdefault(post.headers["webhook-id"], post)
        return Answer(status, b'{"number": "WO-1"}')

    with HttpServer() as server, tempfile.TemporaryDirectory() as folder:
        server.answer = answer
        bench = CourierBench(Path(folder))
        bench.channels["cmms"] = Webhook("cmms", f"http://127.0.0.1:{server.port}/", read_secret, answer="number")
        for step, number in day:
            _do(bench, step, number)
        bench.tell("1h")
        while "waiting" in bench.states():
            bench.tell("1h")
        told: dict[str, list[int]] = {}
        for post in known.values():
            data = cast("dict[str, Any]", post.document["data"])
            told.setdefault(data["ticket"]["number"], []).extend(event["number"] for event in data["events"])
        for ticket, numbers in told.items():
            events = [event.number for event in bench.desk.show(ticket).events if event.kind != "referenced"]
            assert numbers == events
        assert len(told) == len(bench.desk.list(Filter(states=())))
        bench.courier.close()
        bench.database.close()


def _do(bench: CourierBench, step: str, number: int) -> None:
    bench.clock.pass_("1s")
    with suppress(TicketsError):  # there may be no such ticket, or it may not admit this
        if step == "open":
            bench.do("open", "waits", f"em-{number}")
        elif step == "clear" and ("waits", f"em-{number}") in bench.opened:
            bench.do("clear", "waits", f"em-{number}")
        elif step in {"acknowledge", "take", "finish"}:
            getattr(bench.counter, step)(str(number), "li")
        elif step == "tell":
            bench.tell(f"{number}s")
        elif step == "restart":
            bench.restart()
