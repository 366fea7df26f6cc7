"""Judging: reads the journal as its consumer `rules`, has every reading judged, and gives the desk its orders.

It holds these rules:
- The desk applies orders and remembers the position in one transaction, under keys of their own: after a crash the
  journal is judged again from the last snapshot, and what the desk knows already changes nothing.
- The cursor, which holds back the journal's trimming, moves only with a snapshot on the disk.
- Time that no reading tells passes a little late, so that a reading on its way through the journal is not overtaken.
- There is no terminal error state: a desk that takes nothing makes the journal longer. Ingestion never waits for it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeAlias

import structlog

from collector import snapshots
from collector.journal import Journal
from collector.snapshots import Snapshot
from devices.durations import NANOSECONDS
from rules.alerts import Alert
from rules.errors import SnapshotError
from rules.judge import Judge
from rules.mutes import Mute
from rules.orders import Order
from rules.rule import Rule
from rules.site import Site

log = structlog.get_logger()

CURSOR = "rules"

State: TypeAlias = Literal["idle", "judging", "refused"]

_BATCH = 2_000
_IDLE_S = 0.25
_SNAPSHOT_S = 30.0
_TICK_S = 1.0
_PAUSE_S = 2.0
_STOP_S = 3.0
_BEHIND = 2 * NANOSECONDS["s"]
"""How far behind the wall clock time passes where no reading tells it."""


class Desk(Protocol):
    """What judging needs of the service desk."""

    def apply(self, orders: Sequence[Order], position: int) -> None:
        """Carries out orders in one transaction; what was carried out before changes nothing."""

    def tick(self, now: int) -> None:
        """Does what became due: verification, escalation, deadlines. UTC ns."""

    def mutes(self, now: int) -> Sequence[Mute]:
        """Maintenance windows and shelves that are not over."""


class Law(NamedTuple):
    """What is judged by: the rules, and the site that they are about."""

    rules: Sequence[Rule]
    site: Site


class Judging(threading.Thread):
    """The thread that judges.

    Attributes:
        state: idle where nothing waits, else judging; refused while the desk takes nothing.
        trouble: why it takes nothing, else "".
        position: the journal's position up to which everything was judged.
        judged, orders: readings and orders since the start.
    """

    def __init__(
        self,
        journal: Journal,
        desk: Desk,
        law: Law,
        path: Path,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Goes on from the newest snapshot, or begins where the cursor stands.

        Args:
            journal: with a consumer `rules`.
            desk: that gets the orders.
            law: the rules and their site.
            path: of the snapshot's file.
            clock: UTC nanoseconds.
        """
        super().__init__(name="judging", daemon=True)
        self.state: State = "idle"
        self.trouble = ""
        self.judged = self.orders = 0
        self._journal, self._desk, self._path, self._clock = journal, desk, path, clock
        self._changed = threading.Condition()
        self._stopping = False
        self._next: Law | None = None
        self._waiting: list[Order] = []  # given by the judge, not yet taken by the desk
        self._mutes: Sequence[Mute] = ()
        self._snapped_at = self._ticked_at = time.monotonic()
        self.position = journal.cursor(CURSOR)
        self._judge = self._resume(law)

    def _resume(self, law: Law) -> Judge:
        try:
            snapshot = snapshots.read(self._path)
            judge = Judge(law.rules, law.site, 0 if snapshot else self._clock())
            if snapshot is None:
                return judge
            self._waiting += judge.restore(snapshot.state)
        except (SnapshotError, OSError) as error:
            log.warning("the rules' state cannot be read; they begin anew", reason=str(error))
            return Judge(law.rules, law.site, self._clock())
        self.position = snapshot.position
        return judge

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def use(self, law: Law) -> None:
        """Goes on with changed rules or another register."""
        with self._changed:
            self._next = law
            self._changed.notify_all()

    def alerts(self) -> list[Alert]:
        """All that are pending, firing or clearing."""
        with self._changed:
            return self._judge.alerts()

    def stop(self) -> None:
        """Ends the thread in less than 5 s."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self.is_alive():
            self.join(_STOP_S)
        if self.is_alive():
            log.warning("the desk's database does not answer; leaving it")

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Judges until `stop`."""
        while not self._stopping:
            try:
                self._step()
            except Exception as error:
                if str(error) != self.trouble:
                    log.exception("judging does not go on; readings wait in the journal")
                self.state, self.trouble = "refused", str(error)
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, _PAUSE_S)
            else:
                if self.trouble:
                    log.info("judging goes on")
                self.trouble = ""
        self._leave()

    def _step(self) -> None:
        self._hand_over()
        if time.monotonic() - self._ticked_at >= _TICK_S:
            self._tick()
        if time.monotonic() - self._snapped_at >= _SNAPSHOT_S:
            self._snap()
        if not self._judge_batch():
            self.state = "idle"
            self._pass_time()
            self._hand_over()
            self._journal.wait(self.position, _IDLE_S)

    def _judge_batch(self) -> bool:
        """Judges what lies in the journal, up to a batch; False where nothing does."""
        entries = self._journal.read(self.position, _BATCH)
        if not entries:
            return False
        self.state = "judging"
        with self._changed:
            evaluate, waiting = self._judge.evaluate, self._waiting
            for position, readings in entries:
                for reading in readings:
                    orders = evaluate(reading)
                    if orders:
                        waiting += orders
                self.judged += len(readings)
                self.position = position
        self._hand_over()
        return True

    def _pass_time(self) -> None:
        with self._changed:
            self._waiting += self._judge.advance(self._clock() - _BEHIND)

    def _tick(self) -> None:
        self._ticked_at = time.monotonic()
        now = self._clock()
        self._desk.tick(now)
        mutes = self._desk.mutes(now)
        with self._changed:
            if mutes != self._mutes:
                self._mutes = mutes
                self._waiting += self._judge.mute(mutes)
            law, self._next = self._next, None
            if law is not None:
                self._waiting += self._judge.use(law.rules, law.site)

    def _hand_over(self) -> None:
        """Gives the desk its orders; they wait here until it takes them."""
        if self._waiting:
            self._desk.apply(self._waiting, self.position)
            self.orders += len(self._waiting)
            self._waiting.clear()

    def _snap(self) -> None:
        """Puts the state on the disk. Nothing waits here at that moment: the desk has all that led to this state."""
        self._snapped_at = time.monotonic()
        with self._changed:
            snapshot = Snapshot(self.position, self._judge.snapshot())
        snapshots.write(self._path, snapshot)
        self._journal.advance(CURSOR, self.position)

    def _leave(self) -> None:
        try:
            self._hand_over()
            self._snap()
        except Exception:
            log.exception("the rules' state was not saved; some readings will be judged again")
