"""Archive scoring beside the local engine, and the arithmetic from one core to 10⁹ tickets.

`python benchmarks/archive.py [--bundle artifacts/champion] [--rows 4000] [--write docs/archive.md]` (extra `ray`). The rows are our
samples again and again, in Parquet files of equal size; both engines write Parquet, and the results are compared.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from page import publish

from model.policy import load_policy
from training.dataset import read_labelled

_FILES = 8
_ARCHIVE = 1_000_000_000
_NODE_CORES = 32
_TRIAGE = [sys.executable, "-c", "from triage.cli.main import run; run()", "predict"]


def main() -> None:
    """Measure, compare, print a page, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("artifacts/champion"))
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        source, characters = _archive(Path(folder) / "in", arguments.rows)
        single = _archive(Path(folder) / "single", 1)[0]
        start = _local(single, Path(folder) / "start", arguments.bundle)
        one = _local(source, Path(folder) / "local", arguments.bundle) - _FILES * start
        ray = _seconds(
            str(source), "--engine", "ray", "--bundle", str(arguments.bundle), "--output", str(Path(folder) / "ray")
        )
        again = _seconds(
            str(source), "--engine", "ray", "--bundle", str(arguments.bundle), "--output", str(Path(folder) / "ray")
        )
        same, size = _compare(Path(folder) / "local", Path(folder) / "ray")
    rate, fast = arguments.rows / one, arguments.rows / ray
    days = _ARCHIVE / rate / 86_400
    lines = [
        "# Archives", "",
        f"Made by `python benchmarks/archive.py --write docs/archive.md` with {arguments.rows:,} rows in {_FILES} Parquet files, on average "
        f"{characters:.0f} characters, {cores} cores, load {os.getloadavg()[0]:.1f}.", "",
        "| figure | value |", "|---|---|",
        f"| local engine, one core: tickets/s, its start of {start:.1f} s a file taken off | {rate:.0f} |",
        f"| Ray on {cores} cores: tickets/s, start of Ray and of its actors included | {fast:.0f} |",
        f"| the same command again (all parts kept): s | {again:.0f} |",
        f"| cells of the result that differ from the local engine's | {same} |",
        f"| bytes of a result row in Parquet | {size:.0f} |", "",
        "## From one core to 10⁹ tickets", "",
        f"- One core does {rate:.0f} tickets/s, so 10⁹ tickets cost {_ARCHIVE / rate / 3600:,.0f} core hours: {days:,.0f} days of one core, "
        f"{days / _NODE_CORES:,.1f} days of one machine of {_NODE_CORES} cores, {24 * days / _NODE_CORES / 16:,.1f} hours of sixteen. Parts are "
        "independent and an actor holds everything it needs, so what is lost to more machines is their start and the last part's wait "
        "(a part of 20,000 rows of one file; a file of a folder).",
        f"- Results: {size * _ARCHIVE / 1e9:,.0f} GB of Parquet. Memory: one bundle an actor, 0.5 GB, so 16 GB for {_NODE_CORES} actors.",
        "- Reading is not the limit: Parquet and CSV are read at above 50,000 rows/s a core. Cut an archive into files of 20,000 to "
        "200,000 rows: a folder's file is one part, and a part that was cut off begins anew.",
        "- Assumed and not measured here: more than one machine, and network storage. The next bottleneck there is the storage.",
    ]  # fmt: skip
    publish(lines, arguments.write)


def _archive(folder: Path, rows: int) -> tuple[Path, float]:
    folder.mkdir()
    texts = [ticket.text for ticket in read_labelled([Path("data/samples")], load_policy().taxonomy).tickets]
    chosen = [texts[n % len(texts)] for n in range(rows)]
    each = -(-rows // _FILES)
    for number in range(min(_FILES, rows)):
        pd.DataFrame({"content": chosen[number * each : (number + 1) * each]}).to_parquet(folder / f"{number}.parquet")
    return folder, sum(map(len, chosen)) / rows


def _local(source: Path, output: Path, bundle: Path) -> float:
    """Seconds on one core, all files one after the other."""
    output.mkdir()
    core = min(os.sched_getaffinity(0))
    command = ["taskset", "--cpu-list", str(core), *_TRIAGE]
    began = time.perf_counter()
    for path in sorted(source.iterdir()):
        words = [str(path), "--bundle", str(bundle), "--output", str(output / f"{path.name}.parquet")]
        subprocess.run([*command, *words], check=True, capture_output=True)
    return time.perf_counter() - began


def _seconds(*words: str) -> float:
    began = time.perf_counter()
    subprocess.run([*_TRIAGE, *words], check=True, capture_output=True)
    return time.perf_counter() - began


def _compare(one: Path, two: Path) -> tuple[int, float]:
    different = rows = size = 0
    for path in sorted(one.iterdir()):
        first, second = pd.read_parquet(path), pd.read_parquet(two / path.name)
        different += int((first.fillna("") != second.fillna("")).to_numpy().sum())
        rows, size = rows + len(second), size + (two / path.name).stat().st_size
    return different, size / rows


if __name__ == "__main__":
    main()
