"""What is kept no longer than needed: deletion of one ticket, and of all whose time is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, select, update
from sqlalchemy.orm import Session

from serving.store import audit
from serving.store.answers import without_evidence
from serving.store.database import Database
from serving.store.outbox import DELETED as TOLD
from serving.store.outbox import DUE_SOON, OVERDUE, Message, enqueue
from serving.store.reading import find
from serving.store.tables import (
    ClosingNote,
    DataVersion,
    DataVersionTicket,
    OutboxMessage,
    ReviewNote,
    StoredPrediction,
    StoredRoute,
    StoredTicket,
    TicketText,
)
from serving.store.tickets import DELETED, RUNNING

DELIVERED_DAYS = 30  # how long a delivered message can still be looked up
_AT_ONCE = 100  # tickets in one transaction


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did: tickets deleted, delivered messages removed, bundles that were trained on the tickets."""

    tickets: int
    messages: int
    bundles: tuple[str, ...]


def delete_ticket(database: Database, ticket_id: str, *, actor: str, now: datetime) -> tuple[str, ...]:
    """Delete what a ticket says and who called; codes, times and the audit log stay.

    Text and notes are blanked, evidence and the caller dropped, data versions marked, the desks told. What has not
    been delivered yet is dropped. A second deletion changes nothing.

    Args:
        database: the store.
        ticket_id: which.
        actor: who asked for it.
        now: when.

    Returns:
        The bundles trained on the ticket, to be replaced with the next training.

    Raises:
        NotFound: no such ticket.
    """
    with database.write() as session:
        bundles = _erase(session, find(session, ticket_id, lock=True), actor, now)
    database.wipe()
    return bundles


def purge_expired(database: Database, *, actor: str, now: datetime) -> Purged:
    """Delete every ticket whose time is over, and messages delivered long ago.

    Args:
        database: the store.
        actor: for the audit log.
        now: when.

    Returns:
        What was done.
    """
    bundles: set[str] = set()
    count = 0
    while found := _some_expired(database, actor, now, bundles):
        count += found
    with database.write() as session:
        old = and_(OutboxMessage.delivered_at < now - timedelta(days=DELIVERED_DAYS), ~_keeps_a_clock_quiet())
        messages = len(session.scalars(delete(OutboxMessage).where(old).returning(OutboxMessage.id)).all())
    if count:
        database.wipe()
    return Purged(count, messages, tuple(sorted(bundles)))


def _keeps_a_clock_quiet() -> ColumnElement[bool]:
    """What tells the clock watch that a running ticket's desks have heard of its clock already."""
    running = exists().where(StoredTicket.ticket_id == OutboxMessage.ticket_id, StoredTicket.status.in_(RUNNING))
    return and_(OutboxMessage.kind.in_((DUE_SOON, OVERDUE)), running)


def _some_expired(database: Database, actor: str, now: datetime, bundles: set[str]) -> int:
    over = select(StoredTicket).where(StoredTicket.delete_after <= now, StoredTicket.status != DELETED)
    with database.write() as session:
        tickets = session.scalars(over.limit(_AT_ONCE).with_for_update(skip_locked=True)).all()
        for ticket in tickets:
            bundles.update(_erase(session, ticket, actor, now))
    return len(tickets)


def _erase(session: Session, ticket: StoredTicket, actor: str, now: datetime) -> tuple[str, ...]:
    bundles = _bundles(session, ticket.ticket_id)
    if ticket.status == DELETED:
        return bundles
    ticket.status, ticket.caller, ticket.version = DELETED, None, ticket.version + 1
    mine = {"ticket_id": ticket.ticket_id}
    session.execute(update(TicketText).filter_by(**mine).values(text=None, blanked_at=now))
    for entity in (ReviewNote, ClosingNote):
        session.execute(update(entity).filter_by(**mine).values(note=None))
    session.execute(update(DataVersionTicket).filter_by(**mine, deleted_at=None).values(deleted_at=now))
    for prediction in session.scalars(select(StoredPrediction).filter_by(**mine)):
        prediction.body = without_evidence(prediction.body)
    session.execute(delete(OutboxMessage).filter_by(**mine, delivered_at=None))
    routes = session.scalars(select(StoredRoute).filter_by(**mine))
    desks = dict.fromkeys(desk for route in routes for desk in route.body["deliver_to"])
    enqueue(session, [Message(ticket.ticket_id, ticket.version, TOLD, desk) for desk in desks], now)
    detail = {"version": ticket.version, "bundles": list(bundles)}
    subject = f"ticket:{ticket.ticket_id}"
    audit.append(session, actor=actor, action="ticket.deleted", subject=subject, detail=detail, at=now)
    return bundles


def _bundles(session: Session, ticket_id: str) -> tuple[str, ...]:
    versions = session.scalars(
        select(DataVersion.bundles)
        .join(DataVersionTicket, DataVersionTicket.data_version_id == DataVersion.id)
        .where(DataVersionTicket.ticket_id == ticket_id)
    )
    return tuple(sorted({bundle for held in versions for bundle in held["bundles"]}))
