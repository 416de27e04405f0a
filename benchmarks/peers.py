"""Peers in one run: quality and cost beside what anybody would try first.

`python benchmarks/peers.py [--messages FILE] [--cascade DIR] [--full] [--write docs/peers.md]`; needs the extra
`peers`. On data/samples, and where outside texts are given (`--messages` or `TRIAGE_BENCH_DATA`) on the two benchmarks
that lie beside them. Each peer has 20 minutes and 1,500 training rows unless `--full`. Prints no text.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from page import publish
from peer_page import Column, draw, page
from peer_run import PEERS, Run
from peer_tasks import OURS, OUTSIDE, names

_ROWS, _MINUTES, _ROWS_IN_SMOKE = 1500, 20.0, 120
_WORKER = Path(__file__).with_name("peer_run.py")
_PIP = "pip install 'complaint-triage[train,peers]'"


def main() -> int:
    """Measure, print tables, write page and picture where asked.

    Returns:
        1 where a peer failed (running out of time, or not being installed, is no failure), else 0.
    """
    arguments = _arguments()
    tasks = [name for name in names(arguments.messages) if name in arguments.tasks]
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        columns = [_column(name, folder, arguments) for name in tasks]
    publish(page(columns, _protocol(arguments)), arguments.write)
    if arguments.write:
        draw(columns, arguments.write.with_suffix(".svg"))
    return int(any(result.get("failed", "").startswith("failed") for c in columns for result in c.results.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=Path)
    parser.add_argument(
        "--cascade", type=Path, help="a cascade bundle, trained on the same rows; else one is trained here"
    )
    parser.add_argument("--full", action="store_true", help="all training rows and no time limit")
    parser.add_argument("--minutes", type=float, default=_MINUTES, help="time of each peer on each task")
    parser.add_argument("--smoke", action="store_true", help="120 rows and hardly any training: does it run?")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--tasks", nargs="+", choices=(OURS, *OUTSIDE), default=(OURS, *OUTSIDE))
    parser.add_argument("--keep", type=Path, help="folder of results; those that are there are not measured again")
    parser.add_argument("--write", type=Path, help="Markdown file for all figures; the picture goes beside it")
    return parser.parse_args()


def _column(task: str, folder: Path, arguments: argparse.Namespace) -> Column:
    rows = None if arguments.full else _ROWS_IN_SMOKE if arguments.smoke else _ROWS
    results, opened = {}, None
    for peer in arguments.peers:
        texts, bundle = arguments.messages, arguments.cascade
        run = Run(peer, task, rows, arguments.smoke, str(texts) if texts else None, str(bundle) if bundle else None)
        opened = opened or run.open()
        results[peer] = _result(run, folder, opened.digest, None if arguments.full else arguments.minutes)
        print(f"{task}, {peer}: {results[peer].get('failed') or 'measured'}", file=sys.stderr, flush=True)
    return Column(opened, results, rounds=50 if arguments.smoke else 1000)


def _result(run: Run, folder: Path, digest: str, minutes: float | None) -> dict[str, Any]:
    """What the worker measured, now or before on the same rows; or `failed` with the reason."""
    missing = [name for name in PEERS[run.peer].needs if find_spec(name) is None]
    if missing:
        return {"failed": f"not installed: {_PIP}"}
    name = f"{run.task}-{run.peer}-{'smoke' if run.smoke else run.rows or 'full'}"
    kept = folder / f"{name}.json"
    if not kept.is_file() or json.loads(kept.read_text(encoding="utf-8"))["digest"] != digest:
        with tempfile.TemporaryDirectory() as work, (folder / f"{name}.log").open("w", encoding="utf-8") as log:
            command = [sys.executable, str(_WORKER), json.dumps(asdict(run)), work, str(kept)]
            environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
            limit = minutes * 60 if minutes else None
            try:
                subprocess.run(command, check=True, timeout=limit, stdout=log, stderr=log, env=environment)
            except subprocess.TimeoutExpired:
                return {"failed": f"not done in {minutes:g} minutes"}
            except subprocess.CalledProcessError as error:
                return {"failed": f"failed with exit status {error.returncode}"}
    return dict(json.loads(kept.read_text(encoding="utf-8")))


def _protocol(arguments: argparse.Namespace) -> str:
    limits = f"{arguments.minutes:g} minutes and {_ROWS:,} training rows"
    if arguments.full:
        limits = "all training rows and no time limit"
    if arguments.smoke:
        limits = f"{_ROWS_IN_SMOKE} training rows and hardly any training: **a smoke run, whose figures mean nothing**"
    return (
        f"Made by `python benchmarks/peers.py{' --full' if arguments.full else ''} --write docs/peers.md`. "
        f"Each peer has on each task {limits}, in a process of its own on {os.cpu_count()} cores."
    )


if __name__ == "__main__":
    sys.exit(main())
