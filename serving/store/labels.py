"""Reviewed tickets as a labelled batch (annotation guideline, section 5), and the record of who is in which batch."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from model.errors import NotFound
from model.labels import digest, text_hash
from model.taxonomy import Taxonomy
from model.ticket import LabelledTicket
from serving.store import audit
from serving.store.columns import Json, write_rows
from serving.store.database import Database
from serving.store.reading import time_word
from serving.store.tables import DataVersion, DataVersionTicket, Review, StoredPrediction, StoredTicket, TicketText
from serving.store.tickets import DELETED, OPEN

_CHANNELS = ("asr", "agent_note", "online", "relay")


@dataclass(frozen=True, slots=True)
class Batch:
    """A labelled batch: its name, the same that training gives it, and its records."""

    digest: str
    records: tuple[Json, ...]


def export_labels(database: Database, *, taxonomy: Taxonomy, actor: str, now: datetime) -> Batch:
    """Reviewed tickets with their masked text, in the order of their ids. Deleted ones are no part of it.

    A review decides category, secondary leaves and flags; safety, escalation and what hangs on a flag (role, filing)
    are as predicted. `author` groups the tickets of one caller, so that training never splits them.

    Args:
        database: the store; the batch is written down there.
        taxonomy: knows which filing goes with which flag.
        actor: who asked for it.
        now: when.

    Returns:
        The batch.
    """
    goes_with = {filing.code: filing.goes_with for filing in taxonomy.filings}
    with database.unhurried(), database.write() as session:
        tickets = [_labelled(row, goes_with) for row in _reviewed(session) if not _undone(row)]
        name = digest(tickets)
        _write_down(session, name, tickets, now)
        detail = {"tickets": len(tickets)}
        audit.append(session, actor=actor, action="labels.exported", subject=f"data:{name}", detail=detail, at=now)
    return Batch(name, tuple(_record(ticket) for ticket in tickets))


def trained_on(database: Database, name: str, bundle: str) -> None:
    """Note that a bundle was trained on a batch, so that a deletion can name it.

    Args:
        database: the store.
        name: of the batch.
        bundle: its id.

    Raises:
        NotFound: no batch of that name was exported here.
    """
    with database.write() as session:
        version = session.scalars(select(DataVersion).where(DataVersion.digest == name).with_for_update()).first()
        if version is None:
            raise NotFound("这里没有导出过这个数据版本;请检查编号")
        version.bundles = {"bundles": sorted({*version.bundles["bundles"], bundle})}


def _reviewed(session: Session) -> list[Any]:
    """Each reviewed ticket with its text, its last review and its first prediction."""
    last = select(func.max(Review.id)).group_by(Review.ticket_id)
    first = select(func.min(StoredPrediction.id)).group_by(StoredPrediction.ticket_id)
    query = (
        select(StoredTicket, TicketText.text, Review, StoredPrediction.body)
        .join(TicketText, TicketText.ticket_id == StoredTicket.ticket_id)
        .join(Review, Review.ticket_id == StoredTicket.ticket_id)
        .join(StoredPrediction, StoredPrediction.ticket_id == StoredTicket.ticket_id)
        .where(StoredTicket.status != DELETED, Review.id.in_(last), StoredPrediction.id.in_(first))
        .order_by(StoredTicket.ticket_id)
    )
    return list(session.execute(query).all())


def _undone(row: Any) -> bool:
    """Whether the person took the only decision back, so that none stands."""
    return bool(row[2].body.get("undo")) and row[2].body["status"] == OPEN


def _labelled(row: Any, goes_with: dict[str, str | None]) -> LabelledTicket:
    ticket, text, review, body = row
    flags = frozenset(review.body["flags"])
    role = body["flags"]["theft"]["role"] if "theft" in flags else None
    filing = body["filing"]["code"] if body["filing"] else None
    return LabelledTicket(
        id=ticket.ticket_id,
        text=text,
        category=review.category,
        secondary=tuple(review.body["secondary"]),
        flags=flags,
        theft_role=role,
        filing=filing if filing and goes_with.get(filing) in (None, *flags) else None,
        safety=ticket.safety,
        escalation=ticket.escalation,
        channel=ticket.channel if ticket.channel in _CHANNELS else None,
        author=f"caller-{ticket.caller[:16]}" if ticket.caller else None,
        extra={"labelled_by": review.reviewer, "labelled_at": time_word(review.made_at)},
    )


def _record(ticket: LabelledTicket) -> Json:
    return {
        "id": ticket.id, "channel": ticket.channel, "text": ticket.text, "category": ticket.category,
        "secondary": list(ticket.secondary), "flags": sorted(ticket.flags), "theft_role": ticket.theft_role,
        "filing": ticket.filing or "none", "safety": ticket.safety, "escalation": ticket.escalation,
        "author": ticket.author, "voice": None, "split": None, "origin": "reviewed", **ticket.extra,
    }  # fmt: skip


def _write_down(session: Session, name: str, tickets: list[LabelledTicket], now: datetime) -> None:
    """Ids and hashes of a batch; the same batch again is the same data version."""
    if session.scalar(select(DataVersion.id).where(DataVersion.digest == name)) is not None:
        return
    new = insert(DataVersion).values(digest=name, made_at=now, bundles={"bundles": []}).returning(DataVersion.id)
    version = session.execute(new).scalar_one()
    rows = [{"data_version_id": version, "ticket_id": t.id, "text_hash": text_hash(t.text)} for t in tickets]
    write_rows(session, DataVersionTicket, rows)
