"""What people report of a ticket's handling: customer contacted, somebody on the spot, closed. No program closes one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from model.errors import Conflict, InvalidField
from model.privacy import mask
from model.text import normalise
from serving.store import audit
from serving.store.database import Database
from serving.store.outbox import CLOSED as TOLD
from serving.store.outbox import Message, enqueue
from serving.store.reading import find
from serving.store.tables import ClosingNote, StoredTicket
from serving.store.tickets import CLOSED, DELETED, queues_of


@dataclass(frozen=True, slots=True)
class Closing:
    """What a person reports who closes the ticket as it stood at `version`.

    `note`: what was done. `upheld`: whether the complaint was found true (属实); None where nobody judged it.
    """

    version: int
    note: str | None = None
    upheld: bool | None = None


def close(database: Database, ticket_id: str, *, closing: Closing, by: str, now: datetime) -> None:
    """Close a ticket: its clocks stop, and the queues that hold it hear of it. A later review opens it again.

    Args:
        database: the store.
        ticket_id: which.
        closing: what the person reports; the note is masked before it is kept.
        by: name of the key.
        now: when.

    Raises:
        NotFound: no such ticket.
        Conflict: it has changed since that version, is closed already, or was deleted.
    """
    with database.write() as session:
        ticket, seen = _alive(session, ticket_id), closing.version
        if ticket.version != seen:
            raise Conflict(f"工单已更新到第 {ticket.version} 版,提交的是第 {seen} 版;请重新读取后再办结")
        ticket.status, ticket.version = CLOSED, seen + 1
        ticket.closed_at, ticket.upheld = now, closing.upheld
        session.flush()
        queues = queues_of(ticket.queues)
        enqueue(session, [Message(ticket_id, ticket.version, TOLD, desk, ticket.safety) for desk in queues], now)
        kept = mask(normalise(closing.note).text).text if closing.note else None
        session.execute(insert(ClosingNote).values(ticket_id=ticket_id, closed_at=now, closed_by=by, note=kept))
        detail = {"version": ticket.version, "queues": list(queues), "upheld": closing.upheld}
        audit.append(session, actor=by, action="ticket.closed", subject=f"ticket:{ticket_id}", detail=detail, at=now)


@dataclass(frozen=True, slots=True)
class FirstTime:
    """A step of which only the first time counts. `column` of the ticket, `name` in Chinese, `action` in the audit log."""

    column: str
    name: str
    action: str


CONTACTED = FirstTime("contacted_at", "联系时间", "ticket.contacted")  # the customer
ARRIVED = FirstTime("arrived_at", "到场时间", "ticket.arrived")  # on the spot


def report_first(
    database: Database, ticket_id: str, step: FirstTime, *, at: datetime | None, by: str, now: datetime
) -> None:
    """Note when a step was first done; its clock ends. A second report changes nothing.

    Args:
        database: the store.
        ticket_id: which.
        step: `CONTACTED` or `ARRIVED`.
        at: when it was done; None for now.
        by: name of the key.
        now: when it is reported.

    Raises:
        NotFound: no such ticket.
        Conflict: it is closed, or was deleted.
        InvalidField: a time before the ticket arrived, or in the future.
    """
    with database.write() as session:
        ticket = _alive(session, ticket_id)
        if getattr(ticket, step.column) is not None:
            return
        time = at or now
        if not (ticket.accepted_at or ticket.received_at) <= time <= now:
            raise InvalidField(f"{step.name}(at)须在受理之后、现在之前;请核对日期与时区")
        setattr(ticket, step.column, time)
        detail = {"at": time.isoformat()}
        audit.append(session, actor=by, action=step.action, subject=f"ticket:{ticket_id}", detail=detail, at=now)


def _alive(session: Session, ticket_id: str) -> StoredTicket:
    ticket = find(session, ticket_id, lock=True)
    if ticket.status == DELETED:
        raise Conflict("这张工单已按保存期限或申请删除,不能再改")
    if ticket.status == CLOSED:
        raise Conflict("这张工单已经办结;如须重办,请先改判(review)")
    return ticket
