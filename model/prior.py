"""Confidences for a flow whose leaves are not as frequent as in training (Saerens, Latinne, Decaestecker 2002)."""

from collections.abc import Mapping


def shifted(leaves: Mapping[str, float], real: Mapping[str, float], trained: Mapping[str, int]) -> dict[str, float]:
    """Bayes' rule with other shares of the leaves.

    Args:
        leaves: confidence by leaf, calibrated on the training corpus; sums to 1.
        real: share of each leaf in the real flow; sums to 1.
        trained: tickets of each leaf in the training corpus.

    Returns:
        Confidence by leaf in the real flow; sums to 1. A leaf that training never saw keeps 0.
    """
    total = sum(trained.values())
    weights = {code: p * real[code] * total / trained[code] if trained.get(code) else 0.0 for code, p in leaves.items()}
    whole = sum(weights.values())
    return {code: weight / whole for code, weight in weights.items()} if whole else dict(leaves)
