"""Measure a pipeline on labelled tickets: the JSON of the contract, section 5."""

from collections import Counter
from collections.abc import Sequence

from sklearn.metrics import f1_score, precision_recall_fscore_support

from model.labels import digest
from model.pipeline import Pipeline
from model.taxonomy import FLAGS
from model.ticket import LabelledTicket
from training.baselines import baseline_figures, baselines
from training.bootstrap import headline_figures, intervals, rows_by_author
from training.cue_figures import cue_figures, filing_figures, flag_figures, secondary_figures, theft_role_figures
from training.curves import calibration_figures, selective_figures
from training.evaluated import Evaluated, Table, group_of, macro_f1, rounded, run, short_figures
from training.seen import count_seen
from training.slices import slice_figures

_ROUNDS = 1000


def evaluate(
    pipeline: Pipeline,
    tickets: Sequence[LabelledTicket],
    *,
    rounds: int = _ROUNDS,
    seed: int = 0,
    train: Sequence[LabelledTicket] = (),
    frozen: bool = False,
) -> tuple[Table, Evaluated]:
    """Every figure of the contract.

    Args:
        pipeline: predicts.
        tickets: labelled, at least one.
        rounds: of the bootstrap by author.
        seed: of the bootstrap.
        train: labelled tickets, none of them measured, for baselines that have to learn.
        frozen: also measure the frozen encoder, which takes minutes and the extra `train`.

    Returns:
        The JSON-ready report, and the predictions behind it.
    """
    data = run(pipeline, tickets)
    beside = baselines(pipeline, data, train, frozen=frozen)
    return {
        **report_of(data, rounds=rounds, seed=seed),
        "baselines": baseline_figures(data, beside.found, rounds=rounds, seed=seed),
        "baselines_skipped": dict(beside.skipped),
        "about": {
            "bundle": pipeline.bundle.id if pipeline.bundle else None,
            "source": pipeline.source,
            "data": digest(data.tickets),
            "authors": len(rows_by_author(data.tickets)),
            "seen_in_training": count_seen(pipeline, data.tickets),
            "bundle_learned_from": len(pipeline.bundle.manifest["data"]["rows"]) if pipeline.bundle else 0,
            "baselines_learned_from": len(train),
            "rounds": rounds,
        },
    }, data


def report_of(data: Evaluated, *, rounds: int = _ROUNDS, seed: int = 0) -> Table:
    """Every figure that needs no second classifier.

    Args:
        data: predictions and labels.
        rounds: of the bootstrap by author.
        seed: of the bootstrap.

    Returns:
        The report without `baselines`.
    """
    groups = [group_of(code) for code in data.gold], [group_of(code) for code in data.found]
    return {
        "n": len(data.tickets),
        "category": category_figures(data),
        "group_macro_f1": macro_f1(*groups),
        "secondary": secondary_figures(data),
        "flags": {flag: flag_figures(data, flag) for flag in FLAGS},
        "theft_role": theft_role_figures(data),
        "filing": filing_figures(data),
        "safety": cue_figures(data, "safety"),
        "escalation": cue_figures(data, "escalation"),
        "calibration": calibration_figures(data),
        "selective": selective_figures(data),
        "slices": slice_figures(data, rounds=rounds, seed=seed),
        "confusion": confusion(data),
        "ci95": intervals(headline_figures(data), data.tickets, rounds=rounds, seed=seed),
    }


def category_figures(data: Evaluated) -> Table:
    """Accuracy, F1 and each leaf.

    Args:
        data: predictions and labels.

    Returns:
        The `category` part of the report.
    """
    codes = sorted({*data.gold, *data.found})
    precision, recall, f1, count = precision_recall_fscore_support(data.gold, data.found, labels=codes, zero_division=0)
    leaves = {
        c: {"p": rounded(p), "r": rounded(r), "f1": rounded(f), "n": int(n)}
        for c, p, r, f, n in zip(codes, precision, recall, f1, count, strict=True)
    }
    short = short_figures(data.gold, data.found)
    return {
        "accuracy": short["accuracy"],
        "macro_f1": short["macro_f1"],
        "weighted_f1": rounded(f1_score(data.gold, data.found, average="weighted", zero_division=0)),
        "top3": rounded(data.among_three.mean()),
        "per_leaf": leaves,
    }


def confusion(data: Evaluated) -> dict[str, dict[str, int]]:
    """How often each leaf was proposed for each labelled leaf.

    Args:
        data: predictions and labels.

    Returns:
        Counts by labelled and proposed leaf, none of them 0.
    """
    pairs = Counter(zip(data.gold, data.found, strict=True))
    return {gold: {f: n for (g, f), n in sorted(pairs.items()) if g == gold} for gold in sorted(set(data.gold))}


__all__ = ["category_figures", "confusion", "evaluate", "report_of", "run"]
