"""Judging anew: where the rules' state is lost, what the journal still holds is judged again up to where it had come.

The desk hears what lasts of that, and no more: what began and ended it knows. An alert that the journal shows from its
beginning has the key that it had, and nothing changes; an older one goes on in the open ticket of its rule and subject.
What lasts for the desk and not for the journal ends without a conclusion: its ticket stays for a person.
"""

from collections.abc import Sequence

from sqlalchemy import select

from collector.journal import Journal
from rules.alerts import Subject, Transition
from rules.judge import Judge
from rules.orders import AlertKey, Order
from rules.rule import Rule
from rules.site import Site
from tickets.database import Database
from tickets.tables import ALERTS

CAUSE = "state lost"
"""Why alerts end that nobody remembers."""

_BATCH = 2_000


def judge_anew(journal: Journal, until: int, rules: Sequence[Rule], site: Site, now: int) -> tuple[Judge, list[Order]]:
    """A judge that has judged the journal up to a position, and the orders about what lasts there.

    Args:
        journal: what it holds may begin anywhere.
        until: position of the last reading that was judged before.
        rules: in force.
        site: what they are about.
        now: where the clock begins if the journal is empty, UTC ns.

    Raises:
        RulesError: a rule failed.
    """
    first = next((entry.readings[0].received for entry in journal.read(0, 1) if entry.readings), now)
    judge = Judge(rules, site, min(first, now))  # as it was then: what is told has the time at which it is told
    orders: list[Order] = []
    position = 0
    while position < until:
        entries = [entry for entry in journal.read(position, _BATCH) if entry.position <= until]
        if not entries:
            break
        position = entries[-1].position
        for entry in entries:
            for reading in entry.readings:
                orders += judge.evaluate(reading)
    over = {_key(order.transition) for order in orders if order.kind == "clear"}
    return judge, [order for order in orders if _key(order.transition) not in over]


def end_forgotten(database: Database, site: str, judge: Judge) -> list[Order]:
    """Orders that end what lasts for the desk and not for a judge.

    Raises:
        DatabaseError: the desk's database cannot be used.
    """
    known = {
        (alert.rule, (alert.subject.kind, alert.subject.id), alert.opened)
        for alert in judge.alerts()
        if alert.opened is not None
    }
    with database.read() as connection:
        rows = connection.execute(select(ALERTS).where(ALERTS.c.site == site, ALERTS.c.cleared_at.is_(None))).all()
    ends = (
        Transition(
            "resolved",
            row.rule,
            Subject(row.subject_kind, row.subject_id),
            row.opened,
            row.serial + 1,
            judge.engine.now,
            row.since,
            row.severity,
            cause=CAUSE,
        )
        for row in rows
    )
    return [Order("clear", end) for end in ends if _key(end) not in known]


def _key(transition: Transition) -> AlertKey:
    return transition.rule, (transition.subject.kind, transition.subject.id), transition.opened
