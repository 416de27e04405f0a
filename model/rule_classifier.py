"""Rules as a classifier: summed weights of the rules that fire, turned into confidences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.rules import Hit
from model.taxonomy import FLAGS, MISC, Taxonomy

_SHARPNESS = 1.2  # how fast summed weight becomes confidence
_MISC_WEIGHT = 0.6  # what other.misc has before any rule fires


@dataclass(frozen=True)
class RuleVerdict:
    """What the rules say of one ticket.

    `leaves`: confidence by leaf code, sums to 1. `cues`: summed weight by flag, `safety`, `escalation`,
    `not_a_complaint` and filing code.
    """

    leaves: dict[str, float]
    cues: dict[str, float]
    hits: tuple[Hit, ...]

    @property
    def first(self) -> str:
        """The leaf the rules prefer."""
        return max(self.leaves, key=lambda code: self.leaves[code])

    @property
    def fired_leaf(self) -> bool:
        """Whether any rule spoke for a leaf."""
        return any(hit.to in self.leaves for hit in self.hits)


def judge(hits: Sequence[Hit], taxonomy: Taxonomy) -> RuleVerdict:
    """Turn hits into confidences.

    Args:
        hits: rules that fired on one ticket.
        taxonomy: the leaves in order.

    Returns:
        The verdict.
    """
    weights = dict.fromkeys(taxonomy.codes, 0.0)
    cues: dict[str, float] = {}
    for hit in hits:
        table = weights if hit.to in weights else cues
        table[hit.to] = table.get(hit.to, 0.0) + hit.weight
    if MISC in weights:
        weights[MISC] += _MISC_WEIGHT
    logits = np.array([weights[code] for code in taxonomy.codes]) * _SHARPNESS
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    return RuleVerdict(dict(zip(taxonomy.codes, shares.tolist(), strict=True)), cues, tuple(hits))


def flag_probabilities(verdict: RuleVerdict, raise_at: float) -> dict[str, float]:
    """Probabilities of the flags from rules alone: 0.5 at the weight from which rules raise a flag.

    Args:
        verdict: what fired.
        raise_at: summed weight at which a flag is raised.

    Returns:
        Probability by flag.
    """
    return {flag: weight_probability(verdict.cues, flag, raise_at) for flag in FLAGS}


def weight_probability(cues: Mapping[str, float], name: str, raise_at: float) -> float:
    """Logistic of a summed weight.

    Args:
        cues: summed weight by name.
        name: which one.
        raise_at: weight with probability 0.5.

    Returns:
        A probability in (0, 1).
    """
    return float(1 / (1 + np.exp(-3.0 * (cues.get(name, 0.0) - raise_at)))) if cues.get(name) else 0.02


def matrix(verdicts: Sequence[RuleVerdict], taxonomy: Taxonomy) -> NDArray[np.float64]:
    """Confidences as rows.

    Args:
        verdicts: one a ticket.
        taxonomy: the column order.

    Returns:
        Array of shape (n_tickets, n_leaves), rows sum to 1.
    """
    return np.array([[verdict.leaves[code] for code in taxonomy.codes] for verdict in verdicts])
