"""Intake and the first page of the queue after so many tickets: ours, and each ticket by itself as one would write it first."""

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from growth_work import CHARACTERS, median, peak_mb, predictor, texts_of
from report import fill

from model.prediction import Prediction
from model.ticket import Ticket
from serving.intake import Intake, incoming_from
from serving.store.database import Database
from serving.store.queue import Filters, Slice, page
from serving.store.writer import TicketWriter
from triage.compose import build_pipeline, build_store
from triage.settings import Settings

SECRET = b"benchmark-secret"
_GIVEN = 500  # tickets taken in
_CLIENTS = 16


def stored(way: str, size: int, bundle: Path) -> dict[str, float]:
    """One point: tickets a second from 16 clients, milliseconds of the queue's first page, size of the file, memory."""
    return (_theirs if way == "peer" else _ours)(size, bundle)


class Linear:
    """A pipeline that stays below the encoder, for an intake.

    Args:
        bundle: of a cascade, or linear.
    """

    def __init__(self, bundle: Path) -> None:
        self._pipeline = build_pipeline(Settings(), bundle)
        self._pipeline.warm()
        self.policy = self._pipeline.policy

    def predict(self, tickets: Sequence[Ticket]) -> list[Prediction]:
        """As the pipeline, by linear classifier and rules."""
        return self._pipeline.predict(tickets, most="linear")


@contextmanager
def filled_store(size: int) -> Iterator[Database]:
    """A SQLite store of our own with so many tickets."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRIAGE_DATABASE_URL"] = f"sqlite:///{folder}/triage.db"
        fill(size)
        database = build_store(Settings())
        yield database
        database.close()


def _ours(size: int, bundle: Path) -> dict[str, float]:
    pipeline = Linear(bundle)
    with filled_store(size) as database:
        intake = Intake(TicketWriter(database), pipeline, SECRET, 1, lambda: datetime.now(UTC))
        rate = _rate(
            lambda name, text: intake.take_in(incoming_from({"ticket_id": name, "content": text}), "benchmark")
        )
        now = datetime.now(UTC)
        with database.read() as session:
            first = median(lambda: page(session, Filters(status="open"), Slice(), now))
        folder = Path(str(database.engine.url.database)).parent
        return _point(rate, first, folder)


def _theirs(size: int, bundle: Path) -> dict[str, float]:
    """One table, one ticket a transaction, the peer's leaf; text as it came, no outbox, no audit, no clocks."""
    predict, guard = predictor("peer", bundle), Lock()
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(f"{folder}/plain.db", check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(
            "CREATE TABLE tickets (id TEXT PRIMARY KEY, text TEXT, received REAL, status TEXT, leaf INTEGER)"
        )
        texts = texts_of(CHARACTERS, 1000)
        rows = ((f"old{n}", texts[n % 1000], float(n), "open" if n % 33 == 0 else "closed", 0) for n in range(size))
        database.executemany("INSERT INTO tickets VALUES (?, ?, ?, ?, ?)", rows)
        database.commit()

        def take(name: str, text: str) -> None:
            leaf = int(predict([text]).argmax())  # type: ignore[attr-defined]
            with guard, database:
                row = (name, text, time.time(), "open", leaf)
                database.execute("INSERT INTO tickets VALUES (?, ?, ?, ?, ?)", row)

        rate = _rate(take)
        query = "SELECT * FROM tickets WHERE status = 'open' ORDER BY received LIMIT 50"
        first = median(lambda: database.execute(query).fetchall())
        point = _point(rate, first, Path(folder))
        database.close()
        return point


def _rate(take: Callable[[str, str], object]) -> float:
    tickets = [(f"g{number}", text) for number, text in enumerate(texts_of(CHARACTERS, _GIVEN))]
    began = time.perf_counter()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(lambda ticket: take(*ticket), tickets))
    return len(tickets) / (time.perf_counter() - began)


def _point(rate: float, first: float, folder: Path) -> dict[str, float]:
    size_mb = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    return {"intake/s": rate, "first page of the queue, ms": 1000 * first, "file, MB": size_mb, "MB": peak_mb()}
