"""Whether confidences hold what they promise, and what could be sent out unread at which risk."""

import numpy as np
from numpy.typing import NDArray

from training.calibrate import expected_calibration_error
from training.evaluated import Evaluated, Table, rounded

_BINS = 10
_POINTS = 50  # of the risk-coverage curve
_PRECISION = 0.95
Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]


def calibration_figures(data: Evaluated) -> Table:
    """How far confidences are from the truth.

    Args:
        data: predictions and labels.

    Returns:
        `ece`, `brier`, and the `bins` of a reliability plot.
    """
    confidence, right = data.confidence, data.right
    return {
        "ece": rounded(expected_calibration_error(confidence, right, _BINS)),
        "brier": rounded(np.mean((confidence - right) ** 2)),
        "bins": reliability(confidence, right),
    }


def selective_figures(data: Evaluated) -> Table:
    """What could go out unread.

    Args:
        data: predictions and labels.

    Returns:
        `coverage_at_precision_95`, `auto_rate`, `auto_precision`, `aurc`, and the `curve` of risk by coverage.
    """
    confidence, right, auto = data.confidence, data.right, data.auto
    risk = running_risk(confidence, right)
    good = np.flatnonzero(1 - risk >= _PRECISION)
    return {
        "coverage_at_precision_95": rounded((good[-1] + 1) / len(risk)) if len(good) else 0.0,
        "auto_rate": rounded(auto.mean()),
        "auto_precision": rounded(right[auto].mean()) if auto.any() else 0.0,
        "aurc": rounded(risk.mean()),
        "curve": risk_coverage(confidence, right),
    }


def reliability(confidence: Numbers, right: Truths, bins: int = _BINS) -> list[Table]:
    """Confidence and accuracy in bins of equal width, the same as those of the ECE.

    Args:
        confidence: n confidences of the first leaf.
        right: whether it was right.
        bins: how many.

    Returns:
        `low`, `high`, `n`, `confidence`, `accuracy` of each bin that holds a ticket.
    """
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "low": rounded(b / bins),
            "high": rounded((b + 1) / bins),
            "n": int((number == b).sum()),
            "confidence": rounded(confidence[number == b].mean()),
            "accuracy": rounded(right[number == b].mean()),
        }
        for b in sorted(set(number.tolist()))
    ]


def running_risk(confidence: Numbers, right: Truths) -> Numbers:
    """The share of wrong leaves among the k most confident tickets, for k from 1 to n.

    Args:
        confidence: n confidences of the first leaf.
        right: whether it was right.

    Returns:
        Shape (n,). Tickets of the same confidence share their mistakes evenly, since nothing tells them apart.
    """
    order = np.argsort(-confidence, kind="stable")
    _, group, sizes = np.unique(-confidence[order], return_inverse=True, return_counts=True)
    wrong = np.bincount(group, ~right[order]) / sizes
    risk: Numbers = np.cumsum(wrong[group]) / np.arange(1, len(order) + 1)
    return risk


def risk_coverage(confidence: Numbers, right: Truths, points: int = _POINTS) -> list[Table]:
    """The risk-coverage curve.

    Args:
        confidence: n confidences of the first leaf.
        right: whether it was right.
        points: how many at most, evenly spread over the coverage.

    Returns:
        `coverage`, `risk`, and the least `confidence` that is still covered, from few tickets to all.
    """
    risk, ordered = running_risk(confidence, right), -np.sort(-confidence)
    steps = min(points, len(risk))
    last = [-(-len(risk) * step // steps) - 1 for step in range(1, steps + 1)]
    return [
        {
            "coverage": rounded((at + 1) / len(risk)),
            "risk": rounded(risk[at]),
            "confidence": rounded(ordered[at]),
        }
        for at in last
    ]
