"""Measure a pipeline on labelled tickets: the JSON of the contract, section 5."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, precision_recall_fscore_support

from model.pipeline import Pipeline
from model.prediction import Prediction
from model.taxonomy import FLAGS
from model.ticket import LabelledTicket, Ticket
from training.bootstrap import intervals
from training.calibrate import expected_calibration_error
from training.evaluated import Evaluated
from training.fit import truth

_PREVALENCES = (0.05, 0.01, 0.005)
_ROUNDS = 1000
_BATCH = 256
Table = dict[str, Any]


def run(pipeline: Pipeline, tickets: Sequence[LabelledTicket]) -> Evaluated:
    """Predict labelled tickets.

    Args:
        pipeline: predicts.
        tickets: labelled.

    Returns:
        Both, row by row.
    """
    predictions: list[Prediction] = []
    for start in range(0, len(tickets), _BATCH):
        predictions += pipeline.predict([Ticket(t.text, ticket_id=t.id) for t in tickets[start : start + _BATCH]])
    return Evaluated(tuple(tickets), tuple(predictions))


def evaluate(
    pipeline: Pipeline, tickets: Sequence[LabelledTicket], *, rounds: int = _ROUNDS, seed: int = 0
) -> tuple[Table, Evaluated]:
    """Every figure of the contract.

    Args:
        pipeline: predicts.
        tickets: labelled, at least one.
        rounds: of the bootstrap by author.
        seed: of the bootstrap.

    Returns:
        The JSON-ready report, and the predictions behind it.
    """
    data = run(pipeline, tickets)
    rules = run(Pipeline(pipeline.policy), tickets) if pipeline.bundle else data
    report = report_of(data, rounds=rounds, seed=seed)
    return {**report, "baselines": {"majority": _majority(data), "rules": _short(rules)}}, data


def report_of(data: Evaluated, *, rounds: int = _ROUNDS, seed: int = 0) -> Table:
    """Every figure that needs no second classifier.

    Args:
        data: predictions and labels.
        rounds: of the bootstrap by author.
        seed: of the bootstrap.

    Returns:
        The report without `baselines`.
    """
    return {
        "n": len(data.tickets),
        "category": category_figures(data),
        "group_macro_f1": _macro([_group(c) for c in data.gold], [_group(c) for c in data.found]),
        "secondary": _secondary(data),
        "flags": {flag: flag_figures(data, flag) for flag in FLAGS},
        "theft_role": _theft_role(data),
        "filing": _filing(data),
        "safety": _cue(data, "safety"),
        "escalation": _cue(data, "escalation"),
        "calibration": _calibration(data),
        "selective": _selective(data),
        "slices": _slices(data),
        "ci95": intervals(data, rounds, seed),
    }


def category_figures(data: Evaluated) -> Table:
    """Accuracy, F1 and each leaf.

    Args:
        data: predictions and labels.

    Returns:
        The `category` part of the report.
    """
    codes = sorted(set(data.gold) | set(data.found))
    precision, recall, f1, count = precision_recall_fscore_support(data.gold, data.found, labels=codes, zero_division=0)
    leaves = {
        c: {"p": _r(p), "r": _r(r), "f1": _r(f), "n": int(n)}
        for c, p, r, f, n in zip(codes, precision, recall, f1, count, strict=True)
    }
    top3 = np.mean(
        [gold in [c.code for c in p.candidates] for gold, p in zip(data.gold, data.predictions, strict=True)]
    )
    return {
        "accuracy": _r(accuracy_score(data.gold, data.found)),
        "macro_f1": _macro(data.gold, data.found),
        "weighted_f1": _r(f1_score(data.gold, data.found, average="weighted", zero_division=0)),
        "top3": _r(top3),
        "per_leaf": leaves,
    }


def flag_figures(data: Evaluated, flag: str) -> Table:
    """A flag: precision, recall, and what they would be where it is rare.

    Args:
        data: predictions and labels.
        flag: its name.

    Returns:
        The flag's part of the report.
    """
    gold = np.array([truth(t, flag) for t in data.tickets])
    raised = np.array([p.flags[flag].raised for p in data.predictions])
    figures = _precision_recall(gold, raised)
    false_rate = float(raised[~gold].mean()) if (~gold).any() else 0.0
    recall = figures["r"]
    figures["ap"] = (
        _r(average_precision_score(gold, [p.flags[flag].probability for p in data.predictions])) if gold.any() else 0.0
    )
    figures["false_alarms_per_1000"] = _r(1000 * false_rate)
    figures["precision_at_prevalence"] = {
        str(share): _r(share * recall / (share * recall + (1 - share) * false_rate)) if recall or false_rate else 0.0
        for share in _PREVALENCES
    }
    return figures


def _precision_recall(gold: NDArray[np.bool_], raised: NDArray[np.bool_]) -> Table:
    precision, recall, f1, _ = precision_recall_fscore_support(gold, raised, average="binary", zero_division=0)
    return {"p": _r(precision), "r": _r(recall), "f1": _r(f1), "n": int(gold.sum())}


def _cue(data: Evaluated, name: str) -> Table:
    gold = np.array([truth(t, name) for t in data.tickets])
    return _precision_recall(gold, np.array([getattr(p, name).raised for p in data.predictions]))


def _secondary(data: Evaluated) -> Table:
    pairs = list(zip(data.tickets, data.predictions, strict=True))
    right = sum(len(set(t.secondary) & set(p.secondary)) for t, p in pairs)
    proposed, wanted = sum(len(p.secondary) for _, p in pairs), sum(len(t.secondary) for t, _ in pairs)
    precision, recall = right / proposed if proposed else 0.0, right / wanted if wanted else 0.0
    return {
        "p": _r(precision),
        "r": _r(recall),
        "f1": _r(2 * precision * recall / (precision + recall)) if right else 0.0,
        "n": wanted,
    }


def _theft_role(data: Evaluated) -> Table:
    gold = [str(t.theft_role) for t in data.tickets]
    found = [str(p.flags["theft"].role) for p in data.predictions]
    told = [i for i, role in enumerate(gold) if role != "None"]
    right = [gold[i] == found[i] for i in told]
    return {"accuracy": _r(np.mean(right)) if told else 0.0, "macro_f1": _macro(gold, found), "n": len(told)}


def _filing(data: Evaluated) -> Table:
    gold = [str(t.filing) for t in data.tickets]
    found = [p.filing.code if p.filing else "None" for p in data.predictions]
    named = np.array([g != "None" for g in gold])
    proposed = np.array([f != "None" for f in found])
    right = np.array([g == f and g != "None" for g, f in zip(gold, found, strict=True)])
    precision = right.sum() / proposed.sum() if proposed.any() else 0.0
    recall = right.sum() / named.sum() if named.any() else 0.0
    return {"p": _r(precision), "r": _r(recall), "accuracy": _r(accuracy_score(gold, found)), "n": int(named.sum())}


def _calibration(data: Evaluated) -> Table:
    confidence = np.array([p.category.confidence for p in data.predictions])
    right = np.array([g == f for g, f in zip(data.gold, data.found, strict=True)])
    ece = expected_calibration_error(confidence, right)
    return {"ece": _r(ece), "brier": _r(np.mean((confidence - right) ** 2))}


def _selective(data: Evaluated) -> Table:
    confidence = np.array([p.category.confidence for p in data.predictions])
    right = np.array([g == f for g, f in zip(data.gold, data.found, strict=True)])
    order = np.argsort(-confidence)
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(precision >= 0.95)
    auto = np.array([p.decision == "auto" for p in data.predictions])
    return {
        "coverage_at_precision_95": _r((good[-1] + 1) / len(order)) if len(good) else 0.0,
        "auto_rate": _r(auto.mean()),
        "auto_precision": _r(right[auto].mean()) if auto.any() else 0.0,
        "aurc": _r(np.mean(1 - precision)),
    }


def _slices(data: Evaluated) -> Table:
    named: dict[str, list[int]] = {}
    for row, ticket in enumerate(data.tickets):
        length = "短(≤30)" if len(ticket.text) <= 30 else "长(>200)" if len(ticket.text) > 200 else "中"
        difficulty = ticket.extra.get("difficulty")
        for name in (
            f"channel:{ticket.channel}" if ticket.channel else None,
            f"length:{length}",
            f"difficulty:{difficulty}" if difficulty else None,
        ):
            if name:
                named.setdefault(name, []).append(row)
    return {name: _short(data.take(rows)) for name, rows in sorted(named.items())}


def _short(data: Evaluated) -> Table:
    return {
        "n": len(data.tickets),
        "accuracy": _r(accuracy_score(data.gold, data.found)),
        "macro_f1": _macro(data.gold, data.found),
    }


def _majority(data: Evaluated) -> Table:
    most = max(set(data.gold), key=data.gold.count)
    accuracy = data.gold.count(most) / len(data.gold)
    return {"n": len(data.tickets), "accuracy": _r(accuracy), "macro_f1": _macro(data.gold, [most] * len(data.gold))}


def _macro(gold: Sequence[str], found: Sequence[str]) -> float:
    return _r(f1_score(gold, found, average="macro", zero_division=0))


def _group(code: str) -> str:
    return code.split(".")[0]


def _r(value: Any) -> float:
    return round(float(value), 4)
