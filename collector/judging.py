"""Judging: reads the journal as its consumer `rules`, has every reading judged, and gives the desk its orders.

It holds these rules:
- The desk carries out orders in one transaction, under keys of their own: after a crash the journal is judged again
  from the last snapshot, and what the desk did already changes nothing.
- The cursor, which holds back the journal's trimming, moves only with a snapshot on the disk.
- Time that no reading tells passes a little late, so that a reading on its way through the journal is not overtaken.
- A rule that fails is set aside, and the others are judged from the snapshot again.
- There is no terminal error state: a desk that takes nothing makes the journal longer. Ingestion never waits for it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import structlog

from collector import snapshots
from collector.configuration import Configuration
from collector.deskopening import make_desk, open_desk_database
from collector.errors import CollectorError
from collector.journal import Journal
from collector.keeping import keep_all
from collector.rejudging import end_forgotten, judge_anew
from collector.shadowing import Shadowing
from collector.snapshots import Snapshot
from devices.durations import NANOSECONDS
from rules.alerts import Alert
from rules.errors import RulesError, SnapshotError
from rules.judge import Judge
from rules.rule import Rule
from rules.site import Site
from tickets.desk import Desk
from tickets.errors import TicketsError
from tickets.queue import Filter
from tickets.ticket import Ticket
from tickets.worker import Words, Worker

if TYPE_CHECKING:
    from rules.mutes import Mute
    from rules.orders import Order

log = structlog.get_logger()

CURSOR = "rules"
SNAPSHOT_FILE = "rules.snapshot"

State: TypeAlias = Literal["starting", "idle", "judging", "refused"]

_BATCH = 2_000
_IDLE_S = 0.25
_SNAPSHOT_S = 30.0
_TICK_S = 1.0
_PAUSE_S = 2.0
_BEHIND = 2 * NANOSECONDS["s"]
"""How far behind the wall clock time passes where no reading tells it."""


class Judging(Worker[None]):
    """The thread that judges.

    Attributes:
        state: idle where nothing waits, else judging; refused while the desk takes nothing.
        failed: rules that were set aside, and why, until the configuration changes.
        position: the journal's position up to which everything was judged.
        judged, orders: readings and orders since the start.
    """

    words = Words(
        refused="no tickets can be written; readings wait in the journal",
        resumed="tickets can be written again",
        failed="judging failed unexpectedly; it will be tried again",
        left="the desk's database does not answer; leaving it",
    )
    foreseen = (RulesError, TicketsError, CollectorError, OSError)
    patience_s = 3.0

    def __init__(self, journal: Journal, configuration: Configuration, clock: Callable[[], int] = time.time_ns) -> None:
        """Nothing is opened yet.

        Args:
            journal: with a consumer `rules`.
            configuration: in force.
            clock: UTC nanoseconds.
        """
        super().__init__("judging")
        self.state: State = "starting"
        self.failed: dict[str, str] = {}
        self.position = journal.cursor(CURSOR)
        self.judged = self.orders = 0
        self._journal, self._configuration, self._clock = journal, configuration, clock
        self._path = configuration.settings.data_dir / SNAPSHOT_FILE
        self._lock = threading.Lock()  # of the judge
        self._following: Configuration | None = None  # until it is in force: taking over may fail
        self._judge: Judge | None = None
        self._desk: Desk | None = None
        self._shadow = Shadowing()
        self._forgetful = False  # the desk may have alerts that the judge does not know
        self._waiting: list[Order] = []  # given by the judge, not yet taken by the desk
        self._mutes: Sequence[Mute] = ()
        self._snapped_at = time.monotonic()
        self._ticked_at = 0.0

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def use(self, configuration: Configuration) -> None:
        """Goes on with a changed configuration; where the desk's database is does not change while we run."""
        self._following = configuration

    def alerts(self) -> list[Alert]:
        """All that are pending, firing or clearing."""
        with self._lock:
            return self._judge.alerts() if self._judge is not None else []

    def tickets(self, most: int) -> list[Ticket]:
        """The open tickets that come first; none while their database cannot be read."""
        desk = self._desk
        if desk is None:
            return []
        try:
            return desk.list(Filter(), most=most)
        except TicketsError:
            return []

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def step(self) -> float:
        """Judges what lies in the journal, up to a batch, or waits for more there; the desk does what follows.

        Raises:
            RulesError, TicketsError, CollectorError, OSError: no reading can be judged now.
        """
        try:
            self._advance()
        except RulesError as error:
            self._set_aside(error)
        return 0.0

    def retreat(self, error: Exception) -> float:
        """Waits for the desk; after what was not foreseen the judge is not to be relied on."""
        if not isinstance(error, self.foreseen):
            self._judge = None
        self.state = "refused"
        return _PAUSE_S

    def _advance(self) -> None:
        judge = self._judge or self._begin()
        desk = self._desk or self._open_desk()
        self._hand_over(desk)
        if time.monotonic() - self._ticked_at >= _TICK_S:
            self._tick(judge, desk)
        if time.monotonic() - self._snapped_at >= _SNAPSHOT_S:
            self._snap(judge, desk)
        if not self._judge_batch(judge):
            if self._forgetful:  # only now is everything known that the desk may have heard of
                self._hand_over(desk)
                self._waiting += end_forgotten(desk.database, desk.site.id, judge)
                self._hand_over(desk)
                self._forgetful = False
            self.state = "idle"
            now = self._clock() - _BEHIND
            with self._lock:
                self._waiting += judge.advance(now)
            self._shadow.advance(now)
            self._hand_over(desk)
            self._journal.wait(self.position, _IDLE_S)

    # ── beginning ────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> Judge:
        """A judge that goes on from the newest snapshot; without one the journal is judged anew."""
        self._waiting.clear()
        rules = [rule for rule in self._configuration.rules if rule.id not in self.failed]
        site = self._configuration.rule_site()
        self.position = self._journal.cursor(CURSOR)
        judge, restored = None, {}
        trouble = "there is none"
        try:
            snapshot = snapshots.read(self._path)
            if snapshot is not None:
                judge = Judge(rules, site, snapshot.state["engine"]["now"])
                self._waiting += judge.restore(snapshot.state)
                self.position, restored = snapshot.position, snapshot.state.get("shadow", {})
        except (SnapshotError, OSError, LookupError, TypeError) as error:
            judge, trouble = None, str(error)
        if judge is None:
            judge = self._judge_anew(rules, site, trouble)
        self._judge = judge
        self._shadow.close()
        self._shadow.refresh(self._configuration, judge.engine.now)
        if restored:
            self._shadow.restore(restored)
        self._mutes = ()
        keep_all(again=self.state != "starting")
        return judge

    def _judge_anew(self, rules: Sequence[Rule], site: Site, reason: str) -> Judge:
        if self.position:
            log.warning("the rules' state cannot be read; the journal is judged anew", reason=reason)
        judge, orders = judge_anew(self._journal, self.position, rules, site, self._clock())
        self._waiting += orders
        self._forgetful = True
        return judge

    def _open_desk(self) -> Desk:
        self._desk = make_desk(self._configuration, open_desk_database(self._configuration), self._clock)
        return self._desk

    def _set_aside(self, error: RulesError) -> None:
        """Goes on from the snapshot without the rule that failed, until the configuration changes.

        Raises:
            RulesError: it is not known which rule that is.
        """
        self._judge = None
        if not error.rule:
            raise error
        log.error("a rule failed and is set aside", rule=error.rule, reason=str(error))
        self.failed[error.rule] = str(error)

    # ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _judge_batch(self, judge: Judge) -> bool:
        """Judges what lies in the journal, up to a batch; False where nothing does."""
        entries = self._journal.read(self.position, _BATCH)
        if not entries:
            return False
        self.state = "judging"
        with self._lock:
            evaluate, waiting, shadow = judge.evaluate, self._waiting, self._shadow
            for position, readings in entries:
                for reading in readings:
                    orders = evaluate(reading)
                    if orders:
                        waiting += orders
                    if shadow.active:
                        shadow.evaluate(reading)
                self.judged += len(readings)
                self.position = position
        return True

    def _hand_over(self, desk: Desk) -> None:
        """Gives the desk its orders; they wait here until it takes them."""
        if self._waiting:
            desk.apply(self._waiting, self.position)
            self.orders += len(self._waiting)
            self._waiting.clear()

    def _tick(self, judge: Judge, desk: Desk) -> None:
        """What is looked at now and then: deadlines, mutes, and whether the configuration changed."""
        self._ticked_at = time.monotonic()
        configuration = self._following
        if configuration is not None:
            self._take_over(configuration, judge, desk)
        now = judge.engine.now
        self._shadow.refresh(self._configuration, now)
        desk.tick(now)
        mutes = desk.mutes(now)
        if mutes != self._mutes:
            self._mutes = mutes
            with self._lock:
                self._waiting += judge.mute(mutes)

    def _take_over(self, configuration: Configuration, judge: Judge, desk: Desk) -> None:
        site = configuration.rule_site()
        desk.use(configuration.desk, site, configuration.rules)
        with self._lock:
            self._waiting += judge.use(configuration.rules, site)
        self._configuration = configuration
        self.failed.clear()
        if self._following is configuration:
            self._following = None
        keep_all(again=True)

    def _snap(self, judge: Judge, desk: Desk) -> None:
        """Puts the state on the disk, once the desk has carried out all that led to it."""
        self._snapped_at = time.monotonic()
        self._hand_over(desk)
        with self._lock:
            state = judge.snapshot() | {"shadow": self._shadow.snapshot()}
        snapshots.write(self._path, Snapshot(self.position, state))
        self._journal.advance(CURSOR, self.position)

    def close(self) -> None:
        """Leaves the state on the disk, where it can be."""
        try:
            if self._judge is not None and self._desk is not None:
                self._snap(self._judge, self._desk)
        except Exception:
            log.exception("the rules' state was not saved; some readings will be judged again")
        self._shadow.close()
        if self._desk is not None:
            self._desk.database.close()
