"""The tables of the desk's database. Times are UTC nanoseconds; every row says to which site it belongs.

`ticket_event` is the truth about tickets; `ticket` is what follows from it, written in the same transaction. `alert` is
what the engine said. What is changed here needs a migration in tickets/migrations/versions.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

NAMES = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables; constraints have the same names in every database."""

_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself
_JSON = JSON(none_as_null=True)
_IS_OPEN = text("fingerprint IS NOT NULL AND state NOT IN ('closed', 'cancelled')")
_IS_UNTOLD = text("told <> version")
_IS_UNDRAWN = text("drawn <> version")
_IS_ALERT_UNDRAWN = text("drawn <> serial")

SITES = Table(
    "desk_site",
    NAMES,
    Column("site", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False, comment="of the journal: up to where alerts were taken"),
    Column("plan", String(64), nullable=False, comment="digest of the plan that deadlines were worked out with"),
)
"""How far each site's desk has come. Its row is locked by whoever takes alerts."""

NUMBERS = Table(
    "ticket_number",
    NAMES,
    Column("site", String(64), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)
"""The last number of a site's year."""

TICKETS = Table(
    "ticket",
    NAMES,
    Column("id", _ID, primary_key=True),
    Column("site", String(64), nullable=False),
    Column("number", String(32), nullable=False),
    Column("fingerprint", String(400), comment="rule and subject of an incident"),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("category", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("place", String(256), nullable=False),
    Column("impact", String(16), nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("team", String(64), nullable=False),
    Column("assignee", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("requester", String(64), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject_id", String(256), nullable=False),
    Column("since", BigInteger),
    Column("severity", String(16), nullable=False),
    Column("evidence", _JSON, nullable=False),
    Column("runbook", Text, nullable=False),
    Column("follows", String(32), nullable=False),
    Column("clears", String(16), nullable=False),
    Column("quiet_for", BigInteger),
    Column("close_after", BigInteger, nullable=False),
    Column("response_within", BigInteger),
    Column("resolution_within", BigInteger),
    Column("hours", String(64), nullable=False),
    Column("waiting_for", String(16), nullable=False),
    Column("firing", Integer, nullable=False),
    Column("alerts", Integer, nullable=False),
    Column("quiet_since", BigInteger),
    Column("opened_at", BigInteger, nullable=False),
    Column("responded_at", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("done_at", BigInteger),
    Column("resolved_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("reopened", Integer, nullable=False),
    Column("escalations", _JSON, nullable=False),
    Column("rating", _JSON),
    Column("version", Integer, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("response_due", BigInteger),
    Column("resolution_due", BigInteger),
    Column("wake_at", BigInteger),
    Column("told", Integer, nullable=False, server_default="0", comment="version that rooms and webhooks know"),
    Column("drawn", Integer, nullable=False, server_default="0", comment="version that the store knows"),
    UniqueConstraint("site", "number"),
    Index("uq_ticket_open", "site", "fingerprint", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    Index(None, "site", "state"),
    Index(None, "site", "wake_at"),
    Index(None, "site", "follows"),
    Index("ix_ticket_untold", "site", sqlite_where=_IS_UNTOLD, postgresql_where=_IS_UNTOLD),
    Index("ix_ticket_undrawn", "site", sqlite_where=_IS_UNDRAWN, postgresql_where=_IS_UNDRAWN),
)
"""Tickets as their events leave them. A site has one open ticket for a rule and subject."""

EVENTS = Table(
    "ticket_event",
    NAMES,
    Column("ticket_id", _ID, ForeignKey("ticket.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("site", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("who", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("comment", Text, nullable=False),
    Column("details", _JSON, nullable=False),
    Index(None, "site", "at"),
)
"""Everything that happened to tickets. Rows are added, never changed."""

ALERTS = Table(
    "alert",
    NAMES,
    Column("id", _ID, primary_key=True),
    Column("site", String(64), nullable=False),
    Column("key", String(420), nullable=False, comment="rule, subject and when it was first told"),
    Column("fingerprint", String(400), nullable=False, comment="rule and subject"),
    Column("rule", String(64), nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject_id", String(256), nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("serial", Integer, nullable=False, comment="of the last transition that was taken"),
    Column("held", Text, nullable=False, comment="why there is no ticket yet"),
    Column("ticket_id", _ID, ForeignKey("ticket.id")),
    Column("leads", _JSON, nullable=False, comment="keys of the alerts whose tickets it was to join"),
    Column("awaits", String(420), nullable=False, comment="the last of these, while it has no ticket"),
    Column("cause", String(420), nullable=False, comment="key of the alert above it that explains it"),
    Column("holds", _JSON, nullable=False, comment="why there was none, one after the other"),
    Column("since", BigInteger, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("evidence", _JSON, nullable=False),
    Column("cleared_at", BigInteger),
    Column("drawn", Integer, nullable=False, server_default="-1", comment="serial that the store knows"),
    UniqueConstraint("site", "key"),
    Index(None, "site", "fingerprint"),
    Index(None, "site", "awaits"),
    Index(None, "site", "cause"),
    Index(None, "ticket_id"),
    Index("ix_alert_undrawn", "site", sqlite_where=_IS_ALERT_UNDRAWN, postgresql_where=_IS_ALERT_UNDRAWN),
)
"""Alerts, and the ticket that each is a member of. The unique key makes a replay change nothing."""

OUTBOX = Table(
    "outbox",
    NAMES,
    Column("id", _ID, primary_key=True),
    Column("site", String(64), nullable=False),
    Column("ticket_id", _ID, ForeignKey("ticket.id"), nullable=False),
    Column("event", Integer, nullable=False, comment="number of the event in its ticket"),
    Column("people", _JSON, nullable=False, comment="ids of those who are told"),
    Column("written_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False, comment="not before; moved by each try that fails"),
    Column("tries", Integer, nullable=False),
    Column("error", Text, nullable=False, comment="of the last try"),
    Column("sent_at", BigInteger),
    UniqueConstraint("ticket_id", "event"),
    Index(None, "site", "sent_at", "due_at"),
)
"""Whom to tell of which event; written with the event, sent later."""

LETTERS = Table(
    "letter",
    NAMES,
    Column("id", _ID, primary_key=True),
    Column("site", String(64), nullable=False),
    Column("ticket_id", _ID, ForeignKey("ticket.id"), nullable=False),
    Column("event", Integer, nullable=False, comment="number of the event in its ticket"),
    Column("channel", String(64), nullable=False, comment="of siteward.yaml's `notify`"),
    Column("recipient", String(64), nullable=False, comment="id of a person; of a webhook the ticket's number"),
    Column("batch", String(96), nullable=False, comment="key of the message that it went into"),
    Column("state", String(16), nullable=False, comment="waiting, sent, dropped or dead"),
    Column("written_at", BigInteger, nullable=False, comment="when the event happened"),
    Column("due_at", BigInteger, nullable=False, comment="not before; moved by each try that fails"),
    Column("tries", Integer, nullable=False),
    Column("error", Text, nullable=False, comment="of the last try, or why it was dropped"),
    Column("answer", Text, nullable=False, comment="what the outside system calls the ticket"),
    Column("ended_at", BigInteger),
    UniqueConstraint("ticket_id", "event", "channel", "recipient"),
    Index(None, "site", "state", "channel", "recipient"),
    Index(None, "site", "ended_at"),
)
"""One event for one recipient over one channel. The unique key makes sorting the outbox again change nothing."""

EVIDENCE = Table(
    "ticket_evidence",
    NAMES,
    Column("ticket_id", _ID, ForeignKey("ticket.id"), primary_key=True, autoincrement=False),
    Column("site", String(64), nullable=False),
    Column("begins_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("series", LargeBinary, nullable=False, comment="msgpack of tickets/evidence.py, compressed"),
)
"""The readings around a ticket's alerts; they stay when the store has deleted its own."""

MUTES = Table(
    "mute",
    NAMES,
    Column("id", _ID, primary_key=True),
    Column("site", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("begins_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("subjects", _JSON, nullable=False, comment="what is kept quiet, as [kind, id]"),
    Column("rules", _JSON, nullable=False, comment="ids; none: all"),
    Column("ticket_id", _ID, ForeignKey("ticket.id"), comment="the work for which it was opened"),
    Column("who", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Index(None, "site", "ends_at"),
)
"""Maintenance windows and shelved alerts; one that is ended early ends then."""
