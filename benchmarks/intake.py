"""Durable intake: tickets a second that are masked, predicted, routed, committed and answered, by N threads at once.

`python benchmarks/intake.py [--bundle DIR] [--postgres URL] [--clients N] [--tickets N] [--rounds N] [--write docs/intake.md]`;
SQLite always, PostgreSQL where a URL is given (a database of its own is made there and dropped). No HTTP: what the store
costs. The peer, in the same rounds, does each ticket by itself: one prediction, one transaction. Every ticket has an id of
its own; after each round the store is counted.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from own_database import own_database
from page import publish
from sqlalchemy import func, select

from model.pipeline import Pipeline
from model.policy import load_policy
from serving.intake import Incoming, Intake, incoming_from
from serving.store.database import Database
from serving.store.tables import OutboxMessage, StoredTicket
from serving.store.tickets import add
from serving.store.upgrade import upgrade
from serving.store.writer import TicketWriter
from training.dataset import read_labelled
from triage.compose import build_pipeline
from triage.settings import Settings

SAMPLES = Path("data/samples")
_BARS = {"sqlite": 150, "postgresql": 300}
Take = Callable[[Incoming], object]


class Store:
    """A new store with an intake; counts what it was given.

    Args:
        url: of an empty database.
        pipeline: predicts.
    """

    def __init__(self, url: str, pipeline: Pipeline) -> None:
        self.database = Database(url)
        upgrade(self.database)
        self.kind = self.database.engine.dialect.name
        self.intake = Intake(TicketWriter(self.database), pipeline, b"benchmark", 1, lambda: datetime.now(UTC))
        self.ours: list[tuple[float, list[float]]] = []
        self.alone: list[tuple[float, list[float]]] = []
        self._given = 0

    def together(self, incoming: Incoming) -> None:
        """As the service does it."""
        self.intake.take_in(incoming, "benchmark")

    def by_itself(self, incoming: Incoming) -> None:
        """As one would at first."""
        new = self.intake.make([self.intake._arrival(incoming, "benchmark")])
        with self.database.write() as session:
            add(session, self.intake.complete(session, new))

    def round(self, texts: list[str], clients: int) -> None:
        """Measure both ways, one after the other."""
        self.ours.append(self._measured(self.together, texts, clients))
        self.alone.append(self._measured(self.by_itself, texts[: len(texts) // 4], clients))

    def _measured(self, take: Take, texts: list[str], clients: int) -> tuple[float, list[float]]:
        def one(incoming: Incoming) -> float:
            began = time.perf_counter()
            take(incoming)
            return (time.perf_counter() - began) * 1000

        tickets = [_incoming(self._given + number, content) for number, content in enumerate(texts)]
        self._given += len(tickets)
        began = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            times = list(pool.map(one, tickets))
        seconds = time.perf_counter() - began
        with self.database.read() as session:
            stored = session.scalar(select(func.count()).select_from(StoredTicket))
            sent = func.count(OutboxMessage.ticket_id.distinct())
            routed = session.scalar(select(sent).where(OutboxMessage.kind == "routed"))
        if (stored, routed) != (self._given, self._given):
            raise SystemExit(f"{self.kind}: {stored} tickets and {routed} routed of {self._given}")
        return len(texts) / seconds, times

    def rows(self) -> list[str]:
        """Lines of the table."""
        ratio = statistics.median(a / b for (a, _), (b, _) in zip(self.ours, self.alone, strict=True))
        ours = f"| {self.kind} (bar {_BARS[self.kind]}) | {_rates(self.ours)} | {_times(self.ours)} | {ratio:.1f} |"
        return [ours, f"| {self.kind}, peer: each ticket by itself | {_rates(self.alone)} | {_times(self.alone)} | |"]


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--postgres")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--tickets", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    pipeline, busy = build_pipeline(Settings(), arguments.bundle), os.getloadavg()[0]
    pipeline.warm()
    labelled = [ticket.text for ticket in read_labelled([SAMPLES], load_policy().taxonomy).tickets]
    texts = [labelled[number % len(labelled)] for number in range(arguments.tickets)]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        urls = [f"sqlite:///{folder}/store.db"]
        if arguments.postgres:
            urls.append(stack.enter_context(own_database(arguments.postgres, "bench")))
        stores = [Store(url, pipeline) for url in urls]
        predicting = []
        for _ in range(arguments.rounds):
            predicting.append(_predicting(pipeline, texts[:500]))
            for store in stores:
                store.round(texts, arguments.clients)
        for store in stores:
            store.database.close()
    lines = [
        "# Durable intake",
        "",
        f"Made by `python benchmarks/intake.py --write docs/intake.md` on {os.cpu_count()} cores,",
    ]
    lines += [f"{len(texts)} tickets of our samples a round, {arguments.rounds} rounds (median, lowest–highest),"]
    lines += [f"{arguments.clients} threads, answered by {pipeline.level}; load of the machine before: {busy:.1f}.", ""]
    lines += ["| store | tickets/s | p50 / p99 ms | ours / peer |", "|---|---|---|---|"]
    lines += [line for store in stores for line in store.rows()]
    alone = f"{statistics.median(predicting):.0f} ({min(predicting):.0f}–{max(predicting):.0f})"
    publish([*lines, f"| none: predicted one at a time in one thread | {alone} | | |"], arguments.write)


def _predicting(pipeline: Pipeline, texts: list[str]) -> float:
    incoming = [_incoming(number, content).ticket for number, content in enumerate(texts)]
    began = time.perf_counter()
    for ticket in incoming:
        pipeline.predict([ticket])
    return len(incoming) / (time.perf_counter() - began)


def _rates(rounds: list[tuple[float, list[float]]]) -> str:
    rates = [rate for rate, _ in rounds]
    return f"{statistics.median(rates):.0f} ({min(rates):.0f}–{max(rates):.0f})"


def _times(rounds: list[tuple[float, list[float]]]) -> str:
    times = sorted(time for _, found in rounds for time in found)
    return f"{statistics.median(times):.1f} / {times[int(len(times) * 0.99)]:.1f}"


def _incoming(number: int, content: str) -> Incoming:
    return incoming_from(
        {
            "ticket_id": f"B{number:07}",
            "content": content,
            "accepted_at": "2026-11-23T08:30:00+08:00",
            "contact": f"138{number:08}",
            "org": {"county": "安平县", "station": "城关供电所"},
        }
    )


if __name__ == "__main__":
    main()
