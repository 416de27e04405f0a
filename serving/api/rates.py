"""How often a key may call, and how often an address may fail to show one. Counted in this process."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable

from starlette.requests import Request

from model.errors import TriageError

_FAILURES_PER_MINUTE = 20
_WINDOW = 60.0  # seconds


class RateLimited(TriageError):
    """Too many calls; `retry_after` seconds later one may pass."""

    code = "rate_limited"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SlidingWindow:
    """Calls of the last minute by name: those of the minute that runs, and a share of the one before it.

    A library would start a thread on the way of each request to tidy up; here a minute is forgotten as a whole.

    Args:
        most: calls of one name in a minute.
        clock: monotonic seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._minute = 0.0
        self._current: Counter[str] = Counter()
        self._former: Counter[str] = Counter()
        self._lock = threading.Lock()

    def hit(self, name: str, cost: int) -> int:
        """Count calls, unless they are too many.

        Args:
            name: who calls.
            cost: how many calls.

        Returns:
            0 where they were counted, else the seconds after which they may come.
        """
        cost = min(cost, self._most)
        with self._lock:
            gone = self._turned()
            if wait := self._wait(name, cost, gone):
                return wait
            self._current[name] += cost
            return 0

    def full(self, name: str) -> int:
        """Whether one more call would be too many.

        Args:
            name: who calls.

        Returns:
            0 where it would not, else the seconds to wait.
        """
        with self._lock:
            return self._wait(name, 1, self._turned())

    def _turned(self) -> float:
        """Begin another minute where it is time to; gives the share of the running one that is gone."""
        minute, seconds = divmod(self._clock(), _WINDOW)
        if minute != self._minute:
            self._former = self._current if minute == self._minute + 1 else Counter()
            self._current, self._minute = Counter(), minute
        return seconds / _WINDOW

    def _wait(self, name: str, cost: int, gone: float) -> int:
        former, current, room = self._former[name], self._current[name], self._most - cost
        if former * (1 - gone) + current <= room:
            return 0
        # the former minute's share shrinks; where that is not enough, the running one becomes the former first
        share = 1 - (room - current) / former if current <= room else 2 - room / current
        return max(1, math.ceil((share - gone) * _WINDOW))


class Rates:
    """A sliding window for each key and each address.

    A ticket counts as one call, so that a batch of 256 counts as 256.

    Args:
        per_minute: tickets or calls of one key.
    """

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        self._keys, self._addresses = SlidingWindow(per_minute), SlidingWindow(_FAILURES_PER_MINUTE)

    def charge(self, key: str, cost: int = 1) -> None:
        """Count a call of a key.

        Args:
            key: its name.
            cost: how many tickets it brings.

        Raises:
            RateLimited: that is too many.
        """
        if wait := self._keys.hit(key, cost):
            raise RateLimited(f"这个密钥每分钟至多 {self._most} 条;请按 Retry-After 稍后重试", wait)

    def failed(self, address: str) -> None:
        """Count a key that was refused.

        Args:
            address: where it came from.
        """
        self._addresses.hit(address, 1)

    def check(self, address: str) -> None:
        """Refuse an address that failed too often.

        Args:
            address: where a call comes from.

        Raises:
            RateLimited: it did.
        """
        if wait := self._addresses.full(address):
            raise RateLimited("密钥错误次数过多;请核对密钥,稍后重试", wait)


def charge(request: Request, tickets: int) -> None:
    """Count the tickets of a batch beyond the first, which the call itself counted.

    Args:
        request: of the batch.
        tickets: in it.

    Raises:
        RateLimited: that is too many.
    """
    if guard := getattr(request.state, "rates", None):
        guard.charge(request.state.caller.name, max(0, tickets - 1))
