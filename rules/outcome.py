"""The outcome: what a judge's orders come to: alerts, and the tickets that would be opened, without a desk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rules.alerts import Transition
from rules.dispatcher import key_of
from rules.orders import AlertKey, Order
from rules.rule import Rule


@dataclass
class ToldAlert:
    """One alert that was told.

    Attributes:
        transition: what was told of it first, with what was amended since.
        resolved: when it was over, UTC ns; None: it is not.
        ticket: key of the alert that opened its ticket; None where it has none.
        reason: why it has none, or what it has in common with the others of its ticket.
    """

    transition: Transition
    resolved: int | None = None
    ticket: AlertKey | None = None
    reason: str = ""

    @property
    def key(self) -> AlertKey:
        """The alert's key."""
        return key_of(self.transition)


@dataclass
class DueTicket:
    """One ticket that would be opened.

    Attributes:
        lead: the alert that opened it.
        opened: when, UTC ns.
        alerts: all that are or were in it, the lead first.
    """

    lead: AlertKey
    opened: int
    alerts: list[ToldAlert] = field(default_factory=list)

    @property
    def first(self) -> ToldAlert:
        """The alert that it is about in the first place."""
        return self.alerts[0]

    @property
    def over(self) -> int | None:
        """When the last of its alerts was over, UTC ns; None while one is not."""
        ends = [alert.resolved for alert in self.alerts]
        return None if None in ends else max(end for end in ends if end is not None)


class Outcome:
    """All alerts and tickets so far.

    A ticket is over here when its alerts are, since nobody works on it; where its rule has `clears: wait`, it never is.

    Attributes:
        alerts: by key, in the order in which they were told.
        tickets: by the alert that opened them, likewise; what joined another ticket altogether is gone.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.alerts: dict[AlertKey, ToldAlert] = {}
        self.tickets: dict[AlertKey, DueTicket] = {}
        self._rules: Mapping[str, Rule] = {rule.id: rule for rule in rules}
        self._latest: dict[
            tuple[str, tuple[str, str]], AlertKey
        ] = {}  # rule and subject -> the ticket that had it last

    def take(self, orders: Iterable[Order], now: int) -> None:
        """Does what orders say.

        Args:
            orders: of a judge.
            now: the judge's clock, UTC ns: what was held back gets its ticket now.
        """
        for order in orders:
            match order.kind:
                case "open":
                    self._place(order, None, now)
                case "join":
                    self._place(order, order.lead, now)
                case "hold":
                    self._begin(order).reason = order.reason
                case "amend":
                    self._begin(order).transition = order.transition
                case "clear":
                    self._begin(order).resolved = order.transition.at

    def firing(self) -> list[ToldAlert]:
        """The alerts that are not over."""
        return [alert for alert in self.alerts.values() if alert.resolved is None]

    def open_tickets(self) -> list[DueTicket]:
        """The tickets that are not over."""
        return [ticket for ticket in self.tickets.values() if not self._is_over(ticket)]

    def _begin(self, order: Order) -> ToldAlert:
        key = key_of(order.transition)
        return self.alerts.setdefault(key, ToldAlert(order.transition))

    def _place(self, order: Order, lead: AlertKey | None, now: int) -> None:
        was_held = key_of(order.transition) in self.alerts
        alert = self._begin(order)
        alert.reason = order.reason
        ticket = self._find(lead) if lead is not None else self._find_same(alert)
        if ticket is None:
            rule = self._rules.get(alert.transition.rule)
            if rule is not None and rule.ticket is None:
                alert.reason = "its rule asks for no ticket"
                return
            opened = now if was_held else order.transition.at
            ticket = self.tickets[alert.key] = DueTicket(alert.key, opened)
        self._move(alert, ticket)

    def _find(self, lead: AlertKey) -> DueTicket | None:
        alert = self.alerts.get(lead)
        return self.tickets.get(alert.ticket) if alert is not None and alert.ticket is not None else None

    def _find_same(self, alert: ToldAlert) -> DueTicket | None:
        """The open ticket that has an alert of the same rule and subject."""
        lead = self._latest.get(alert.key[:2])
        ticket = self.tickets.get(lead) if lead is not None else None
        return None if ticket is None or self._is_over(ticket) else ticket

    def _is_over(self, ticket: DueTicket) -> bool:
        rule = self._rules.get(ticket.lead[0])
        waits = rule is not None and rule.ticket is not None and rule.ticket.clears == "wait"
        return ticket.over is not None and not waits

    def _move(self, alert: ToldAlert, ticket: DueTicket) -> None:
        before = self.tickets.get(alert.ticket) if alert.ticket is not None else None
        if before is ticket:
            return
        if before is not None:
            before.alerts.remove(alert)
            if not before.alerts:
                del self.tickets[before.lead]
        alert.ticket = self._latest[alert.key[:2]] = ticket.lead
        ticket.alerts.append(alert)
