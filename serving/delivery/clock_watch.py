"""The clock watch: a ticket whose time runs out, or has run out, is told to the desks that hold it, once for each clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from serving.store.columns import Json, table
from serving.store.database import Database
from serving.store.outbox import DUE_SOON, OVERDUE
from serving.store.reading import time_word
from serving.store.retention import DELIVERED_DAYS
from serving.store.tables import OutboxMessage, StoredTicket
from serving.store.tickets import RUNNING, queues_of

_AT_ONCE = 500  # tickets in one transaction
_LOOK_BACK = timedelta(days=DELIVERED_DAYS - 1)  # of a ticket opened again the outbox may no longer know what was told
_LOCK = 0x7472_6967  # of all watches on one PostgreSQL database

_T = StoredTicket


@dataclass(frozen=True, slots=True)
class Clock:
    """One of a ticket's clocks, how long before its end the desks are warned, and whether it was stopped."""

    name: str
    column: InstrumentedAttribute[datetime | None]
    lead: timedelta
    stopped: ColumnElement[bool] = field(default_factory=false)


@dataclass(frozen=True)
class ClockWatch:
    """Puts due-soon and overdue events into the outbox.

    Args:
        database: the store.
        answer_lead: warning before contact and answer are due.
        arrive_lead: warning before the crew must have arrived.
        now: the clock of the machine; may jump.
    """

    database: Database
    answer_lead: timedelta
    arrive_lead: timedelta
    now: Callable[[], datetime]

    def look(self) -> int:
        """Tell of every clock that has newly come to its warning or its end.

        The key of an event holds ticket, kind and clock, so nothing is told twice: not by several watches at once, not
        when the machine's clock jumps. A clock first seen after its end is overdue, and was never due soon.

        Returns:
            How many events were written.
        """
        now = self.now()
        return sum(self._tell(clock, kind, now) for clock in self._clocks() for kind in (OVERDUE, DUE_SOON))

    def _clocks(self) -> tuple[Clock, ...]:
        return (
            Clock("arrive_by", _T.arrive_by, self.arrive_lead, _T.arrived_at.is_not(None)),
            Clock("contact_due_at", _T.contact_due_at, self.answer_lead, _T.contacted_at.is_not(None)),
            Clock("due_at", _T.due_at, self.answer_lead),
        )

    def _tell(self, clock: Clock, kind: str, now: datetime) -> int:
        found = 0
        query = select(_T).where(_due(clock, kind, now)).order_by(_T.ticket_id).limit(_AT_ONCE)
        while self._any(query):
            with self.database.write() as session:
                if not _alone(session):
                    return found
                tickets = list(session.scalars(query.with_for_update(skip_locked=True, of=_T)))
                found += _write(session, [row for ticket in tickets for row in _events(ticket, clock, kind, now)])
            if len(tickets) < _AT_ONCE:
                return found
        return found

    def _any(self, query: Any) -> bool:
        """Asked first without a lock: nearly always there is nothing to tell."""
        with self.database.read() as session:
            return session.scalars(query.limit(1)).first() is not None


def overdue(session: Session, now: datetime) -> dict[str, int]:
    """Running tickets whose time has run out.

    Args:
        session: reads.
        now: the time.

    Returns:
        How many, by clock.
    """
    run_out = {
        "arrive_by": and_(_T.arrive_by <= now, _T.arrived_at.is_(None)),
        "contact_due_at": and_(_T.contact_due_at <= now, _T.contacted_at.is_(None)),
        "due_at": _T.due_at <= now,
    }
    counts = [func.count().filter(condition) for condition in run_out.values()]
    return dict(zip(run_out, session.execute(select(*counts).where(_T.status.in_(RUNNING))).one(), strict=True))


def _due(clock: Clock, kind: str, now: datetime) -> ColumnElement[bool]:
    if kind == OVERDUE:
        time, told = clock.column <= now, _told(OVERDUE, clock)
    else:
        time = and_(clock.column > now, clock.column <= now + clock.lead)
        told = or_(_told(DUE_SOON, clock), _told(OVERDUE, clock))
    recent = or_(clock.column > now - _LOOK_BACK, _T.received_at > now - _LOOK_BACK)
    return and_(_T.status.in_(RUNNING), ~clock.stopped, clock.column.is_not(None), time, recent, ~told)


def _told(kind: str, clock: Clock) -> ColumnElement[bool]:
    return exists().where(OutboxMessage.key == _T.ticket_id.concat(f":{kind}:{clock.name}")).correlate(_T)


def _events(ticket: StoredTicket, clock: Clock, kind: str, now: datetime) -> Iterator[Json]:
    """One event for each queue that holds the ticket; the first bears the plain key."""
    key = f"{ticket.ticket_id}:{kind}:{clock.name}"
    due = getattr(ticket, clock.name)
    for place, desk in enumerate(queues_of(ticket.queues)):
        yield {
            "key": f"{key}:{place}" if place else key, "ticket_id": ticket.ticket_id, "kind": kind, "desk": desk,
            "urgent": ticket.safety, "body": {"version": ticket.version, "clock": clock.name, "at": time_word(due)},
            "made_at": now, "next_try_at": now, "tries": 0,
        }  # fmt: skip


def _write(session: Session, rows: list[Json]) -> int:
    connection = session.connection()
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    once = dialect.insert(table(OutboxMessage)).on_conflict_do_nothing().returning(OutboxMessage.id)
    return sum(len(connection.execute(once, row).all()) for row in rows)


def _alone(session: Session) -> bool:
    """On PostgreSQL one watch at a time writes; on SQLite the write lock sees to it."""
    if session.connection().dialect.name == "sqlite":
        return True
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}))
