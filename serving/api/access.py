"""Whose key a call carries. Answers are remembered for seconds, so that a revoked key stops within seconds."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from model.errors import StoreUnavailable
from serving.api.roles import Caller

FRESH_SECONDS = 2.0  # a revoked key is refused after so long at the latest
STALE_SECONDS = 300.0  # while the store is away, a key that was good goes on so long: predictions need no store


class KeyBook(Protocol):
    """Where keys are kept."""

    def find(self, digest: bytes) -> Caller | None:
        """The holder of a key, None where it is unknown or revoked."""
        ...

    def any_made(self) -> bool:
        """Whether a key was ever made."""
        ...


@dataclass(frozen=True, slots=True)
class _Seen:
    """A good key: when the store last said so, and when it was last asked."""

    caller: Caller
    at: float
    asked: float


class Access:
    """Finds callers. Only good keys are remembered, so that the memory holds as many entries as there are keys.

    Args:
        book: of keys.
        clock: monotonic seconds.
    """

    def __init__(self, book: KeyBook, clock: Callable[[], float] = time.monotonic) -> None:
        self._book, self._clock = book, clock
        self._seen: dict[bytes, _Seen] = {}
        self._keys_made: tuple[bool, float, float] | None = None  # the answer, when it was given, when last asked
        self._lock = threading.Lock()

    def fresh(self, digest: bytes) -> Caller | None:
        """A caller who was found a moment ago; asks nobody.

        Args:
            digest: of the key.

        Returns:
            None where the store must be asked.
        """
        seen = self._seen.get(digest)
        return seen.caller if seen and self._age(seen.asked) < FRESH_SECONDS else None

    def known(self, digest: bytes) -> bool:
        """Whether a key was good when it was last looked up.

        Args:
            digest: of the key.

        Returns:
            False for keys never seen, and for those refused since.
        """
        return digest in self._seen

    def stale(self, digest: bytes) -> Caller | None:
        """A caller whom the store knew not long ago; for when it does not answer. It is not asked again at once.

        Args:
            digest: of the key.

        Returns:
            None where nothing is known.
        """
        seen = self._seen.get(digest)
        if seen is None or self._age(seen.at) >= STALE_SECONDS:
            return None
        self._seen[digest] = replace(seen, asked=self._clock())
        return seen.caller

    def look_up(self, digest: bytes) -> Caller | None:
        """Ask the store for a caller; while one thread asks for a known key, the others do not wait for it.

        Args:
            digest: of the key.

        Returns:
            None for a key that is unknown or revoked.

        Raises:
            StoreUnavailable: the store is away, and the key was not seen lately.
        """
        seen = self._seen.get(digest)
        usable = seen if seen and self._age(seen.at) < STALE_SECONDS else None
        if usable:
            with self._lock:
                if self._age(self._seen.get(digest, usable).asked) < FRESH_SECONDS:
                    return usable.caller
                self._seen[digest] = replace(usable, asked=self._clock())
        try:
            caller = self._book.find(digest)
        except StoreUnavailable:
            if not usable:
                raise
            self._seen[digest] = replace(usable, asked=self._clock())
            return usable.caller
        if caller is None:
            self._seen.pop(digest, None)
        else:
            self._seen[digest] = _Seen(caller, self._clock(), self._clock())
        return caller

    def keyless(self) -> bool | None:
        """Whether no key was ever made, as far as is known without asking.

        Returns:
            None where the store must be asked.
        """
        if self._keys_made is None:
            return None
        made, _, asked = self._keys_made
        return not made if made or self._age(asked) < FRESH_SECONDS else None

    def was_keyless(self) -> bool | None:
        """The same as the store said not long ago; for when it does not answer. It is not asked again at once.

        Returns:
            None where nothing is known.
        """
        if self._keys_made is None or self._age(self._keys_made[1]) >= STALE_SECONDS:
            return None
        with self._lock:
            made, at, _ = self._keys_made
            self._keys_made = (made, at, self._clock())
        return not made

    def look_for_keys(self) -> bool:
        """Ask the store whether no key was ever made. Once there was one, there always was.

        Returns:
            True while the service is for this machine only.

        Raises:
            StoreUnavailable: the store is away, and nothing is known.
        """
        try:
            made = self._book.any_made()
        except StoreUnavailable:
            known = self.was_keyless()
            if known is None:
                raise
            return known
        with self._lock:
            self._keys_made = (made, self._clock(), self._clock())
        return not made

    def _age(self, at: float) -> float:
        return self._clock() - at
