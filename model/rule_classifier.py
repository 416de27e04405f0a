"""Rules as a classifier: summed weights of the rules that fire, turned into confidences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from model.document import Document, read
from model.errors import NotFitted
from model.policy import load_policy
from model.rules import Hit, RuleBase
from model.taxonomy import MISC, Taxonomy
from model.ticket import Ticket

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
    shares = softmax(np.array([weights[code] for code in taxonomy.codes]) * _SHARPNESS)
    return RuleVerdict(dict(zip(taxonomy.codes, shares.tolist(), strict=True)), cues, tuple(hits))


class RuleClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """The rules under the contract of every classifier here, so that they can stand beside the others as a baseline.

    Args:
        policy_folder: an office's own policy; None is the built-in one.

    Attributes:
        classes_: leaf codes, the order of columns.
    """

    def __init__(self, policy_folder: Path | None = None) -> None:
        self.policy_folder = policy_folder

    def fit(self, texts: Iterable[str], leaves: Sequence[str]) -> Self:  # noqa: ARG002 - rules learn nothing
        """Compile the rules; the labels are not looked at.

        Args:
            texts: n masked texts.
            leaves: n leaf codes.

        Returns:
            Itself.
        """
        self.policy_ = load_policy(self.policy_folder)
        self.rules_ = RuleBase(self.policy_)
        self.classes_ = np.array(self.policy_.taxonomy.codes)
        return self

    def predict_proba(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """Confidences from summed weights.

        Args:
            texts: n masked texts.

        Returns:
            Array of shape (n, n_leaves) in the order of `classes_`; rows sum to 1.
        """
        if not hasattr(self, "rules_"):
            raise NotFitted("规则尚未编译:请先调用 fit")
        taxonomy = self.policy_.taxonomy
        return matrix([judge(self.rules_.hits(_read(text)), taxonomy) for text in texts], taxonomy)

    def predict(self, texts: Iterable[str]) -> NDArray[np.str_]:
        """The leaf with the highest confidence.

        Args:
            texts: n masked texts.

        Returns:
            n leaf codes.
        """
        leaves: NDArray[np.str_] = self.classes_[self.predict_proba(texts).argmax(axis=1)]
        return leaves


def _read(text: str) -> Document:
    """A document also of a blank text, which is no ticket but may stand in an array of texts."""
    return read(Ticket(text if text.strip() else "。"))


def matrix(verdicts: Sequence[RuleVerdict], taxonomy: Taxonomy) -> NDArray[np.float64]:
    """Confidences as rows.

    Args:
        verdicts: one a ticket.
        taxonomy: the column order.

    Returns:
        Array of shape (n_tickets, n_leaves), rows sum to 1.
    """
    return np.array([[verdict.leaves[code] for code in taxonomy.codes] for verdict in verdicts]).reshape(
        -1, len(taxonomy.codes)
    )
