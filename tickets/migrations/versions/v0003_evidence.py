"""The readings that are kept with tickets."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Adds them."""
    op.create_table(
        "ticket_evidence",
        sa.Column("ticket_id", _ID, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("series", sa.LargeBinary(), nullable=False, comment="msgpack of tickets/evidence.py, compressed"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_evidence_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_ticket_evidence"),
    )
