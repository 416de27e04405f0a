"""Tickets that people reviewed lately and that read like one ticket. Bounded: a few hundred texts, compared anew."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.store.columns import Json
from serving.store.reading import GLANCE, find, time_word
from serving.store.tables import Review, StoredTicket, TicketText
from serving.store.tickets import DELETED, OPEN

SHOWN = 5
RECENT = 300  # reviews that are looked at, the newest first
LONGEST = 600  # characters of a text that are compared
LEAST = 0.2  # cosine under which texts are not alike


def similar(session: Session, ticket_id: str, limit: int = SHOWN) -> list[Json]:
    """Reviewed tickets by the cosine of their character pairs, weighted by how rare a pair is among them.

    Args:
        session: reads.
        ticket_id: to compare with.
        limit: tickets at most.

    Returns:
        The most alike first, with the category that a person decided; empty where the text was deleted.

    Raises:
        NotFound: no such ticket.
    """
    find(session, ticket_id)
    text = session.scalar(select(TicketText.text).where(TicketText.ticket_id == ticket_id))
    recent = _recent(session, ticket_id) if text else []
    if not text or not recent:
        return []
    likeness = _cosines(text, [row.text for row in recent])
    order = sorted(range(len(recent)), key=lambda place: -likeness[place])[:limit]
    return [_shown(recent[place], likeness[place]) for place in order if likeness[place] >= LEAST]


def _recent(session: Session, ticket_id: str) -> list[Any]:
    """The newest reviewed tickets with their texts, each once."""
    newest = select(Review.ticket_id, Review.made_at, Review.reviewer).order_by(Review.id.desc()).limit(RECENT)
    review = newest.subquery()
    query = (
        select(StoredTicket, TicketText.text, review.c.made_at, review.c.reviewer)
        .join(review, review.c.ticket_id == StoredTicket.ticket_id)
        .join(TicketText, TicketText.ticket_id == StoredTicket.ticket_id)
        .where(StoredTicket.status.not_in((OPEN, DELETED)), StoredTicket.ticket_id != ticket_id)
        .where(TicketText.text.is_not(None))
    )
    found = {row[0].ticket_id: row for row in session.execute(query).all()}
    return list(found.values())


def _cosines(text: str, others: list[str]) -> list[float]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    pairs = TfidfVectorizer(analyzer="char", ngram_range=(2, 2), sublinear_tf=True, min_df=1)
    rows = pairs.fit_transform([one[:LONGEST] or " " for one in (text, *others)])
    return [float(value) for value in (rows[1:] @ rows[0].T).toarray()[:, 0]]


def _shown(row: Any, likeness: float) -> Json:
    ticket, text, made_at, reviewer = row
    return {
        "ticket_id": ticket.ticket_id,
        "category": ticket.category,
        "desk": ticket.desk,
        "status": ticket.status,
        "likeness": round(min(1.0, likeness), 3),
        "glance": text[:GLANCE],
        "reviewed_at": time_word(made_at),
        "reviewer": reviewer,
    }
