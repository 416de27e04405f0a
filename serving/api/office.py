"""What the calls with a memory need: the store, the secret of its hashes, the clock."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from anyio import to_thread
from starlette.requests import Request

from model.errors import StoreUnavailable
from model.policy import Policy
from serving.api import keys
from serving.api.roles import Caller
from serving.intake import Intake, Predictor
from serving.store.database import BUSY_SECONDS, Database
from serving.store.upgrade import upgrade
from serving.store.writer import TicketWriter

log = logging.getLogger(__name__)


@dataclass
class Office:
    """The store as the service uses it; made ready with the first call, so that a store that is away stops no start.

    Args:
        database: the store.
        secret: key of the HMACs over bodies and callers.
        retention_days: how long a ticket is kept.
        per_minute: tickets or calls of one key.
        now: the clock.
        customers: by unit, for 万户投诉率.
    """

    database: Database
    secret: bytes
    retention_days: int
    per_minute: int
    now: Callable[[], datetime]
    customers: Mapping[str, int] = field(default_factory=dict)
    _intake: Intake = field(init=False)
    _ready: bool = field(default=False, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def store(self) -> Database:
        """The store in the shape that this program expects.

        Raises:
            StoreUnavailable: it is away.
        """
        self._prepare()
        return self.database

    async def ready_intake(self) -> Intake:
        """Takes tickets in, with the predictor given at the start; the event loop is not held up meanwhile.

        Returns:
            The intake, once the store is ready.

        Raises:
            StoreUnavailable: the store is away.
        """
        if not self._ready:
            await to_thread.run_sync(self._prepare)
        return self._intake

    def start(self, predictor: Predictor) -> None:
        """Make the store ready where it can be reached.

        Args:
            predictor: for the intake.
        """
        self._intake = Intake(TicketWriter(self.database), predictor, self.secret, self.retention_days, self.now)
        try:
            self._prepare()
        except StoreUnavailable as error:
            log.error("store_unavailable at start: %s (%s)", error, type(error.__cause__).__name__)

    def find(self, digest: bytes) -> Caller | None:
        """The holder of a key.

        Args:
            digest: of what was sent.

        Returns:
            None for a key that is unknown or revoked.
        """
        return keys.find(self.store, digest)

    def any_made(self) -> bool:
        """Whether a key was ever made.

        Returns:
            False while the service is for this machine only.
        """
        return keys.any_made(self.store)

    def _prepare(self) -> None:
        if self._ready:
            return
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise StoreUnavailable("存储正在升级或没有应答;请稍后重试")
        try:
            if not self._ready:
                upgrade(self.database)
                self._ready = True
        finally:
            self._lock.release()


def office_of(request: Request) -> Office:
    """The office of the application.

    Args:
        request: any.

    Returns:
        The office.
    """
    office: Office = request.app.state.office
    return office


def policy_of(request: Request) -> Policy:
    """The policy in force.

    Args:
        request: any.

    Returns:
        The policy of the bundle in use, or the office's own.
    """
    policy: Policy = request.app.state.engine.policy
    return policy


def caller_of(request: Request) -> Caller:
    """Who calls.

    Args:
        request: let in by the guard.

    Returns:
        The caller.
    """
    caller: Caller = request.state.caller
    return caller
