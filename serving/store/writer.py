"""New tickets that wait at the same time are written in one transaction: one wait for the disk serves them all."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from model.errors import StoreUnavailable
from serving.store.database import Database
from serving.store.tickets import NewTicket, add

Complete = Callable[[Session, Sequence[NewTicket]], list[NewTicket]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    ticket: NewTicket
    written: "Future[NewTicket | None]" = field(default_factory=Future)


class TicketWriter:
    """Writes new tickets for many threads. One at a time writes, for all that wait; a lone ticket waits for nobody.

    Args:
        database: the store.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._waiting: list[_Waiting] = []
        self._guard = threading.Lock()  # of the list
        self._turn = threading.Lock()  # to write

    def add(self, ticket: NewTicket, complete: Complete) -> NewTicket | None:
        """Write a ticket with everything that follows from it; durable when this returns.

        Args:
            ticket: to be written.
            complete: adds what must be looked up in the same transaction, once for all tickets that are written in it.

        Returns:
            The ticket as it was written; None where the id is in the store already, and nothing was written.

        Raises:
            StoreUnavailable: nothing was written.
        """
        mine = _Waiting(ticket)
        with self._guard:
            self._waiting.append(mine)
        with self._turn:
            if not mine.written.done():
                self._settle(self._all_waiting(), complete)
        return mine.written.result()

    def _all_waiting(self) -> list[_Waiting]:
        with self._guard:
            batch, self._waiting = self._waiting, []
        return batch

    def _settle(self, batch: list[_Waiting], complete: Complete) -> None:
        """Write a batch; one ticket that cannot be written does not take the others along."""
        try:
            with self.database.write() as session:
                tickets = complete(session, [one.ticket for one in batch])
                written = add(session, tickets)
        except Exception as error:  # noqa: BLE001 - whatever went wrong belongs to the threads that wait
            if len(batch) == 1 or isinstance(error, StoreUnavailable):
                for one in batch:
                    one.written.set_exception(error)
                return
            for one in batch:
                self._settle([one], complete)
            return
        for place, one in enumerate(batch):
            one.written.set_result(tickets[place] if place in written else None)
