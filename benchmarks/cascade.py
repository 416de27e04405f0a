"""What leaving early saves and costs, how fast a cascade is, and what of int8 shows.

`python benchmarks/cascade.py [--bundle artifacts/champion] [--write docs/cascade.md]`: the cascade of `make train` beside
the same bundle with the encoder for every ticket, and without the encoder, on the written tickets of dev and test.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from page import publish
from sklearn.metrics import f1_score

from model.bundle import Bundle, load_bundle
from model.calibration import Exits
from model.pipeline import Pipeline
from model.taxonomy import FLAGS
from model.ticket import LabelledTicket, Ticket
from training.dataset import read_labelled
from training.evaluated import Evaluated, run
from training.fit import truth

_BATCH = 256
_REPEATS = 5
_CUES = (*FLAGS, "safety", "escalation")


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("artifacts/champion"))
    parser.add_argument("--memory", action="store_true", help="only load, answer once, and print resident MB")
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.bundle)
    if bundle.second is None:
        raise SystemExit(f"{arguments.bundle} is no cascade; run `make train` first")
    if arguments.memory:
        print(_resident(bundle))
        return
    held = [t for t in read_labelled([Path("data/samples")], bundle.policy.taxonomy).tickets if t.split != "train"]
    ways = {
        "cascade": bundle,
        "encoder for every ticket": replace(bundle, second=replace(bundle.second, exits=Exits({}, {}))),
        "linear and rules": replace(bundle, second=None),
    }
    pipelines = {name: Pipeline(way.policy, way) for name, way in ways.items()}
    found = {name: run(pipeline, held) for name, pipeline in pipelines.items()}
    lines = [
        "# The cascade", "",
        f"Made by `python benchmarks/cascade.py --write docs/cascade.md` with {bundle.id} on the {len(held)} written tickets of "
        "dev and test, 2 cores. The packaged encoder is multilingual-e5-small with fewer layers and pieces.",
        "", *_table(found, pipelines, held), "",
        "The encoder reads one window at a time, so no result depends on the other rows. Resident after load and one batch: "
        f"{_measured_memory(arguments.bundle)} MB. Bundle: {_size(arguments.bundle):.1f} MB.",
    ]  # fmt: skip
    publish(lines, arguments.write)


def _table(found: dict[str, Evaluated], pipelines: dict[str, Pipeline], held: Sequence[LabelledTicket]) -> list[str]:
    rows = {
        "left before the encoder": [f"{np.mean([p.answered_by != 'encoder' for p in data.predictions]):.2f}" for data in found.values()],
        "leaf macro-F1": [f"{f1_score(data.gold, data.found, average='macro'):.3f}" for data in found.values()],
        **{f"{cue}: recall, precision": [_cue(data, cue) for data in found.values()] for cue in _CUES},
        **_speed(pipelines, [Ticket(t.text) for t in held]),
    }
    head = ["| figure | " + " | ".join(found) + " |", "|---|" + "---|" * len(found)]
    return head + [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows.items()]


def _cue(data: Evaluated, cue: str) -> str:
    gold = np.array([bool(truth(t, cue)) for t in data.tickets])
    raised = np.array([(p.flags[cue] if cue in FLAGS else getattr(p, cue)).raised for p in data.predictions])
    return f"{(gold & raised).sum() / gold.sum():.3f}, {(gold & raised).sum() / max(1, raised.sum()):.3f}"


def _speed(pipelines: dict[str, Pipeline], tickets: Sequence[Ticket]) -> dict[str, list[str]]:
    """Batches at about 90 characters, one ticket of about 150; the ways take turns, so that noise hits all alike."""
    near = sorted(tickets, key=lambda t: abs(len(t.content) - 90))[:_BATCH]
    single = sorted(tickets, key=lambda t: abs(len(t.content) - 150))[:100]
    rates: dict[str, list[float]] = {name: [] for name in pipelines}
    times: dict[str, list[float]] = {name: [] for name in pipelines}
    for pipeline in pipelines.values():
        pipeline.warm()
    for _ in range(_REPEATS):
        for name, pipeline in pipelines.items():
            began = time.perf_counter()
            pipeline.predict(near)
            rates[name].append(len(near) / (time.perf_counter() - began))
            for ticket in single:
                began = time.perf_counter()
                pipeline.predict([ticket])
                times[name].append(1000 * (time.perf_counter() - began))
    base = statistics.median(rates["encoder for every ticket"])
    return {
        "tickets/s in batches of 256, about 90 characters": [f"{statistics.median(r):.0f}" for r in rates.values()],
        "times as fast as the encoder for every ticket": [f"{statistics.median(r) / base:.2f}" for r in rates.values()],
        "one ticket of about 150 characters, p50 / p99, ms": [
            f"{np.quantile(t, 0.5):.1f} / {np.quantile(t, 0.99):.1f}" for t in times.values()
        ],
    }


def _resident(bundle: Bundle) -> int:
    pipeline = Pipeline(bundle.policy, bundle)
    pipeline.warm()
    pipeline.predict([Ticket("上个月电费比平时多了一倍,打了三次电话没人管," * 8)] * 64)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _measured_memory(folder: Path) -> str:
    command = [sys.executable, __file__, "--bundle", str(folder), "--memory"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


if __name__ == "__main__":
    main()
