"""The ladder cascade → linear → rules: the best rung that the time of a batch allows, and a lower one in good time."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from model.cascade import CASCADE, RUNGS
from model.pipeline import Pipeline
from model.prediction import Prediction
from serving.engine.figures import Figures
from serving.engine.options import EngineOptions
from serving.engine.pace import Breaker, Clock, Pace
from serving.engine.waiting import Job

RULES = RUNGS[-1]
_MARGIN = 1.5  # times the expected duration must be left, where a rung below still answers well
_LEAST = 0.02  # seconds kept for the rung below


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that are predicted together."""

    jobs: Sequence[Job]

    @property
    def size(self) -> int:
        """Cost, in characters."""
        return sum(job.size for job in self.jobs)

    @property
    def deadline(self) -> float:
        """When the first answer is due, in monotonic seconds."""
        return min(job.deadline for job in self.jobs)


class Ladder:
    """Predicts batches with one pipeline.

    The encoder runs in a thread of its own: when the time is over the next rung answers, and the late call is left to
    end by itself. Linear classifier and rules cost time that grows with the text only, so that expecting is enough.

    Args:
        pipeline: what predicts.
        options: bounds.
        figures: told about every step.
        clock: monotonic seconds.
    """

    def __init__(
        self, pipeline: Pipeline, options: EngineOptions, figures: Figures, clock: Clock = time.monotonic
    ) -> None:
        self.pipeline = pipeline
        self._figures, self._clock = figures, clock
        self._paces = {rung: Pace(clock) for rung in RUNGS}
        self._breaker = Breaker(options.rest_seconds, clock)
        self._threads = threading.BoundedSemaphore(options.workers + options.stuck)

    @property
    def level(self) -> str:
        """The rung that answers at present."""
        best = self.pipeline.level
        return RUNGS[RUNGS.index(best) + 1] if best == CASCADE and self._breaker.closed else best

    def appetite(self, seconds: float) -> float:
        """How large a batch the level can answer.

        Args:
            seconds: it may take.

        Returns:
            Characters, with `TICKET` for each ticket.
        """
        return self._paces[self.level].most(seconds)

    def predict(self, batch: Batch) -> list[Prediction]:
        """Predict with the best rung there is time for.

        Args:
            batch: n jobs.

        Returns:
            n predictions.
        """
        for rung in RUNGS[RUNGS.index(self.pipeline.level) :]:
            reason = self._unfit(rung, batch)
            if reason is None:
                try:
                    return self._timed(rung, batch) if rung != CASCADE else self._in_time(batch)
                except TimeoutError:
                    reason = "out_of_time"
            self._figures.left_out.labels(rung, reason).inc()
        raise AssertionError("rules always answer")

    def _unfit(self, rung: str, batch: Batch) -> str | None:
        """Why a rung is not tried now."""
        if rung == RULES:
            return None
        expected = self._paces[rung].expect(batch.size)
        if (_MARGIN * expected if rung == CASCADE else expected) > self._left(rung, batch):
            return "no_time"
        return "closed" if rung == CASCADE and not self._breaker.admits() else None

    def _left(self, rung: str, batch: Batch) -> float:
        """Seconds for this rung, so that the one below can still answer."""
        below = RUNGS[RUNGS.index(rung) + 1]
        keep = max(_LEAST, _MARGIN * self._paces[below].expect(batch.size)) if rung == CASCADE else 0.0
        return batch.deadline - self._clock() - keep

    def _timed(self, rung: str, batch: Batch) -> list[Prediction]:
        began = self._clock()
        tickets = [job.ticket for job in batch.jobs]
        # one window at a time: a retry gets the same answer, and a CPU needs half the time for it
        found = self.pipeline.predict(tickets, explain=batch.jobs[0].explain, most=rung)
        self._paces[rung].note(batch.size, self._clock() - began)
        self._figures.answers.labels(rung).inc(len(found))
        return found

    def _in_time(self, batch: Batch) -> list[Prediction]:
        """The encoder's rung, given up when its time is over."""
        if not self._threads.acquire(blocking=False):
            raise TimeoutError
        call = _Call(lambda: self._timed(CASCADE, batch), self._threads.release)
        try:
            found = call.result(self._left(CASCADE, batch))
        except TimeoutError:
            self._breaker.note(in_time=False)
            self._figures.stuck.inc()
            call.ended(self._figures.stuck.dec)
            raise
        self._breaker.note(in_time=True)
        return found


class _Call:
    """One call in a daemon thread, which neither a slow encoder nor the end of the program has to wait for."""

    def __init__(self, work: Callable[[], list[Prediction]], ended: Callable[[], None]) -> None:
        self._future: Future[list[Prediction]] = Future()
        self.ended(ended)
        try:
            threading.Thread(target=self._run, args=(work,), daemon=True, name="triage-encoder").start()
        except RuntimeError as error:  # no thread to be had
            self._future.set_exception(error)

    def result(self, seconds: float) -> list[Prediction]:
        return self._future.result(max(0.0, seconds))

    def ended(self, then: Callable[[], None]) -> None:
        self._future.add_done_callback(lambda _: then())

    def _run(self, work: Callable[[], list[Prediction]]) -> None:
        try:
            found = work()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            self._future.set_exception(error)
        else:
            self._future.set_result(found)
