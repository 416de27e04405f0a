"""Durable intake: tickets a second that are masked, predicted, routed, committed and answered, by N threads at once.

`python benchmarks/intake.py [--bundle DIR] [--postgres URL] [--clients N] [--tickets N] [--write docs/intake.md]`;
SQLite always, PostgreSQL where a URL is given (a database of its own is made there and dropped). No HTTP: what the
store costs. Every ticket has an id of its own; after each run the store is counted.
"""

import argparse
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
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
from serving.store.upgrade import upgrade
from serving.store.writer import TicketWriter
from training.dataset import read_labelled
from triage.compose import build_pipeline
from triage.settings import Settings

SAMPLES = Path("data/samples")
_BARS = {"sqlite": 150, "postgresql": 300}


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--postgres")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--tickets", type=int, default=2000)
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    pipeline = build_pipeline(Settings(), arguments.bundle)
    pipeline.warm()
    labelled = [ticket.text for ticket in read_labelled([SAMPLES], load_policy().taxonomy).tickets]
    texts = [labelled[number % len(labelled)] for number in range(arguments.tickets)]
    with tempfile.TemporaryDirectory() as folder:
        rows = [("alone, without store", _predicting(pipeline, texts), "")]
        rows.append(_measure(f"sqlite:///{folder}/store.db", pipeline, texts, arguments.clients))
    if arguments.postgres:
        with own_database(arguments.postgres, "bench") as url:
            rows.append(_measure(url, pipeline, texts, arguments.clients))
    lines = ["# Durable intake", "", "Made by `python benchmarks/intake.py --write docs/intake.md` on 2 cores,"]
    lines += [f"{len(texts)} tickets of our samples, {arguments.clients} threads, answered by {pipeline.level}.", ""]
    lines += ["| store | tickets/s | p50 / p99 ms |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]
    publish(lines, arguments.write)


def _predicting(pipeline: Pipeline, texts: list[str]) -> str:
    """One ticket at a time in one thread: the most that any store could reach in one process."""
    incoming = [_incoming(number, content).ticket for number, content in enumerate(texts[:500])]
    began = time.perf_counter()
    for ticket in incoming:
        pipeline.predict([ticket])
    return f"{len(incoming) / (time.perf_counter() - began):.0f}"


def _measure(url: str, pipeline: Pipeline, texts: list[str], clients: int) -> tuple[str, str, str]:
    database = Database(url)
    upgrade(database)
    intake = Intake(TicketWriter(database), pipeline, b"benchmark", retention_days=1, now=lambda: datetime.now(UTC))
    kind = database.engine.dialect.name

    def one(pair: tuple[int, str]) -> float:
        began = time.perf_counter()
        intake.take_in(_incoming(*pair), "benchmark")
        return (time.perf_counter() - began) * 1000

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = sorted(pool.map(one, enumerate(texts)))
    seconds = time.perf_counter() - began
    with database.read() as session:
        stored = session.scalar(select(func.count()).select_from(StoredTicket))
        routed = session.scalar(
            select(func.count(OutboxMessage.ticket_id.distinct())).where(OutboxMessage.kind == "routed")
        )
    database.close()
    if (stored, routed) != (len(texts), len(texts)):
        raise SystemExit(f"{kind}: {stored} tickets and {routed} routed of {len(texts)}")
    rate = f"{len(texts) / seconds:.0f} (bar {_BARS[kind]})"
    return kind, rate, f"{statistics.median(times):.1f} / {times[int(len(times) * 0.99)]:.1f}"


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
