"""Events in the store: rows and what they are shown as."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from model.policy.cue_schema import EventsFile
from model.ticket import CHINA
from serving.events.match import Event, Match, Sighting, match
from serving.store.columns import Json, table
from serving.store.tables import KnownEvent, StoredTicket


def from_row(row: KnownEvent | Row[Any]) -> Event:
    """Read an event.

    Args:
        row: of the store, as an object or as bare columns, which are quicker to read.

    Returns:
        The event.
    """
    return Event(
        row.id, row.kind, row.starts_at, row.ends_at, row.text, row.entered_at,
        row.city, row.county, row.station, tuple(row.places.get("places", ())), row.filing,
    )  # fmt: skip


def to_dict(event: Event, policy: EventsFile) -> Json:
    """What the API answers.

    Args:
        event: as entered.
        policy: names of kinds.

    Returns:
        All fields, times in Asia/Shanghai.
    """
    kind = policy.kinds.get(event.kind)
    times = {name: getattr(event, name) for name in ("starts_at", "ends_at", "entered_at")}
    return {
        "id": event.id,
        "kind": event.kind,
        "kind_name": kind.name if kind else event.kind,
        "city": event.city,
        "county": event.county,
        "station": event.station,
        "places": list(event.places),
        "text": event.text,
        "filing": event.filing,
        **{name: time.astimezone(CHINA).isoformat() for name, time in times.items()},
    }


def listed(session: Session, *, since: datetime | None = None, until: datetime | None = None) -> list[Event]:
    """Events that were not removed.

    Args:
        session: reads.
        since: that end at this moment or later.
        until: that begin before this moment.

    Returns:
        The one that begins last first.
    """
    return _read(session, _standing(since, until))


def kinds(policy: EventsFile) -> list[Json]:
    """What may be entered.

    Args:
        policy: kinds of events.

    Returns:
        Code, name, filing and whether an area may be left out, in the order of the policy.
    """
    return [
        {"code": code, "name": kind.name, "filing": kind.filing, "everywhere": kind.everywhere}
        for code, kind in policy.kinds.items()
    ]


def ticket_counts(session: Session) -> dict[int, int]:
    """How many tickets may belong to each event.

    Args:
        session: reads.

    Returns:
        By id of the event; those without tickets are left out.
    """
    linked = select(StoredTicket.event_id, func.count()).where(StoredTicket.event_id.is_not(None))
    return {event: count for event, count in session.execute(linked.group_by(StoredTicket.event_id)) if event}


def events_of(session: Session, ids: set[int | None]) -> list[Event]:
    """Events by number, those that were removed left out.

    Args:
        session: reads.
        ids: None among them asks for nothing.

    Returns:
        In no order that means anything.
    """
    known = [one for one in ids if one is not None]
    return _read(session, _standing(None, None).where(table(KnownEvent).columns.id.in_(known))) if known else []


def find_events(session: Session, sightings: Sequence[Sighting], policy: EventsFile) -> list[tuple[Match, ...]]:
    """Known events that tickets may belong to; the register is read once for all of them.

    Args:
        session: reads.
        sightings: of n tickets.
        policy: leaves and hours of each kind.

    Returns:
        n times events, the closest first.
    """
    longest = max((kind.margin_hours for kind in policy.kinds.values()), default=0)
    leaves = {leaf for sighting in sightings for leaf in sighting.leaves}
    kinds = [code for code, kind in policy.kinds.items() if leaves & set(kind.leaves)]
    if not kinds:
        return [() for _ in sightings]
    first, last = min(one.at for one in sightings), max(one.at for one in sightings)
    near = _standing(first - timedelta(hours=longest), last + timedelta(microseconds=1))
    events = _read(session, near.where(table(KnownEvent).columns.kind.in_(kinds)))
    return [match(sighting, events, policy) for sighting in sightings]


def _standing(since: datetime | None, until: datetime | None) -> Select[Any]:
    columns = table(KnownEvent).columns
    wanted = select(*columns).where(columns.removed_at.is_(None))
    if since:
        wanted = wanted.where(columns.ends_at >= since)
    return wanted.where(columns.starts_at < until) if until else wanted


def _read(session: Session, wanted: Select[Any]) -> list[Event]:
    columns = table(KnownEvent).columns
    rows = session.connection().execute(wanted.order_by(columns.starts_at.desc(), columns.id))
    return [from_row(row) for row in rows]
