"""The monthly report from a store of 100,000 tickets: seconds for each part and each format.

`python benchmarks/report.py [--tickets N] [--write docs/report.md]`. The store is a SQLite file, filled with the texts of
data/samples (masked, with their labels as categories) at times of two years, places and callers drawn by seed; what is
timed begins with the stored tickets and ends with the file. Wall and processor time, as other work may run beside.
"""

import argparse
import os
import platform
import random
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from page import publish

from model.policy import load_policy
from model.privacy import mask
from model.taxonomy import FLAGS
from model.text import normalise
from model.ticket import CHINA, LabelledTicket
from model.workdays import add_working_days
from serving.reports.files import CONTENT
from serving.reports.monthly.build import monthly
from serving.store.columns import write_rows
from serving.store.tables import StoredCue, StoredPrediction, StoredTicket, TicketText
from training.dataset import read_labelled
from triage.compose import build_store
from triage.report_sources import Source, time_of
from triage.settings import Settings

SAMPLES = Path("data/samples")
FIRST, LAST = date(2024, 11, 1), date(2026, 11, 1)
_STATIONS = [(f"{county}县", f"{station}供电所") for county in ("安平", "清河", "东山", "西河") for station in
             ("城关", "河湾", "柳林", "石桥", "北岭", "南岸", "沙坪", "白马", "双溪", "青山")]  # fmt: skip
_BATCH, _BAR = 5_000, 20
Json = dict[str, Any]


def main() -> None:
    """Fill a store, measure, print a page, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=100_000)
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRIAGE_DATABASE_URL"] = f"sqlite:///{folder}/store.db"
        fill(arguments.tickets)
        rows = _measured()
    lines = [
        "# The monthly report, timed",
        "",
        "Made by `python benchmarks/report.py --write docs/report.md`: a SQLite store of",
    ]
    lines += [
        f"{arguments.tickets:,} tickets of two years at {len(_STATIONS)} stations, report of October 2026, on {os.cpu_count()} cores"
    ]
    lines += [
        f"(Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} while it ran). The bar is {_BAR} s for the whole report.",
        "",
    ]
    lines += ["| part | seconds | of these processor |", "|---|---|---|"]
    lines += [f"| {name} | {wall:.1f} | {cpu:.1f} |" for name, wall, cpu in rows]
    publish(lines, arguments.write)


def fill(number: int, seed: int = 11) -> None:
    """Write tickets into the configured store, in bulk.

    Args:
        number: of tickets.
        seed: of everything drawn.
    """
    draw = random.Random(seed)  # noqa: S311 - no secret
    samples = read_labelled([SAMPLES], load_policy().taxonomy).tickets
    texts = [mask(normalise(one.text).text).text for one in samples]
    database = build_store(Settings())
    for start in range(0, number, _BATCH):
        made = [_ticket(n, draw, samples, texts) for n in range(start, min(number, start + _BATCH))]
        with database.write() as session:
            for place, entity in enumerate((StoredTicket, TicketText, StoredPrediction)):
                write_rows(session, entity, [rows[place] for rows in made])
            write_rows(session, StoredCue, [cue for rows in made for cue in rows[3]])
    database.close()


def _ticket(
    number: int, draw: random.Random, samples: tuple[LabelledTicket, ...], texts: list[str]
) -> tuple[Json, Json, Json, list[Json]]:
    place = draw.randrange(len(samples))
    sample, ticket_id = samples[place], f"B{number:07}"
    at = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=CHINA) + timedelta(
        seconds=draw.randrange((LAST - FIRST).days * 86_400)
    )
    county, station = draw.choice(_STATIONS)
    closed = at + timedelta(days=draw.uniform(0.2, 9)) if draw.random() < 0.97 else None
    contacted = at + timedelta(hours=draw.uniform(0.2, 28)) if closed else None
    due = add_working_days(at, 5)
    ticket = {
        "ticket_id": ticket_id, "body_hash": "0" * 64, "received_at": at, "accepted_at": at, "channel": sample.channel,
        "biz_type": None, "city": "某市", "county": county, "station": station, "urban": None, "repeat_of": None,
        "caller": f"{draw.randrange(number // 3 + 90_000):064x}", "status": "closed" if closed else "open", "version": 1,
        "category": sample.category, "confidence": 0.9, "decision": "auto", "desk": "计量班", "queues": "|计量班|",
        "safety": sample.safety, "escalation": sample.escalation, "contact_due_at": at + timedelta(hours=24), "due_at": due,
        "arrive_by": None, "contacted_at": contacted, "closed_at": closed, "event_id": None, "delete_after": at + timedelta(days=900),
    }  # fmt: skip
    filing = (
        None
        if sample.filing in (None, "none")
        else {"code": sample.filing, "name": "", "basis": "suggested", "after_complaint": True}
    )
    flags = {flag: {"probability": 0.9, "raised": flag in sample.flags, "evidence": []} for flag in FLAGS}
    body = {"category": {"code": sample.category, "confidence": 0.9}, "flags": flags, "filing": filing, "evidence": []}
    cue = {
        "ticket_id": ticket_id,
        "state": "candidate",
        "unit": station,
        "raised_at": at,
        "changed_at": at,
        "version": 1,
    }
    cues = [{**cue, "flag": flag, "evidence": {}, "confirmed_by": {}} for flag in sorted(sample.flags)]
    prediction = {"ticket_id": ticket_id, "made_at": at, "bundle": "bench", "answered_by": "linear", "body": body}
    return ticket, {"ticket_id": ticket_id, "text": texts[place]}, prediction, cues


def _measured() -> list[tuple[str, float, float]]:
    rows: list[tuple[str, float, float]] = []

    def timed(name: str, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        done = work()
        rows.append((name, time.perf_counter() - wall, time.process_time() - cpu))
        return done

    asked = time_of(date(2026, 10, 1), date(2026, 11, 1), None)
    analysis, material = timed("reading the store and analysis", lambda: Source().of_time(asked))
    report = timed("sections", lambda: monthly(analysis, material))
    for kind in (".html", ".docx", ".xlsx"):
        timed(f"writing {kind}", lambda kind=kind: CONTENT[kind](report))
    whole = [row for row in rows if not row[0].startswith("writing") or row[0].endswith(".docx")]
    return [*rows, ("**the whole report as Word**", sum(row[1] for row in whole), sum(row[2] for row in whole))]


if __name__ == "__main__":
    main()
