"""How often a key may call, and how often an address may fail to show one. Counted in this process."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import Request

from model.errors import TriageError

_FAILURES_PER_MINUTE = 20


class RateLimited(TriageError):
    """Too many calls; `retry_after` seconds later one may pass."""

    code = "rate_limited"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rates:
    """A sliding window for each key and each address: two counters each, also after a jump of the clock.

    A ticket counts as one call, so that a batch of 256 counts as 256.

    Args:
        per_minute: tickets or calls of one key.
    """

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        self._keys = RateLimitItemPerMinute(per_minute, namespace="key")
        self._addresses = RateLimitItemPerMinute(_FAILURES_PER_MINUTE, namespace="address")
        self._window = SlidingWindowCounterRateLimiter(MemoryStorage())

    def charge(self, key: str, cost: int = 1) -> None:
        """Count a call of a key.

        Args:
            key: its name.
            cost: how many tickets it brings.

        Raises:
            RateLimited: that is too many.
        """
        if cost and not self._window.hit(self._keys, key, cost=min(cost, self._most)):
            raise RateLimited(
                f"这个密钥每分钟至多 {self._most} 条;请按 Retry-After 稍后重试", self._wait(self._keys, key)
            )

    def failed(self, address: str) -> None:
        """Count a key that was refused.

        Args:
            address: where it came from.
        """
        self._window.hit(self._addresses, address)

    def check(self, address: str) -> None:
        """Refuse an address that failed too often.

        Args:
            address: where a call comes from.

        Raises:
            RateLimited: it did.
        """
        if not self._window.test(self._addresses, address):
            raise RateLimited("密钥错误次数过多;请核对密钥,稍后重试", self._wait(self._addresses, address))

    def _wait(self, item: RateLimitItemPerMinute, name: str) -> int:
        reset = self._window.get_window_stats(item, name).reset_time
        return max(1, min(60, math.ceil(reset - time.time())))


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
