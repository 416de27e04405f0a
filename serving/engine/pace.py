"""How long a rung of the ladder takes, and whether it may be tried at all."""

import threading
from collections.abc import Callable

Clock = Callable[[], float]
_NEWEST = 0.2  # share of the newest measurement
_FORGETS = 10.0  # seconds without a measurement that halve an expectation, so that a wrong one closes no rung for ever
TICKET = 100  # what a ticket costs beside its text, in characters


class Pace:
    """Moving average of seconds per character.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._each = 0.0
        self._at = clock()

    def expect(self, size: int) -> float:
        """How long a batch will take.

        Args:
            size: characters, with `TICKET` for each ticket.

        Returns:
            Seconds; 0 while nothing is known.
        """
        idle = max(0.0, self._clock() - self._at)
        return float(self._each * size * 0.5 ** (idle / _FORGETS))

    def most(self, seconds: float) -> float:
        """How large a batch may be.

        Args:
            seconds: it may take.

        Returns:
            Characters; without bound while nothing is known.
        """
        each = self.expect(1)
        return seconds / each if each else float("inf")

    def note(self, size: int, seconds: float) -> None:
        """Learn from a batch.

        Args:
            size: as in `expect`.
            seconds: it took.
        """
        each = seconds / size
        self._each = each if not self._each else (1 - _NEWEST) * self.expect(size) / size + _NEWEST * each
        self._at = self._clock()


class Breaker:
    """Closes a rung that was out of time twice running; after a rest a single call tries it again.

    Args:
        rest: seconds a rung stays closed.
        clock: monotonic seconds.
    """

    _MOST_FAILURES = 2

    def __init__(self, rest: float, clock: Clock) -> None:
        self._rest, self._clock = rest, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    @property
    def closed(self) -> bool:
        """Whether the rung is out of use until a trial succeeds."""
        return self._failures >= self._MOST_FAILURES

    def admits(self) -> bool:
        """Whether a call may be made now; in a closed rung one call for each rest.

        Returns:
            True where it may.
        """
        with self._lock:
            if not self.closed:
                return True
            if self._clock() < self._until:
                return False
            self._until = self._clock() + self._rest
            return True

    def note(self, *, in_time: bool) -> None:
        """Learn from a call.

        Args:
            in_time: whether it was.
        """
        with self._lock:
            self._failures = 0 if in_time else self._failures + 1
            self._until = self._clock() + self._rest
