"""The incident that a waiting ticket belongs to, so that the queue folds it; found again and again by the service."""

import sqlalchemy as sa
from alembic import op

revision = "r0007"
down_revision = "r0006"

BEFORE = (
    "status", "safety", "arrive_by", "due_at", "received_at", "escalation", "confidence",
    "ticket_id", "event_id", "contact_due_at", "contacted_at", "closed_at", "decision", "arrived_at",
)  # fmt: skip


def upgrade() -> None:
    """Add a column with an index of its own; the index that the queue is read from alone learns it too."""
    op.add_column("tickets", sa.Column("incident", sa.String(length=220), nullable=True))
    op.create_index("ix_tickets_incident", "tickets", ["incident"])
    op.drop_index("ix_tickets_urgency", "tickets")
    op.create_index("ix_tickets_urgency", "tickets", [*BEFORE, "incident"])


def downgrade() -> None:
    """The former index, and no such column."""
    op.drop_index("ix_tickets_urgency", "tickets")
    op.create_index("ix_tickets_urgency", "tickets", list(BEFORE))
    op.drop_index("ix_tickets_incident", "tickets")
    op.drop_column("tickets", "incident")
