"""The shadow's book: what a rule in force and its draft told, side by side, in data_dir/shadow.db."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import orjson

from rules.alerts import Evidence
from rules.orders import Order

SHADOW_FILE = "shadow.db"
"""In data_dir."""

Side: TypeAlias = Literal["live", "draft"]

_TABLES = """
CREATE TABLE IF NOT EXISTS trial (        -- one draft, beside one rule
    rule TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,            -- of both; where one changes, the comparison begins anew
    began INTEGER NOT NULL,               -- ns
    failure TEXT NOT NULL                 -- why it is set aside, or ""
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (
    side TEXT NOT NULL,                   -- live or draft
    rule TEXT NOT NULL,
    kind TEXT NOT NULL,                   -- of the subject
    subject TEXT NOT NULL,
    opened INTEGER NOT NULL,              -- ns; with those above, the alert's key
    since INTEGER NOT NULL,
    resolved INTEGER,
    severity TEXT NOT NULL,
    placed TEXT NOT NULL,                 -- open, join or hold
    evidence TEXT NOT NULL,               -- JSON
    PRIMARY KEY (side, rule, kind, subject, opened)
) WITHOUT ROWID;
"""


class Trial(NamedTuple):
    """One draft beside its rule.

    Attributes:
        rule: id.
        began: when the comparison did, UTC ns.
        failure: why the draft is set aside; "" where it is not.
    """

    rule: str
    began: int
    failure: str


class Told(NamedTuple):
    """One alert of one side.

    Attributes:
        subject: `device em-a-01`.
        since: when its condition came true, UTC ns.
        opened: when it was told.
        resolved: when it was over; None: it is not.
        severity: of its rule.
        placed: open: with a ticket of its own; join: in another's; hold: with none.
        evidence: as plain values.
    """

    subject: str
    since: int
    opened: int
    resolved: int | None
    severity: str
    placed: str
    evidence: Mapping[str, object]


class ShadowBook:
    """The book, as the daemon writes it and people read it. Doing an order again changes nothing."""

    def __init__(self, path: Path) -> None:
        """Opens or creates the file.

        Raises:
            sqlite3.Error: it cannot be used.
        """
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def begin(self, trials: Mapping[str, str], now: int) -> None:
        """Takes over what is compared: the others are forgotten, and what has changed begins anew.

        Args:
            trials: fingerprint by rule.
            now: UTC ns.
        """
        known = dict(self._connection.execute("SELECT rule, fingerprint FROM trial"))
        for rule in known.keys() | trials.keys():
            if known.get(rule) != trials.get(rule):
                self._connection.execute("DELETE FROM told WHERE rule = ?", (rule,))
                self._connection.execute("DELETE FROM trial WHERE rule = ?", (rule,))
                if rule in trials:
                    row = (rule, trials[rule], now)
                    self._connection.execute("INSERT INTO trial VALUES (?, ?, ?, '')", row)

    def fail(self, rule: str, reason: str) -> None:
        """Remembers why a draft is set aside."""
        self._connection.execute("UPDATE trial SET failure = ? WHERE rule = ?", (reason, rule))

    def take(self, side: Side, order: Order) -> None:
        """Remembers an order."""
        told = order.transition
        key = (side, told.rule, *told.subject, told.opened)
        where = "WHERE side = ? AND rule = ? AND kind = ? AND subject = ? AND opened = ?"
        match order.kind:
            case "clear":
                self._connection.execute(f"UPDATE told SET resolved = ? {where}", (told.at, *key))  # noqa: S608 - a constant
            case "amend":
                amended = (told.since, _write(told.evidence), *key)
                self._connection.execute(f"UPDATE told SET since = ?, evidence = ? {where}", amended)  # noqa: S608 - likewise
            case placed:
                row = (*key, told.since, told.severity, placed, _write(told.evidence))
                self._connection.execute(
                    "INSERT INTO told VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET placed = excluded.placed",
                    row,
                )

    def trials(self) -> list[Trial]:
        """What is compared."""
        return [Trial(*row) for row in self._connection.execute("SELECT rule, began, failure FROM trial ORDER BY rule")]

    def told(self, side: Side, rule: str) -> list[Told]:
        """What one side told, oldest first."""
        rows = self._connection.execute(
            "SELECT kind || ' ' || subject, since, opened, resolved, severity, placed, evidence FROM told"
            " WHERE side = ? AND rule = ? ORDER BY since, subject",
            (side, rule),
        )
        return [Told._make((*row[:-1], orjson.loads(row[-1]))) for row in rows]


def _write(evidence: Evidence) -> str:
    return orjson.dumps({name: getattr(evidence, name) for name in evidence.__struct_fields__}).decode()


class Comparison(NamedTuple):
    """What two rules told.

    Attributes:
        only_live: what the draft would not have told.
        only_draft: what the rule in force did not tell.
        both: what both told, as (live, draft): the same subject, at a time in common.
    """

    only_live: Sequence[Told]
    only_draft: Sequence[Told]
    both: Sequence[tuple[Told, Told]]


def compare(live: Sequence[Told], draft: Sequence[Told]) -> Comparison:
    """Sets what two rules told side by side.

    Two alerts are the same where they have a subject and a time in common. Where one side told several times what the
    other told once, each of them is the same as that.
    """
    both = [(one, other) for one in live for other in draft if _meet(one, other)]
    met = {id(told) for pair in both for told in pair}
    return Comparison(
        [told for told in live if id(told) not in met], [told for told in draft if id(told) not in met], both
    )


def _meet(one: Told, other: Told) -> bool:
    """Whether two alerts of the same subject were there at the same time, from when their conditions came true."""
    if one.subject != other.subject:
        return False
    first, second = sorted((one, other), key=lambda told: told.since)
    return first.resolved is None or second.since <= first.resolved


def read_book(path: Path, rule: str) -> tuple[Trial | None, Comparison]:
    """The comparison of a rule as the book has it; no trial where there is none.

    Raises:
        sqlite3.Error: the book cannot be read.
    """
    with closing(ShadowBook(path)) as book:
        trial = next((trial for trial in book.trials() if trial.rule == rule), None)
        return trial, compare(book.told("live", rule), book.told("draft", rule))
