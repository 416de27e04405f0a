"""The intake: a ticket is masked, predicted, routed and durable before it is answered; a retry gets the first answer."""

import asyncio
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from anyio import to_thread
from sqlalchemy import select
from sqlalchemy.orm import Session

from model.document import read
from model.errors import Conflict
from model.policy import Policy
from model.prediction import Prediction
from model.ticket import CHINA, Org, Ticket
from serving.caller import caller_digest, keyed_digest
from serving.cues.filings import marked_filing
from serving.events.match import Match, Sighting
from serving.events.records import find_events
from serving.incoming import ID_MOST, Incoming, canonical, incoming_from, kept_fields, usable_id
from serving.store import tickets
from serving.store.answers import answer_as_sent, stored_body
from serving.store.columns import Json
from serving.store.reading import find, time_word
from serving.store.tables import StoredPrediction
from serving.store.writer import TicketWriter, Written

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
class TakenIn:
    """The answer to a ticket, and whether it is new (201) or was in the store (200)."""

    answer: Json
    new: bool


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A ticket with its id, when it came, the digest of its body, and who sent it."""

    incoming: Incoming
    ticket_id: str
    at: datetime
    body_hash: str
    actor: str


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
            Overloaded: too many wait already; nothing was written.
            StoreUnavailable: nothing was written.
        """
        arrival = self._arrival(incoming, actor)
        written = self.writer.put(arrival, self).result()
        return _new(arrival, written) if written.new else self._first_answer(arrival)

    async def answer(self, incoming: Incoming, actor: str) -> TakenIn:
        """The same without holding up the event loop, and without a thread for each ticket.

        Args:
            incoming: the ticket, with an id.
            actor: name of the key that sent it.

        Returns:
            As `take_in`.

        Raises:
            InvalidTicket: no usable id.
            Conflict: the id is in the store with another body.
            Overloaded: too many wait already; nothing was written.
            StoreUnavailable: nothing was written.
        """
        arrival = self._arrival(incoming, actor)
        written = await asyncio.wrap_future(self.writer.put(arrival, self))
        return _new(arrival, written) if written.new else await to_thread.run_sync(self._first_answer, arrival)

    def _first_answer(self, arrival: _Arrival) -> TakenIn:
        with self.writer.database.read() as session:
            row = find(session, arrival.ticket_id)
            if not hmac.compare_digest(row.body_hash, arrival.body_hash):
                raise Conflict("这个工单编号已收过内容不同的工单;更正请用新编号并在 repeat_of 写原编号")
            first = (
                select(StoredPrediction.body)
                .where(StoredPrediction.ticket_id == arrival.ticket_id)
                .order_by(StoredPrediction.id)
                .limit(1)
            )
            status = tickets.DELETED if row.status == tickets.DELETED else tickets.OPEN
            body, ticket = session.scalars(first).one(), arrival.incoming.ticket
            return TakenIn(_answer(body, ticket, status, row.received_at), new=False)

    def _arrival(self, incoming: Incoming, actor: str) -> _Arrival:
        ticket_id = usable_id(incoming.ticket)
        incoming = replace(incoming, ticket=replace(incoming.ticket, ticket_id=ticket_id))
        return _Arrival(incoming, ticket_id, self.now(), keyed_digest("body", canonical(incoming), self.secret), actor)

    def make(self, arrived: Sequence[_Arrival]) -> list[tickets.NewTicket]:
        """Predict and prepare tickets; what has no time of acceptance was accepted when it came.

        Args:
            arrived: n of them.

        Returns:
            n tickets.
        """
        policy = self.predictor.policy
        accepted = [
            replace(one.incoming.ticket, accepted_at=(one.incoming.ticket.accepted_at or one.at).astimezone(CHINA))
            for one in arrived
        ]
        predictions = self.predictor.predict(accepted)
        return [self._prepared(*row, policy) for row in zip(arrived, predictions, strict=True)]

    def _prepared(self, arrival: _Arrival, prediction: Prediction, policy: Policy) -> tickets.NewTicket:
        ticket, limits = arrival.incoming.ticket, policy.decision
        document = read(ticket, limits.max_characters, limits.head_characters)
        body = stored_body(prediction, document)
        if ticket.accepted_at is None:
            body["route"] = {**body["route"], "basis": f"{body['route']['basis']};{_BY_RECEIPT}"}
        return tickets.NewTicket(
            ticket_id=arrival.ticket_id,
            prediction=prediction,
            body=body,
            text=document.text,
            body_hash=arrival.body_hash,
            caller=caller_digest(arrival.incoming.contact, arrival.incoming.cust_no, self.secret),
            known=kept_fields(ticket),
            review_desk=policy.routing.review_desk,
            actor=arrival.actor,
            received_at=arrival.at,
            delete_after=arrival.at + timedelta(days=self.retention_days),
        )

    def complete(self, session: Session, new: Sequence[tickets.NewTicket]) -> list[tickets.NewTicket]:
        """With the event of the register that each ticket may belong to, as it stands while they are written.

        It is shown, marks the filing, and moves nothing.

        Args:
            session: of the transaction that writes them.
            new: n tickets.

        Returns:
            n tickets.
        """
        sightings = [_sighting(one) for one in new]
        found = find_events(session, sightings, self.predictor.policy.events)
        return [_with_event(*row) for row in zip(new, sightings, found, strict=True)]


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


def _new(arrival: _Arrival, written: Written) -> TakenIn:
    return TakenIn(_answer(written.ticket.body, arrival.incoming.ticket, tickets.OPEN, arrival.at), new=True)


def _answer(body: Json, ticket: Ticket, status: str, at: datetime) -> Json:
    stored = {"status": status, "version": 1, "received_at": time_word(at)}
    return {**answer_as_sent(body, ticket.content if ticket.content.strip() else ""), **stored}


__all__ = ["ID_MOST", "Incoming", "Intake", "Predictor", "TakenIn", "incoming_from"]
