"""Intake from RabbitMQ: one message is one ticket; it is acknowledged once the ticket is in the store.

At least once from the broker, once in the store: the ticket's id tells a repeated delivery. What can never be a ticket goes
to a queue of its own with the reason; while the store is away, messages wait in the broker.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aio_pika.exceptions import AMQPError, ChannelInvalidStateError
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage

from model.errors import Conflict, InvalidTicket, Overloaded, StoreUnavailable
from model.ticket import type_word
from serving.intake import Intake, incoming_from

log = logging.getLogger(__name__)
ACTOR = "consume"
REASON = "x-triage-reason"  # header of a dead letter
INTERNAL_ERROR = "internal_error"
_MOST_BYTES = 1024 * 1024  # of one ticket, as over HTTP
_BROKER_AWAY = (AMQPError, ChannelInvalidStateError, OSError)


@dataclass(frozen=True, slots=True)
class Names:
    """What the queues are called. `dead` is the exchange and the queue of tickets that cannot be taken."""

    queue: str = "triage.tickets"
    dead: str = "triage.tickets.dead"


@dataclass(frozen=True)
class Consumer:
    """Takes tickets from a queue into the store.

    Args:
        intake: stores and answers.
        url: of the broker.
        names: of the queues.
        prefetch: tickets under way at most.
        pause: seconds before a message goes back while the store is away.
    """

    intake: Intake
    url: str
    names: Names = field(default_factory=Names)
    prefetch: int = 16
    pause: float = 1.0

    def broker(self) -> RabbitBroker:
        """The broker with its subscriber; nothing is connected yet.

        Returns:
            To be started. It waits for a broker that is away, also later; on stop it waits for tickets under way.
        """
        channel = Channel(prefetch_count=self.prefetch, publisher_confirms=True, on_return_raises=True)
        broker = RabbitBroker(
            self.url,
            default_channel=channel,
            logger=None,
            fail_fast=False,
            reconnect_interval=2.0,
            graceful_timeout=30.0,
        )

        @broker.subscriber(self._queue(), ack_policy=AckPolicy.MANUAL, decoder=_as_sent, no_reply=True)
        async def handle(body: bytes, message: RabbitMessage) -> None:
            await self._handle(broker, message, body)

        return broker

    async def declare_dead(self, broker: RabbitBroker) -> None:
        """Make the queue of dead letters, before the first ticket can need it.

        Args:
            broker: as `broker` made it.
        """
        await broker.connect()
        await broker.declare_queue(RabbitQueue(self.names.dead, durable=True))

    def _queue(self) -> RabbitQueue:
        return RabbitQueue(
            self.names.queue,
            durable=True,
            arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": self.names.dead},
        )

    async def _handle(self, broker: RabbitBroker, message: RabbitMessage, body: bytes) -> None:
        """Settle one message: taken, dead, or back into the queue. Nothing is acknowledged before it is safe."""
        try:
            reason = await self._take(body, seen_before=bool(message.raw_message.redelivered))
            if reason is not None:
                await self._bury(broker, message, body, reason)
            await message.ack()
        except (StoreUnavailable, Overloaded, _Unexpected):
            await asyncio.sleep(self.pause)
            await _give_back(message)
        except _BROKER_AWAY as error:  # unacknowledged: it comes again, and its id tells that it did
            log.warning("broker away: %s", type(error).__name__)
            await _give_back(message)

    async def _take(self, body: bytes, *, seen_before: bool) -> str | None:
        """Store a ticket; the reason where it never can be one."""
        try:
            await self.intake.answer(incoming_from(_ticket(body)), ACTOR)
        except (InvalidTicket, Conflict) as error:
            return error.code
        except (StoreUnavailable, Overloaded) as error:
            log.warning("ticket goes back: %s", error.code)
            raise
        except Exception as error:  # one ticket must not stop the others: a second chance, then a person looks
            log.error("unexpected %s", type(error).__name__)
            if not seen_before:
                raise _Unexpected from error
            return INTERNAL_ERROR
        return None

    async def _bury(self, broker: RabbitBroker, message: RabbitMessage, body: bytes, reason: str) -> None:
        """Put a message with its reason into the queue of dead letters; the broker confirms it."""
        log.warning("ticket refused: %s", reason)
        await broker.publish(
            body, self.names.dead, persist=True, headers={REASON: reason}, content_type=message.content_type,
            message_id=message.message_id,
        )  # fmt: skip


class _Unexpected(Exception):
    """A fault of ours, or of the moment: try the same message once more."""


async def _as_sent(message: Any) -> bytes:
    """No decoding by the library: what is no JSON must come to us, not fail before."""
    return bytes(message.body)


async def _give_back(message: RabbitMessage) -> None:
    with suppress(*_BROKER_AWAY):  # then the broker gives it out again by itself
        await message.nack(requeue=True)


def _ticket(body: bytes) -> Mapping[str, Any]:
    if len(body) > _MOST_BYTES:
        raise InvalidTicket("too_large", f"一条工单至多 {_MOST_BYTES} 字节")
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidTicket("malformed_json", "消息不是合法的 UTF-8 JSON") from error
    if not isinstance(value, Mapping):
        raise InvalidTicket("bad_row", f"一条消息须为一个工单对象,收到{type_word(value)}")
    return value
