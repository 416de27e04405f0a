"""Taking back one's own last decision about a ticket, as long as nothing came after it."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from model.errors import Conflict
from serving.store import audit
from serving.store.columns import Json
from serving.store.database import Database
from serving.store.outbox import enqueue
from serving.store.reading import load
from serving.store.reviews import as_seen, hand_over
from serving.store.tables import Review, StoredPrediction, StoredRoute, StoredTicket
from serving.store.tickets import OPEN, REVIEWED

_NOT_YOURS = "只能撤销自己的、之后没有别的变动的复核;请重新读取工单,需要时另行改判"
_REOPENED = "这次复核重新打开了已办结的工单,不能撤销;请改判或再次办结"


def undo(database: Database, ticket_id: str, *, version: int, by: str, now: datetime) -> Json:
    """Take back the last review: category, desk and status are as before it. The review itself stays on record.

    Cues that the review opened stay candidates: they end by their own steps only, each of them audited.

    Args:
        database: the store.
        ticket_id: which ticket.
        version: of the ticket after the review.
        by: name of the key; the reviewer's own.
        now: when.

    Returns:
        The ticket after it, as `reading.load` gives it.

    Raises:
        NotFound: no such ticket.
        Conflict: the ticket has changed since, the review is another person's, or it reopened a closed ticket.
    """
    with database.write() as session:
        ticket = as_seen(session, ticket_id, version)
        reviews = list(session.scalars(select(Review).where(Review.ticket_id == ticket_id).order_by(Review.id)))
        last = _own(reviews, ticket, by)
        told = audit.entries(session, f"ticket:{ticket_id}")
        if any(one["detail"].get("reopened") and one["detail"]["version"] == last.version for one in told):
            raise Conflict(_REOPENED)
        before = _standing(session, reviews[:-1], ticket_id)
        ticket.version += 1
        ticket.category, ticket.status = before["category"], before["status"]
        enqueue(session, _back(session, ticket, last, now), now)
        session.add(
            Review(
                ticket_id=ticket_id, made_at=now, reviewer=by, version=ticket.version, category=before["category"],
                body={name: before[name] for name in ("secondary", "flags", "status")} | {"undo": True},
            )
        )  # fmt: skip
        detail = {"version": ticket.version, "from": last.category, "to": before["category"], "undone": last.version}
        audit.append(
            session, actor=by, action="ticket.review_undone", subject=f"ticket:{ticket_id}", detail=detail, at=now
        )
        session.flush()
        return load(session, ticket_id)


def _own(reviews: list[Review], ticket: StoredTicket, by: str) -> Review:
    """The review to take back."""
    last = reviews[-1] if reviews else None
    if last is None or last.body.get("undo") or last.reviewer != by or last.version != ticket.version:
        raise Conflict(_NOT_YOURS)
    return last


def _standing(session: Session, reviews: list[Review], ticket_id: str) -> dict[str, Any]:
    """What held before the last review: the review before it, else the prediction."""
    if reviews:
        return {"status": REVIEWED, **reviews[-1].body, "category": reviews[-1].category}
    first = select(StoredPrediction.body).where(StoredPrediction.ticket_id == ticket_id).order_by(StoredPrediction.id)
    body = session.scalars(first).all()[-1]
    flags = sorted(name for name, flag in body["flags"].items() if flag["raised"])
    return {"status": OPEN, "category": body["category"]["code"], "secondary": body["secondary"], "flags": flags}


def _back(session: Session, ticket: StoredTicket, last: Review, now: datetime) -> list[Any]:
    """To the desks that had it before the review, if that moved it."""
    query = select(StoredRoute).where(StoredRoute.ticket_id == ticket.ticket_id).order_by(StoredRoute.id)
    routes = list(session.scalars(query))
    if routes[-1].reason != "review" or routes[-1].made_at != last.made_at:
        return []
    return hand_over(session, ticket, routes[-2].body, now, reason="undo", last=routes[-1].body)
