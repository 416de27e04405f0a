"""The intake: a ticket is masked, predicted, routed and durable before it is answered; a retry gets the first answer."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from model.document import read
from model.errors import Conflict, InvalidTicket
from model.policy import Policy
from model.prediction import Prediction
from model.privacy import mask
from model.text import normalise
from model.ticket import CHINA, Org, Ticket, ticket_from
from serving.cues.filings import marked_filing
from serving.events.match import Match, Sighting
from serving.events.records import find_events
from serving.store import tickets
from serving.store.answers import answer_as_sent, stored_body
from serving.store.columns import Json
from serving.store.reading import find, time_word
from serving.store.tables import StoredPrediction
from serving.store.writer import TicketWriter

ID_MOST = 200
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_FEWEST_DIGITS = 7  # of a telephone number
_BY_RECEIPT = "未给受理时间,时限自收到时起算"


class Predictor(Protocol):
    """What the intake needs of a pipeline."""

    @property
    def policy(self) -> Policy:
        """In force now."""
        ...

    def predict(self, tickets: Sequence[Ticket]) -> list[Prediction]:
        """Predict tickets, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Incoming:
    """A ticket with the fields that tell who called. These are hashed, never stored."""

    ticket: Ticket
    cust_no: str | None = None
    contact: str | None = None
    address: str | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class TakenIn:
    """The answer to a ticket, and whether it is new (201) or was in the store (200)."""

    answer: Json
    new: bool


@dataclass(frozen=True)
class Intake:
    """Takes tickets in.

    Args:
        writer: of the store.
        predictor: predicts, and knows the policy in force.
        secret: key of the HMACs over bodies and callers.
        retention_days: how long a ticket is kept.
        now: the clock.
    """

    writer: TicketWriter
    predictor: Predictor
    secret: bytes
    retention_days: int
    now: Callable[[], datetime]

    def take_in(self, incoming: Incoming, actor: str) -> TakenIn:
        """Store a ticket and answer it. Safe to call again, also at the same time: one call writes, all get its answer.

        Args:
            incoming: the ticket, with an id.
            actor: name of the key that sent it.

        Returns:
            The prediction of the contract with `status`, `version`, `received_at`; offsets point into the text as sent.

        Raises:
            InvalidTicket: no usable id.
            Conflict: the id is in the store with another body.
            StoreUnavailable: nothing was written.
        """
        ticket_id = _usable_id(incoming.ticket)
        incoming = replace(incoming, ticket=replace(incoming.ticket, ticket_id=ticket_id))
        new = self._prepared(incoming, ticket_id, actor)
        written = self.writer.add(new, self._with_events)
        if written:
            return TakenIn(_answer(written.body, incoming.ticket, tickets.OPEN, new.received_at), new=True)
        return self._first_answer(incoming.ticket, ticket_id, new.body_hash)

    def _first_answer(self, ticket: Ticket, ticket_id: str, body_hash: str) -> TakenIn:
        with self.writer.database.read() as session:
            row = find(session, ticket_id)
            if not hmac.compare_digest(row.body_hash, body_hash):
                raise Conflict("这个工单编号已收过内容不同的工单;更正请用新编号并在 repeat_of 写原编号")
            first = (
                select(StoredPrediction.body)
                .where(StoredPrediction.ticket_id == ticket_id)
                .order_by(StoredPrediction.id)
            )
            status = tickets.DELETED if row.status == tickets.DELETED else tickets.OPEN
            return TakenIn(_answer(session.scalars(first).all()[0], ticket, status, row.received_at), new=False)

    def _prepared(self, incoming: Incoming, ticket_id: str, actor: str) -> tickets.NewTicket:
        ticket, at, policy = incoming.ticket, self.now(), self.predictor.policy
        limits = policy.decision
        prediction = self.predictor.predict(
            [replace(ticket, accepted_at=(ticket.accepted_at or at).astimezone(CHINA))]
        )[0]
        document = read(ticket, limits.max_characters, limits.head_characters)
        body = stored_body(prediction, document)
        if ticket.accepted_at is None:
            body["route"] = {**body["route"], "basis": f"{body['route']['basis']};{_BY_RECEIPT}"}
        return tickets.NewTicket(
            ticket_id=ticket_id,
            prediction=prediction,
            body=body,
            text=document.text,
            body_hash=self._digest("body", _canonical(incoming)),
            caller=self._caller(incoming),
            known=_known(ticket),
            review_desk=policy.routing.review_desk,
            actor=actor,
            received_at=at,
            delete_after=at + timedelta(days=self.retention_days),
        )

    def _with_events(self, session: Session, new: Sequence[tickets.NewTicket]) -> list[tickets.NewTicket]:
        """With the event of the register that each ticket may belong to, as it stands while they are written.

        It is shown, marks the filing, and moves nothing.
        """
        sightings = [_sighting(one) for one in new]
        found = find_events(session, sightings, self.predictor.policy.events)
        return [_with_event(*row) for row in zip(new, sightings, found, strict=True)]

    def _caller(self, incoming: Incoming) -> str | None:
        """Who called: by telephone number where there is one, else by account; the same caller gives the same digest."""
        digits = re.sub(r"\D", "", normalise(incoming.contact or "").text)
        mobile = _MOBILE.search(digits)
        if mobile or len(digits) >= _FEWEST_DIGITS:
            return self._digest("phone", mobile[0] if mobile else digits)
        return self._digest("account", incoming.cust_no.strip()) if incoming.cust_no else None

    def _digest(self, kind: str, value: str) -> str:
        return hmac.new(self.secret, f"{kind}:{value}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def incoming_from(value: Mapping[str, Any]) -> Incoming:
    """Read a ticket with its private fields from a body.

    Args:
        value: a mapping with the contract's field names; unknown keys are ignored.

    Returns:
        The ticket.

    Raises:
        InvalidTicket: a field that cannot be read.
    """
    private = {key: value.get(key) for key in ("cust_no", "contact", "address", "reply")}
    return Incoming(
        ticket_from(value), **{key: str(item) if item is not None else None for key, item in private.items()}
    )


def _sighting(new: tickets.NewTicket) -> Sighting:
    known = new.known
    org = Org(known["city"], known["county"], known["station"], known["urban"])
    return Sighting(known["accepted_at"] or new.received_at, (new.prediction.category.code,), new.text, org)


def _with_event(new: tickets.NewTicket, sighting: Sighting, found: Sequence[Match]) -> tickets.NewTicket:
    """The closest event's link; a filing says whether it was registered before the complaint arrived (hard rule 4)."""
    event = found[0].event if found else None
    shown = found[0].to_dict(sighting.at) if found else None
    filing = marked_filing(new.body["filing"], sighting.at, event)
    return replace(
        new,
        body={**new.body, "known_event": shown, "filing": filing},
        known={**new.known, "event_id": event.id if event else None},
    )


def _usable_id(ticket: Ticket) -> str:
    ticket_id = (ticket.ticket_id or "").strip()
    if not ticket_id:
        raise InvalidTicket("bad_row", "缺少 ticket_id;存储工单须给编号,重试时用同一编号")
    if len(ticket_id) > ID_MOST or _CONTROL.search(ticket_id):
        raise InvalidTicket("bad_row", f"ticket_id 须为 1–{ID_MOST} 个字符,不含控制字符")
    return ticket_id


def _canonical(incoming: Incoming) -> str:
    """What makes two bodies the same ticket: every field that we read, in one spelling."""
    return json.dumps(asdict(incoming), sort_keys=True, ensure_ascii=False, default=datetime.isoformat)


def _known(ticket: Ticket) -> Json:
    """Fields beside the text. Free wording is masked; names of places stay."""
    org = ticket.org
    place = {name: _cut(getattr(org, name) if org else None, 200) for name in ("city", "county", "station")}
    return {
        **place,
        "urban": org.urban if org else None,
        "accepted_at": ticket.accepted_at,
        "channel": _cut(_masked(ticket.channel), 100),
        "biz_type": _cut(_masked(ticket.biz_type), 200),
        "repeat_of": _cut(ticket.repeat_of, ID_MOST),
    }


def _masked(text: str | None) -> str | None:
    return mask(normalise(text).text).text if text else None


def _cut(text: str | None, most: int) -> str | None:
    return _CONTROL.sub("", text)[:most] or None if text else None


def _answer(body: Json, ticket: Ticket, status: str, at: datetime) -> Json:
    stored = {"status": status, "version": 1, "received_at": time_word(at)}
    return {**answer_as_sent(body, ticket.content if ticket.content.strip() else ""), **stored}
