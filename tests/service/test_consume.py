"""Tickets from RabbitMQ: in the store once, what can be no ticket put aside with its reason, nothing lost meanwhile."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from model.errors import StoreUnavailable
from serving.intake import Incoming, Intake, TakenIn
from serving.store.database import Database
from serving.store.tables import StoredTicket

aio_pika = pytest.importorskip("aio_pika", reason="the extra `serve` is not installed")
from serving.consume import REASON, Consumer, Names  # noqa: E402 - after the skip
from serving.delivery.broker import BrokerDesks, routing_key  # noqa: E402
from serving.delivery.destination import DeliveryFailed, Envelope  # noqa: E402

RABBIT = os.environ.get("TRIAGE_TEST_RABBIT", "amqp://guest:guest@127.0.0.1:5672/")
TEXT = "电表走得太快,怀疑不准,要求校验"


class Queues:
    """A connection for the tests, and queues of their own."""

    def __init__(self, channel: Any, broker: Any, names: Names) -> None:
        self.channel = channel
        self.broker = broker
        self.names = names

    async def put(self, *bodies: object) -> None:
        for body in bodies:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            message = aio_pika.Message(raw, content_type="application/json", message_id="m")
            await self.channel.default_exchange.publish(message, self.names.queue)

    async def dead(self, count: int) -> list[tuple[str, bytes]]:
        """Reason and body of dead letters, once there are so many."""
        queue = await self.channel.declare_queue(self.names.dead, durable=True)
        await until(lambda: self._depth(self.names.dead), count)
        letters = [await queue.get(no_ack=True) for _ in range(count)]
        return [(str(letter.headers[REASON]), letter.body) for letter in letters]

    async def _depth(self, name: str) -> int:
        queue = await self.channel.declare_queue(name, passive=True)
        return int(queue.declaration_result.message_count)

    async def left(self) -> int:
        return await self._depth(self.names.queue)


async def until(value: Callable[[], Coroutine[Any, Any, int]], wanted: int) -> None:
    async with asyncio.timeout(30):
        while await value() != wanted:
            await asyncio.sleep(0.05)


@asynccontextmanager
async def consuming(consumer: Consumer) -> AsyncIterator[Queues]:
    """A consumer at work on new queues, which are removed afterwards."""
    connection = await aio_pika.connect(RABBIT)
    broker = consumer.broker()
    queues = Queues(await connection.channel(), broker, consumer.names)
    await consumer.declare_dead(broker)
    await broker.start()
    try:
        yield queues
    finally:
        await broker.stop()
        for name in (consumer.names.queue, consumer.names.dead):
            await queues.channel.queue_delete(name)
        await connection.close()


@pytest.fixture
def consumer(intake: Intake) -> Consumer:
    async def knock() -> None:
        await (await aio_pika.connect(RABBIT, timeout=2)).close()

    try:
        asyncio.run(knock())
    except (OSError, aio_pika.exceptions.AMQPError, TimeoutError) as error:
        pytest.skip(f"no RabbitMQ: {type(error).__name__}; set TRIAGE_TEST_RABBIT")
    run = f"triage.test.{uuid.uuid4().hex[:12]}"
    return Consumer(intake, RABBIT, Names(run, f"{run}.dead"), pause=0.05)


def stored(database: Database) -> Callable[[], Coroutine[Any, Any, int]]:
    async def count() -> int:
        with database.read() as session:
            return session.scalar(select(func.count()).select_from(StoredTicket)) or 0

    return count


def test_tickets_are_taken_in_and_a_repeated_one_once(consumer: Consumer, database: Database) -> None:
    async def run() -> int:
        async with consuming(consumer) as queues:
            await queues.put(*({"ticket_id": f"T{number % 10}", "content": TEXT} for number in range(30)))
            await until(stored(database), 10)
            await until(queues.left, 0)
        return 0

    asyncio.run(run())
    assert asyncio.run(stored(database)()) == 10


def test_what_can_be_no_ticket_goes_to_the_dead_letters_with_its_reason(
    consumer: Consumer, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    wrong: list[tuple[str, object]] = [
        ("malformed_json", b'{"ticket_id": "T1", '),
        ("malformed_json", b"\xff\xfe"),
        ("malformed_json", b"[" * 100_000),
        ("bad_row", ["no", "object"]),
        ("bad_row", {"content": TEXT}),
        ("bad_row", {"ticket_id": "T8", "content": TEXT, "accepted_at": "yesterday"}),
        ("empty_text", {"ticket_id": "T9"}),
        ("too_large", {"ticket_id": "T7", "content": "电" * 600_000}),
    ]

    async def run() -> list[tuple[str, bytes]]:
        async with consuming(consumer) as queues:
            await queues.put(*(body for _, body in wrong), {"ticket_id": "T0", "content": TEXT})
            await until(stored(database), 1)
            await queues.put({"ticket_id": "T0", "content": TEXT + "。另外停电了"})
            return await queues.dead(len(wrong) + 1)

    dead = asyncio.run(run())
    assert sorted(reason for reason, _ in dead) == sorted([*(reason for reason, _ in wrong), "conflict"])
    assert b'{"ticket_id": "T1", ' in [body for _, body in dead]
    assert "校验" not in caplog.text


class Troubled:
    """An intake that fails first. Implements what the consumer needs of one."""

    def __init__(self, real: Intake, *errors: Exception) -> None:
        self.real = real
        self.errors = list(errors)
        self.calls = 0

    async def answer(self, incoming: Incoming, actor: str) -> TakenIn:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return await self.real.answer(incoming, actor)


def test_while_the_store_is_away_tickets_wait(consumer: Consumer, database: Database, intake: Intake) -> None:
    away = Troubled(intake, *(StoreUnavailable("away") for _ in range(7)))

    async def run() -> None:
        async with consuming(replace(consumer, intake=away)) as queues:
            await queues.put(*({"ticket_id": f"T{number}", "content": TEXT} for number in range(3)))
            await until(stored(database), 3)
            await until(queues.left, 0)

    asyncio.run(run())
    assert away.calls == 10


def test_an_unexpected_fault_gets_a_second_chance_and_then_a_persons_eye(
    consumer: Consumer, database: Database, intake: Intake, caplog: pytest.LogCaptureFixture
) -> None:
    async def run(*errors: Exception) -> list[tuple[str, bytes]]:
        async with consuming(replace(consumer, intake=Troubled(intake, *errors))) as queues:
            await queues.put({"ticket_id": f"T{len(errors)}", "content": TEXT})
            if len(errors) == 1:
                await until(stored(database), 1)
                return []
            return await queues.dead(1)

    assert asyncio.run(run(RuntimeError(TEXT))) == []
    assert [reason for reason, _ in asyncio.run(run(RuntimeError(TEXT), RuntimeError(TEXT)))] == ["internal_error"]
    assert "校验" not in caplog.text


def test_on_stop_a_ticket_is_in_the_store_or_still_in_the_queue(consumer: Consumer, database: Database) -> None:
    async def run() -> tuple[int, int]:
        async with consuming(consumer) as queues:
            await queues.put(*({"ticket_id": f"T{number}", "content": TEXT} for number in range(60)))
            while await stored(database)() < 3:
                await asyncio.sleep(0.01)
            await queues.broker.stop()
            return await stored(database)(), await queues.left()

    taken, left = asyncio.run(run())
    assert taken + left == 60


def an_envelope(desk: str) -> Envelope:
    return Envelope(1, f"T1/1/routed/{desk}", "T1", desk, "routed", False, 0, datetime.now(UTC), b'{"key": "k"}')


def test_a_desk_gets_its_topic_and_a_desk_without_a_queue_is_a_failure(consumer: Consumer) -> None:
    name = f"{consumer.names.queue}.desks"

    async def run() -> Any:
        connection = await aio_pika.connect(RABBIT)
        channel = await connection.channel()
        exchange = await channel.declare_exchange(name, "topic", durable=True)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(exchange, routing_key("计量班"))
        desks = BrokerDesks(RABBIT, name)
        try:
            await desks.send(an_envelope("计量班"))
            with pytest.raises(DeliveryFailed, match="no_queue"):
                await desks.send(an_envelope("财务"))
            return await queue.get(timeout=5, no_ack=True)
        finally:
            await desks.close()
            await channel.exchange_delete(name)
            await connection.close()

    message = asyncio.run(run())
    assert message.body == b'{"key": "k"}'
    assert message.message_id == an_envelope("计量班").message_id
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert message.type == "routed"


def test_a_broker_that_is_away_is_a_failure() -> None:
    async def run() -> None:
        desks = BrokerDesks("amqp://guest:guest@127.0.0.1:1/")
        with pytest.raises(DeliveryFailed, match="connection"):
            await desks.send(an_envelope("计量班"))
        await desks.close()

    asyncio.run(run())


def test_a_topic_has_one_word() -> None:
    assert routing_key("95598 远程工作站") == "95598 远程工作站"
    assert routing_key("a.b*c#") == "a_b_c_"
