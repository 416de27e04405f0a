"""What reports read from the store. Only masked text, codes, numbers and times come out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from model.policy import Policy
from model.ticket import CHINA
from serving.cues.cue import ENDED, State
from serving.cues.ledger import read_cases
from serving.events.arrival import arrived
from serving.events.records import listed
from serving.hotspots.analyse import Background, analyse, history_since, texts_since
from serving.hotspots.analysis import Analysis
from serving.hotspots.daily import daily_from_store
from serving.hotspots.frame import from_store
from serving.hotspots.options import By, Options
from serving.reports.material import FilingNote, Material, OpenTicket, WaitingCue
from serving.store.tables import AccessKey, StoredCue, StoredPrediction, StoredTicket
from serving.store.tickets import RUNNING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Time:
    """The time of a report: from `since` until before `until`, both at midnight, counted by week or month."""

    since: datetime
    until: datetime
    by: By


def month_of(session: Session, asked: Time, policy: Policy, known: Background) -> tuple[Analysis, Material]:
    """Analysis and material of a monthly report.

    Args:
        session: reads.
        asked: the time.
        policy: in force.
        known: customers and the clock; counts of the past and notices of events are read here.

    Returns:
        Both over the same tickets.
    """
    every = from_store(session, texts_since(asked.since, asked.until), asked.until, policy.taxonomy)
    daily = daily_from_store(session, history_since(asked.since, asked.by), asked.until, policy.taxonomy)
    known = replace(known, daily=daily, events={event.id: event.text for event in listed(session, until=asked.until)})
    material = Material(
        between(every, asked.since, asked.until),
        policy,
        known.as_of or datetime.now(CHINA),
        stored=True,
        cases=tuple(read_cases(session, asked.since, asked.until)),
        filings=filing_notes(session, asked.since, asked.until, policy),
    )
    options = Options(by=asked.by)
    return (
        analyse(every, since=asked.since, until=asked.until, policy=policy, options=options, background=known),
        material,
    )


def between(frame: "pd.DataFrame", since: datetime, until: datetime) -> "pd.DataFrame":
    """The tickets of a time.

    Args:
        frame: of complaints.
        since: accepted from this moment on.
        until: accepted before this moment.

    Returns:
        A frame of its own.
    """
    return frame[(frame["accepted_at"] >= since) & (frame["accepted_at"] < until)].reset_index(drop=True)


def filing_notes(session: Session, since: datetime, until: datetime, policy: Policy) -> tuple[FilingNote, ...]:
    """Filings that were suggested for the tickets of a time.

    Args:
        session: reads.
        since: arrived from this moment on.
        until: arrived before this moment.
        policy: names the filings.

    Returns:
        One for each ticket, in order of arrival; one that does not say when it was registered counts as after.
    """
    filing = StoredPrediction.body["filing"]
    code, after = filing["code"].as_string(), filing["after_complaint"].as_boolean()
    wanted = (
        select(StoredPrediction.ticket_id, code, after)
        .join(StoredTicket, StoredTicket.ticket_id == StoredPrediction.ticket_id)
        .where(arrived() >= since, arrived() < until, code.is_not(None))
        .order_by(StoredPrediction.id)
    )
    known = {item.code: item.name for item in policy.taxonomy.filings}
    last = {ticket: (found, late) for ticket, found, late in session.execute(wanted)}
    return tuple(
        FilingNote(ticket, found, known[found], late is not False)
        for ticket, (found, late) in last.items()
        if found in known
    )


def open_tickets(session: Session) -> list[OpenTicket]:
    """All tickets that are not closed.

    Args:
        session: reads.

    Returns:
        With the earliest clock that still runs: contact stops with the first contact, arrival with the first of the two.
    """
    t = StoredTicket
    columns = (t.ticket_id, t.desk, t.status, t.safety, t.contact_due_at, t.due_at, t.arrive_by, t.contacted_at,
               t.arrived_at)  # fmt: skip
    found = session.execute(select(*columns).where(t.status.in_(RUNNING)))
    return [
        OpenTicket(
            ticket_id, desk, status, safety,
            _next([due, None if contacted else contact, None if contacted or there else arrive]),
        )
        for ticket_id, desk, status, safety, contact, due, arrive, contacted, there in found
    ]


def waiting_cues(session: Session) -> list[WaitingCue]:
    """Cues that are not ended.

    Args:
        session: reads.

    Returns:
        In the order in which they were raised.
    """
    c = StoredCue
    columns = (c.ticket_id, c.flag, c.state, c.unit, c.raised_at, c.expires_at)
    wanted = select(*columns).where(c.state.not_in([str(state) for state in ENDED])).order_by(c.raised_at, c.id)
    return [
        WaitingCue(ticket, flag, State(state), unit, raised, expires)
        for ticket, flag, state, unit, raised, expires in session.execute(wanted)
    ]


def keys_by_role(session: Session) -> tuple[tuple[str, int], ...]:
    """How many access keys are in use.

    Args:
        session: reads.

    Returns:
        Role and number, by role.
    """
    wanted = select(AccessKey.role, func.count()).where(AccessKey.revoked_at.is_(None)).group_by(AccessKey.role)
    return tuple((role, number) for role, number in session.execute(wanted.order_by(AccessKey.role)))


def _next(clocks: Sequence[datetime | None]) -> datetime | None:
    return min((clock for clock in clocks if clock is not None), default=None)
