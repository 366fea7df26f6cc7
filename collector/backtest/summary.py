"""The summary of a replay: what would have come of each rule, and for whom, in plain values."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from collector.backtest.replay import Replay
from collector.configuration import Configuration
from devices.timestamps import format_rfc3339
from rules.outcome import DueTicket, ToldAlert
from rules.rule import Rule
from tickets.dispatch import Dispatch
from tickets.titles import find_place, plain_evidence, write_title


class Summary:
    """What people and programs are told of a replay."""

    def __init__(self, replay: Replay, rules: Sequence[Rule], configuration: Configuration) -> None:
        """Works nothing out yet.

        Args:
            replay: what would have been.
            rules: that were replayed.
            configuration: says whose work a ticket is, and what it is called.
        """
        self._replay = replay
        self._rules = {rule.id: rule for rule in rules}
        self._site = configuration.rule_site()
        self._language = configuration.settings.site.language
        self._dispatch = Dispatch(configuration.desk, configuration.calendars, self._site.zone)

    def rules(self) -> list[dict[str, Any]]:
        """A row for each rule; times in ns, `typical` the median length of its alerts."""
        return [self._sum_up(rule) for rule in self._rules.values()]

    def _sum_up(self, rule: Rule) -> dict[str, Any]:
        alerts = [alert for alert in self._replay.alerts if alert.transition.rule == rule.id]
        tickets = [ticket for ticket in self._replay.tickets if ticket.lead[0] == rule.id]
        lengths = [self._length(alert) for alert in alerts]
        teams = dict.fromkeys(filter(None, (self.team(ticket) for ticket in tickets)))
        return {
            "rule": rule.id,
            "severity": rule.severity,
            "alerts": len(alerts),
            "without_ticket": sum(alert.ticket is None for alert in alerts),
            "tickets": len(tickets),
            "teams": list(teams),
            "subjects": len({alert.transition.subject for alert in alerts}),
            "typical": int(median(lengths)) if lengths else None,
            "longest": max(lengths, default=None),
        }

    def _length(self, alert: ToldAlert) -> int:
        end = self._replay.span.stop if alert.resolved is None else alert.resolved
        return end - alert.transition.since

    def team(self, ticket: DueTicket) -> str:
        """Whose work a ticket would have been; "" where nobody's."""
        transition = ticket.first.transition
        rule = self._rules[transition.rule]
        category = rule.ticket.category if rule.ticket is not None else ""
        return self._dispatch.find_team(category, find_place(transition, self._site))

    def title(self, ticket: DueTicket) -> str:
        """What a ticket would have been called."""
        transition = ticket.first.transition
        rule = self._rules[transition.rule]
        name = rule.name.pick(self._language, rule.id)
        plan = rule.ticket
        if plan is None:
            return name
        return write_title(plan.title, name, transition, self._site, self._language)

    def tickets(self) -> list[dict[str, Any]]:
        """Every ticket, for programs."""
        return [
            {
                "rule": ticket.first.transition.rule,
                "severity": ticket.first.transition.severity,
                "title": self.title(ticket),
                "team": self.team(ticket),
                "opened": format_rfc3339(ticket.opened),
                "over": _moment(ticket.over),
                "alerts": [_tell(alert) for alert in ticket.alerts],
            }
            for ticket in self._replay.tickets
        ]

    def held(self) -> list[dict[str, Any]]:
        """Every alert without a ticket, and why it has none."""
        return [{**_tell(alert), "reason": alert.reason} for alert in self._replay.alerts if alert.ticket is None]


def _tell(alert: ToldAlert) -> dict[str, Any]:
    told = alert.transition
    return {
        "rule": told.rule,
        "subject": {"kind": told.subject.kind, "id": told.subject.id},
        "since": format_rfc3339(told.since),
        "told": format_rfc3339(told.opened),
        "over": _moment(alert.resolved),
        "evidence": plain_evidence(told.evidence),
    }


def _moment(time: int | None) -> str | None:
    return None if time is None else format_rfc3339(time)
