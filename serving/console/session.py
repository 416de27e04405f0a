"""Who is signed in. Keys stay in this process's memory: never in a cookie, an address, a file or a log."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request

from serving.console.client import Api
from serving.console.options import IDLE_HOURS

COOKIE = "sign_in"  # key of the signed session that holds the number of the sign-in
_MOST = 1000  # sign-ins at a time


@dataclass
class Person:
    """Somebody who is signed in: name, role and unit of the key, and the calls made with it.

    Args:
        name: of the key.
        role: intake, analyst, reviewer or admin.
        role_name: for users.
        unit: of the holder, where one is registered.
        api: the service with the person's key.
        memory: what pages keep for this person while signed in (chosen filters, place in the queue, undo).
    """

    name: str
    role: str
    role_name: str
    unit: str | None
    api: Api
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def decides(self) -> bool:
        """Whether the person may review tickets and work on cues."""
        return self.role in ("reviewer", "admin")


class Sessions:
    """Sign-ins by number.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, tuple[Person, float]] = {}

    def start(self, person: Person) -> str:
        """Sign somebody in.

        Args:
            person: whose key the service knows.

        Returns:
            The number of the sign-in; not to be guessed.
        """
        now = self._clock()
        self._open = {number: one for number, one in self._open.items() if now - one[1] < IDLE_HOURS * 3600}
        while len(self._open) >= _MOST:
            self._open.pop(min(self._open, key=lambda number: self._open[number][1]))
        number = secrets.token_urlsafe(32)
        self._open[number] = (person, now)
        return number

    def find(self, number: str | None) -> Person | None:
        """Who signed in under a number.

        Args:
            number: from the cookie.

        Returns:
            None where nobody did, or too long ago.
        """
        person, seen = self._open.get(number or "", (None, 0.0))
        if person is None or self._clock() - seen >= IDLE_HOURS * 3600:
            self.end(number)
            return None
        self._open[number or ""] = (person, self._clock())
        return person

    def end(self, number: str | None) -> None:
        """Sign out; the key is forgotten.

        Args:
            number: from the cookie.
        """
        self._open.pop(number or "", None)


def _signed_in(request: Request) -> Person:
    sessions: Sessions = request.app.state.sessions
    person = sessions.find(request.session.get(COOKIE))
    if person is None:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        request.session["wanted"] = wanted[:500]
        raise HTTPException(303, headers={"Location": "/sign-in"})
    return person


SignedIn = Annotated[Person, Depends(_signed_in)]  # a page with such a parameter sends others to the sign-in
