"""Stored tickets as they are read: the row as a list shows it, and the whole history of one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from model.errors import NotFound
from model.ticket import CHINA
from serving.store.answers import answer_masked
from serving.store.columns import Json
from serving.store.tables import (
    ClosingNote,
    Review,
    ReviewNote,
    StoredPrediction,
    StoredRoute,
    StoredTicket,
    TicketText,
)
from serving.store.tickets import queues_of

GLANCE = 90  # characters of a text that a list shows


def find(session: Session, ticket_id: str, *, lock: bool = False) -> StoredTicket:
    """A ticket as it stands now.

    Args:
        session: reads, or writes.
        ticket_id: which.
        lock: keep others from changing it until the transaction ends.

    Returns:
        The row.

    Raises:
        NotFound: there is none.
    """
    found = session.get(StoredTicket, ticket_id, with_for_update=True if lock else None)
    if found is None:
        raise NotFound("没有这张工单;请检查工单编号")
    return found


def load(session: Session, ticket_id: str) -> Json:
    """A ticket with masked text, prediction, routes, reviews and closings; its cues are read by `serving.cues.store`.

    Args:
        session: reads.
        ticket_id: which.

    Returns:
        JSON-ready; offsets of evidence point into the masked `text`.

    Raises:
        NotFound: there is none.
    """
    ticket = find(session, ticket_id)
    text = session.scalar(select(TicketText.text).where(TicketText.ticket_id == ticket_id))
    body = session.scalars(_of(StoredPrediction, ticket_id)).all()[-1].body
    routes = session.scalars(_of(StoredRoute, ticket_id)).all()
    kept = select(ReviewNote.review_id, ReviewNote.note).where(ReviewNote.ticket_id == ticket_id)
    notes = {row.review_id: row.note for row in session.execute(kept)}
    return {
        **summary(ticket),
        "text": text,
        "prediction": answer_masked(body, text),
        "route": routes[-1].body,
        "routes": [{"at": time_word(r.made_at), "reason": r.reason, **r.body} for r in routes],
        "closings": [_closing(one) for one in session.scalars(_of(ClosingNote, ticket_id))],
        "reviews": [_review(review, notes.get(review.id)) for review in session.scalars(_of(Review, ticket_id))],
    }


def summary(ticket: StoredTicket) -> Json:
    """A ticket as a list shows it.

    Args:
        ticket: the row.

    Returns:
        JSON-ready.
    """
    same = ("ticket_id", "status", "version", "category", "confidence", "decision", "desk", "safety", "escalation",
            "channel", "biz_type", "repeat_of", "event_id", "incident", "upheld")  # fmt: skip
    times = ("received_at", "accepted_at", "contact_due_at", "due_at", "arrive_by", "contacted_at", "arrived_at",
             "closed_at", "delete_after")  # fmt: skip
    return {
        **{name: getattr(ticket, name) for name in same},
        **{name: time_word(getattr(ticket, name)) for name in times},
        "queues": list(queues_of(ticket.queues)),
        "org": {name: getattr(ticket, name) for name in ("city", "county", "station", "urban")},
    }


def glances_of(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """How texts begin.

    Args:
        session: reads.
        ids: of tickets, one page at most.

    Returns:
        The beginning of the masked text by id, in one line; without those that were deleted.
    """
    begins = func.substr(TicketText.text, 1, 2 * GLANCE)
    wanted = select(TicketText.ticket_id, begins).where(TicketText.ticket_id.in_(ids), TicketText.text.is_not(None))
    return {row[0]: " ".join(row[1].split())[:GLANCE] for row in session.execute(wanted)}


def _of(entity: Any, ticket_id: str) -> Any:
    return select(entity).where(entity.ticket_id == ticket_id).order_by(entity.id)


def _review(review: Review, note: str | None) -> Json:
    return {
        "at": time_word(review.made_at), "reviewer": review.reviewer, "version": review.version,
        "category": review.category, **review.body, "note": note,
    }  # fmt: skip


def _closing(one: ClosingNote) -> Json:
    return {"at": time_word(one.closed_at), "by": one.closed_by, "note": one.note}


def time_word(value: datetime | None) -> str | None:
    """A time as answers show it.

    Args:
        value: an aware time, or None.

    Returns:
        RFC 3339 in Asia/Shanghai.
    """
    return value.astimezone(CHINA).isoformat() if value else None
