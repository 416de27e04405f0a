"""What a fine-tuned encoder adds to linear classifier and rules, on authors never met.

`python benchmarks/encoder.py [--layers 6] [--epochs 5] [--write docs/encoder.md]`; needs the extra `train`, and about
10 minutes on 2 idle cores. Weights of the joint are fitted on dev and judged on test, and the other way round.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from page import publish
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score

from model.calibration import CUES
from model.policy import load_policy
from training.dataset import read_labelled
from training.encoder_fit import examples, fit_encoder
from training.finetune import Collator, FinetuneSettings
from training.fit import FitSettings, Prepared, fit_classifier, prepare, truth
from training.pretrained import open_encoder, pretrained

POLICY = load_policy()
_SHARES = (0.0, 0.25, 0.5, 1.0)
Rows = np.ndarray[Any, Any]


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=FinetuneSettings().layers)
    parser.add_argument("--epochs", type=int, default=FinetuneSettings().epochs)
    parser.add_argument("--work", type=Path, default=Path("artifacts/runs/benchmark"))
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    settings = replace(FinetuneSettings(), layers=arguments.layers, epochs=arguments.epochs)
    data = prepare(read_labelled([Path("data/samples")], POLICY.taxonomy).tickets, POLICY)
    held = [row for row, ticket in enumerate(data.tickets) if ticket.split != "train"]
    began = time.perf_counter()
    encoder = _encoder(data, held, settings, arguments.work)
    minutes = (time.perf_counter() - began) / 60
    linear = _linear(data, held)
    dev = np.array([data.tickets[row].split == "dev" for row in held])
    lines = [
        "# What the encoder adds",
        "",
        f"Made by `python benchmarks/encoder.py --layers {settings.layers} --epochs {settings.epochs} --write docs/encoder.md`: "
        f"the packaged encoder, fine-tuned on the training side in {minutes:.0f} minutes.",
        "",
        *_leaves(data, held, linear[0], encoder[:, : len(POLICY.taxonomy.codes)], dev),
        "",
        *_cues(data, held, linear[1], encoder[:, len(POLICY.taxonomy.codes) :], dev),
    ]
    publish(lines, arguments.write)


def _encoder(data: Prepared, held: Sequence[int], settings: FinetuneSettings, work: Path) -> Rows:
    source = pretrained(None, data.texts, work / f"pretrained{settings.layers}", layers=settings.layers)
    model, tokenizer = open_encoder(source.folder)
    train = [row for row, ticket in enumerate(data.tickets) if ticket.split == "train"]
    tuned = fit_encoder(data, train, None, model, tokenizer, POLICY, work / "run", settings).eval()
    rows, collate = examples(data, held, tokenizer, POLICY, settings), Collator(settings.text, model.config.pad_token_id or 0)
    with torch.no_grad():
        parts = [tuned(**collate([rows[n] for n in range(s, min(s + 16, len(rows)))]))["logits"] for s in range(0, len(rows), 16)]
    return np.asarray(torch.cat(parts).float().numpy())


def _linear(data: Prepared, held: Sequence[int]) -> tuple[Rows, Rows]:
    train = [row for row, ticket in enumerate(data.tickets) if ticket.split == "train"]
    classifier = fit_classifier(data, train, POLICY, FitSettings())
    leaves, cues = classifier.logits([data.texts[row] for row in held])
    order = [list(classifier.classes_).index(code) for code in POLICY.taxonomy.codes]
    return leaves[:, order], cues[:, [classifier.cues_.index(name) for name in CUES]]


def _leaves(data: Prepared, held: Sequence[int], linear: Rows, encoder: Rows, dev: Rows) -> list[str]:
    gold = np.array([POLICY.taxonomy.codes.index(data.leaves[row]) for row in held])
    lines = ["| share of the encoder | leaf macro-F1, dev | test |", "|---|---|---|"]
    for share in _SHARES:
        joined = (log_softmax(linear * 2.5, axis=1) + share * log_softmax(encoder, axis=1)).argmax(axis=1)
        both = [f1_score(gold[part], joined[part], average="macro") for part in (dev, ~dev)]
        lines.append(f"| {share} | {both[0]:.3f} | {both[1]:.3f} |")
    alone = [f1_score(gold[part], encoder[part].argmax(axis=1), average="macro") for part in (dev, ~dev)]
    return [*lines, f"| encoder alone | {alone[0]:.3f} | {alone[1]:.3f} |"]


def _cues(data: Prepared, held: Sequence[int], linear: Rows, encoder: Rows, dev: Rows) -> list[str]:
    lines = ["Average precision, dev / test:", "", "| cue | linear | encoder | linear and rules | all three |", "|---|---|---|---|---|"]
    for number, name in enumerate(CUES):
        gold = np.array([bool(truth(data.tickets[row], name)) for row in held])
        rules = np.array([min(data.verdicts[row].cues.get(name, 0.0), 4.0) for row in held])
        views = [[linear[:, number]], [encoder[:, number]], [linear[:, number], rules], [linear[:, number], rules, encoder[:, number]]]
        cells = [" / ".join(f"{_precision(np.column_stack(view), gold, part):.3f}" for part in (dev, ~dev)) for view in views]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _precision(inputs: Rows, gold: Rows, part: Rows) -> float:
    """On one part, with weights fitted on the other."""
    joint = LogisticRegression(C=10.0).fit(inputs[~part], gold[~part])
    return float(average_precision_score(gold[part], joint.decision_function(inputs[part])))


if __name__ == "__main__":
    main()
