"""Figures of everything beside the leaf: flags, theft role, filing, safety, escalation, second leaves."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.metrics import accuracy_score, average_precision_score, precision_recall_fscore_support

from training.evaluated import Evaluated, Table, macro_f1, rounded

_PREVALENCES = (0.05, 0.01, 0.005)
_SURE = 0.95  # of the bound on false alarms
_NONE = "None"


def flag_figures(data: Evaluated, flag: str) -> Table:
    """A flag: precision, recall, and what they would be where it is rare.

    Args:
        data: predictions and labels.
        flag: its name.

    Returns:
        The flag's part of the report. `…_at_most` is the one-sided 95 % bound (Clopper-Pearson) on false alarms, and
        `…_at_least` the precision that follows: no false alarm among 300 tickets does not mean none at all.
    """
    gold, raised = data.labelled(flag), data.raised(flag)
    negatives, alarms = int((~gold).sum()), int((raised & ~gold).sum())
    rate = alarms / negatives if negatives else 0.0
    most = float(beta.ppf(_SURE, alarms + 1, negatives - alarms)) if alarms < negatives else 1.0
    probability = [p.flags[flag].probability for p in data.predictions]
    figures = _precision_recall(gold, raised)
    return {
        **figures,
        "ap": rounded(average_precision_score(gold, probability)) if gold.any() else 0.0,
        "false_alarms_per_1000": rounded(1000 * rate),
        "false_alarms_per_1000_at_most": rounded(1000 * most),
        "precision_at_prevalence": {str(s): precision_at(s, figures["r"], rate) for s in _PREVALENCES},
        "precision_at_prevalence_at_least": {str(s): precision_at(s, figures["r"], most) for s in _PREVALENCES},
    }


def precision_at(share: float, recall: float, false_rate: float) -> float:
    """The precision of a flag where it has another prevalence than in the data measured.

    Args:
        share: of tickets that carry the flag.
        recall: share of these for which it is raised.
        false_rate: share of the others for which it is raised.

    Returns:
        A number in [0, 1]; 0 where it is never raised.
    """
    raised = share * recall + (1 - share) * false_rate
    return rounded(share * recall / raised) if raised else 0.0


def cue_figures(data: Evaluated, name: str) -> Table:
    """Safety or escalation.

    Args:
        data: predictions and labels.
        name: which.

    Returns:
        `p`, `r`, `f1`, `n`.
    """
    return _precision_recall(data.labelled(name), data.raised(name))


def secondary_figures(data: Evaluated) -> Table:
    """Second leaves, counted one by one.

    Args:
        data: predictions and labels.

    Returns:
        `p`, `r`, `f1`, and `n`, how many were labelled.
    """
    pairs = list(zip(data.tickets, data.predictions, strict=True))
    right = sum(len(set(t.secondary) & set(p.secondary)) for t, p in pairs)
    proposed, wanted = sum(len(p.secondary) for _, p in pairs), sum(len(t.secondary) for t, _ in pairs)
    return {
        "p": rounded(right / proposed) if proposed else 0.0,
        "r": rounded(right / wanted) if wanted else 0.0,
        "f1": rounded(2 * right / (proposed + wanted)) if right else 0.0,
        "n": wanted,
    }


def theft_role_figures(data: Evaluated) -> Table:
    """Who is said to have stolen power.

    Args:
        data: predictions and labels.

    Returns:
        `accuracy` where a role is labelled, `macro_f1` over all tickets, and `n`, how many have a role.
    """
    gold = [str(t.theft_role) for t in data.tickets]
    found = [str(p.flags["theft"].role) for p in data.predictions]
    right = [g == f for g, f in zip(gold, found, strict=True) if g != _NONE]
    return {"accuracy": rounded(np.mean(right)) if right else 0.0, "macro_f1": macro_f1(gold, found), "n": len(right)}


def filing_figures(data: Evaluated) -> Table:
    """Filings suggested.

    Args:
        data: predictions and labels.

    Returns:
        `p`, `r` over those that name one, `accuracy` over all, and `n`, how many are labelled with one.
    """
    gold = [str(t.filing) for t in data.tickets]
    found = [p.filing.code if p.filing else _NONE for p in data.predictions]
    right = sum(g == f != _NONE for g, f in zip(gold, found, strict=True))
    proposed, named = sum(f != _NONE for f in found), sum(g != _NONE for g in gold)
    return {
        "p": rounded(right / proposed) if proposed else 0.0,
        "r": rounded(right / named) if named else 0.0,
        "accuracy": rounded(accuracy_score(gold, found)),
        "n": named,
    }


def _precision_recall(gold: NDArray[np.bool_], raised: NDArray[np.bool_]) -> Table:
    precision, recall, f1, _ = precision_recall_fscore_support(gold, raised, average="binary", zero_division=0)
    return {"p": rounded(precision), "r": rounded(recall), "f1": rounded(f1), "n": int(gold.sum())}
