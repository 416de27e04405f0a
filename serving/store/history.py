"""What became of stored tickets: masked text, first prediction, and people's decisions in their order."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from serving.store.columns import Json
from serving.store.database import Database
from serving.store.tables import Review, StoredPrediction, StoredTicket, TicketText
from serving.store.tickets import DELETED


@dataclass(frozen=True, slots=True)
class Handled:
    """One stored ticket. `body`: its first prediction, offsets into `text`.

    `reviews`: (category, secondary), oldest first; one that was taken back is not among them.
    """

    ticket_id: str
    text: str
    body: Json
    reviews: tuple[tuple[str, tuple[str, ...]], ...]


def handled(database: Database, since: datetime, until: datetime) -> tuple[Handled, ...]:
    """Tickets that were received in a stretch of time and not deleted since.

    Args:
        database: the store.
        since: first moment.
        until: first moment after it.

    Returns:
        In the order in which they were received.
    """
    within = (StoredTicket.received_at >= since, StoredTicket.received_at < until, StoredTicket.status != DELETED)
    first = select(func.min(StoredPrediction.id)).group_by(StoredPrediction.ticket_id)
    tickets = (
        select(StoredTicket.ticket_id, TicketText.text, StoredPrediction.body)
        .join(TicketText, TicketText.ticket_id == StoredTicket.ticket_id)
        .join(StoredPrediction, StoredPrediction.ticket_id == StoredTicket.ticket_id)
        .where(*within, StoredPrediction.id.in_(first), TicketText.text.is_not(None))
        .order_by(StoredTicket.received_at, StoredTicket.ticket_id)
    )
    reviews = (
        select(Review.ticket_id, Review.category, Review.body)
        .join(StoredTicket, StoredTicket.ticket_id == Review.ticket_id)
        .where(*within)
        .order_by(Review.id)
    )
    decided: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    with database.read() as session:
        for name, category, body in session.execute(reviews):
            kept = decided.setdefault(name, [])
            if body.get("undo"):
                kept.pop()  # only the last one can be taken back
            else:
                kept.append((category, tuple(body["secondary"])))
        rows = session.execute(tickets).all()
    return tuple(Handled(name, text or "", body, tuple(decided.get(name, ()))) for name, text, body in rows)
