"""Tickets that wait for a prediction: bounded, the nearest deadline first, taken in small batches."""

import heapq
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from model.errors import Overloaded
from model.prediction import Prediction
from model.ticket import Ticket
from serving.engine.options import EngineOptions


@dataclass(frozen=True, slots=True)
class Job:
    """A ticket to predict. `size`: its characters and `TICKET`; `asked` and `deadline`: monotonic seconds."""

    ticket: Ticket
    explain: bool
    size: int
    asked: float
    deadline: float
    future: Future[Prediction] = field(default_factory=Future)


class Waiting:
    """The queue. Whoever is free takes what waits at once; a batch grows only while everyone is busy.

    Args:
        options: bounds of the queue and of a batch.
    """

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._heap: list[tuple[float, int, Job]] = []
        self._count = 0
        self._changed = threading.Condition()
        self._open = True

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, jobs: Sequence[Job]) -> None:
        """Let tickets wait: all of them or none.

        Args:
            jobs: of one request.

        Raises:
            Overloaded: the queue is full, or the program is about to end.
        """
        with self._changed:
            if not self._open or len(self._heap) + len(jobs) > self._options.queue:
                raise Overloaded("排队的工单已满,请稍后重试")
            for job in jobs:
                self._count += 1
                heapq.heappush(self._heap, (job.deadline, self._count, job))
            self._changed.notify(len(jobs))

    def take(self, appetite: Callable[[], float]) -> list[Job]:
        """Wait for tickets and take a batch of them.

        Args:
            appetite: characters that can be answered in time; a first ticket is taken however long it is.

        Returns:
            Jobs that are predicted in the same manner; none once the queue was closed and is empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._heap or not self._open)
            jobs: list[Job] = []
            size, most = 0, min(appetite(), self._options.characters)
            while self._heap and len(jobs) < self._options.batch:
                job = self._heap[0][2]
                if jobs and (job.explain != jobs[0].explain or size + job.size > most):
                    break
                jobs.append(heapq.heappop(self._heap)[2])
                size += job.size
            return jobs

    def close(self) -> None:
        """Take in nothing more; what waits is still handed out."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
