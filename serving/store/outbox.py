"""The outbox: what must reach a desk, written in the same transaction as the change that it tells of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from serving.store.columns import Json, write_rows
from serving.store.tables import OutboxMessage

ROUTED, REROUTED, WITHDRAWN, CUE_RAISED = "routed", "rerouted", "withdrawn", "cue_raised"
DUE_SOON, OVERDUE, CLOSED, DELETED = "due_soon", "overdue", "closed", "deleted"
KINDS = (ROUTED, REROUTED, WITHDRAWN, CUE_RAISED, DUE_SOON, OVERDUE, CLOSED, DELETED)


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell a desk. `version` is the ticket's after the change; `about` tells messages of one kind apart.

    `body` holds codes and numbers only: the masked text is read when the message is delivered.
    """

    ticket_id: str
    version: int
    kind: str
    desk: str
    urgent: bool = False
    about: str = ""
    body: Json = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for the same thing to tell, so that it is written once and a receiver can drop what it has seen."""
        parts = (self.ticket_id, str(self.version), self.kind, self.desk, self.about)
        return "/".join(part for part in parts if part)


def enqueue(session: Session, messages: Iterable[Message], at: datetime) -> None:
    """Put messages into the outbox, in order.

    Args:
        session: of the change that they tell of.
        messages: none is allowed too.
        at: when; the first try is due at once.
    """
    write_rows(session, OutboxMessage, message_rows(messages, at))


def message_rows(messages: Iterable[Message], at: datetime) -> list[Json]:
    """Messages as rows, for those who write several at once.

    Args:
        messages: in order.
        at: when; the first try is due at once.

    Returns:
        Rows for `outbox`.
    """
    return [
        {
            "key": message.key,
            "ticket_id": message.ticket_id,
            "kind": message.kind,
            "desk": message.desk,
            "urgent": message.urgent,
            "body": {"version": message.version, **message.body},
            "made_at": at,
            "next_try_at": at,
            "tries": 0,
        }
        for message in messages
    ]
