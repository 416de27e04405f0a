"""A whole installation for a fault test: a store, a desk's receiver, a broker where there is one, and the processes."""

import asyncio
import json
import os
import uuid
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from benchmarks.own_database import own_database
from model.policy import load_policy
from tests.faults import checks
from tests.faults.load import PLANTED, Tally
from tests.faults.processes import TRIAGE, Process, answers, free_port, server, until
from tests.faults.receiver import SECRET, Receiver

# read before the tests clear the environment
POSTGRES = os.environ.get("TRIAGE_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
RABBIT = os.environ.get("TRIAGE_TEST_RABBIT", "amqp://guest:guest@127.0.0.1:5672/")
TICKETS = int(os.environ.get("TRIAGE_FAULT_TICKETS", "1000"))  # 5,000 for the figures that are published
BUNDLE = Path(os.environ["TRIAGE_FAULT_BUNDLE"]).absolute() if os.environ.get("TRIAGE_FAULT_BUNDLE") else None
QUEUE, DEAD, DESKS = "triage.tickets", "triage.tickets.dead", "triage.desks"
_DRAIN = 240.0  # seconds; a killed deliverer's lease takes 60 of them


@dataclass
class Place:
    """Where everything of one test lies. `url`: of the store as the test reads it; `settings`: what processes are told."""

    folder: Path
    url: str
    receiver: Receiver
    settings: dict[str, str]
    run: str = field(default_factory=lambda: f"F{uuid.uuid4().hex[:8]}")

    def api(self, **more: str) -> tuple[Process, str]:
        """`triage serve`, not yet started, and its address."""
        return server({**self.settings, **more}, self.folder / "serve.log")

    def deliverer(self, **more: str) -> Process:
        """`triage deliver`, not yet started."""
        port = free_port()
        command = (*TRIAGE, "deliver", "--metrics-port", str(port))
        log = self.folder / "deliver.log"
        return Process(command, {**self.settings, **more}, log, lambda: answers(f"http://127.0.0.1:{port}/metrics"))

    def consumer(self, **more: str) -> Process:
        """`triage consume`, not yet started; it works once it listens at its queue."""
        return Process((*TRIAGE, "consume"), {**self.settings, **more}, self.folder / "consume.log", listeners)

    def settle(self, deliverer: Process) -> None:
        """Wait until all is delivered, end the deliverer in good order, and let a last look find nothing open."""
        until(lambda: checks.waiting(self.url) == 0, _DRAIN, "an empty outbox")
        assert deliverer.stop() == 0, deliverer.log.read_text(errors="replace")[-2000:]
        last = Process((*TRIAGE, "deliver", "--once"), self.settings, deliverer.log).start()
        assert last.wait(120) == 0, deliverer.log.read_text(errors="replace")[-2000:]

    def check(self, tally: Tally, sent: Sequence[dict[str, Any]]) -> dict[str, object]:
        """All that must hold at the end; the figures."""
        ids = {body["ticket_id"] for body in sent}
        once = checks.stored_once(self.url, ids, tally.answers.keys())
        checks.first_answer_kept(tally)
        desks = load_policy().routing.desks
        arrived = checks.delivered(self.url, self.receiver.got, desks)
        assert self.receiver.forged == 0
        for log in self.folder.glob("*.log"):
            assert PLANTED not in log.read_text(encoding="utf-8", errors="replace"), log
        receiver = {"refused": self.receiver.refused, "hung up on": self.receiver.unanswered}
        return {"acknowledged": tally.acknowledged, "stored": once["tickets"], **arrived, **receiver, **tally.counts}


def tell(name: str, figures: object) -> None:
    """Show the counts of a scenario (`pytest -s` or the report's captured output)."""
    print(f"\nFAULT {name}: {json.dumps(figures, ensure_ascii=False, default=str)}")


@contextmanager
def place(folder: Path, url: str, bundle: Path, receiver: Receiver) -> Iterator[Place]:
    """An installation whose desks all listen at one receiver."""
    desks = load_policy().routing.desks
    table = folder / "webhooks.yaml"
    addresses = {"desks": {desk: receiver.url(desk) for desk in desks}}
    table.write_text(yaml.safe_dump(addresses, allow_unicode=True), encoding="utf-8")
    settings = {
        "TRIAGE_DATABASE_URL": url,
        "TRIAGE_SECRET": "a secret of the fault tests",
        "TRIAGE_BUNDLE": str(bundle),
        "TRIAGE_WEBHOOKS": str(table),
        "TRIAGE_WEBHOOK_HOSTS": f"127.0.0.1:{receiver.server_address[1]}",
        "TRIAGE_WEBHOOK_SECRET": SECRET,
        "TRIAGE_RATE_PER_MINUTE": "10000000",
        "TRIAGE_PARK_AFTER": "1000",
        "TRIAGE_BROKER_URL": RABBIT,
    }
    with receiver:
        yield Place(folder, url, receiver, settings)


@contextmanager
def postgres_database() -> Iterator[str]:
    """A database of its own, dropped in the end; skips where there is no server."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(own_database(POSTGRES, "fault"))
        except OperationalError as error:
            pytest.skip(f"no PostgreSQL at {make_url(POSTGRES).host}: {type(error).__name__}; set TRIAGE_TEST_POSTGRES")
        yield url


def broker_reachable() -> bool:
    """Whether there is a RabbitMQ whose queues of ours nobody uses."""
    try:
        import aio_pika
    except ModuleNotFoundError:
        return False

    async def look() -> bool:
        async with await aio_pika.connect(RABBIT, timeout=2) as connection:
            for name in (QUEUE, DEAD):
                try:
                    await (await connection.channel()).get_queue(name)
                except aio_pika.exceptions.ChannelNotFoundEntity:
                    continue
                return False
        return True

    try:
        return asyncio.run(look())
    except (OSError, TimeoutError, aio_pika.exceptions.AMQPError):
        return False


@contextmanager
def broker() -> Iterator[None]:
    """Our queues on a broker, removed in the end; skips where there is none, or where they are in use."""
    if not broker_reachable():
        pytest.skip("no RabbitMQ, or its queues triage.* are in use; set TRIAGE_TEST_RABBIT")
    try:
        yield
    finally:
        asyncio.run(on_broker(_remove))


async def on_broker(work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    """Do something with a channel of its own, past every proxy."""
    import aio_pika

    async with await aio_pika.connect(RABBIT) as connection:
        return await work(await connection.channel(publisher_confirms=True))


async def _remove(channel: Any) -> None:
    for name in (QUEUE, DEAD, f"{DESKS}.test"):
        await channel.queue_delete(name)
    await channel.exchange_delete(DESKS)


def publish(bodies: Sequence[dict[str, Any]], tally: Tally) -> None:
    """Bring tickets by the broker, each confirmed by it. What it has confirmed must never be lost."""
    import aio_pika

    async def send(channel: Any) -> None:
        for body in bodies:
            message = aio_pika.Message(json.dumps(body).encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, QUEUE)
            tally.count("confirmed by the broker")

    asyncio.run(on_broker(send))


def depth(name: str) -> int:
    """Messages in a queue; none where it is not there yet."""
    return int(asyncio.run(on_broker(lambda channel: _about(channel, name)))[0])


def listeners() -> bool:
    """Whether a consumer listens at the queue of tickets."""
    return bool(asyncio.run(on_broker(lambda channel: _about(channel, QUEUE)))[1])


async def _about(channel: Any, name: str) -> tuple[int, int]:
    import aio_pika

    try:
        found = (await channel.declare_queue(name, passive=True)).declaration_result
    except aio_pika.exceptions.ChannelNotFoundEntity:
        return 0, 0
    return found.message_count or 0, found.consumer_count or 0
