"""What people may do, and what they are told where they may not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.deskbench import START, Bench, open_file
from tickets.errors import NotAllowed, Overtaken, UnknownTicket
from tickets.queue import Filter
from tickets.tables import OUTBOX
from tickets.ticket import Rating

HOUR = 3_600_000_000_000
PLAN: dict[str, object] = {
    "people": {"li": {}, "wang": {}, "zhao": {}},
    "teams": {"plumbers": {"members": ["li", "wang"], "lead": "zhao"}},
    "categories": {"plumbing": {"team": "plumbers"}, "other": {"team": "plumbers", "impact": "low"}},
    "duty": [{"team": "plumbers", "people": "wang"}],
}
PLACES = {"buildings": [{"id": "A", "floors": [{"id": "1F", "areas": [{"id": "hall"}]}]}]}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    database = open_file(tmp_path)
    yield Bench(database, PLAN, places=PLACES)
    database.close()


def told(bench: Bench) -> list[tuple[int, list[str]]]:
    """Which events are to be told, and to whom."""
    with bench.database.read() as connection:
        return [(row.event, row.people) for row in connection.execute(select(OUTBOX).order_by(OUTBOX.c.id))]


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_goes_to_the_team_of_its_category(bench: Bench) -> None:
    ticket = bench.counter.open("guest", "repair", "  Tap\ndrips ", category="plumbing", place="A/1F/hall")
    assert (ticket.number, ticket.title, ticket.team, ticket.assignee) == (
        "W-2026-00001",
        "Tap drips",
        "plumbers",
        "wang",
    )
    assert (ticket.priority, ticket.response_due, ticket.state) == (3, START + 4 * HOUR, "new")
    bench.counter.take("1", "li")
    assert bench.counter.finish("1", "li").state == "resolved"
    assert bench.counter.rate("1", "guest", Rating(5, 5, 4)).rating == Rating(5, 5, 4)
    assert told(bench) == [(1, ["wang"]), (3, ["guest"]), (4, ["li", "guest"])]


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"kind": "incident"}, "incidents are raised by rules"),
        ({"title": " "}, "expected a title of 1 to 200 characters, got 0"),
        ({"category": "plumping"}, "there is no category 'plumping'; did you mean plumbing?"),
        ({"place": "B"}, "there is no building 'B'"),
        ({"place": "A/2F"}, "there is no floor '2F'"),
        ({"place": "A/1F/hal"}, "there is no area 'hal'; did you mean hall?"),
        ({"who": ""}, "expected the name of who asks"),
    ],
)
def test_a_request_that_is_not_as_it_should_be(bench: Bench, details: dict[str, str], message: str) -> None:
    facts = {"who": "guest", "kind": "repair", "title": "Tap drips"} | details
    with pytest.raises(NotAllowed) as caught:
        bench.counter.open(**facts)  # type: ignore[arg-type] # wrong on purpose
    assert message in str(caught.value)
    assert bench.desk.list(Filter(states=())) == []


def test_numbers_begin_anew_each_year_and_may_be_short(bench: Bench) -> None:
    bench.counter.open("guest", "repair", "old")
    bench.clock.now = START + 366 * 24 * HOUR
    assert bench.counter.open("guest", "repair", "new").number == "W-2027-00001"
    assert bench.desk.show("1").ticket.title == "new"
    assert bench.desk.show("w-2026-00001").ticket.title == "old"
    with pytest.raises(UnknownTicket, match="there is no ticket W-2027-00002"):
        bench.desk.show("2")


# ── owning ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_to_take_it_owns_it_until_it_is_handed_over(bench: Bench) -> None:
    bench.do("open")
    bench.counter.take("1", "li")
    with pytest.raises(Overtaken, match="W-2026-00001 belongs to li; ask them to hand it over"):
        bench.counter.take("1", "wang")
    with pytest.raises(Overtaken):
        bench.counter.assign("1", "zhao", "wang")
    with pytest.raises(NotAllowed, match="belongs to li; they or zhao can hand it over"):
        bench.counter.hand_over("1", "wang", "wang")
    with pytest.raises(NotAllowed, match="belongs to li already"):
        bench.counter.hand_over("1", "li", "li")
    ticket = bench.counter.hand_over("1", "zhao", "wang")
    assert (ticket.owner, ticket.state) == ("wang", "assigned")
    assert bench.counter.take("1", "wang").state == "in_progress"
    with pytest.raises(NotAllowed, match="belongs to wang"):
        bench.counter.finish("1", "li")


def test_work_goes_to_people_that_there_are(bench: Bench) -> None:
    bench.do("open")
    with pytest.raises(NotAllowed, match="there is no person 'lii'; did you mean li"):
        bench.counter.assign("1", "zhao", "lii")
    with pytest.raises(NotAllowed, match="there is no person 'guest'"):
        bench.counter.take("1", "guest")
    assert bench.counter.assign("1", "zhao", "li").state == "assigned"


def test_what_was_seen_before_somebody_elses_change_is_told(bench: Bench) -> None:
    bench.do("open")
    seen = bench.desk.show("1").ticket.version
    bench.counter.comment("1", "wang", "I look at it")
    with pytest.raises(Overtaken, match="was changed meanwhile, by wang; look again"):
        bench.counter.acknowledge("1", "li", version=seen)
    assert bench.counter.acknowledge("1", "li", version=seen + 1).acknowledged_at == START


# ── ending ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_talks_an_alert_away(bench: Bench) -> None:
    bench.do("open", "waits")
    for ask in (bench.counter.resolve, bench.counter.close):
        with pytest.raises(NotAllowed, match=r"1 alert\(s\) are not over"):
            ask("1", "li")
    with pytest.raises(NotAllowed, match="expected a reason, got none"):
        bench.counter.cancel("1", "li", " ")
    assert bench.counter.cancel("1", "li", "sensor was tested").state == "cancelled"


def test_what_must_be_verified_is_not_closed_early(bench: Bench) -> None:
    bench.do("open", "verified")
    bench.do("clear", "verified")
    with pytest.raises(NotAllowed, match="must stay good until 2026-03-02 10:00; it is closed by itself then"):
        bench.counter.close("1", "li")
    bench.clock.pass_("2h")
    assert bench.counter.close("1", "li").state == "closed"


def test_a_closed_ticket_is_not_reopened_beside_an_open_one_of_the_same_kind(bench: Bench) -> None:
    bench.do("open")
    bench.do("clear")
    bench.counter.close("1", "li")
    bench.clock.pass_("1m")
    bench.do("open")
    with pytest.raises(NotAllowed, match="about the same as W-2026-00002, which is open; go on there"):
        bench.counter.reopen("1", "li", "again")
    bench.counter.cancel("2", "li", "double")
    assert bench.counter.reopen("1", "li", "again").state == "new"


def test_only_who_asked_rates(bench: Bench) -> None:
    bench.counter.open("guest", "supplies", "Paper")
    bench.counter.resolve("1", "li")
    with pytest.raises(NotAllowed, match="was asked for by guest, who alone can rate it"):
        bench.counter.rate("1", "li", Rating(5, 5, 5))
    with pytest.raises(NotAllowed, match="expected marks from 1 to 5, got 0, 5, 5"):
        bench.counter.rate("1", "guest", Rating(0, 5, 5))


def test_a_new_judgement_of_urgency_brings_new_deadlines(bench: Bench) -> None:
    bench.counter.open("guest", "repair", "Tap drips", category="plumbing")
    ticket = bench.counter.prioritise("1", "zhao", "high", "critical", "it floods the library")
    assert (ticket.priority, ticket.response_due) == (1, START + HOUR // 4)


def test_control_characters_do_not_get_into_the_database(bench: Bench) -> None:
    bench.counter.open("guest", "repair", "Tap\x00 drips", comment="since\x00 Monday\nand louder")
    event = bench.desk.show("1").events[0]
    assert (event.details["title"], event.comment) == ("Tap drips", "since Monday\nand louder")


def test_escalation_tells_those_whom_the_step_names(bench: Bench) -> None:
    bench.do("open")  # low impact, minor: P4, 8 hours until an answer
    bench.desk.tick(bench.clock.pass_("4h"))
    bench.desk.tick(bench.clock.pass_("4h"))
    assert told(bench) == [(1, ["wang"]), (2, ["wang"]), (3, ["wang", "zhao"])]
