"""What a message says: made when it is delivered, from what the store holds at that moment, for the desk that gets it."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from model.policy.schema import RoutingFile
from serving.delivery.destination import Envelope
from serving.store.answers import answer_masked
from serving.store.columns import Json
from serving.store.outbox import CUE_RAISED, DELETED, REROUTED, ROUTED, WITHDRAWN
from serving.store.reading import summary, time_word
from serving.store.tables import OutboxMessage, Review, StoredPrediction, StoredRoute, StoredTicket, TicketText

_WITH_TEXT = (ROUTED, REROUTED, CUE_RAISED)  # whoever handles the ticket needs its text; others get ids and times only
_BARE = (WITHDRAWN, DELETED)  # say that a ticket is gone, and nothing of it
_FOR_REVIEWERS = ("flags", "filing")  # cues are for the person who reviews; a desk must not take them for a verdict


def letter(session: Session, message: OutboxMessage, routing: RoutingFile, lease: datetime) -> Envelope:
    """Write the body of a message.

    Args:
        session: reads the ticket as it stands now; the text of a deleted ticket is gone and is not sent.
        message: claimed.
        routing: the policy's; its review desk alone is shown the cues.
        lease: end of the claim.

    Returns:
        The envelope with its JSON body.
    """
    ticket = _ticket(session, message)
    body: Json = {
        "key": message.key,
        "kind": message.kind,
        "desk": message.desk,
        "urgent": message.urgent,
        "made_at": time_word(message.made_at),
        "ticket_id": message.ticket_id,
        "about": message.body,
    }
    if message.kind not in _BARE:
        body["ticket"] = summary(ticket)
    if message.kind in _WITH_TEXT:
        body |= _contents(session, message.ticket_id, with_cues=message.desk == routing.review_desk)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Envelope(
        id=message.id, key=message.key, ticket_id=message.ticket_id, desk=message.desk, kind=message.kind,
        urgent=message.urgent, tries=message.tries, lease=lease, body=text.encode(),
    )  # fmt: skip


def forbidden(session: Session, message: OutboxMessage, routing: RoutingFile) -> bool:
    """Whether a desk must not get a message, because the ticket complains of it. Asked again at the last moment.

    Args:
        session: reads.
        message: claimed.
        routing: units that must not get a leaf's tickets.

    Returns:
        False for news that hold nothing of the ticket, and for danger at the desks that the policy names for it.
    """
    danger = message.urgent and message.desk in (routing.safety.desk, routing.safety.person)
    if message.kind in _BARE or danger:
        return False
    ticket = _ticket(session, message)
    entries = (routing.routes.get(leaf) for leaf in (ticket.category, *_secondary(session, message.ticket_id)))
    return any(entry is not None and message.desk in entry.never for entry in entries)


def _ticket(session: Session, message: OutboxMessage) -> StoredTicket:
    return session.get_one(StoredTicket, message.ticket_id)


def _contents(session: Session, ticket_id: str, *, with_cues: bool) -> Json:
    text = session.scalar(select(TicketText.text).where(TicketText.ticket_id == ticket_id))
    prediction = answer_masked(_last(session, StoredPrediction, ticket_id).body, text)
    shown = prediction if with_cues else {k: v for k, v in prediction.items() if k not in _FOR_REVIEWERS}
    return {"text": text, "prediction": shown, "route": _last(session, StoredRoute, ticket_id).body}


def _secondary(session: Session, ticket_id: str) -> list[str]:
    """As the last reviewer decided, else as predicted."""
    decided = _last(session, Review, ticket_id) or _last(session, StoredPrediction, ticket_id)
    return list(decided.body.get("secondary", ()))


def _last(session: Session, entity: Any, ticket_id: str) -> Any:
    return session.scalar(select(entity).where(entity.ticket_id == ticket_id).order_by(entity.id.desc()).limit(1))
