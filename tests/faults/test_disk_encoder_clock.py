"""A disk that is full for a while, an encoder that does not answer in time, a clock that jumps."""

import asyncio
import json
import random
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2 as httpx
import pytest

from model.pipeline import Pipeline
from model.policy import Policy
from serving.delivery.claims import Pace
from serving.delivery.clock_watch import ClockWatch
from serving.delivery.deliverer import Deliverer
from serving.delivery.destination import DeliveryFailed, Envelope
from serving.intake import Intake, incoming_from
from serving.store.database import Database
from serving.store.upgrade import upgrade
from serving.store.writer import TicketWriter
from tests.faults import checks
from tests.faults.harness import TICKETS, place, tell
from tests.faults.load import Tally, bring, ticket
from tests.faults.processes import Process, running, server
from tests.faults.receiver import Delivery, Receiver
from tests.faults.test_away import watched
from tests.faults.troubled import PAGES, SECONDS

TROUBLED = (sys.executable, str(Path(__file__).with_name("troubled.py")))
NO_LIMIT = "1073741823"


@pytest.mark.slow
def test_a_full_disk_takes_in_nothing_that_it_cannot_keep(bundle: Path, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.write_text(NO_LIMIT, encoding="ascii")
    with place(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", bundle, Receiver()) as at:
        at.settings[PAGES] = str(pages)
        command = (*TROUBLED, "small-disk")
        api, url = server(at.settings, tmp_path / "serve.log", (*command, "serve"))
        deliverer = Process((*command, "deliver"), at.settings, tmp_path / "deliver.log")
        bodies, tally = [ticket(number, at.run) for number in range(TICKETS)], Tally()
        with running(api, deliverer):
            bring(url, bodies[: TICKETS // 3], tally)
            pages.write_text("1", encoding="ascii")  # that is: not one page more than now
            rest = threading.Thread(target=bring, args=(url, bodies[TICKETS // 3 :], tally), daemon=True)
            with watched(url) as seen:
                rest.start()
                time.sleep(10)
                kept = tally.acknowledged
            pages.write_text(NO_LIMIT, encoding="ascii")
            rest.join()
            at.settle(deliverer)
        figures = at.check(tally, bodies)
        tell("full disk 10 s", {**figures, "acknowledged while full": kept - TICKETS // 3, **seen})
        assert figures["acknowledged"] == figures["stored"] == TICKETS
        assert tally.counts["HTTP 503"]
        assert set(seen["/livez"]["answers"]) == set(seen["/v1/predict"]["answers"]) == {"200"}


@pytest.mark.slow
def test_a_slow_encoder_delays_no_ticket_beyond_its_time(bundle: Path, tmp_path: Path) -> None:
    with place(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", bundle, Receiver()) as at, ExitStack() as stack:
        slow = {**at.settings, SECONDS: "5", "TRIAGE_BUDGET_MS": "1000"}
        api, url = server(slow, tmp_path / "serve.log", (*TROUBLED, "slow-encoder"))
        deliverer = at.deliverer()
        stack.enter_context(running(api, deliverer))
        bodies, tally = [ticket(number, at.run) for number in range(TICKETS)], Tally()
        with watched(url) as seen:
            bring(url, bodies, tally)
        state = httpx.get(f"{url}/readyz").json()
        at.settle(deliverer)
        figures = at.check(tally, bodies)
        by = {answers[0]["answered_by"] for answers in tally.answers.values()}
        tell("encoder of 5 s", {**figures, "slowest_call_s": round(tally.slowest, 2), "by": sorted(by), **seen})
        assert figures["acknowledged"] == figures["stored"] == TICKETS
        assert state == {"status": "ready", "level": "linear", "reason": "over_time"}
        assert by <= {"linear", "rules"}
        assert tally.slowest < 5


class _Unsteady:
    """A destination that refuses every fifth message by chance. Implements the port."""

    def __init__(self) -> None:
        self.got: list[Delivery] = []
        self._chance = random.Random(6)  # noqa: S311 - the same again, no secret

    async def send(self, envelope: Envelope) -> None:
        if self._chance.random() < 0.2:
            raise DeliveryFailed("by_chance")
        self.got.append(Delivery(envelope.desk, json.loads(envelope.body), envelope.message_id))

    async def close(self) -> None:
        """Nothing to close."""


@pytest.mark.slow
def test_a_clock_that_jumps_neither_loses_nor_doubles_anything(
    store: str, rules_pipeline: Pipeline, policy: Policy
) -> None:
    chance, now = random.Random(7), [datetime(2026, 11, 23, 1, 0, tzinfo=UTC)]  # noqa: S311 - the same again
    database, destination = Database(store), _Unsteady()
    upgrade(database)
    writer = TicketWriter(database)
    intake = Intake(writer, rules_pipeline, b"a secret of the tests", 365, lambda: now[0])
    deliverer = Deliverer(database, destination, policy.routing, Pace(park_after=10_000), lambda: now[0])
    watch = ClockWatch(database, timedelta(hours=4), timedelta(minutes=15), lambda: now[0])
    tally, bodies, events = Tally(), [ticket(number, "J") for number in range(240)], 0
    for body in bodies:
        taken = intake.take_in(incoming_from(body), "test")
        tally.took(body["ticket_id"], taken.answer, 201)
        if chance.random() < 0.2:
            now[0] += timedelta(seconds=chance.choice((1, 60, -60, 3600, -3600, 86_400, -86_400, 400_000, -400_000)))
            events += watch.look()
            asyncio.run(deliverer.run(asyncio.Event(), once=True))
    now[0] = datetime(2026, 12, 24, tzinfo=UTC)  # by now every clock has run out
    for _ in range(200):
        events += watch.look()
        asyncio.run(deliverer.run(asyncio.Event(), once=True))
        now[0] += timedelta(minutes=6)
        if not checks.waiting(store):
            break
    database.close()
    checks.stored_once(store, [body["ticket_id"] for body in bodies], tally.answers)
    figures = checks.delivered(store, destination.got, policy.routing.desks)
    told = checks.rows(store, "SELECT key FROM outbox WHERE kind IN ('due_soon', 'overdue')")
    tell("clock jumps", {"tickets": len(bodies), "clock events": events, **figures})
    assert events == len(told) == len({row.key for row in told})
    assert sum(row.key.endswith(":overdue:due_at") for row in told) >= len(bodies)  # one for each queue
    assert figures["repeated"] == 0
