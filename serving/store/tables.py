"""Tables of the store. Masked text stands in one of them only; every other holds ids, hashes, numbers and codes."""

from datetime import datetime

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.columns import Base, Json

_URGENCY = (  # all that the queue is sorted, folded and counted by: read without the rows
    "status", "safety", "arrive_by", "due_at", "received_at", "escalation", "confidence",
    "ticket_id", "event_id", "contact_due_at", "contacted_at", "closed_at", "decision", "arrived_at", "incident",
)  # fmt: skip
_WAITING = text("delivered_at IS NULL AND parked_at IS NULL")  # of the outbox, in the order in which it is sent


class StoredTicket(Base):
    """A ticket as it stands now: what queues are sorted and filtered by. `version` grows with every change."""

    __tablename__ = "tickets"

    ticket_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))  # of the ticket as sent: tells a retry from another ticket
    received_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    channel: Mapped[str | None] = mapped_column(String(100))
    biz_type: Mapped[str | None] = mapped_column(String(200))
    city: Mapped[str | None] = mapped_column(String(200))
    county: Mapped[str | None] = mapped_column(String(200))
    station: Mapped[str | None] = mapped_column(String(200))
    urban: Mapped[bool | None] = mapped_column(Boolean)
    repeat_of: Mapped[str | None] = mapped_column(String(200))
    caller: Mapped[str | None] = mapped_column(String(64))  # HMAC of phone or account number; never the number
    status: Mapped[str] = mapped_column(String(20))  # open, reviewed, closed, deleted
    version: Mapped[int] = mapped_column(Integer, default=1)
    category: Mapped[str] = mapped_column(String(60))  # as predicted, or as a person decided
    confidence: Mapped[float] = mapped_column(Float)
    decision: Mapped[str] = mapped_column(String(20))
    desk: Mapped[str] = mapped_column(String(100))  # proposed, or as a person decided
    queues: Mapped[str] = mapped_column(String(400))  # the queues that hold it now, each between bars: |计量班|
    safety: Mapped[bool] = mapped_column(Boolean)
    escalation: Mapped[bool] = mapped_column(Boolean)
    contact_due_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    arrive_by: Mapped[datetime | None]
    contacted_at: Mapped[datetime | None]  # the first time, as people report it
    arrived_at: Mapped[datetime | None]  # somebody was on the spot, the first time
    closed_at: Mapped[datetime | None]
    upheld: Mapped[bool | None] = mapped_column(Boolean)  # what was found of a closed one; None: not judged
    event_id: Mapped[int | None] = mapped_column(ForeignKey("known_events.id"))
    incident: Mapped[str | None] = mapped_column(String(220))  # of those that wait; `serving.hotspots.open_incidents` finds it
    delete_after: Mapped[datetime]

    __table_args__ = (
        Index("ix_tickets_queue", "status", "safety", "due_at"),
        Index("ix_tickets_desk", "desk", "status"),
        Index("ix_tickets_urgency", *_URGENCY),
        Index("ix_tickets_event", "event_id"),
        Index("ix_tickets_incident", "incident"),
        Index("ix_tickets_caller", "caller"),
        Index("ix_tickets_category", "category", "received_at"),
    )


class TicketText(Base):
    """The masked text of a ticket: the only place where text is kept. A deletion blanks it."""

    __tablename__ = "ticket_texts"

    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.ticket_id"), primary_key=True)
    text: Mapped[str | None] = mapped_column(Text)
    blanked_at: Mapped[datetime | None]


class StoredPrediction(Base):
    """One prediction of a ticket; offsets of evidence point into the masked text, whose words are not repeated here."""

    __tablename__ = "predictions"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.ticket_id"), index=True)
    made_at: Mapped[datetime]
    bundle: Mapped[str | None] = mapped_column(String(200))
    answered_by: Mapped[str] = mapped_column(String(20))
    body: Mapped[Json]


class StoredRoute(Base):
    """Where a ticket was sent, and why: at intake, after a review, or because danger was found."""

    __tablename__ = "routes"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.ticket_id"), index=True)
    made_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(20))  # intake, review, undo, event
    body: Mapped[Json]


class Review(Base):
    """What a person decided about a ticket. The note is masked before it is kept."""

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.ticket_id"), index=True)
    made_at: Mapped[datetime] = mapped_column(index=True)
    reviewer: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(Integer)
    category: Mapped[str] = mapped_column(String(60))
    body: Mapped[Json]  # secondary, flags; of one that takes the last back also undo and status


class ReviewNote(Base):
    """The masked note of a review; blanked with the ticket's text."""

    __tablename__ = "review_notes"

    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.ticket_id"), index=True)
    note: Mapped[str | None] = mapped_column(Text)


class ClosingNote(Base):
    """The masked note of whoever closed a ticket, once for each time; blanked with the ticket's text."""

    __tablename__ = "closing_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.ticket_id"), index=True)
    closed_at: Mapped[datetime]
    closed_by: Mapped[str] = mapped_column(String(100))
    note: Mapped[str | None] = mapped_column(Text)


class StoredCue(Base):
    """A flag raised on a ticket, and how far people have taken it (domain.md, hard rule 3)."""

    __tablename__ = "cues"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.ticket_id"), index=True)
    flag: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str | None] = mapped_column(String(200))  # complained of: its people may not confirm
    raised_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, default=1)
    evidence: Mapped[Json]  # item of the checklist -> who attached it, when, reference number
    confirmed_by: Mapped[Json]  # reviewer -> when

    __table_args__ = (UniqueConstraint("ticket_id", "flag"), Index("ix_cues_state", "state", "expires_at"))


class KnownEvent(Base):
    """Planned outage, system upgrade, storm warning, meter campaign: entered beforehand by a person."""

    __tablename__ = "known_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    filing: Mapped[str | None] = mapped_column(String(30))
    city: Mapped[str | None] = mapped_column(String(200))
    county: Mapped[str | None] = mapped_column(String(200))
    station: Mapped[str | None] = mapped_column(String(200))
    places: Mapped[Json]  # {"places": [...]}: wordings of the area found in texts
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)  # the utility's own notice, no customer's words
    entered_by: Mapped[str] = mapped_column(String(100))
    entered_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_known_events_window", "starts_at", "ends_at"),)


class OutboxMessage(Base):
    """What must reach a desk. Written with the change that it tells of; holds no text, which is read on delivery."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(400), unique=True)  # the receiver drops what it has seen
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.ticket_id"))
    kind: Mapped[str] = mapped_column(String(30))  # as `outbox` names them: routed, due_soon, closed, …
    desk: Mapped[str] = mapped_column(String(100))
    urgent: Mapped[bool] = mapped_column(Boolean, default=False)
    body: Mapped[Json]
    made_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(Integer, default=0)
    claimed_until: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        Index("ix_outbox_waiting", urgent.desc(), "tries", "id", postgresql_where=_WAITING, sqlite_where=_WAITING),
        Index("ix_outbox_ticket", "ticket_id", "id"),
    )


class AuditEntry(Base):
    """Who did what, when. Append-only: the database itself refuses changes."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(300), index=True)
    detail: Mapped[Json]


class AccessKey(Base):
    """A key's hash, its role and the unit of its holder."""

    __tablename__ = "access_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str | None] = mapped_column(String(200))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class DataVersion(Base):
    """A labelled batch that was taken out of the store: ids and hashes only, so that a deletion can mark it."""

    __tablename__ = "data_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    made_at: Mapped[datetime]
    bundles: Mapped[Json]  # {"bundles": [...]} trained on it


class DataVersionTicket(Base):
    """Which ticket is in which data version; marked when the ticket was deleted since."""

    __tablename__ = "data_version_tickets"

    data_version_id: Mapped[int] = mapped_column(ForeignKey("data_versions.id"), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.ticket_id"), primary_key=True)
    text_hash: Mapped[str] = mapped_column(String(64))
    deleted_at: Mapped[datetime | None]
