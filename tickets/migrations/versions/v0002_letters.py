"""Who was told over which channel, and what the store knows of alerts and tickets."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Adds it."""
    op.add_column(
        "ticket",
        sa.Column(
            "told", sa.Integer(), nullable=False, server_default="0", comment="version that rooms and webhooks know"
        ),
    )
    op.add_column(
        "ticket",
        sa.Column("drawn", sa.Integer(), nullable=False, server_default="0", comment="version that the store knows"),
    )
    op.add_column(
        "alert",
        sa.Column("drawn", sa.Integer(), nullable=False, server_default="-1", comment="serial that the store knows"),
    )
    for name, table, condition in (
        ("ix_ticket_untold", "ticket", "told <> version"),
        ("ix_ticket_undrawn", "ticket", "drawn <> version"),
        ("ix_alert_undrawn", "alert", "drawn <> serial"),
    ):
        op.create_index(name, table, ["site"], sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
    op.create_table(
        "letter",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("ticket_id", _ID, nullable=False),
        sa.Column("event", sa.Integer(), nullable=False, comment="number of the event in its ticket"),
        sa.Column("channel", sa.String(length=64), nullable=False, comment="of siteward.yaml's `notify`"),
        sa.Column(
            "recipient",
            sa.String(length=64),
            nullable=False,
            comment="id of a person; of a webhook the ticket's number",
        ),
        sa.Column("batch", sa.String(length=96), nullable=False, comment="key of the message that it went into"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="waiting, sent, dropped or dead"),
        sa.Column("written_at", sa.BigInteger(), nullable=False, comment="when the event happened"),
        sa.Column("due_at", sa.BigInteger(), nullable=False, comment="not before; moved by each try that fails"),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False, comment="of the last try, or why it was dropped"),
        sa.Column("answer", sa.Text(), nullable=False, comment="what the outside system calls the ticket"),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_letter_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_letter"),
        sa.UniqueConstraint(
            "ticket_id", "event", "channel", "recipient", name="uq_letter_ticket_id_event_channel_recipient"
        ),
    )
    op.create_index("ix_letter_site_state_channel_recipient", "letter", ["site", "state", "channel", "recipient"])
    op.create_index("ix_letter_site_ended_at", "letter", ["site", "ended_at"])
