"""How long retraining takes, and what a warm start costs in quality.

`python benchmarks/retrain.py [--work artifacts/retrain] [--write docs/retrain.md]`: the commands a person would type.
`triage train` fits the cascade on the train side of data/samples; `triage retrain` then learns the dev side as a new
batch (six authors it never met; a quarter is kept back), from scratch, with `--warm`, and with the linear classifier.
All challengers are compared on the fixed test side, whose authors none has met. Finished steps are not run again.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from page import publish
from sklearn.metrics import f1_score

from model.bundle import load_bundle
from model.pipeline import Pipeline
from model.taxonomy import FLAGS
from training.bootstrap import Rows, intervals, macro_f1_of
from training.dataset import read_labelled
from training.evaluated import Evaluated, run
from training.gate import Tolerances, judge_challenger

_TRIAGE = Path(sys.executable).parent / "triage"
_JUDGED = 450
SCRATCH, WARM = "cascade from scratch", "cascade, --warm"
_WAYS = {
    SCRATCH: ["--classifier", "cascade"],
    WARM: ["--classifier", "cascade", "--warm"],
    "linear": ["--classifier", "linear"],
}


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("artifacts/retrain"))
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    work = arguments.work
    base, batch = _files(work)
    champion = work / "champion"
    training = ["train", "--data", str(base), "--classifier", "cascade", "--output", str(champion), "--work", str(work / "runs")]
    seconds = {"train": _timed("train", training, work)}
    for way, options in _WAYS.items():
        asked = ["retrain", "--labels", str(batch), "--data", str(base), "--tracking", f"sqlite:///{work}/mlflow.db", *options]
        seconds[way] = _timed(way, asked, work)
    publish(_page(work, champion, seconds), arguments.write)


def _files(work: Path) -> tuple[Path, Path]:
    """The samples without the dev side, and the dev side as a batch."""
    work.mkdir(parents=True, exist_ok=True)
    base, batch = work / "base.jsonl", work / "batch.jsonl"
    lines = [line for path in sorted(Path("data/samples").glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    rows = [json.loads(line) for line in lines if line.strip()]
    for path, kept in ((base, lambda row: row["split"] != "dev"), (batch, lambda row: row["split"] == "dev")):
        chosen = [{**row, "split": "train"} if path is batch else row for row in rows if kept(row)]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen), encoding="utf-8")
    return base, batch


def _timed(way: str, command: Sequence[str], work: Path) -> float:
    """Seconds that a command took, now or when it was run before."""
    done = _note(work, way)
    if not done.is_file():
        before = set((work / "challengers").glob("*"))
        start = time.perf_counter()
        code = subprocess.run([_TRIAGE, *command], env=os.environ | {"TRIAGE_BUNDLE": str(work / "champion")}).returncode
        took = time.perf_counter() - start
        made = sorted(map(str, set((work / "challengers").glob("*")) - before))
        if code not in (0, 1) or (command[0] == "retrain" and len(made) != 1):
            raise SystemExit(f"{' '.join(command)}: exit {code}, challengers {made}")
        done.write_text(json.dumps({"seconds": took, "challenger": made, "accepted": code == 0}), encoding="utf-8")
    return float(json.loads(done.read_text("utf-8"))["seconds"])


def _page(work: Path, champion: Path, seconds: dict[str, float]) -> list[str]:
    own = load_bundle(champion)
    held = [t for t in read_labelled([work / "base.jsonl"], own.policy.taxonomy).tickets if t.split == "test"]
    told = {way: _told(work, way) for way in _WAYS}
    bundles = {"before the batch": own, **{way: load_bundle(Path(told[way]["challenger"][0]) / "bundle") for way in _WAYS}}
    found = {way: run(Pipeline(bundle.policy, bundle), held) for way, bundle in bundles.items()}
    scratch, warm = bundles[SCRATCH], found[WARM]
    start = time.perf_counter()
    sides = Pipeline(own.policy, own), Pipeline(scratch.policy, scratch)
    judge_challenger(*sides, {"frozen": tuple(held[:_JUDGED])}, Tolerances.read(), data="benchmark")
    gate = time.perf_counter() - start
    change = {"leaf": lambda rows: _leaf(warm, rows) - _leaf(found[SCRATCH], rows)}
    everything = np.arange(len(held))
    low, high = intervals(change, held, rounds=1000, seed=0)["leaf"] or (np.nan, np.nan)
    rows = [
        f"| {way} | {_minutes(seconds.get(way))} | {_leaf(data, everything):.3f} | {_flags(data):.3f} | {_verdict(told.get(way))} |"
        for way, data in found.items()
    ]
    learned = own.manifest["data"]["tickets"]
    batch = len((work / "batch.jsonl").read_text("utf-8").splitlines())
    return [
        "# Retraining", "",
        f"Made by `python benchmarks/retrain.py --write docs/retrain.md` on {os.cpu_count()} cores: `triage train` on {learned} "
        f"tickets, then `triage retrain` with a batch of {batch} by six other authors, a quarter kept back; figures on the "
        f"{len(held)} tickets of the fixed test, whose authors none has met. Times are of whole commands, with reading, gate and verdict.",
        "", f"`triage train --classifier cascade`: {_minutes(seconds['train'])} minutes (bar 30).", "",
        "| retraining | minutes | leaf macro-F1 | mean flag F1 | gate |", "|---|---|---|---|---|", *rows, "",
        f"Bars: cascade 30 minutes, linear 1 minute. The warm start is {seconds[SCRATCH] / seconds[WARM]:.1f} times as fast as from "
        f"scratch (bar 3); leaf macro-F1 {change['leaf'](everything) * 100:+.2f} points (95 % by author {low * 100:+.2f} to "
        f"{high * 100:+.2f}; bar ±0.5). The gate alone on {_JUDGED} tickets, both bundles being cascades: {gate:.1f} s (bar 60).", "",
        "`--warm` goes on from the champion's weights for three epochs at the usual rates (two at half the rates were tried first: "
        "8.2 times as fast, -0.61 points, -1.27 to -0.01). Confidences of tickets known before "
        "stay those that were measured out of fold by author at the last training from scratch; new tickets are scored by the "
        "champion's encoder, which had not met them. Train from scratch every few batches, and always after tickets were "
        "deleted: `--warm` refuses then.",
    ]  # fmt: skip


def _note(work: Path, way: str) -> Path:
    """Where it is written down that a step is done."""
    return work / f"{way.replace(' ', '-').replace(',', '')}.json"


def _told(work: Path, way: str) -> dict[str, Any]:
    return dict(json.loads(_note(work, way).read_text("utf-8")))


def _minutes(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / 60:.1f}"


def _verdict(told: dict[str, Any] | None) -> str:
    return "" if told is None else "accepted" if told["accepted"] else "refused"


def _leaf(found: Evaluated, rows: Rows) -> float:
    return macro_f1_of(found.gold, found.found)(rows)


def _flags(found: Evaluated) -> float:
    """Mean F1 of the four flags."""
    return float(np.mean([f1_score(found.labelled(flag), found.raised(flag)) for flag in FLAGS]))


if __name__ == "__main__":
    main()
