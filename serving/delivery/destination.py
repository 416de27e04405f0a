"""Where messages are delivered to: the port that webhooks and the broker implement."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

REASONS = ("timeout", "connection", "no_address", "no_queue", "broker_refused")  # others name a status or an error


@dataclass(frozen=True, slots=True)
class Envelope:
    """One claimed message, ready to send. `lease` is the claim's end, which tells this claim from a later one."""

    id: int
    key: str
    ticket_id: str
    desk: str
    kind: str
    urgent: bool
    tries: int
    lease: datetime
    body: bytes

    @property
    def message_id(self) -> str:
        """The key in 64 letters: keys hold Chinese and may be longer than a header or an AMQP property takes."""
        return hashlib.sha256(self.key.encode()).hexdigest()


class DeliveryFailed(Exception):
    """A destination did not take a message. `reason` is a short code that is kept and counted.

    Args:
        reason: such as `timeout`; never an address, never text of a ticket.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Destination(Protocol):
    """Takes messages for desks."""

    async def send(self, envelope: Envelope) -> None:
        """Hand a message over.

        Args:
            envelope: the message; a receiver drops a `message_id` that it has seen.

        Raises:
            DeliveryFailed: it was not taken, or not surely.
        """

    async def close(self) -> None:
        """Give connections back."""
