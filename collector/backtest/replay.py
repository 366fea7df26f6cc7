"""The replay: has a judge hear what was recorded, as fast as it can, and keeps what it would have told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collector.backtest.history import History
from rules.judge import Judge
from rules.outcome import DueTicket, Outcome, ToldAlert
from rules.rule import Rule
from rules.site import Site

_PROGRESS_EVERY = 20_000


@dataclass(frozen=True)
class Span:
    """What is replayed.

    Attributes:
        start: from when on alerts count, UTC ns.
        stop: first nanosecond after.
        warm_up: so long before the start rules begin to hear, ns.
    """

    start: int
    stop: int
    warm_up: int


@dataclass(frozen=True)
class Replay:
    """What would have been.

    Attributes:
        span: of time.
        readings: how many were heard, those of the warm-up among them.
        alerts: told within the span, in order.
        tickets: opened within the span, likewise.
        before: alerts that were told in the warm-up and were not over at the start; they count for nothing.
    """

    span: Span
    readings: int
    alerts: Sequence[ToldAlert]
    tickets: Sequence[DueTicket]
    before: Sequence[ToldAlert]


def replay(
    history: History, rules: Sequence[Rule], site: Site, span: Span, tell: Callable[[int], None] = lambda _: None
) -> Replay:
    """Replays a span.

    Args:
        history: what was recorded.
        rules: those to judge by.
        site: as it is now: what was moved or replaced meanwhile is judged as if it always had been so.
        span: of time.
        tell: is told now and then how far it is, UTC ns.

    Raises:
        CollectorError: the history cannot be read.
        RulesError: a rule cannot be judged.
    """
    begin = span.start - span.warm_up
    judge, outcome = Judge(rules, site, begin), Outcome(rules)
    evaluate, take = judge.evaluate, outcome.take
    count = 0
    for reading in history.readings(begin, span.stop):
        orders = evaluate(reading)
        if orders:
            take(orders, judge.engine.now)
        count += 1
        if not count % _PROGRESS_EVERY:
            tell(reading.time)
    take(judge.advance(span.stop), span.stop)
    tell(span.stop)
    alerts = outcome.alerts.values()
    return Replay(
        span,
        count,
        [alert for alert in alerts if span.start <= alert.transition.opened < span.stop],
        [ticket for ticket in outcome.tickets.values() if span.start <= ticket.opened < span.stop],
        [
            alert
            for alert in alerts
            if alert.transition.opened < span.start and (alert.resolved is None or alert.resolved > span.start)
        ],
    )
