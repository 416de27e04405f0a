"""How long an explanation takes, and what reading in one batch would save and cost.

`python benchmarks/explain.py [--bundle artifacts/champion] [--write docs/explain.md]`: a cascade on written tickets that it
never learned from; the encoder is asked for every ticket, which is the slow case. HTML is part of the time.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from page import publish

from model.bundle import load_bundle
from model.calibration import Exits
from model.document import Document, read
from model.encoder import Encoder
from model.occlusion import occlude
from model.pipeline import Pipeline
from model.ticket import Ticket
from training.dataset import read_labelled
from triage import Triage

_SAMPLES = Path("data/samples")
_LENGTHS = (60, 150)  # tokens
_TEXTS = 20
_REPEATS = 5
_SMALL = 8  # texts for the comparison with a batch


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("artifacts/champion"))
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.bundle)
    if bundle.second is None:
        raise SystemExit(f"{arguments.bundle} is no cascade; run `make train` first")
    texts = [t.text for t in read_labelled([_SAMPLES], bundle.policy.taxonomy).tickets if t.split != "train"]
    encoder, cascade = bundle.second.encoder, Pipeline(bundle.policy, bundle)
    always = replace(bundle, second=replace(bundle.second, exits=Exits({}, {})))
    ways = {
        "encoder": Triage(Pipeline(always.policy, always)),
        "linear": Triage(Pipeline(always.policy, replace(always, second=None))),
    }
    chosen = {length: _of_length(encoder, texts, length) for length in _LENGTHS}
    first = _seconds(lambda: [Triage(cascade).explain(texts[0])])
    lines = [
        "# Explanations", "",
        f"Made by `python benchmarks/explain.py --write docs/explain.md` with {bundle.id} on written tickets of dev and test, 2 cores: "
        f"`Triage.explain(text)` with its HTML, {_TEXTS} texts of each length, the best of {_REPEATS} times each "
        f"(load average at the start: {os.getloadavg()[0]:.0f}).", "",
        "| milliseconds, p50 / p95 | " + " | ".join(f"{length} tokens" for length in _LENGTHS) + " |", "|---|" + "---|" * len(_LENGTHS),
        *(_row(name, triage, chosen) for name, triage in ways.items()), "",
        f"The first explanation of a session also reads and indexes the labelled tickets: {first:.1f} s.", "",
        *_beside_a_batch(encoder, cascade, chosen),
    ]  # fmt: skip
    publish(lines, arguments.write)


def _of_length(encoder: Encoder, texts: Sequence[str], length: int) -> list[str]:
    """The texts whose number of tokens is nearest."""
    counts = [len(tokens) for tokens in encoder.tokens([read(Ticket(text)) for text in texts])]
    nearest = sorted(range(len(texts)), key=lambda row: abs(counts[row] - length))
    return [texts[row] for row in nearest[:_TEXTS]]


def _row(name: str, triage: Triage, chosen: dict[int, list[str]]) -> str:
    said = {
        "encoder": "the encoder reads it: words, clauses and words by occlusion, rules, three tickets",
        "linear": "linear bundle",
    }
    triage.explain(chosen[_LENGTHS[0]][0])  # the index is made once
    cells = []
    for texts in chosen.values():
        times = [
            min(_seconds(lambda t=text: triage.explain(t)._repr_html_()) for _ in range(_REPEATS)) * 1000
            for text in texts
        ]
        cells.append(f"{np.quantile(times, 0.5):.0f} / {np.quantile(times, 0.95):.0f}")
    return f"| {said[name]} | {' | '.join(cells)} |"


@dataclass
class _Batched:
    """The encoder, with all its texts in one padded batch; counts what it was asked."""

    encoder: Encoder
    seconds: float = 0.0
    serial: float = 0.0
    most: float = 0.0

    @property
    def classes_(self) -> np.ndarray:
        return self.encoder.classes_

    def scores(self, documents: Sequence[Document]) -> tuple[np.ndarray, np.ndarray]:
        began = time.perf_counter()
        alone, cues = self.encoder.scores(documents)
        middle = time.perf_counter()
        tokens = self.encoder.tokens(documents)
        width = max(map(len, tokens))
        ids = np.array([row + [0] * (width - len(row)) for row in tokens], np.int64)
        mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in tokens], np.int64)
        pooled = np.hstack(self.encoder._session.run(["mean", "most"], {"input_ids": ids, "attention_mask": mask}))
        together = (pooled @ self.encoder._weights + self.encoder._intercepts)[:, : len(self.classes_)]
        self.serial += middle - began
        self.seconds += time.perf_counter() - middle
        self.most = max(self.most, float(np.abs(together - alone).max()))
        return alone, cues


def _beside_a_batch(encoder: Encoder, pipeline: Pipeline, chosen: dict[int, list[str]]) -> list[str]:
    """Why occlusion reads one text after the other."""
    lines = ["| one text after the other, beside one padded batch | " + " | ".join(f"{length} tokens" for length in _LENGTHS) + " |",
             "|---|" + "---|" * len(_LENGTHS)]  # fmt: skip
    found = []
    for texts in chosen.values():
        batched = _Batched(encoder)
        for text in texts[:_SMALL]:
            leaf = pipeline.predict([Ticket(text)])[0].category.code
            occlude(batched, read(Ticket(text)), leaf, pipeline.bundle.classifier.segmenter)  # type: ignore[arg-type, union-attr]
        found.append(batched)
    times = [f"{1000 * b.serial / _SMALL:.0f} / {1000 * b.seconds / _SMALL:.0f}" for b in found]
    lines += [f"| milliseconds of all readings of a ticket, alone / in a batch | {' | '.join(times)} |"]
    lines += [
        f"| how far a leaf's value moves in a batch, at most | {' | '.join(f'{b.most:.2f}' for b in found)} |",
        "",
    ]
    return [*lines, "int8 scales its values by the largest of a batch, so in a batch they move with the rows beside them: by more than "
            "most words weigh (words below 0.1 are left out as noise). An explanation must fit the prediction, so each text is read "
            "alone, as it is served."]  # fmt: skip


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
