"""How long one statement may take on PostgreSQL. A server that took the connection and says no more must not hold calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event

STATEMENT_SECONDS = 10.0
_seconds: ContextVar[float | None] = ContextVar("seconds", default=STATEMENT_SECONDS)


@contextmanager
def unhurried() -> Iterator[None]:
    """Statements of this thread or task may take as long as they need: for changes of tables, deletion and the like."""
    before = _seconds.set(None)
    try:
        yield
    finally:
        _seconds.reset(before)


class PatientConnection(psycopg.Connection[Any]):
    """A connection that gives up a statement after a while, and itself with it: what became of it is not known."""

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer of the server.

        Args:
            gen: what the driver waits for.
            interval: seconds between two looks.
            timeout: seconds; None takes those of the statement.

        Returns:
            What `gen` gives.

        Raises:
            psycopg.OperationalError: no answer in time; the connection is closed.
        """
        try:
            return super().wait(gen, interval, _seconds.get() if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:  # in the midst of a statement
                self.pgconn.finish()
            raise


def limit(engine: Engine) -> None:
    """Let an engine's statements end in time.

    Args:
        engine: of PostgreSQL with psycopg.
    """
    event.listen(engine, "do_connect", _connect)


def _connect(_: Any, __: Any, places: Any, parameters: Any) -> PatientConnection:
    return PatientConnection.connect(*places, **parameters)
