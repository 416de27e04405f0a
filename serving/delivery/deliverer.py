"""The deliverer: claims due messages, sends several at a time, and notes what became of each."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from model.errors import StoreUnavailable
from model.policy.schema import RoutingFile
from serving.delivery import claims
from serving.delivery.claims import FORBIDDEN_DESK, Pace
from serving.delivery.destination import DeliveryFailed, Destination, Envelope
from serving.delivery.letters import forbidden, letter
from serving.delivery.metrics import DeliveryMetrics
from serving.store.database import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try; `reason` is None where the message was taken."""

    envelope: Envelope
    reason: str | None


@dataclass
class Deliverer:
    """Brings messages from the outbox to their desks, at least once. `routing` may be replaced while it runs.

    Args:
        database: the store.
        destination: takes messages.
        routing: the policy in force: who must not get what.
        pace: lanes, waits, when to park.
        now: the clock.
        metrics: counts.
    """

    database: Database
    destination: Destination
    routing: RoutingFile
    pace: Pace
    now: Callable[[], datetime]
    metrics: DeliveryMetrics = field(default_factory=DeliveryMetrics)

    async def run(self, stop: asyncio.Event, *, once: bool = False) -> None:
        """Deliver until told to stop; what is under way then is finished and noted.

        Args:
            stop: set it to end.
            once: end as soon as nothing is due.

        Raises:
            StoreUnavailable: only with `once`; else the store is waited for.
        """
        sending: set[asyncio.Task[Outcome]] = set()
        outcomes: list[Outcome] = []
        stopped = asyncio.create_task(stop.wait())
        try:
            while True:
                free = 0 if stop.is_set() else self.pace.lanes - len(sending)
                try:
                    claimed = await asyncio.to_thread(self._exchange, outcomes, free)
                    outcomes = []
                except StoreUnavailable:
                    if once:
                        raise
                    claimed = []
                    log.warning("store unavailable; outcomes not yet noted: %d", len(outcomes))
                    await asyncio.sleep(self.pace.idle.total_seconds())
                sending |= {asyncio.create_task(self._send(envelope)) for envelope in claimed}
                if not sending and (stop.is_set() or once):
                    return
                outcomes += await self._through(sending, stopped)
        finally:
            stopped.cancel()

    async def _through(self, sending: set[asyncio.Task[Outcome]], stopped: asyncio.Task[bool]) -> list[Outcome]:
        """Wait until a message is through, or a moment for new ones; takes what is done out of `sending`."""
        wanted: set[asyncio.Task[Any]] = {*sending} if stopped.done() else {*sending, stopped}
        pause = self.pace.idle.total_seconds()
        done, _ = await asyncio.wait(wanted, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        through = [task for task in sending if task in done]
        sending -= done
        return [task.result() for task in through]

    async def _send(self, envelope: Envelope) -> Outcome:
        """One try. Whatever a destination raises is an outcome: it must not end the deliverer."""
        try:
            async with asyncio.timeout(self.pace.timeout.total_seconds()):
                await self.destination.send(envelope)
        except DeliveryFailed as error:
            return Outcome(envelope, error.reason)
        except TimeoutError:
            return Outcome(envelope, "timeout")
        except Exception as error:  # noqa: BLE001 - see above
            return Outcome(envelope, f"unexpected_{type(error).__name__}")
        return Outcome(envelope, None)

    def _exchange(self, outcomes: list[Outcome], free: int) -> list[Envelope]:
        """Note outcomes and claim new messages, in one transaction; without either, nothing is locked."""
        now = self.now()
        if not outcomes and not self._due(now, free):
            return []
        with self.database.write() as session:
            for outcome in outcomes:
                self._note(session, outcome, now)
            found = claims.claim(session, free, now, self.pace) if free else []
            refused = {message.id for message in found if forbidden(session, message, self.routing)}
            envelopes = [letter(session, message, self.routing, now + self.pace.lease) for message in found]
            for envelope in envelopes:
                if envelope.id in refused:
                    claims.park(session, envelope, FORBIDDEN_DESK, now)
        for outcome in outcomes:
            self._count(outcome)
        return [envelope for envelope in envelopes if envelope.id not in refused]

    def _due(self, now: datetime, free: int) -> bool:
        if not free:
            return False
        with self.database.read() as session:
            return claims.anything_due(session, now, self.pace)

    def _note(self, session: Session, outcome: Outcome, now: datetime) -> None:
        envelope, reason = outcome.envelope, outcome.reason
        tries = envelope.tries + 1
        if reason is None:
            claims.mark_delivered(session, envelope, now)
        elif tries >= self.pace.park_after:
            claims.park(session, envelope, reason, now)
        else:
            wait = self.pace.wait(tries, random.random())  # noqa: S311 - spreads retries, no secret
            claims.mark_failed(session, envelope, reason, now + wait)

    def _count(self, outcome: Outcome) -> None:
        if outcome.reason is None:
            self.metrics.delivered.labels(outcome.envelope.kind).inc()
        else:
            self.metrics.failed.labels(outcome.reason).inc()
            log.info("message %s not taken: %s", outcome.envelope.message_id[:12], outcome.reason)
