"""The database or the broker away for 20 seconds, or the database silent for 45, while tickets come and messages go."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy.engine import make_url

from tests.faults import checks
from tests.faults.harness import (
    DEAD,
    DESKS,
    QUEUE,
    RABBIT,
    TICKETS,
    broker,
    depth,
    on_broker,
    place,
    postgres_database,
    publish,
    tell,
)
from tests.faults.load import Tally, bring, ticket
from tests.faults.processes import AWAY, STALLED, Proxy, running, until
from tests.faults.receiver import Delivery, Receiver

SECONDS = 20.0
BRIEF_CUTS = 5
STALLED_SECONDS = 45.0  # longer than any call may take
LONGEST = 30.0  # seconds until a call is answered, whatever the store does: a place in its pool, a statement, a new try


class Watcher(threading.Thread):
    """Asks a page again and again; what it was answered, and how long the slowest answer took."""

    def __init__(self, url: str, path: str, body: dict[str, Any] | None = None) -> None:
        super().__init__(daemon=True)
        self.url, self.path, self.body = url, path, body
        self.seen: Counter[str] = Counter()
        self.slowest = 0.0
        self.stopped = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as client:
            while not self.stopped.wait(0.1):
                began = time.monotonic()
                try:
                    answer = client.post(self.path, json=self.body) if self.body else client.get(self.path)
                    self.seen[str(answer.status_code)] += 1
                except httpx.HTTPError as error:
                    self.seen[type(error).__name__] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)

    def end(self) -> dict[str, Any]:
        """Stop asking; the figures."""
        self.stopped.set()
        self.join()
        return {"answers": dict(self.seen), "slowest_s": round(self.slowest, 2)}


@contextmanager
def watched(url: str) -> Iterator[dict[str, Any]]:
    """While the block runs, the health page and predictions, which need no store, are asked for."""
    watchers = [Watcher(url, "/livez"), Watcher(url, "/v1/predict", {"text": "停电三小时了没人管"})]
    found: dict[str, Any] = {}
    for watcher in watchers:
        watcher.start()
    yield found
    found.update({watcher.path: watcher.end() for watcher in watchers})


@pytest.mark.slow
@pytest.mark.parametrize("mode", [AWAY, STALLED])
def test_a_database_that_is_away_or_silent_costs_no_ticket_and_holds_no_call(
    mode: str, bundle: Path, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(postgres_database())
        real = make_url(url)
        proxy = stack.enter_context(Proxy(real.host or "127.0.0.1", real.port or 5432))
        at = stack.enter_context(place(tmp_path, url, bundle, Receiver()))
        wire = real.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        api, address = at.api(TRIAGE_DATABASE_URL=wire)
        deliverer = at.deliverer(TRIAGE_DATABASE_URL=wire)
        stack.enter_context(running(api, deliverer))
        bodies = [ticket(number, at.run) for number in range(TICKETS)]
        tally = Tally()
        bring(address, bodies[: TICKETS // 3], tally)
        rest = threading.Thread(target=bring, args=(address, bodies[TICKETS // 3 :], tally), daemon=True)
        seconds = STALLED_SECONDS if mode == STALLED else SECONDS
        with watched(address) as pages, proxy.trouble(mode, seconds):
            rest.start()
        rest.join()
        at.settle(deliverer)
        figures = at.check(tally, bodies)
        tell(f"database {mode} {seconds:.0f} s", {**figures, "slowest_call_s": round(tally.slowest, 1), **pages})
        assert figures["acknowledged"] == figures["stored"] == TICKETS
        assert set(pages["/livez"]["answers"]) == set(pages["/v1/predict"]["answers"]) == {"200"}
        assert pages["/livez"]["slowest_s"] < 5
        assert pages["/v1/predict"]["slowest_s"] < 5
        assert tally.counts["HTTP 503"]
        assert tally.slowest < LONGEST


@pytest.mark.slow
def test_a_broker_away_for_twenty_seconds_costs_neither_ticket_nor_message(bundle: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        stack.enter_context(broker())
        asyncio.run(on_broker(_bind))
        at = stack.enter_context(place(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", bundle, Receiver()))
        del at.settings["TRIAGE_WEBHOOKS"]  # desks listen at the broker
        host, _, port = RABBIT.rpartition("@")[2].split("/")[0].partition(":")
        proxy = stack.enter_context(Proxy(host, int(port or 5672)))
        wire = f"{RABBIT.rpartition('@')[0]}@127.0.0.1:{proxy.port}/{RABBIT.rpartition('@')[2].partition('/')[2]}"
        consumer = at.consumer(TRIAGE_BROKER_URL=wire)
        at.settings["TRIAGE_BROKER_URL"] = wire  # also for the last look
        deliverer = at.deliverer()
        api, url = at.api()
        stack.enter_context(running(consumer, deliverer, api))
        bodies = [ticket(number, at.run) for number in range(TICKETS)]
        early, late, over_http = bodies[::3], bodies[1::3], bodies[2::3]
        tally = Tally()
        publish(early, tally)
        for _ in range(BRIEF_CUTS):  # while messages are under way in both directions
            time.sleep(1)
            with proxy.trouble(AWAY, 0.3):
                pass
        with proxy.trouble(AWAY, SECONDS):
            publish([*late, {"ticket_id": f"{at.run}-poison"}], tally)
            consumer.kill()
            consumer.start(wait=False)  # it has to wait for the broker
            bring(url, over_http, tally)
        until(lambda: depth(QUEUE) == 0, 240, "an empty queue")
        until(lambda: len(checks.rows(at.url, "SELECT 1 FROM tickets")) == TICKETS, 60, "all tickets")
        assert consumer.stop() == 0, consumer.log.read_text(errors="replace")[-2000:]
        at.settle(deliverer)
        at.receiver.got += asyncio.run(on_broker(_arrived))
        for body in early + late:
            tally.answers[body["ticket_id"]] = []
        figures = at.check(tally, bodies)
        tell(f"broker away {SECONDS:.0f} s", {**figures, "dead letters": depth(DEAD)})
        assert figures["acknowledged"] == figures["stored"] == TICKETS
        assert depth(DEAD) == 1


async def _bind(channel: Any) -> None:
    """One queue for all desks."""
    exchange = await channel.declare_exchange(DESKS, "topic", durable=True)
    queue = await channel.declare_queue(f"{DESKS}.test", durable=True)
    await queue.bind(exchange, "#")


async def _arrived(channel: Any) -> list[Delivery]:
    queue = await channel.declare_queue(f"{DESKS}.test", passive=True)
    got = []
    while message := await queue.get(no_ack=True, fail=False):
        got.append(Delivery(message.routing_key, json.loads(message.body), message.message_id))
    return got
