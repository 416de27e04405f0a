"""Incidents among the tickets that wait, written beside each ticket, so that the queue can show one line for them.

A proposal of the same four links as in the analysis (`serving.hotspots.incidents`), less what is known already: tickets
of a known event fold by that, and a ticket with danger stands alone. Nothing else of a ticket is changed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from model.policy import Policy
from serving.hotspots.frame import from_store
from serving.hotspots.incidents import find_incidents
from serving.store.columns import table
from serving.store.database import Database
from serving.store.tables import StoredTicket
from serving.store.tickets import RUNNING

DAYS = 14  # of arrival, that a ticket can still belong to an incident
_AHEAD = timedelta(days=1)  # clocks of those who send tickets may be fast
_PREFIX = "incident:"  # no number of an event and no ticket's own begins so

_T = StoredTicket


def mark_incidents(store: Database, policy: Policy, now: datetime) -> int:
    """Look at the tickets that wait, and note beside each which incident it belongs to.

    Args:
        store: read, then written where something has changed.
        policy: leaves.
        now: the clock.

    Returns:
        How many tickets changed their incident. Several processes may look at once: they find the same.

    Raises:
        StoreUnavailable: the database is away.
    """
    with store.unhurried(), store.read() as session:
        noted = _noted(session)
        found = _found(session, policy, now)
    changed = [(one, found.get(one)) for one in sorted({*noted, *found}) if noted.get(one) != found.get(one)]
    if changed:
        statement = update(table(_T)).where(_T.ticket_id == bindparam("wanted")).values(incident=bindparam("kept"))
        with store.write() as session:
            session.connection().execute(statement, [{"wanted": one, "kept": kept} for one, kept in changed])
    return len(changed)


def _noted(session: Session) -> Mapping[str, str]:
    rows = session.execute(select(_T.ticket_id, _T.incident).where(_T.incident.is_not(None)))
    return {row.ticket_id: row.incident for row in rows}


def _found(session: Session, policy: Policy, now: datetime) -> Mapping[str, str]:
    """The incident of each ticket that has one; it bears the number of its first ticket."""
    frame = from_store(session, now - timedelta(days=DAYS), now + _AHEAD, policy.taxonomy)
    waiting = frame[frame["status"].isin(RUNNING) & frame["event_id"].isna() & ~frame["safety"]]
    incidents = find_incidents(waiting)
    return {ticket_id: _PREFIX + one.ticket_ids[0] for one in incidents for ticket_id in one.ticket_ids}
