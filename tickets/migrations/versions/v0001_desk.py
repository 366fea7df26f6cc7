"""The desk's first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_JSON = sa.JSON(none_as_null=True)
_IS_OPEN = sa.text("fingerprint IS NOT NULL AND state NOT IN ('closed', 'cancelled')")


def upgrade() -> None:
    """Makes them."""
    op.create_table(
        "desk_site",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="of the journal: up to where alerts were taken"),
        sa.Column(
            "plan",
            sa.String(length=64),
            nullable=False,
            comment="digest of the plan that deadlines were worked out with",
        ),
        sa.PrimaryKeyConstraint("site", name="pk_desk_site"),
    )
    op.create_table(
        "ticket",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=400), nullable=True, comment="rule and subject of an incident"),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("place", sa.String(length=256), nullable=False),
        sa.Column("impact", sa.String(length=16), nullable=False),
        sa.Column("urgency", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("assignee", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("requester", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=256), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("evidence", _JSON, nullable=False),
        sa.Column("runbook", sa.Text(), nullable=False),
        sa.Column("follows", sa.String(length=32), nullable=False),
        sa.Column("clears", sa.String(length=16), nullable=False),
        sa.Column("quiet_for", sa.BigInteger(), nullable=True),
        sa.Column("close_after", sa.BigInteger(), nullable=False),
        sa.Column("response_within", sa.BigInteger(), nullable=True),
        sa.Column("resolution_within", sa.BigInteger(), nullable=True),
        sa.Column("hours", sa.String(length=64), nullable=False),
        sa.Column("waiting_for", sa.String(length=16), nullable=False),
        sa.Column("firing", sa.Integer(), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("quiet_since", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("responded_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("escalations", _JSON, nullable=False),
        sa.Column("rating", _JSON, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("response_due", sa.BigInteger(), nullable=True),
        sa.Column("resolution_due", sa.BigInteger(), nullable=True),
        sa.Column("wake_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sa.UniqueConstraint("site", "number", name="uq_ticket_site_number"),
    )
    op.create_index("ix_ticket_site_follows", "ticket", ["site", "follows"])
    op.create_index("ix_ticket_site_state", "ticket", ["site", "state"])
    op.create_index("ix_ticket_site_wake_at", "ticket", ["site", "wake_at"])
    op.create_index(
        "uq_ticket_open",
        "ticket",
        ["site", "fingerprint"],
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    )
    op.create_table(
        "ticket_number",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site", "year", name="pk_ticket_number"),
    )
    op.create_table(
        "alert",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=420), nullable=False, comment="rule, subject and when it was first told"),
        sa.Column("fingerprint", sa.String(length=400), nullable=False, comment="rule and subject"),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=256), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False, comment="of the last transition that was taken"),
        sa.Column("held", sa.Text(), nullable=False, comment="why there is no ticket yet"),
        sa.Column("ticket_id", _ID, nullable=True),
        sa.Column("leads", _JSON, nullable=False, comment="keys of the alerts whose tickets it was to join"),
        sa.Column("awaits", sa.String(length=420), nullable=False, comment="the last of these, while it has no ticket"),
        sa.Column("cause", sa.String(length=420), nullable=False, comment="key of the alert above it that explains it"),
        sa.Column("holds", _JSON, nullable=False, comment="why there was none, one after the other"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("evidence", _JSON, nullable=False),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_alert_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("site", "key", name="uq_alert_site_key"),
    )
    op.create_index("ix_alert_site_awaits", "alert", ["site", "awaits"])
    op.create_index("ix_alert_site_cause", "alert", ["site", "cause"])
    op.create_index("ix_alert_site_fingerprint", "alert", ["site", "fingerprint"])
    op.create_index("ix_alert_ticket_id", "alert", ["ticket_id"])
    op.create_table(
        "mute",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("subjects", _JSON, nullable=False, comment="what is kept quiet, as [kind, id]"),
        sa.Column("rules", _JSON, nullable=False, comment="ids; none: all"),
        sa.Column("ticket_id", _ID, nullable=True, comment="the work for which it was opened"),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_mute_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_mute"),
    )
    op.create_index("ix_mute_site_ends_at", "mute", ["site", "ends_at"])
    op.create_table(
        "outbox",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("ticket_id", _ID, nullable=False),
        sa.Column("event", sa.Integer(), nullable=False, comment="number of the event in its ticket"),
        sa.Column("people", _JSON, nullable=False, comment="ids of those who are told"),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False, comment="not before; moved by each try that fails"),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False, comment="of the last try"),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_outbox_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("ticket_id", "event", name="uq_outbox_ticket_id_event"),
    )
    op.create_index("ix_outbox_site_sent_at_due_at", "outbox", ["site", "sent_at", "due_at"])
    op.create_table(
        "ticket_event",
        sa.Column("ticket_id", _ID, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("details", _JSON, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_event_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", "number", name="pk_ticket_event"),
    )
    op.create_index("ix_ticket_event_site_at", "ticket_event", ["site", "at"])
