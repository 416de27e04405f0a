"""The register of known events: enter, import, remove; each with its audit entry. Tickets are only ever linked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from model.policy.cue_schema import EventsFile
from serving.events.entry import EventEntry, faults
from serving.events.errors import EventNotFound, InvalidEvents
from serving.events.links import link_open_tickets
from serving.events.match import Event
from serving.events.records import from_row
from serving.events.table import read_events
from serving.store import audit
from serving.store.columns import table
from serving.store.database import Database
from serving.store.tables import KnownEvent, StoredTicket

_SAME = ("kind", "city", "county", "station", "starts_at", "ends_at", "text", "filing")


@dataclass(frozen=True, slots=True)
class Entered:
    """An event of the register, and whether this call entered it; the same entry again is not entered twice."""

    event: Event
    new: bool


def enter(database: Database, entry: EventEntry, policy: EventsFile, *, by: str, at: datetime) -> Entered:
    """Enter one event, and link open tickets that may belong to it.

    Args:
        database: the store.
        entry: what a person typed.
        policy: kinds of events.
        by: name of the key.
        at: when.

    Returns:
        The event.

    Raises:
        InvalidEvents: the policy does not allow it.
    """
    found = faults(entry, policy)
    if found:
        raise InvalidEvents(";".join(found), [{"row": 1, "message": message} for message in found])
    return _enter_all(database, [entry], policy, by=by, at=at)[0]


def import_table(database: Database, content: bytes, policy: EventsFile, *, by: str, at: datetime) -> list[Entered]:
    """Enter all rows of a CSV table, or none.

    Args:
        database: the store.
        content: the file.
        policy: kinds of events.
        by: name of the key.
        at: when.

    Returns:
        In the order of the rows.
    """
    return _enter_all(database, read_events(content, policy), policy, by=by, at=at)


def remove(database: Database, event_id: int, *, by: str, at: datetime) -> None:
    """Take an event out of the register; its tickets go on as they were.

    Args:
        database: the store.
        event_id: of the event.
        by: name of the key.
        at: when.

    Raises:
        EventNotFound: there is none, or it was removed before.
    """
    with database.write() as session:
        row = session.scalar(
            select(KnownEvent).where(KnownEvent.id == event_id, KnownEvent.removed_at.is_(None)).with_for_update()
        )
        if row is None:
            raise EventNotFound(f"没有编号为 {event_id} 的已知事件,或已删除;请用列表核对")
        row.removed_at = at
        session.execute(update(StoredTicket).where(StoredTicket.event_id == event_id).values(event_id=None))
        audit.append(
            session, actor=by, action="event.removed", subject=f"event:{event_id}", detail={"kind": row.kind}, at=at
        )


def _enter_all(
    database: Database, entries: Sequence[EventEntry], policy: EventsFile, *, by: str, at: datetime
) -> list[Entered]:
    with database.write() as session:
        return [_enter(session, entry, policy, by=by, at=at) for entry in entries]


def _enter(session: Session, entry: EventEntry, policy: EventsFile, *, by: str, at: datetime) -> Entered:
    fields = {name: getattr(entry, name) for name in _SAME}
    known = select(KnownEvent).where(KnownEvent.removed_at.is_(None), *_equal(fields))
    for row in session.scalars(known):
        if from_row(row).places == entry.places:
            return Entered(from_row(row), new=False)
    row = KnownEvent(**fields, places={"places": list(entry.places)}, entered_by=by, entered_at=at)
    session.add(row)
    session.flush()
    event = from_row(row)
    linked = link_open_tickets(session, event, policy)
    detail = {"kind": entry.kind, "filing": entry.filing, "linked": linked}
    audit.append(session, actor=by, action="event.entered", subject=f"event:{row.id}", detail=detail, at=at)
    return Entered(event, new=True)


def _equal(fields: dict[str, object]) -> list[ColumnElement[bool]]:
    columns = table(KnownEvent).columns
    return [columns[name].is_(None) if value is None else columns[name] == value for name, value in fields.items()]
