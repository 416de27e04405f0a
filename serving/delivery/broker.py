"""Delivery by RabbitMQ: a durable topic exchange with one routing key a desk; the broker confirms each message."""

import asyncio

from aio_pika.exceptions import AMQPError, ChannelInvalidStateError, DeliveryError, PublishError
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange

from serving.delivery.destination import DeliveryFailed, Envelope

EXCHANGE = "triage.desks"


def routing_key(desk: str) -> str:
    """The topic of a desk.

    Args:
        desk: its name in the policy.

    Returns:
        The name as one word of a topic: dots, which part words, and wildcards are replaced.
    """
    return desk.translate(str.maketrans(".*#", "___"))


class BrokerDesks:
    """Publishes messages. One that no queue is bound for counts as not taken, so nothing vanishes unseen.

    Args:
        url: of the broker.
        exchange: its name.
    """

    def __init__(self, url: str, exchange: str = EXCHANGE) -> None:
        channel = Channel(publisher_confirms=True, on_return_raises=True)
        self._broker = RabbitBroker(url, default_channel=channel, logger=None)
        self._exchange = RabbitExchange(exchange, type=ExchangeType.TOPIC, durable=True)
        self._connecting = asyncio.Lock()
        self._connected = False

    async def send(self, envelope: Envelope) -> None:
        """Publish a message; taken once the broker has confirmed it.

        Args:
            envelope: the message.

        Raises:
            DeliveryFailed: the broker is away or refuses, or no queue is bound for the desk.
        """
        try:
            await self._connect()
            await self._broker.publish(
                envelope.body, exchange=self._exchange, routing_key=routing_key(envelope.desk), persist=True,
                message_id=envelope.message_id, content_type="application/json", message_type=envelope.kind,
            )  # fmt: skip
        except PublishError as error:
            raise DeliveryFailed("no_queue") from error
        except DeliveryError as error:
            raise DeliveryFailed("broker_refused") from error
        except (AMQPError, ChannelInvalidStateError, OSError) as error:
            raise DeliveryFailed("connection") from error

    async def _connect(self) -> None:
        """At the first message; from then on the library connects again by itself."""
        async with self._connecting:
            if not self._connected:
                await self._broker.connect()
                await self._broker.declare_exchange(self._exchange)
                self._connected = True

    async def close(self) -> None:
        """Close the connection."""
        await self._broker.stop()
