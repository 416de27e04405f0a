"""New tickets that wait at the same time are made and written together: one prediction, one wait for the disk for all."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.orm import Session

from model.errors import Overloaded, StoreUnavailable
from serving.store.database import Database
from serving.store.tickets import NewTicket, add

MOST_WAITING = 512  # tickets; who comes later is told to come again


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a ticket; not `new` where its id is in the store already, and nothing was written."""

    ticket: NewTicket
    new: bool


class Maker(Protocol):
    """What the writer needs of an intake."""

    def make(self, arrived: Sequence[Any]) -> list[NewTicket]:
        """Turn n things that arrived into n tickets; no transaction is open yet."""
        ...

    def complete(self, session: Session, new: Sequence[NewTicket]) -> list[NewTicket]:
        """Add what must be looked up in the transaction that writes them."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    arrived: Any
    written: "Future[Written]" = field(default_factory=Future)


class TicketWriter:
    """Writes what has arrived. A lone ticket waits for nobody; those that come meanwhile go together.

    Args:
        database: the store.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._waiting: list[_Waiting] = []
        self._guard = threading.Lock()  # of the list
        self._thread = ThreadPoolExecutor(1, "triage-intake")  # one: a second makes batches smaller, which costs more

    def put(self, arrived: Any, maker: Maker) -> "Future[Written]":
        """Let a ticket be written with everything that follows from it.

        Args:
            arrived: what it is made from.
            maker: makes it, together with others that wait by then.

        Returns:
            Done once the ticket is durable. Fails with `StoreUnavailable`, or with whatever the maker raises, where
            nothing was written.

        Raises:
            Overloaded: too many wait already.
        """
        mine = _Waiting(arrived)
        with self._guard:
            if len(self._waiting) >= MOST_WAITING:
                raise Overloaded("等待存储的工单已满,请稍后重试")
            self._waiting.append(mine)
        self._thread.submit(self._write_waiting, maker)
        return mine.written

    def _write_waiting(self, maker: Maker) -> None:
        """All that wait by now; whoever was put meanwhile finds nothing left to do."""
        if batch := self._taken():
            self._settle(batch, maker)

    def _taken(self) -> list[_Waiting]:
        """What waits, out of the list; without those who no longer want an answer."""
        with self._guard:
            found, self._waiting = self._waiting, []
        return [one for one in found if one.written.set_running_or_notify_cancel()]

    def _settle(self, batch: list[_Waiting], maker: Maker) -> None:
        """Write a batch; one ticket that cannot be written does not take the others along."""
        try:
            tickets = maker.make([one.arrived for one in batch])
            with self.database.write() as session:
                tickets = maker.complete(session, tickets)
                written = add(session, tickets)
        except Exception as error:  # noqa: BLE001 - whatever went wrong belongs to those who wait
            away = isinstance(error, StoreUnavailable)
            if len(batch) == 1 or away or isinstance(error, Overloaded):
                for one in batch + (self._taken() if away else []):  # nobody waits in line for a store that is away
                    one.written.set_exception(error)
                return
            for one in batch:
                self._settle([one], maker)
            return
        for place, one in enumerate(batch):
            one.written.set_result(Written(tickets[place], place in written))
