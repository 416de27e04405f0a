"""Tickets of one known event count as one incident; each keeps its own clock, which is not even looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.events.arrival import arrived
from serving.store.tables import StoredTicket


@dataclass(frozen=True, slots=True)
class Incident:
    """Tickets that count once: those of an event, or one ticket by itself (`event_id` None)."""

    event_id: int | None
    ticket_ids: tuple[str, ...]


def fold(links: Iterable[tuple[str, int | None]]) -> tuple[Incident, ...]:
    """Group tickets by the event that they may belong to.

    Args:
        links: ticket ids, each with its event or None.

    Returns:
        Incidents in the order of their first tickets; every ticket is in exactly one.
    """
    groups: dict[tuple[int | None, str], list[str]] = {}
    for ticket_id, event_id in links:
        groups.setdefault((event_id, "" if event_id is not None else ticket_id), []).append(ticket_id)
    return tuple(Incident(event_id, tuple(ids)) for (event_id, _), ids in groups.items())


def incidents(session: Session, since: datetime, until: datetime) -> tuple[Incident, ...]:
    """Incidents among the tickets of a time, those that were deleted left out.

    Args:
        session: reads.
        since: arrived from this moment on.
        until: arrived before this moment.

    Returns:
        In order of arrival.
    """
    wanted = select(StoredTicket.ticket_id, StoredTicket.event_id).where(
        arrived() >= since, arrived() < until, StoredTicket.status != "deleted"
    )
    rows = session.execute(wanted.order_by(arrived(), StoredTicket.ticket_id))
    return fold((ticket_id, event_id) for ticket_id, event_id in rows)
