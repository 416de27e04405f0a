"""Confident learning: which given labels are probably wrong, from probabilities that never saw them.

Northcutt, Jiang, Chuang: "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70 (2021), sections 3.1
to 3.2, written from the paper. A class's threshold is the mean probability of the class among the rows labelled with
it; a row counts as confidently of a class where its probability reaches that class's own threshold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Columns = NDArray[np.int_]
_LEAST = 1e-6  # probabilities below this count alike


@dataclass(frozen=True)
class Confident:
    """What confident learning says of n labels over k classes.

    `other`: (n,) the best class beside the given one. `doubt`: (n,) how much more `other` exceeds its threshold than the
    given class does, as a difference of logarithms; sorts the rows, above 0 the other class is the better one.
    `likely`: (n,) rows off the diagonal of the confident joint. `errors`: how many labels are estimated to be wrong.
    """

    other: Columns
    doubt: Matrix
    likely: NDArray[np.bool_]
    errors: float


def confident(proba: Matrix, given: Columns) -> Confident:
    """Compare labels with probabilities from classifiers that never saw them.

    Args:
        proba: (n, k) out-of-fold probabilities, rows sum to 1.
        given: (n,) column of each given label.

    Returns:
        Doubts row by row.
    """
    rows = np.arange(len(given))
    limits = thresholds(proba, given)
    above = np.log(np.maximum(proba, _LEAST)) - np.log(np.maximum(limits, _LEAST))
    own = above[rows, given]
    above[rows, given] = -np.inf
    other = above.argmax(axis=1)
    reached = np.where(proba >= limits, proba, -1.0)
    sure, first = reached.max(axis=1) >= 0, reached.argmax(axis=1)
    joint = np.zeros((proba.shape[1],) * 2)
    np.add.at(joint, (given[sure], first[sure]), 1)
    return Confident(other, above[rows, other] - own, sure & (first != given), _errors(joint, given))


def thresholds(proba: Matrix, given: Columns) -> Matrix:
    """How sure a classifier is of a class on average where that class was given.

    Args:
        proba: (n, k) out-of-fold probabilities.
        given: (n,) columns.

    Returns:
        (k,) mean probabilities; 1 for a class that nobody gave.
    """
    given_to = np.eye(proba.shape[1])[given]
    count = given_to.sum(axis=0)
    mean = (proba * given_to).sum(axis=0) / np.maximum(count, 1)
    return np.where(count > 0, mean, 1.0)


def _errors(joint: Matrix, given: Columns) -> float:
    """Off-diagonal mass of the joint after each row was scaled to the number of labels of its class."""
    of_class = np.bincount(given, minlength=len(joint))
    counted = joint.sum(axis=1)
    wrong = counted - np.diag(joint)
    return float((of_class * wrong / np.maximum(counted, 1)).sum())
