"""Which stored tickets belong to which known event. Only the link is written, never a route, a version or a due date."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from model.policy.cue_schema import EventsFile
from model.ticket import Org
from serving.events.arrival import arrived
from serving.events.match import Event, Match, Sighting, match
from serving.events.records import from_row
from serving.store.tables import KnownEvent, StoredTicket, TicketText

_ALIVE = ("open", "reviewed")
_AT_ONCE = 500  # ticket ids in one statement


def link_open_tickets(session: Session, event: Event, policy: EventsFile) -> int:
    """Link tickets that arrived before their event was entered.

    Args:
        session: writes.
        event: just entered.
        policy: leaves and hours of each kind.

    Returns:
        How many tickets were linked.
    """
    kind = policy.kinds[event.kind]
    wanted = (
        select(StoredTicket, TicketText.text)
        .join(TicketText, TicketText.ticket_id == StoredTicket.ticket_id)
        .where(StoredTicket.status.in_(_ALIVE), StoredTicket.event_id.is_(None))
        .where(arrived().between(event.starts_at, event.ends_at + timedelta(hours=kind.margin_hours)))
        .where(StoredTicket.category.in_(kind.leaves))
    )
    rows = session.execute(wanted).all()
    ids = [row.ticket_id for row, text in rows if match(sighting_of(row, text), [event], policy)]
    for start in range(0, len(ids), _AT_ONCE):
        chosen = StoredTicket.ticket_id.in_(ids[start : start + _AT_ONCE])
        session.execute(update(StoredTicket).where(chosen).values(event_id=event.id))
    return len(ids)


def known_event_of(session: Session, row: StoredTicket, policy: EventsFile) -> Match | None:
    """The known event of a stored ticket as it stands now.

    Args:
        session: reads.
        row: the ticket.
        policy: kinds of events.

    Returns:
        The event that it is linked to, while that stands in the register and fits the ticket's leaf; else None.
    """
    event = session.get(KnownEvent, row.event_id) if row.event_id is not None else None
    if event is None or event.removed_at is not None:
        return None
    text = session.scalar(select(TicketText.text).where(TicketText.ticket_id == row.ticket_id))
    return next(iter(match(sighting_of(row, text), [from_row(event)], policy)), None)


def sighting_of(row: StoredTicket, text: str | None) -> Sighting:
    """What is looked at of a stored ticket.

    Args:
        row: of the store.
        text: its masked text, None where it was deleted.

    Returns:
        For `match`.
    """
    org = Org(row.city, row.county, row.station, row.urban)
    return Sighting(row.accepted_at or row.received_at, (row.category,), text or "", org)
