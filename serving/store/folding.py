"""Tickets of one known event as one line of the queue. Each keeps its own clock, and danger is never folded away."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from serving.store.tables import StoredTicket

_T = StoredTicket


def leaders(session: Session, wanted: Select[Any], order: tuple[ColumnElement[Any], ...]) -> dict[str, int]:
    """The most urgent ticket of each event.

    Args:
        session: reads.
        wanted: tickets, filtered.
        order: of the queue.

    Returns:
        Its id, and how many tickets of the event are wanted, itself included.
    """
    place = func.row_number().over(partition_by=_T.event_id, order_by=order).label("place")
    size = func.count().over(partition_by=_T.event_id).label("size")
    rows = wanted.with_only_columns(_T.ticket_id, place, size).where(_T.event_id.is_not(None), _T.safety.is_(False))
    ranked = rows.subquery()
    first = select(ranked.c.ticket_id, ranked.c.size).where(ranked.c.place == 1)
    return {row.ticket_id: row.size for row in session.execute(first)}


def folded(wanted: Select[Any], first: dict[str, int]) -> Select[Any]:
    """The queue with one line for each event.

    Args:
        wanted: tickets, filtered.
        first: as `leaders` gives them.

    Returns:
        The query without the tickets that follow the first of their event.
    """
    return wanted.where(or_(_T.event_id.is_(None), _T.safety.is_(True), _T.ticket_id.in_(list(first))))
