"""Tickets of one known event or incident as one line of the queue. Each keeps its own clock; danger is never folded away."""

from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from serving.store.tables import StoredTicket

_T = StoredTicket
_MATTER: ColumnElement[str | None] = func.coalesce(cast(_T.event_id, String), _T.incident)  # one line of the queue
_ALONE = and_(_T.event_id.is_(None), _T.incident.is_(None))


def leaders(session: Session, wanted: Select[Any], order: tuple[ColumnElement[Any], ...]) -> dict[str, int]:
    """The most urgent ticket of each event and incident.

    Args:
        session: reads.
        wanted: tickets, filtered.
        order: of the queue.

    Returns:
        Its id, and how many tickets of the matter are wanted, itself included.
    """
    place = func.row_number().over(partition_by=_MATTER, order_by=order).label("place")
    size = func.count().over(partition_by=_MATTER).label("size")
    rows = wanted.with_only_columns(_T.ticket_id, place, size).where(~_ALONE, _T.safety.is_(False))
    ranked = rows.subquery()
    first = select(ranked.c.ticket_id, ranked.c.size).where(ranked.c.place == 1)
    return {row.ticket_id: row.size for row in session.execute(first)}


def folded(wanted: Select[Any], first: dict[str, int]) -> Select[Any]:
    """The queue with one line for each event and incident.

    Args:
        wanted: tickets, filtered.
        first: as `leaders` gives them.

    Returns:
        The query without the tickets that follow the first of their matter.
    """
    return wanted.where(or_(_ALONE, _T.safety.is_(True), _T.ticket_id.in_(list(first))))
