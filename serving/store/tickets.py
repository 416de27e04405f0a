"""Tickets are written once, with everything that follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from model.prediction import Prediction
from serving.store import audit
from serving.store.columns import Base, Json, table, write_rows
from serving.store.one_statement import insert_new
from serving.store.outbox import CUE_RAISED, ROUTED, Message, message_rows
from serving.store.tables import (
    AuditEntry,
    OutboxMessage,
    StoredCue,
    StoredPrediction,
    StoredRoute,
    StoredTicket,
    TicketText,
)

OPEN, REVIEWED, CLOSED, DELETED = "open", "reviewed", "closed", "deleted"
RUNNING = (OPEN, REVIEWED)  # a review settles the category; the clocks run until the ticket is closed
CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket that is to be written: nothing in it is raw.

    `body` is the prediction as `answers.stored_body` gives it, `caller` and `body_hash` are HMACs.
    `known` holds the fields that are kept as sent or cleaned: channel, biz_type, org, repeat_of, event.
    `review_desk` hears of a raised flag; `actor` sent the ticket.
    """

    ticket_id: str
    prediction: Prediction
    body: Json
    text: str
    body_hash: str
    caller: str | None
    known: Json
    review_desk: str
    actor: str
    received_at: datetime
    delete_after: datetime


def add(session: Session, tickets: Sequence[NewTicket]) -> set[int]:
    """Write tickets with text, prediction, route, cues, messages and an audit entry each.

    Args:
        session: writes; all of it or nothing.
        tickets: of these, one whose id is in the store already, or came before in the list, is left out.

    Returns:
        The places of those that were written.
    """
    first = {new.ticket_id: place for place, new in reversed(list(enumerate(tickets)))}
    ids = sorted(first)  # always in the same order, so that two writers never wait for each other
    once = [tickets[first[ticket_id]] for ticket_id in ids]
    if session.connection().dialect.name == "postgresql":
        found = insert_new(session, _rows(once))
    else:
        new = insert(table(StoredTicket)).on_conflict_do_nothing().returning(StoredTicket.ticket_id)
        found = {row[0] for row in session.connection().execute(new, [_row(one) for one in once])}
        hanging = _rows([one for one in once if one.ticket_id in found])
        for entity in list(hanging)[1:]:
            write_rows(session, entity, hanging[entity])
    return {first[ticket_id] for ticket_id in found}


def _rows(tickets: Sequence[NewTicket]) -> dict[type[Base], list[Json]]:
    """The tickets and all that hangs on them."""
    return {
        StoredTicket: [_row(new) for new in tickets],
        TicketText: [{"ticket_id": new.ticket_id, "text": new.text} for new in tickets],
        StoredPrediction: [_prediction(new) for new in tickets],
        StoredRoute: [_route(new) for new in tickets],
        StoredCue: [cue for new in tickets for cue in _cues(new)],
        OutboxMessage: [row for new in tickets for row in message_rows(_messages(new), new.received_at)],
        AuditEntry: [_entry(new) for new in tickets],
    }


def cue_rows(ticket_id: str, flags: Sequence[str], unit: str | None, at: datetime) -> list[Json]:
    """A candidate for each flag; people take it from there.

    Args:
        ticket_id: whose flags.
        flags: that have no cue yet.
        unit: complained of: the station, where it is known. A county would shut out everyone of the county's company.
        at: when.

    Returns:
        Rows for `cues`.
    """
    cue = {"ticket_id": ticket_id, "state": CANDIDATE, "unit": unit, "raised_at": at, "changed_at": at, "version": 1}
    return [{**cue, "flag": flag, "evidence": {}, "confirmed_by": {}} for flag in flags]


def cue_messages(ticket_id: str, version: int, flags: Sequence[str], desk: str) -> list[Message]:
    """What a desk hears of raised flags.

    Args:
        ticket_id: whose flags.
        version: of the ticket.
        flags: that were raised.
        desk: hears of them.

    Returns:
        One message a flag.
    """
    return [Message(ticket_id, version, CUE_RAISED, desk, about=flag, body={"flag": flag}) for flag in flags]


def queues_word(queues: tuple[str, ...]) -> str:
    """The form of the column `queues`.

    Args:
        queues: desks that hold a ticket.

    Returns:
        Each between bars, so that one is found without a part of another.
    """
    return f"|{'|'.join(queues)}|"


def queues_of(word: str) -> tuple[str, ...]:
    """The reverse of `queues_word`.

    Args:
        word: the column `queues`.

    Returns:
        Desks that hold the ticket.
    """
    return tuple(word.strip("|").split("|"))


def _row(new: NewTicket) -> Json:
    prediction, route = new.prediction, new.prediction.route
    return {
        "ticket_id": new.ticket_id, "body_hash": new.body_hash, "received_at": new.received_at, "caller": new.caller,
        **new.known, "status": OPEN, "version": 1, "category": prediction.category.code,
        "decision": prediction.decision, "confidence": new.body["category"]["confidence"],
        "desk": route.desk, "queues": queues_word(route.deliver_to), "safety": prediction.safety.raised,
        "escalation": prediction.escalation.raised, "contact_due_at": route.contact_due_at, "due_at": route.due_at,
        "arrive_by": route.arrive_by, "delete_after": new.delete_after,
    }  # fmt: skip


def _cues(new: NewTicket) -> list[Json]:
    return cue_rows(new.ticket_id, _raised(new), new.known["station"], new.received_at)


def _prediction(new: NewTicket) -> Json:
    made = {"made_at": new.received_at, "bundle": new.prediction.versions.bundle}
    return {"ticket_id": new.ticket_id, **made, "answered_by": new.prediction.answered_by, "body": new.body}


def _route(new: NewTicket) -> Json:
    return {"ticket_id": new.ticket_id, "made_at": new.received_at, "reason": "intake", "body": new.body["route"]}


def _messages(new: NewTicket) -> list[Message]:
    queues, urgent = new.prediction.route.deliver_to, new.prediction.safety.raised
    routed = [Message(new.ticket_id, 1, ROUTED, desk, urgent) for desk in queues]
    return routed + cue_messages(new.ticket_id, 1, _raised(new), new.review_desk)


def _entry(new: NewTicket) -> Json:
    told = {
        "bundle": new.prediction.versions.bundle,
        "category": new.prediction.category.code,
        "decision": new.prediction.decision,
        "queues": list(new.prediction.route.deliver_to),
        "flags": _raised(new),
    }
    return audit.row(
        actor=new.actor, action="ticket.taken_in", subject=f"ticket:{new.ticket_id}", detail=told, at=new.received_at
    )


def _raised(new: NewTicket) -> list[str]:
    return [flag for flag, cue in new.prediction.flags.items() if cue.raised]
