"""The running service under load: durable intake, predictions beside peers, the health page, memory.

`python benchmarks/load.py [--bundle DIR] [--postgres URL] [--peers [PYTHON]] [--weights DIR] [--minutes N]
[--write docs/load.md]`. Clients run on the same cores as the servers. `--peers` needs a bundle with an encoder; LitServe runs
where PYTHON (default: this one) has it: `python -m venv DIR && DIR/bin/pip install litserve onnxruntime tokenizers`.
`--weights` is the `weights-…` folder of the run that the encoder was trained in; `transformers.pipeline` serves it, and beside
it the packaged encoder with all its layers, as plain fine-tuning takes it (its speed is that of a trained one).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from load_client import Measured, Probe, Work, closed, once, steady
from load_servers import Server, has_encoder, ours, peer
from own_database import own_database
from page import publish

_BARS = {"sqlite": 150, "postgresql": 300}
_LIVEZ_BAR, _P99_BAR = 50, 200  # milliseconds
_BUSY = 0.7  # load average of other programs above which figures are not worth keeping
_TAKING_IN = (8, 32)  # clients that send at once
_CONCURRENT = (1, 2, 4, 8, 16, 32)
Rows = list[tuple[str, str]]


def main() -> None:
    """Measure, print a table, write it where asked."""
    from outside import SAMPLES  # at need only: each client process loads this file

    from model.policy import load_policy
    from training.dataset import read_labelled
    from triage.compose import bundle_folder
    from triage.settings import Settings

    arguments = _arguments()
    texts = [ticket.text for ticket in read_labelled([SAMPLES], load_policy().taxonomy).tickets]
    bundle = bundle_folder(Settings(), arguments.bundle)
    busy = os.getloadavg()[0]
    rows: Rows = [("bundle", _named(bundle)), ("load of the machine before", f"{busy:.1f}")]
    with tempfile.TemporaryDirectory() as folder:
        if arguments.minutes:
            rows += _memory(bundle, f"sqlite:///{folder}/memory.db", texts, arguments)
            publish(["# Memory under load", "", _made(arguments, texts), "", *_table(rows)], arguments.write)
            return
        rows += _intake("sqlite", f"sqlite:///{folder}/intake.db", bundle, texts, arguments)
        if arguments.postgres:
            with own_database(arguments.postgres, "load") as url:
                rows += _intake("postgresql", url, bundle, texts, arguments)
        rows += _predictions(bundle, f"sqlite:///{folder}/predict.db", texts, arguments)
    lines = ["# Load", "", _made(arguments, texts), ""]
    if busy > _BUSY:
        lines += ["**Other programs kept this machine busy meanwhile: these figures are too low. Run it again.**", ""]
    publish([*lines, *_table(rows)], arguments.write)


def _made(arguments: argparse.Namespace, texts: list[str]) -> str:
    how = f"--minutes {arguments.minutes:g} " if arguments.minutes else ""
    page = arguments.write or "FILE"
    return (
        f"Made by `python benchmarks/load.py {how}--write {page}` on {os.cpu_count()} cores, clients (http.client, "
        f"2 processes; {arguments.clients} at a time where no number is said) on the same cores; {len(texts)} texts of our samples; Linux "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}."
    )


def _table(rows: Rows) -> list[str]:
    return ["| figure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--postgres", help="URL of a server; a database of its own is made there and dropped")
    parser.add_argument("--peers", nargs="?", type=Path, const=Path(sys.executable), help="interpreter with litserve")
    parser.add_argument("--weights", type=Path, help="trained weights, for the peer `transformers`")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement of the intake")
    parser.add_argument("--level", type=float, default=6, help="seconds at each number of clients")
    parser.add_argument("--minutes", type=float, default=0, help="only the memory, under so many minutes of mixed load")
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    return parser.parse_args()


def _named(bundle: Path | None) -> str:
    return json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["id"] if bundle else "none: rules"


def _intake(kind: str, store: str, bundle: Path | None, texts: list[str], arguments: argparse.Namespace) -> Rows:
    """Tickets a second that are in the store before they are answered; every answer is counted there afterwards."""
    from sqlalchemy import create_engine, text

    bodies = [{"content": content, "org": {"county": "安平县", "station": "城关供电所"}} for content in texts]
    with ours(bundle, store) as server:
        closed(Work(server.url, "/v1/tickets", bodies, "W"), arguments.clients, 3)  # warm
        with Probe(server.url) as probe:
            levels = [
                (clients, closed(Work(server.url, "/v1/tickets", bodies, f"L{clients}"), clients, arguments.seconds))
                for clients in _TAKING_IN
            ]
    engine = create_engine(store)
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT count(*) FROM tickets WHERE ticket_id LIKE 'L%'")).scalar_one()
    engine.dispose()
    statuses = sum((found.statuses for _, found in levels), Counter())
    if set(statuses) != {"201"} or stored < statuses["201"]:
        raise SystemExit(f"{kind}: {dict(statuses)} answers, {stored} stored")
    rows: Rows = []
    for clients, found in levels:
        name = f"{kind}, {clients} clients"
        rows.append((f"{name}: durable intake over HTTP, tickets/s (bar {_BARS[kind]})", f"{found.rate:.0f}"))
        rows.append((f"{name}: p50 / p99 ms of an answer", _times(found)))
    return [*rows, (f"{kind}: /livez p99 ms meanwhile (bar {_LIVEZ_BAR})", _worst(probe))]


def _predictions(bundle: Path | None, store: str, texts: list[str], arguments: argparse.Namespace) -> Rows:
    bodies = [{"text": content} for content in texts]
    with ours(bundle, store) as server:
        rows, mine = _server("ours", server, "/v1/predict", bodies, arguments)
    if not arguments.peers:
        return [*rows, ("peers", "left out: no --peers")]
    if bundle is None or not has_encoder(bundle):
        return [*rows, ("peers", "left out: the bundle holds no encoder for them to serve")]
    mine_too = Path(sys.executable)
    peers = [("fastapi", "", mine_too, bundle), ("litserve", "", arguments.peers, bundle)]
    if arguments.weights:
        peers.insert(0, ("transformers", " (our layers)", mine_too, arguments.weights))
        peers.insert(
            0, ("transformers", " (whole encoder)", mine_too, _whole(texts, Path(store.partition("///")[2]).parent))
        )
    for kind, variant, python, folder in peers:
        if kind == "litserve" and subprocess.run([python, "-c", "import litserve"], capture_output=True).returncode:
            rows.append(("litserve", f"left out: {python.name} has no litserve"))
            continue
        try:
            with peer(kind, folder, python) as server:
                more, theirs = _server(f"peer {kind}{variant}, encoder only", server, "/predict", bodies, arguments)
        except SystemExit as error:  # the other figures are worth having all the same
            rows.append((f"peer {kind}{variant}", str(error)))
            continue
        rows += [
            *more,
            (f"ours / {kind}{variant}, tickets/s", f"{mine / theirs:.2f}" if theirs else "peer never within the bar"),
        ]
    return rows


def _whole(texts: list[str], folder: Path) -> Path:
    """The packaged encoder with all its layers, as plain fine-tuning takes it."""
    from training.pretrained import pretrained

    return pretrained(None, texts, folder / "whole").folder


def _server(
    name: str, server: Server, path: str, bodies: list[dict[str, str]], arguments: argparse.Namespace
) -> tuple[Rows, float]:
    """The most that a server answers within the bar, and how quickly it answers at half of that."""
    work = Work(server.url, path, bodies)
    closed(work, 4, 3)  # warm
    probe_page = "/livez" if "litserve" not in name else "/health"
    with Probe(server.url, probe_page) as probe:
        levels = [(clients, closed(work, clients, arguments.level)) for clients in _CONCURRENT]
    within = [(clients, found) for clients, found in levels if found.percentile(0.99) <= _P99_BAR and _all_good(found)]
    if not within:
        worst = levels[0][1]
        return [(f"{name}: p99 ms with one client (bar {_P99_BAR} missed)", f"{worst.percentile(0.99):.0f}")], 0.0
    clients, best = max(within, key=lambda one: one[1].rate)
    half = steady(work, best.rate / 2, 2 * arguments.level)
    return [
        (f"{name}: tickets/s at p99 <= {_P99_BAR} ms ({clients} clients)", f"{best.rate:.0f}"),
        (f"{name}: p50 / p99 ms there", _times(best)),
        (f"{name}: p50 / p99 ms at half of it, steady", _times(half)),
        (f"{name}: {probe_page} p99 ms under up to {_CONCURRENT[-1]} clients", _worst(probe)),
    ], best.rate


def _memory(bundle: Path | None, store: str, texts: list[str], arguments: argparse.Namespace) -> Rows:
    """Resident memory under a mixed load: intake, predictions, the health page, a reload now and then."""
    bodies = [{"content": content} for content in texts]
    seen: list[float] = []
    with ours(bundle, store) as server, ExitStack() as stack:
        ended = threading.Event()
        stack.callback(ended.set)
        closed(Work(server.url, "/v1/predict", bodies), arguments.clients, 5)
        threading.Thread(target=_sample, args=(server, seen, ended), daemon=True).start()
        statuses = []
        end, part = time.monotonic() + arguments.minutes * 60, min(15.0, arguments.minutes * 15)
        while time.monotonic() < end:
            found = closed(Work(server.url, "/v1/tickets", bodies, f"M{len(statuses)}"), arguments.clients, part)
            more = closed(Work(server.url, "/v1/predict", bodies), arguments.clients, part)
            reload = [once(Work(server.url, "/v1/model/reload", [{}]))] if bundle else []
            statuses.append(found.statuses + more.statuses + Counter(reload))
    total = sum(statuses[1:], statuses[0])
    if set(total) - {"200", "201"}:
        raise SystemExit(f"mixed load: {dict(total)}")
    quarters = [max(seen[len(seen) * n // 4 : len(seen) * (n + 1) // 4 or 1]) for n in range(4)]
    growth = ", ".join(f"{b - a:+.0f}" for a, b in pairwise(quarters))
    return [
        (f"memory over {arguments.minutes:g} min of mixed load with reloads: requests", str(sum(total.values()))),
        ("resident MB, highest in each quarter", " / ".join(f"{value:.0f}" for value in quarters)),
        ("growth from quarter to quarter, MB", growth),
    ]


def _sample(server: Server, seen: list[float], ended: threading.Event) -> None:
    while not ended.wait(1):
        seen.append(server.resident())


def _all_good(found: Measured) -> bool:
    return all(status.startswith("2") for status in found.statuses)


def _times(found: Measured) -> str:
    return f"{found.percentile(0.5):.1f} / {found.percentile(0.99):.1f}"


def _worst(probe: Probe) -> str:
    times = probe.times
    return f"{times[int(len(times) * 0.99)] * 1000:.1f}" if times else "never answered"


if __name__ == "__main__":
    main()
