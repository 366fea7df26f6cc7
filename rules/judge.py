"""The judge: readings in, orders for the desk out. The engine and the dispatcher as one, with one state."""

from collections.abc import Sequence
from typing import Any

from devices.durations import NANOSECONDS
from devices.reading import Reading
from devices.register import SELF
from rules.alerts import Alert, Transition
from rules.dispatcher import Dispatcher
from rules.engine import Engine
from rules.mutes import Mute
from rules.orders import Order
from rules.rule import Rule
from rules.site import Site

_NONE: list[Order] = []


class Judge:
    """All rules of a site and what becomes of their alerts. Pure: no I/O and no clock.

    Attributes:
        engine: which gives the alerts.
        dispatcher: which decides what becomes of them.
    """

    def __init__(self, rules: Sequence[Rule], site: Site, now: int) -> None:
        """Begins with no state at all.

        Args:
            rules: each with an id of its own.
            site: what they are about.
            now: where the clock begins, UTC ns.
        """
        self.engine = Engine(rules, site, now)
        self.dispatcher = Dispatcher(rules, site)

    def evaluate(self, reading: Reading) -> list[Order]:
        """Judges one reading, in the order of the journal; most often nothing follows."""
        if reading.device == SELF:
            self._consider(reading)
        told = self.engine.evaluate(reading)
        if not told and self.dispatcher.due > self.engine.now:
            return _NONE
        return self._dispatch(told)

    def _consider(self, own: Reading) -> None:
        """Where the daemon was down, or had no broker, nobody could be heard, and nobody was silent."""
        started = own.received - int(float(own.values.get("uptime_s", 0.0)) * NANOSECONDS["s"])
        if self.engine.now < started or not own.values.get("connected", 1.0):
            self.engine.resume(own.received)

    def advance(self, now: int) -> list[Order]:
        """Time has passed."""
        return self._dispatch(self.engine.advance(now))

    def mute(self, mutes: Sequence[Mute]) -> list[Order]:
        """Takes over the desk's maintenance windows and shelves."""
        return self.dispatcher.mute(mutes, self.engine.now)

    def use(self, rules: Sequence[Rule], site: Site) -> list[Order]:
        """Takes over changed rules or another register; what has not changed goes on."""
        orders = self._dispatch(self.engine.use(rules, site))
        self.dispatcher.use(rules, site)
        return orders

    def _dispatch(self, told: Sequence[Transition]) -> list[Order]:
        orders = [order for transition in told for order in self.dispatcher.take(transition)]
        return orders + self.dispatcher.advance(self.engine.now)

    def alerts(self) -> list[Alert]:
        """All that are pending, firing or clearing."""
        return self.engine.alerts()

    def snapshot(self) -> dict[str, Any]:
        """The state of everything, in plain values that msgspec can write."""
        return {"engine": self.engine.snapshot(), "dispatcher": self.dispatcher.snapshot()}

    def restore(self, state: dict[str, Any]) -> list[Order]:
        """Goes on from a snapshot, of these rules or of former ones.

        Raises:
            SnapshotError: this version cannot read it.
        """
        self.dispatcher.restore(state["dispatcher"])
        return self._dispatch(self.engine.restore(state["engine"]))
