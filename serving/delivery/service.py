"""The delivery process: the deliverer, and beside it the watch of clocks and cues and the figures of the outbox."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from model.errors import StoreUnavailable
from model.policy import Policy
from model.policy.cue_schema import CuesFile
from serving.cues.store import expire_due
from serving.delivery.claims import backlog
from serving.delivery.clock_watch import ClockWatch, overdue
from serving.delivery.deliverer import Deliverer

log = logging.getLogger(__name__)
EVERY = 10.0  # seconds between two looks at clocks and backlog


@dataclass(slots=True)
class Watches:
    """What time brings about: `tickets` finds clocks that run out, `cues` says how long a cue may live.

    `renewed` gives the policy that is in force from now on, None as long as nothing has changed.
    """

    tickets: ClockWatch
    cues: CuesFile
    renewed: Callable[[], Policy | None] = lambda: None


async def run(deliverer: Deliverer, watches: Watches, stop: asyncio.Event, *, once: bool = False) -> None:
    """Deliver and watch until told to stop.

    Args:
        deliverer: sends.
        watches: of what time brings about.
        stop: set it to end; what is under way is finished.
        once: look at the clocks, deliver what is due, and end.

    Raises:
        StoreUnavailable: only with `once`; else the store is waited for.
    """
    if once:
        await asyncio.to_thread(_look, deliverer, watches)
        await deliverer.run(stop, once=True)
        return
    async with asyncio.TaskGroup() as both:
        both.create_task(deliverer.run(stop))
        both.create_task(_watching(deliverer, watches, stop))


async def _watching(deliverer: Deliverer, watches: Watches, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await asyncio.to_thread(_look, deliverer, watches)
        except StoreUnavailable:
            log.warning("store unavailable; clocks not watched")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY)


def _look(deliverer: Deliverer, watches: Watches) -> None:
    if policy := watches.renewed():
        deliverer.routing, watches.cues = policy.routing, policy.cues
    deliverer.metrics.clock_events.inc(watches.tickets.look())
    expire_due(deliverer.database, watches.cues, deliverer.now())
    with deliverer.database.read() as session:
        deliverer.metrics.saw(backlog(session, deliverer.now()), overdue(session, deliverer.now()))
