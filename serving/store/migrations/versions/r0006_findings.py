"""Whether a complaint was true (属实), and when somebody was first on the spot (到场)."""

import sqlalchemy as sa
from alembic import op

revision = "r0006"
down_revision = "r0005"

BEFORE = (
    "status", "safety", "arrive_by", "due_at", "received_at", "escalation", "confidence",
    "ticket_id", "event_id", "contact_due_at", "contacted_at", "closed_at", "decision",
)  # fmt: skip


def upgrade() -> None:
    """Add two columns; the index that the queue is read from alone learns when somebody arrived."""
    op.add_column("tickets", sa.Column("upheld", sa.Boolean(), nullable=True))
    op.add_column("tickets", sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_index("ix_tickets_urgency", "tickets")
    op.create_index("ix_tickets_urgency", "tickets", [*BEFORE, "arrived_at"])


def downgrade() -> None:
    """The former index, and no such columns."""
    op.drop_index("ix_tickets_urgency", "tickets")
    op.create_index("ix_tickets_urgency", "tickets", list(BEFORE))
    for name in ("arrived_at", "upheld"):
        op.drop_column("tickets", name)
