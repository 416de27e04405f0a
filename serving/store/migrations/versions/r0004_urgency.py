"""The queue is sorted, folded and counted from an index alone: 100,000 tickets are many."""

from alembic import op

revision = "r0004"
down_revision = "r0003"

COLUMNS = (
    "status", "safety", "arrive_by", "due_at", "received_at", "escalation", "confidence",
    "ticket_id", "event_id", "contact_due_at", "contacted_at", "closed_at", "decision",
)  # fmt: skip


def upgrade() -> None:
    """Add two indexes."""
    op.create_index("ix_tickets_urgency", "tickets", list(COLUMNS))
    op.create_index("ix_tickets_event", "tickets", ["event_id"])


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_tickets_event", "tickets")
    op.drop_index("ix_tickets_urgency", "tickets")
