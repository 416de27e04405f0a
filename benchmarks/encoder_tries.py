"""What was tried to make the encoder learn more, each beside the way it is done now, on a third of the training authors.

`python benchmarks/encoder_tries.py [--epochs 4] [--only NAME …] [--write docs/encoder-tries.md]`; needs the extra
`train`; about 3 minutes a try and epoch count of 4 on 2 idle cores. Tries are kept in `--work` and not run again.
R-Drop: Liang et al. 2021; supervised contrast: Khosla et al. 2020, Gunel et al. 2021.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from page import publish
from scipy.special import log_softmax
from sklearn.metrics import average_precision_score, f1_score
from torch import Tensor, nn

from model.calibration import CUES
from model.policy import load_policy
from training import finetune
from training.dataset import read_labelled
from training.encoder_fit import examples, fit_encoder
from training.finetune import Collator, FinetuneSettings, TriageEncoder, pool
from training.fit import FitSettings, Prepared, fit_classifier, prepare, truth
from training.pretrained import open_encoder, pretrained
from training.split import author_folds

POLICY = load_policy()
_SHARE = 0.1  # of the encoder beside the linear classifier; its best in docs/encoder.md


class RDrop(TriageEncoder):
    """Two passes with different dropout must agree."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor, ticket: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Both passes, their mean loss, and how far they are apart."""
        first = super().forward(input_ids, attention_mask, ticket, labels)
        if not self.training or labels is None:
            return first
        second = super().forward(input_ids, attention_mask, ticket, labels)
        a, b = (torch.log_softmax(out["logits"][:, : len(self.groups)], dim=1) for out in (first, second))
        apart = nn.functional.kl_div(a, b, log_target=True, reduction="batchmean")
        apart = apart + nn.functional.kl_div(b, a, log_target=True, reduction="batchmean")
        return {"loss": (first["loss"] + second["loss"]) / 2 + apart / 2, "logits": first["logits"]}


class Contrast(TriageEncoder):
    """Tickets of one leaf are drawn together, others apart."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor, ticket: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """The usual loss and a tenth of the supervised contrastive loss at temperature 0.1."""
        out = super().forward(input_ids, attention_mask, ticket, labels)
        if not self.training or labels is None:
            return out
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        vectors = nn.functional.normalize(pool(hidden, attention_mask, ticket).float(), dim=1)
        alike = vectors @ vectors.T / 0.1 - 1e9 * torch.eye(len(vectors))
        same = (labels[:, :1] == labels[:, 0]).float().fill_diagonal_(0)
        each = (alike.log_softmax(1) * same).sum(1) / same.sum(1).clamp(min=1)
        return {"loss": out["loss"] - 0.1 * each.mean(), "logits": out["logits"]}


class Noise(TriageEncoder):
    """A tenth of the tokens is put out of sight while learning, as where a transcript lost them."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor, ticket: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """The usual pass over what is left."""
        if self.training:
            kept = (torch.rand(attention_mask.shape) > 0.1).long()
            kept[:, 0] = 1
            attention_mask = attention_mask * kept
        return super().forward(input_ids, attention_mask, ticket, labels)


_TRIES: dict[str, tuple[type[TriageEncoder], Callable[[FinetuneSettings], FinetuneSettings]]] = {
    "as it is": (TriageEncoder, lambda s: s),
    "twice the epochs": (TriageEncoder, lambda s: replace(s, epochs=2 * s.epochs)),
    "twice the layers": (TriageEncoder, lambda s: replace(s, layers=2 * s.layers)),
    "one rate for all layers": (TriageEncoder, lambda s: replace(s, layer_decay=1.0)),
    "half the rate": (TriageEncoder, lambda s: replace(s, rate=s.rate / 2)),
    "no label smoothing": (TriageEncoder, lambda s: replace(s, smoothing=0.0)),
    "R-Drop": (RDrop, lambda s: s),
    "supervised contrast": (Contrast, lambda s: s),
    "a tenth of the tokens hidden": (Noise, lambda s: s),
}


def main() -> None:
    """Run what is missing, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--only", nargs="*", default=tuple(_TRIES), choices=tuple(_TRIES))
    parser.add_argument("--work", type=Path, default=Path("artifacts/runs/tries"))
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    settings = replace(FinetuneSettings(), epochs=arguments.epochs)
    data = prepare(read_labelled([Path("data/samples")], POLICY.taxonomy).split("train"), POLICY)
    train, held = next(iter(author_folds(data.tickets, 3, 0)))
    linear = _linear(data, train, held)
    rows = []
    for name in arguments.only:
        values, minutes = _tried(name, data, train, held, settings, arguments.work)
        rows.append(_row(name, data, held, linear, values, minutes))
    head = "| try | minutes | leaf macro-F1, encoder alone | with the linear classifier | mean average precision of the cues |"
    lines = [
        "# What was tried on the encoder", "",
        f"Made by `python benchmarks/encoder_tries.py --epochs {settings.epochs} --write docs/encoder-tries.md`: "
        f"{settings.layers} layers, {settings.epochs} epochs on {len(train)} training tickets, judged on the {len(held)} of "
        "the other third of training authors. One seed; differences below half a point are noise. "
        f"Linear classifier alone: {_leaf_f1(data, held, linear):.3f}.",
        "", head, "|---|---|---|---|---|", *rows,
    ]  # fmt: skip
    publish(lines, arguments.write)


def _tried(
    name: str, data: Prepared, train: Sequence[int], held: Sequence[int], settings: FinetuneSettings, work: Path
) -> tuple[np.ndarray[Any, Any], float]:
    kind, change = _TRIES[name]
    chosen = change(settings)
    folder = work / f"{name.replace(' ', '-')}-{chosen.layers}-{chosen.epochs}-{len(train)}"
    if not (folder / "values.npy").is_file():
        source = pretrained(None, data.texts, folder / "pretrained", layers=chosen.layers)
        encoder, tokenizer = open_encoder(source.folder)
        began = time.perf_counter()
        with patch.object(finetune, "TriageEncoder", kind):
            tuned = fit_encoder(data, train, None, encoder, tokenizer, POLICY, folder / "run", chosen).eval()
        minutes = (time.perf_counter() - began) / 60
        rows, collate = examples(data, held, tokenizer, POLICY, chosen), Collator(chosen.text, encoder.config.pad_token_id or 0)
        with torch.no_grad():
            parts = [tuned(**collate([rows[n] for n in range(s, min(s + 16, len(rows)))]))["logits"] for s in range(0, len(rows), 16)]
        np.save(folder / "values.npy", torch.cat(parts).float().numpy())
        (folder / "minutes.json").write_text(json.dumps(minutes))
    return np.load(folder / "values.npy"), float(json.loads((folder / "minutes.json").read_text()))


def _linear(data: Prepared, train: Sequence[int], held: Sequence[int]) -> np.ndarray[Any, Any]:
    classifier = fit_classifier(data, train, POLICY, FitSettings())
    leaves, _ = classifier.logits([data.texts[row] for row in held])
    return np.asarray(leaves[:, [list(classifier.classes_).index(code) for code in POLICY.taxonomy.codes]])


def _row(
    name: str, data: Prepared, held: Sequence[int], linear: np.ndarray[Any, Any], values: np.ndarray[Any, Any], minutes: float
) -> str:
    leaves, cues = values[:, : len(POLICY.taxonomy.codes)], values[:, len(POLICY.taxonomy.codes) :]
    joined = log_softmax(linear * 2.5, axis=1) + _SHARE * log_softmax(leaves, axis=1)
    each = [
        average_precision_score([bool(truth(data.tickets[row], cue)) for row in held], cues[:, n]) for n, cue in enumerate(CUES)
    ]
    figures = (_leaf_f1(data, held, leaves), _leaf_f1(data, held, joined), float(np.mean(each)))
    return f"| {name} | {minutes:.1f} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |"


def _leaf_f1(data: Prepared, held: Sequence[int], values: np.ndarray[Any, Any]) -> float:
    gold = [POLICY.taxonomy.codes.index(data.leaves[row]) for row in held]
    return float(f1_score(gold, values.argmax(axis=1), average="macro"))


if __name__ == "__main__":
    main()
