"""When a customer was first contacted, when a ticket was closed, and the note of whoever closed it."""

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"


def upgrade() -> None:
    """Add two times to a ticket, and a table for notes."""
    for name in ("contacted_at", "closed_at"):
        op.add_column("tickets", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "closing_notes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("ticket_id", sa.String(length=200), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.String(length=100), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.ticket_id"]),
    )
    op.create_index("ix_closing_notes_ticket_id", "closing_notes", ["ticket_id"])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("closing_notes")
    for name in ("closed_at", "contacted_at"):
        op.drop_column("tickets", name)
