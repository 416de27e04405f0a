"""Metrics of the outbox, read from the store when Prometheus asks, at most every few seconds."""

import time
from collections.abc import Callable

from anyio import CapacityLimiter, move_on_after, to_thread
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import func, select

from model.errors import StoreUnavailable
from serving.api.office import Office
from serving.store.tables import OutboxMessage

_FRESH_SECONDS = 5.0
_PATIENCE = 2.0  # seconds for an answer of the store


class Backlog:
    """What waits to be delivered.

    Args:
        office: the store and the clock.
        registry: of the metrics.
        clock: monotonic seconds.
    """

    def __init__(
        self, office: Office, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._office, self._clock, self._read_at = office, clock, float("-inf")
        self._threads = CapacityLimiter(1)  # its own: a store that hangs must not keep the page away
        self.up = Gauge("triage_store_up", "1 while the store answers", registry=registry)
        self.age = Gauge("triage_outbox_age_seconds", "Age of the oldest undelivered message", registry=registry)
        self.waiting = Gauge("triage_outbox_waiting", "Undelivered messages that are not parked", registry=registry)
        self.parked = Gauge("triage_outbox_parked", "Messages that a person must look at", registry=registry)

    async def renew(self) -> None:
        """Renew the figures; while the store is away the last ones stand, and `triage_store_up` is 0."""
        with move_on_after(_PATIENCE) as waited:
            await to_thread.run_sync(self._read, limiter=self._threads, abandon_on_cancel=True)
        if waited.cancelled_caught:
            self.up.set(0)

    def _read(self) -> None:
        if self._clock() - self._read_at < _FRESH_SECONDS:
            return
        try:
            with self._office.store.read() as session:
                undelivered = select(func.count(), func.min(OutboxMessage.made_at)).where(
                    OutboxMessage.delivered_at.is_(None)
                )
                count, oldest = session.execute(undelivered.where(OutboxMessage.parked_at.is_(None))).one()
                parked = session.execute(undelivered.where(OutboxMessage.parked_at.is_not(None))).one()[0]
        except StoreUnavailable:
            self.up.set(0)
            return
        self._read_at = self._clock()
        self.up.set(1)
        self.waiting.set(count)
        self.parked.set(parked)
        self.age.set(max(0.0, (self._office.now() - oldest).total_seconds()) if oldest else 0)
