"""Stored tickets that nobody has reviewed yet: where the next labels may come from."""

from datetime import datetime

from sqlalchemy import exists, select

from model.ticket import Ticket
from serving.store import audit
from serving.store.database import Database
from serving.store.tables import Review, StoredTicket, TicketText
from serving.store.tickets import DELETED

MOST = 20_000


def unreviewed(database: Database, *, actor: str, now: datetime, most: int = MOST) -> tuple[Ticket, ...]:
    """The newest tickets without a review, with their masked text. Reading them is noted in the audit log.

    Args:
        database: the store.
        actor: who asked for them.
        now: when.
        most: how many at most.

    Returns:
        Tickets, the newest first; deleted ones are none of them.
    """
    query = (
        select(StoredTicket.ticket_id, TicketText.text)
        .join(TicketText, TicketText.ticket_id == StoredTicket.ticket_id)
        .where(StoredTicket.status != DELETED, TicketText.text.is_not(None), TicketText.text != "")
        .where(~exists().where(Review.ticket_id == StoredTicket.ticket_id))
        .order_by(StoredTicket.received_at.desc(), StoredTicket.ticket_id)
        .limit(most)
    )
    with database.write() as session:
        found = tuple(Ticket(row.text, ticket_id=row.ticket_id) for row in session.execute(query))
        detail = {"tickets": len(found)}
        audit.append(
            session, actor=actor, action="tickets.read_to_choose", subject="labels:next", detail=detail, at=now
        )
    return found
