"""The shadow: drafts of rules, judged beside the rules in force on the same readings. It opens no tickets.

Both sides begin at the same moment with no memory, so that a draft is compared with what its rule would tell from there
on and not with what that remembers. Rules that say that a device has failed are judged too, on both sides: they hold
back what follows from it. A draft that fails is set aside; the rules in force never notice.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import structlog

from collector.shadowbook import ShadowBook, Side
from devices.reading import Reading
from rules.errors import RulesError, SnapshotError
from rules.judge import Judge
from rules.orders import Order
from rules.rule import Rule
from rules.site import Site

log = structlog.get_logger()


class Shadow:
    """Drafts and their rules, side by side.

    Attributes:
        trouble: why nothing can be written down, else "".
    """

    def __init__(self, book: ShadowBook) -> None:
        """Judges nothing before `use`.

        Args:
            book: takes what both sides tell.
        """
        self.trouble = ""
        self._book = book
        self._judges: dict[Side, Judge] = {}
        self._ids: frozenset[str] = frozenset()
        self._failed: dict[str, str] = {}  # rule -> fingerprint with which it failed
        self._rules: Sequence[Rule] = ()
        self._drafts: Sequence[Rule] = ()
        self._site: Site | None = None

    def use(self, rules: Sequence[Rule], drafts: Sequence[Rule], site: Site, now: int) -> None:
        """Takes over changed rules, drafts or another register; what has not changed goes on.

        Args:
            rules: in force.
            drafts: to be judged beside them.
            site: what they are about.
            now: where the clock begins where nothing was judged before, UTC ns.
        """
        self._rules, self._drafts, self._site = rules, drafts, site
        live = {rule.id: rule for rule in rules}
        prints = {draft.id: _fingerprint(live.get(draft.id), draft) for draft in drafts}
        self._failed = {rule: mark for rule, mark in self._failed.items() if prints.get(rule) == mark}
        chosen = {draft.id: draft for draft in drafts if draft.id not in self._failed}
        self._ids = frozenset(chosen)
        self._note(lambda: self._book.begin(prints, now))
        around = [rule for rule in rules if rule.tells_failure and rule.id not in chosen]
        sides: Mapping[Side, Sequence[Rule]] = {
            "live": [*around, *(live[rule] for rule in chosen if rule in live)],
            "draft": [*around, *chosen.values()],
        }
        if not chosen:
            self._judges = {}
            return
        for side, judged in sides.items():
            judge = self._judges.get(side)
            if judge is None:
                self._judges[side] = Judge(judged, site, now)
            else:
                self._take(side, judge.use(judged, site))

    def evaluate(self, reading: Reading) -> None:
        """Judges one reading, in the order of the journal."""
        if self._judges:
            self._judge(lambda judge: judge.evaluate(reading))

    def advance(self, now: int) -> None:
        """Time has passed."""
        if self._judges:
            self._judge(lambda judge: judge.advance(now))

    def _judge(self, work: Callable[[Judge], list[Order]]) -> None:
        try:
            for side, judge in self._judges.items():
                orders = work(judge)
                if orders:
                    self._take(side, orders)
        except RulesError as error:
            self._fail(error)

    def _fail(self, error: RulesError) -> None:
        """Goes on without a rule that failed; all others begin anew, since half a reading was judged."""
        assert self._site is not None  # noqa: S101 - there are no judges before `use`
        now = max(judge.engine.now for judge in self._judges.values())
        log.warning("a draft or its rule failed in the shadow and is set aside", rule=error.rule, reason=str(error))
        live = {rule.id: rule for rule in self._rules}
        failed = [draft for draft in self._drafts if error.rule in {draft.id, ""}]
        if not failed:  # a rule of those around them
            self._rules = [rule for rule in self._rules if rule.id != error.rule]
        for draft in failed:
            self._failed[draft.id] = _fingerprint(live.get(draft.id), draft)
            self._note(lambda rule=draft.id: self._book.fail(rule, str(error)))  # type: ignore[misc] # bound at once
        self._judges = {}
        self.use(self._rules, self._drafts, self._site, now)

    def _take(self, side: Side, orders: Sequence[Order]) -> None:
        for order in orders:
            if order.transition.rule in self._ids:
                self._note(lambda order=order: self._book.take(side, order))  # type: ignore[misc] # likewise

    def _note(self, write: Callable[[], None]) -> None:
        """Writes something down; where that fails, judging goes on and the book has a gap."""
        try:
            write()
        except sqlite3.Error as error:
            if not self.trouble:
                log.warning("what drafts tell cannot be written down", reason=str(error))
            self.trouble = str(error)
        else:
            self.trouble = ""

    def snapshot(self) -> dict[str, Any]:
        """The state of both sides, in plain values."""
        return {side: judge.snapshot() for side, judge in self._judges.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a snapshot, of these drafts or of former ones; where that cannot be, both sides begin anew."""
        try:
            for side, judge in self._judges.items():
                if side in state:
                    self._take(side, judge.restore(state[side]))
        except (SnapshotError, KeyError, TypeError, ValueError) as error:
            log.warning("the shadow's state cannot be read; it begins anew", reason=str(error))
            assert self._site is not None  # noqa: S101 - likewise
            now = max(judge.engine.now for judge in self._judges.values())
            self._judges = {}
            self.use(self._rules, self._drafts, self._site, now)


def _fingerprint(live: Rule | None, draft: Rule) -> str:
    """Of a rule and its draft: where either changes, what they told before says nothing."""
    texts = [rule.model_dump_json(by_alias=True) if rule is not None else "" for rule in (live, draft)]
    return blake2b("\n".join(texts).encode(), digest_size=16).hexdigest()
