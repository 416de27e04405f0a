"""The cascade on its training authors, each ticket by parts that never saw its author, beside TF-IDF peers on the same folds.

`python benchmarks/unseen.py [--bundle artifacts/champion] [--work artifacts/runs] [--write docs/unseen.md]`; needs the folds
that `make train` left in `--work`. Out-of-fold values of the linear classifier (5 folds) and of the encoder (3 folds) by
author are joined as the bundle joins them; its 3 shares, 4 numbers a cue and thresholds were fitted on these same tickets.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from page import publish
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC

from model.bundle import Bundle, load_bundle
from model.calibration import CUES
from model.cascade import join_leaves
from model.labels import digest
from model.opinion import log_rules
from model.policy import load_policy
from model.segmenter import Segmenter
from model.taxonomy import FLAGS
from training.bootstrap import rows_by_author
from training.calibrate import Held, cue_probabilities, expected_calibration_error
from training.dataset import read_labelled
from training.fit import FitSettings, Prepared, fit_linear
from training.split import author_folds

POLICY = load_policy()
_ROUNDS = 1000
Array = np.ndarray[Any, Any]


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("artifacts/champion"))
    parser.add_argument("--work", type=Path, default=Path("artifacts/runs"))
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.bundle)
    if bundle.second is None:
        raise SystemExit(f"{arguments.bundle} is no cascade; run `make train` first")
    tickets = read_labelled([Path("data/samples")], bundle.policy.taxonomy).split("train")
    work = arguments.work / digest(tickets)[:12]
    if not (work / "fold1.npz").is_file() or set(bundle.manifest["data"]["rows"]) != {t.id for t in tickets}:
        raise SystemExit(f"{work}: no folds of this corpus, or the bundle is of another; run `make train` first")
    part = fit_linear(tickets, bundle.policy, FitSettings(), progress=lambda _: None)
    leaves, cues = _encoder(part.data, work)
    proba, raised = _joined(part.held, softmax(part.held.leaves / part.classifier.temperature_, axis=1), leaves, cues, bundle)
    found = [part.held.codes[column] for column in proba.argmax(axis=1)]
    peers = {"characters(1–3)": _peer(part.data, words=False), "jieba words(1–2)": _peer(part.data, words=True)}
    lines = [
        "# The cascade on authors never met", "",
        f"Made by `python benchmarks/unseen.py --write docs/unseen.md` with {bundle.id}: {len(tickets)} training tickets by "
        f"{len(rows_by_author(tickets))} authors, each judged by a linear classifier and an encoder that never saw its author. The joint "
        "was fitted on the same tickets, rules were written after reading some of these authors, and all authors are language "
        "models of one kind: read the figures as optimistic.",
        "", *_own(part.held, proba, raised), "", *_beside(part.data, found, raised, peers),
    ]  # fmt: skip
    publish(lines, arguments.write)


def _encoder(data: Prepared, work: Path) -> tuple[Array, Array]:
    leaves, cues = None, None
    for number, (_, rows) in enumerate(author_folds(data.tickets, 3, 0), 1):
        with np.load(work / f"fold{number}.npz") as file:
            if leaves is None or cues is None:
                leaves, cues = (np.zeros((len(data.tickets), file[name].shape[1])) for name in ("leaves", "cues"))
            leaves[rows], cues[rows] = file["leaves"], file["cues"]
    assert leaves is not None and cues is not None  # noqa: S101, PT018 - three folds were read
    return leaves, cues


def _joined(held: Held, linear: Array, leaves: Array, cues: Array, bundle: Bundle) -> tuple[Array, dict[str, Array]]:
    assert bundle.second  # noqa: S101 - checked by main
    calibration = bundle.second.calibration
    proba = join_leaves(linear, leaves, log_rules(held.verdicts, held.codes), calibration)
    raised = {}
    for number, name in enumerate(CUES):
        joint = calibration.cues[name]
        raised[name] = cue_probabilities(held, name, joint, cues[:, number]) >= joint.threshold
    weights = np.array([verdict.cues.get("safety", 0.0) for verdict in held.verdicts])
    raised["safety"] |= weights >= bundle.policy.decision.safety_rule_weight
    return proba, raised


def _own(held: Held, proba: Array, raised: dict[str, Array]) -> list[str]:
    gold = np.array([held.codes.index(leaf) for leaf in held.truth])
    right, confidence = proba.argmax(axis=1) == gold, proba.max(axis=1)
    group = np.array([code.split(".")[0] for code in held.codes])
    order = np.argsort(-confidence)
    good = np.flatnonzero(np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= 0.95)
    first_three = np.mean([g in row for g, row in zip(gold, np.argsort(-proba, axis=1)[:, :3], strict=True)])
    rows = {
        "leaf macro-F1": f"{f1_score(gold, proba.argmax(axis=1), average='macro'):.3f}",
        "group macro-F1": f"{f1_score(group[gold], group[proba.argmax(axis=1)], average='macro'):.3f}",
        "right leaf among the first three": f"{first_three:.3f}",
        "ECE": f"{expected_calibration_error(confidence, right):.3f}",
        "coverage at precision 0.95": f"{(good[-1] + 1) / len(order) if len(good) else 0:.2f}",
    }
    for name in CUES:
        truth = held.labels[name]
        recall, precision = (truth & raised[name]).sum() / truth.sum(), (truth & raised[name]).sum() / raised[name].sum()
        false = 1000 * (raised[name] & ~truth).sum() / (~truth).sum()
        rows[f"{name} (n {truth.sum()})"] = (
            f"P {precision:.2f} R {recall:.3f} F1 {2 * precision * recall / (precision + recall):.2f}, missed "
            f"{(truth & ~raised[name]).sum()}, false alarms per 1,000: {false:.1f}"
        )
    return ["| figure | cascade |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]


def _peer(data: Prepared, *, words: bool) -> tuple[list[str], dict[str, Array]]:
    """Leaf and flags by one LinearSVC each on the raw texts, flags with balanced weights."""
    texts = [ticket.text for ticket in data.tickets]
    segmenter = Segmenter(POLICY.dictionary)
    cut = [" ".join(segmenter.cut(text)) for text in texts] if words else texts
    leaves = np.empty(len(texts), object)
    flags = {flag: np.zeros(len(texts), bool) for flag in FLAGS}
    kind = {"token_pattern": r"\S+", "ngram_range": (1, 2)} if words else {"analyzer": "char", "ngram_range": (1, 3)}
    for train, rows in author_folds(data.tickets, 5, 0):
        vectorizer = TfidfVectorizer(sublinear_tf=True, **kind)
        seen, held = vectorizer.fit_transform([cut[row] for row in train]), vectorizer.transform([cut[row] for row in rows])
        leaves[rows] = LinearSVC().fit(seen, [data.leaves[row] for row in train]).predict(held)
        for flag in FLAGS:
            truth = [flag in data.tickets[row].flags for row in train]
            flags[flag][rows] = LinearSVC(class_weight="balanced").fit(seen, truth).predict(held)
    return [str(leaf) for leaf in leaves], flags


def _beside(
    data: Prepared, found: Sequence[str], raised: dict[str, Array], peers: dict[str, tuple[list[str], dict[str, Array]]]
) -> list[str]:
    """Paired differences with intervals: whole authors are drawn with replacement, for both alike."""
    gold, ours = np.array(data.leaves), np.array(found)
    truth = {flag: np.array([flag in t.flags for t in data.tickets]) for flag in FLAGS}
    groups, generator = rows_by_author(data.tickets), np.random.default_rng(0)
    draws = [np.concatenate([groups[i] for i in generator.integers(0, len(groups), len(groups))]) for _ in range(_ROUNDS)]

    def leaf(proposed: Array, rows: Any = slice(None)) -> float:
        return float(f1_score(gold[rows], proposed[rows], average="macro"))

    def flag(proposed: dict[str, Array], rows: Any = slice(None)) -> float:
        return float(np.mean([f1_score(truth[name][rows], proposed[name][rows], zero_division=0) for name in FLAGS]))

    lines = [
        "| peer | leaf macro-F1 | cascade ahead by (95 %) | mean flag F1 | cascade ahead by, points (95 %) |", "|---|---|---|---|---|",
        f"| the cascade itself | {leaf(ours):.3f} | | {flag(raised):.3f} | |",
    ]  # fmt: skip
    for name, (leaves, flags) in peers.items():
        theirs = np.array(leaves)
        ahead = np.quantile([leaf(ours, rows) - leaf(theirs, rows) for rows in draws], [0.025, 0.975])
        points = np.quantile([100 * (flag(raised, rows) - flag(flags, rows)) for rows in draws], [0.025, 0.975])
        lines.append(
            f"| TF-IDF of {name} + LinearSVC | {leaf(theirs):.3f} | {leaf(ours) - leaf(theirs):+.3f} ({ahead[0]:+.3f} to {ahead[1]:+.3f}) | "
            f"{flag(flags):.3f} | {100 * (flag(raised) - flag(flags)):+.1f} ({points[0]:+.1f} to {points[1]:+.1f}) |"
        )
    return lines


if __name__ == "__main__":
    main()
