"""The engine: every prediction of a server goes through it."""

import asyncio
import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from model.errors import BundleError, BundleMissing, PolicyError
from model.pipeline import Pipeline
from model.policy import Policy
from model.prediction import Prediction
from model.ticket import Ticket
from serving.engine.figures import Figures
from serving.engine.folder import Watched
from serving.engine.ladder import Batch, Ladder
from serving.engine.memory import give_back, settle_allocator
from serving.engine.options import EngineOptions
from serving.engine.pace import TICKET, Clock
from serving.engine.waiting import Job, Waiting

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """Where pipelines come from.

    `first`: opens one when the server starts, and never fails; `renew`: opens one anew, and raises `BundleError` or
    `PolicyError`; `folder`: where the bundle lies, None where there is none; `policy`: where the office's own policy lies.
    """

    first: Callable[[], Pipeline]
    renew: Callable[[], Pipeline]
    folder: Callable[[], Path | None]
    policy: Callable[[], Path | None] = lambda: None


class Engine:
    """Predicts in micro-batches, in time, and with the bundle that is in use.

    Args:
        source: of pipelines.
        options: bounds.
        figures: told about everything.
        clock: monotonic seconds.
    """

    def __init__(
        self, source: Source, options: EngineOptions, figures: Figures, *, clock: Clock = time.monotonic
    ) -> None:
        self._source, self._options, self._figures, self._clock = source, options, figures, clock
        self._waiting = Waiting(options)
        figures.queue.set_function(lambda: len(self._waiting))
        # bundles are opened in one thread: each thread that ever opened one would keep that much memory for itself
        self._opening = ThreadPoolExecutor(1, "triage-bundle")
        self._threads: list[threading.Thread] = []
        self._watched = Watched(lambda: (source.folder(), source.policy()))
        self.refused = False

    def start(self) -> None:
        """Open the bundle and begin to predict."""
        settle_allocator()
        self._opening.submit(self._open_first).result()
        for number in range(self._options.workers):
            self._threads.append(threading.Thread(target=self._work, name=f"triage-{number}", daemon=True))
            self._threads[-1].start()

    def stop(self) -> None:
        """Take in nothing more, answer what waits, and end."""
        self._waiting.close()
        for thread in self._threads:
            thread.join()
        self._opening.shutdown()

    @property
    def pipeline(self) -> Pipeline:
        """In use."""
        return self._ladder.pipeline

    @property
    def policy(self) -> Policy:
        """In force."""
        return self.pipeline.policy

    @property
    def level(self) -> str:
        """The rung that answers at present."""
        return self._ladder.level

    @property
    def reason(self) -> str | None:
        """Why a lower rung answers than could."""
        return self.pipeline.missing or ("over_time" if self.level != self.pipeline.level else None)

    async def answer(
        self, tickets: Sequence[Ticket], *, explain: bool = False, budget_ms: int | None = None
    ) -> list[Prediction]:
        """Predict without holding up the event loop.

        Args:
            tickets: n tickets.
            explain: with word reasons.
            budget_ms: time for all of them; None takes the configured one for each batch.

        Returns:
            n predictions.

        Raises:
            Overloaded: too many wait already.
        """
        futures = self.submit(tickets, explain=explain, budget_ms=budget_ms)
        return list(await asyncio.gather(*map(asyncio.wrap_future, futures)))

    def predict(
        self, tickets: Sequence[Ticket], *, explain: bool = False, budget_ms: int | None = None
    ) -> list[Prediction]:
        """The same for a caller in a thread.

        Args:
            tickets: n tickets.
            explain: with word reasons.
            budget_ms: time for all of them; None takes the configured one for each batch.

        Returns:
            n predictions.

        Raises:
            Overloaded: too many wait already.
        """
        return [future.result() for future in self.submit(tickets, explain=explain, budget_ms=budget_ms)]

    def submit(self, tickets: Sequence[Ticket], *, explain: bool, budget_ms: int | None) -> list[Future[Prediction]]:
        """Let tickets wait for their prediction.

        Args:
            tickets: n tickets.
            explain: with word reasons.
            budget_ms: time for all of them; None takes the configured one for each batch, one after the other, so that
                a large request lets smaller ones pass.

        Returns:
            n futures.

        Raises:
            Overloaded: too many wait already.
        """
        now = self._clock()
        budget = (budget_ms or self._options.budget_ms) / 1000
        late = [0 if budget_ms else number // self._options.batch for number in range(len(tickets))]
        sizes = (_size(ticket, self.policy.decision.max_characters) for ticket in tickets)
        rows = zip(tickets, sizes, late, strict=True)
        jobs = [Job(ticket, explain, size, now, now + budget * (1 + n)) for ticket, size, n in rows]
        try:
            self._waiting.put(jobs)
        except Exception:
            self._figures.overloads.inc()
            raise
        return [job.future for job in jobs]

    def swap(self, pipeline: Pipeline) -> None:
        """Use another pipeline; batches under way end with the one they began with, which is freed after them.

        Args:
            pipeline: warm.
        """
        self._ladder = Ladder(pipeline, self._options, self._figures, self._clock)

    def reload(self) -> Pipeline:
        """Open the bundle anew and use it.

        Returns:
            The new pipeline.

        Raises:
            BundleError: missing or refused; the old one stays in use.
            PolicyError: the office's policy has a mistake; the old one stays in use.
        """
        return self._opening.submit(self._renew).result()

    def _open_first(self) -> None:
        self._watched.use()
        pipeline = self._source.first()
        pipeline.warm()
        self.swap(pipeline)
        self.refused = pipeline.missing not in (None, "no_bundle")

    def _renew(self) -> Pipeline:
        self._watched.use()
        try:
            pipeline = self._source.renew()
            if pipeline.bundle is None and self.pipeline.bundle is not None:
                raise BundleMissing("模型包已不在原处,继续使用已载入的;请重新放置后再试")
        except (BundleError, PolicyError) as error:
            self.refused = self.refused or isinstance(error, BundleError)
            self._figures.reloads.labels("refused").inc()
            raise
        gc.unfreeze()  # warming freezes what is alive: not the remains of every former pipeline
        pipeline.warm()
        self.swap(pipeline)
        give_back()
        self.refused = False
        self._figures.reloads.labels("swapped").inc()
        log.info("bundle in use: %s", pipeline.bundle.id if pipeline.bundle else "none")
        return pipeline

    async def watch(self) -> None:
        """Use a bundle or a policy that was put in the place of the former one; runs until cancelled."""
        while self._options.watch_seconds:
            await asyncio.sleep(self._options.watch_seconds)
            if await asyncio.to_thread(self._watched.changed):
                try:
                    await asyncio.to_thread(self.reload)
                except (BundleError, PolicyError) as error:
                    log.error("%s: %s", error.code, error)

    def _work(self) -> None:
        half = self._options.budget_ms / 2000
        while jobs := self._waiting.take(lambda: self._ladder.appetite(half)):
            self._answer([job for job in jobs if job.future.set_running_or_notify_cancel()])
            jobs.clear()

    def _answer(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        now = self._clock()
        for job in jobs:
            self._figures.waits.observe(now - job.asked)
        self._figures.batches.observe(len(jobs))
        try:
            found = self._ladder.predict(Batch(jobs))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            for job in jobs:
                job.future.set_exception(error)
        else:
            for job, prediction in zip(jobs, found, strict=True):
                job.future.set_result(prediction)


def _size(ticket: Ticket, most: int) -> int:
    """What a ticket will cost, in characters; no more than `most` are read."""
    return TICKET + min(most, len(ticket.content) + sum(len(turn.text) for turn in ticket.transcript))
