"""What makes a ticket urgent, as conditions over its row: the queue is filtered by them and counted by them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from model.decision import AUTO
from serving.store.columns import Json
from serving.store.tables import StoredTicket
from serving.store.tickets import CLOSED, OPEN, RUNNING

Urgency = Literal["safety", "overdue", "due_soon", "escalation", "low_confidence"]
SOON = timedelta(hours=4)  # contact and answer
ARRIVE_SOON = timedelta(minutes=15)  # a crew on site

_T = StoredTicket


def conditions(now: datetime) -> Mapping[Urgency, ColumnElement[bool]]:
    """What each kind of urgency means at a moment.

    Args:
        now: the moment.

    Returns:
        Conditions over `tickets`. A clock that has stopped (contacted, arrived, closed) makes nothing urgent, and what is
        overdue is not due soon.
    """
    late = _before(now, now)
    return {
        "safety": _T.safety.is_(True),
        "overdue": late,
        "due_soon": and_(~late, _before(now + SOON, now + ARRIVE_SOON)),
        "escalation": _T.escalation.is_(True),
        "low_confidence": _T.decision != AUTO,
    }


def counts(session: Session, now: datetime) -> Json:
    """How many tickets wait, and why they are urgent.

    Args:
        session: reads.
        now: the moment.

    Returns:
        `status`: tickets by status; `open`: of those that nobody has reviewed, `tickets` and one figure for each
        urgency; `overdue`: of all that are not closed.
    """
    asked = conditions(now)
    sums = [func.count().filter(condition).label(name) for name, condition in asked.items()]
    query = select(_T.status, func.count().label("tickets"), *sums).where(_T.status.in_(RUNNING)).group_by(_T.status)
    found = {row.status: dict(row._mapping) for row in session.execute(query)}
    nothing: dict[str, int] = {"tickets": 0, **{str(name): 0 for name in asked}}
    running = {name: {**nothing, **found.get(name, {})} for name in RUNNING}
    closed = session.scalar(select(func.count()).where(_T.status == CLOSED))
    return {
        "status": {**{name: one["tickets"] for name, one in running.items()}, CLOSED: closed or 0},
        "open": {name: running[OPEN][name] for name in nothing},
        "overdue": sum(one["overdue"] for one in running.values()),
    }


def _before(answer: datetime, arrival: datetime) -> ColumnElement[bool]:
    """Whether a clock that still runs ends before a time. Comparing with an empty clock is never true."""
    running: Any = _T.closed_at.is_(None)
    contact = and_(_T.contacted_at.is_(None), func.coalesce(_T.contact_due_at < answer, False))
    arrive = and_(_T.arrived_at.is_(None), func.coalesce(_T.arrive_by < arrival, False))
    return and_(running, or_(contact, arrive, func.coalesce(_T.due_at < answer, False)))
