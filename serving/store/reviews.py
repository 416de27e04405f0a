"""What a person decides about a ticket: kept beside the prediction, and the ticket goes where the decision says."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from model.decision import AUTO
from model.errors import Conflict, InvalidField
from model.policy import Policy
from model.prediction import Route
from model.privacy import mask
from model.routing import route
from model.taxonomy import FLAGS
from model.text import normalise
from model.ticket import CHINA, Org, Ticket
from serving.store import audit
from serving.store.columns import Json, write_rows
from serving.store.database import Database
from serving.store.outbox import REROUTED, WITHDRAWN, Message, enqueue
from serving.store.reading import find, load
from serving.store.tables import Review, ReviewNote, StoredCue, StoredRoute, StoredTicket
from serving.store.tickets import CLOSED, DELETED, REVIEWED, cue_messages, cue_rows, queues_word


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person's decision about the ticket as it stood at `version`."""

    version: int
    category: str
    secondary: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    note: str | None = None


def review(
    database: Database, ticket_id: str, *, verdict: Verdict, policy: Policy, reviewer: str, now: datetime
) -> Json:
    """Keep a decision, and reroute the ticket where the decision moves it. A closed ticket is open again, its finding gone.

    A flag that the reviewer sees opens a candidate where there is no cue yet; it confirms, rejects and delays nothing.

    Args:
        database: the store.
        ticket_id: which ticket.
        verdict: the decision.
        policy: in force.
        reviewer: name of the key.
        now: when.

    Returns:
        The ticket after it, as `reading.load` gives it.

    Raises:
        NotFound: no such ticket.
        Conflict: the ticket has changed since `version`, or was deleted.
        UnknownLeaf: a code that the taxonomy does not have.
        InvalidField: an unknown flag, or secondary leaves that are none.
    """
    _check(verdict, policy)
    with database.write() as session:
        ticket = as_seen(session, ticket_id, verdict.version)
        reopened = ticket.status == CLOSED
        ticket.status, ticket.version = REVIEWED, ticket.version + 1
        ticket.closed_at = ticket.upheld = None
        anew = reopened or verdict.category != ticket.category
        messages = _moved(session, ticket, _decided_route(ticket, policy, verdict), now, anew=anew)
        before, ticket.category = ticket.category, verdict.category
        messages += _cues(session, ticket, verdict.flags, policy, now)
        session.flush()
        enqueue(session, messages, now)
        _keep(session, ticket, verdict, reviewer, now)
        detail = {"version": ticket.version, "from": before, "to": verdict.category, "flags": sorted(verdict.flags)}
        detail |= {"reopened": True} if reopened else {}
        audit.append(
            session, actor=reviewer, action="ticket.reviewed", subject=f"ticket:{ticket_id}", detail=detail, at=now
        )
        session.flush()
        return load(session, ticket_id)


def _check(verdict: Verdict, policy: Policy) -> None:
    for code in (verdict.category, *verdict.secondary):
        policy.taxonomy.leaf(code)
    if unknown := verdict.flags - set(FLAGS):
        raise InvalidField(f"flags 含未知线索 {len(unknown)} 个;可用:{'、'.join(FLAGS)}")
    if len(verdict.secondary) > 2 or len({verdict.category, *verdict.secondary}) <= len(verdict.secondary):
        raise InvalidField("secondary 至多两个,互不相同,也不同于 category")


def as_seen(session: Session, ticket_id: str, version: int) -> StoredTicket:
    """A ticket that is still as somebody saw it, locked until the transaction ends.

    Args:
        session: writes.
        ticket_id: which.
        version: that was seen.

    Returns:
        The row.

    Raises:
        NotFound: no such ticket.
        Conflict: it has changed since, or was deleted.
    """
    ticket = find(session, ticket_id, lock=True)
    if ticket.status == DELETED:
        raise Conflict("这张工单已按保存期限或申请删除,不能再改")
    if ticket.version != version:
        raise Conflict(f"工单已更新到第 {ticket.version} 版,提交的是第 {version} 版;请重新读取后再改")
    return ticket


def _moved(session: Session, ticket: StoredTicket, new: Route, now: datetime, *, anew: bool) -> list[Message]:
    """Take the route after the decision; who has the ticket now hears of a change, or of a new decision, and who had it."""
    last = session.scalars(
        select(StoredRoute).where(StoredRoute.ticket_id == ticket.ticket_id).order_by(StoredRoute.id.desc()).limit(1)
    ).one()
    body = new.to_dict()
    if not anew and {**body, "basis": ""} == {**last.body, "basis": ""}:
        return []
    return hand_over(session, ticket, body, now, reason="review", last=last.body)


def hand_over(
    session: Session, ticket: StoredTicket, body: Json, now: datetime, *, reason: str, last: Json
) -> list[Message]:
    """Give a ticket to the desks of another route.

    Args:
        session: writes.
        ticket: the row, in its new version.
        body: the route, as `Route.to_dict` gives it.
        now: when.
        reason: why: review, undo.
        last: the route that it had.

    Returns:
        What those hear who have it now, and those who had it.
    """
    held, holds = tuple(last["deliver_to"]), tuple(body["deliver_to"])
    arrive_by = datetime.fromisoformat(body["arrive_by"]) if body["arrive_by"] else None
    ticket.desk, ticket.queues, ticket.arrive_by = body["desk"], queues_word(holds), arrive_by
    session.add(StoredRoute(ticket_id=ticket.ticket_id, made_at=now, reason=reason, body=body))
    to = [(REROUTED, desk) for desk in holds] + [(WITHDRAWN, desk) for desk in held if desk not in holds]
    return [Message(ticket.ticket_id, ticket.version, kind, desk, ticket.safety) for kind, desk in to]


def _decided_route(ticket: StoredTicket, policy: Policy, verdict: Verdict) -> Route:
    """A person has decided, so the ticket goes to its desk; the clocks run on as they were set."""
    accepted = (ticket.accepted_at or ticket.received_at).astimezone(CHINA)
    org = Org(ticket.city, ticket.county, ticket.station, ticket.urban)
    again = Ticket(content=ticket.ticket_id, accepted_at=accepted, org=org)
    new = route(again, verdict.category, AUTO, policy.routing, danger=ticket.safety, secondary=verdict.secondary)
    return replace(new, contact_due_at=_china(ticket.contact_due_at), due_at=_china(ticket.due_at))


def _cues(
    session: Session, ticket: StoredTicket, flags: frozenset[str], policy: Policy, now: datetime
) -> list[Message]:
    known = set(session.scalars(select(StoredCue.flag).where(StoredCue.ticket_id == ticket.ticket_id)))
    new = sorted(flags - known)
    write_rows(session, StoredCue, cue_rows(ticket.ticket_id, new, ticket.station, now))
    return cue_messages(ticket.ticket_id, ticket.version, new, policy.routing.review_desk)


def _keep(session: Session, ticket: StoredTicket, verdict: Verdict, reviewer: str, now: datetime) -> None:
    """The decision without its note, and the note, masked, where a deletion finds it."""
    row = {"ticket_id": ticket.ticket_id, "made_at": now, "reviewer": reviewer, "version": ticket.version}
    row |= {
        "category": verdict.category,
        "body": {"secondary": list(verdict.secondary), "flags": sorted(verdict.flags)},
    }
    review_id = session.execute(insert(Review).values(row).returning(Review.id)).scalar_one()
    note = mask(normalise(verdict.note).text).text if verdict.note else None
    session.add(ReviewNote(review_id=review_id, ticket_id=ticket.ticket_id, note=note))


def _china(time: datetime | None) -> datetime | None:
    return time.astimezone(CHINA) if time else None
