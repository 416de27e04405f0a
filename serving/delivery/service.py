"""The delivery process: the deliverer, and beside it the clock watch and the figures of the outbox."""

import asyncio
import logging
from contextlib import suppress

from model.errors import StoreUnavailable
from serving.delivery.claims import backlog
from serving.delivery.clock_watch import ClockWatch
from serving.delivery.deliverer import Deliverer

log = logging.getLogger(__name__)
EVERY = 10.0  # seconds between two looks at clocks and backlog


async def run(deliverer: Deliverer, watch: ClockWatch, stop: asyncio.Event, *, once: bool = False) -> None:
    """Deliver and watch until told to stop.

    Args:
        deliverer: sends.
        watch: finds clocks that run out.
        stop: set it to end; what is under way is finished.
        once: look at the clocks, deliver what is due, and end.

    Raises:
        StoreUnavailable: only with `once`; else the store is waited for.
    """
    if once:
        await asyncio.to_thread(_look, deliverer, watch)
        await deliverer.run(stop, once=True)
        return
    async with asyncio.TaskGroup() as both:
        both.create_task(deliverer.run(stop))
        both.create_task(_watching(deliverer, watch, stop))


async def _watching(deliverer: Deliverer, watch: ClockWatch, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await asyncio.to_thread(_look, deliverer, watch)
        except StoreUnavailable:
            log.warning("store unavailable; clocks not watched")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY)


def _look(deliverer: Deliverer, watch: ClockWatch) -> None:
    deliverer.metrics.clock_events.inc(watch.look())
    with deliverer.database.read() as session:
        deliverer.metrics.saw(backlog(session, deliverer.now()))
