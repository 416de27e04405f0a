"""Incidents among waiting tickets, looked for beside the service when somebody reads the queue."""

import logging
import threading
from datetime import timedelta

from model.errors import StoreUnavailable
from model.policy import Policy
from serving.api.office import Office

log = logging.getLogger(__name__)
EVERY = timedelta(seconds=30)  # between two looks at most


class IncidentWatch:
    """Notes beside each waiting ticket which incident it belongs to. One look at a time, never waited for.

    Args:
        office: the store and the clock.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._turn = threading.Lock()
        self._next = office.now()

    def look_soon(self, policy: Policy) -> None:
        """Look in a thread of its own, unless one does or just did; the next reader sees what it found.

        Args:
            policy: in force.
        """
        now = self._office.now()
        if now < self._next or not self._turn.acquire(blocking=False):
            return
        self._next = now + EVERY
        threading.Thread(target=self._look, args=(policy,), daemon=True, name="triage-incidents").start()

    def _look(self, policy: Policy) -> None:
        from serving.hotspots.open_incidents import (
            mark_incidents,  # pandas: only a service whose queue is read needs it
        )

        try:
            mark_incidents(self._office.store, policy, self._office.now())
        except StoreUnavailable:
            log.warning("store unavailable; incidents not looked for")
        finally:
            self._turn.release()
