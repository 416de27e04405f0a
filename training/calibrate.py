"""Fit temperature, thresholds and the joint of linear and rules on out-of-fold predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss, precision_recall_curve

from model.calibration import CUES, MOST_WEIGHT, Calibration, CueJoint, default_calibration
from model.opinion import join_leaves
from model.policy import Policy
from model.rule_classifier import RuleVerdict
from model.taxonomy import FLAGS

Matrix = NDArray[np.float64]
_SHARES = (0.0, 0.1, 0.2, 0.3, 0.5)
_FAR = 0.01  # share of unseen authors' tickets that count as far from training
_ENOUGH = 100  # tickets proposed for a leaf from which its own precision decides its threshold
_LEAST_UNREAD = 200  # so many tickets that the rule writer has not read are needed to judge the rules


@dataclass(frozen=True)
class Held:
    """Out-of-fold decision values: `leaves` (n, n_codes), `cues` (n, n_cues), labels, rule verdicts, authors."""

    codes: tuple[str, ...]
    leaves: Matrix
    cues: Matrix
    truth: tuple[str, ...]
    labels: dict[str, NDArray[np.bool_]]
    verdicts: tuple[RuleVerdict, ...]
    authors: tuple[str, ...]


@dataclass(frozen=True)
class RulesRead:
    """Authors whose tickets the rule writer has read, where rules look better than they are.

    What is fitted on rules leaves them out where enough others remain. `cues`: read for flags, safety, escalation.
    """

    leaves: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()

    def unread(self, authors: Sequence[str], read: Sequence[str]) -> NDArray[np.bool_]:
        """Rows that may be used to judge the rules.

        Args:
            authors: n authors.
            read: `leaves` or `cues`.

        Returns:
            n truth values; all true where too few would remain.
        """
        rows = np.array([author not in read for author in authors])
        return rows if rows.sum() >= _LEAST_UNREAD else np.ones_like(rows)


def calibrate(held: Held, policy: Policy, read: RulesRead = RulesRead()) -> tuple[float, Calibration, dict[str, float]]:
    """Everything that is fitted after the classifiers.

    Args:
        held: out-of-fold values.
        policy: target precisions and least recalls.
        read: authors to leave out of what is fitted on rules.

    Returns:
        Temperature of the leaf softmax, the calibration, and out-of-fold figures.
    """
    truth = np.array([held.codes.index(leaf) for leaf in held.truth])
    unread = read.unread(held.authors, read.leaves)
    temperature = fit_temperature(held.leaves, truth)
    proba = softmax(held.leaves / temperature, axis=1)
    share = _best_share(
        proba[unread], truth[unread], [v for v, u in zip(held.verdicts, unread, strict=True) if u], held.codes
    )
    joined = join_leaves(proba, held.codes, held.verdicts, share)
    sharpen = fit_temperature(np.log(np.maximum(joined[unread], 1e-12)), truth[unread])
    joined = softmax(np.log(np.maximum(joined, 1e-12)) / sharpen, axis=1)
    auto = leaf_thresholds(joined[unread], truth[unread], held.codes, policy)
    by_rules = default_calibration(held.codes, policy.decision).cues  # for a cue that nobody labelled
    heard = read.unread(held.authors, read.cues)
    cues = {name: fit_joint(held, name, heard, policy) if held.labels[name].any() else by_rules[name] for name in CUES}
    figures = {
        "leaf_macro_f1": float(f1_score(truth, joined.argmax(axis=1), average="macro")),
        "auto_rate": float(
            np.mean(joined.max(axis=1) >= np.array([auto[held.codes[i]] for i in joined.argmax(axis=1)]))
        ),
        "ece": expected_calibration_error(joined.max(axis=1), joined.argmax(axis=1) == truth),
    }
    least = float(np.quantile(held.leaves.max(axis=1), _FAR))
    return temperature * sharpen, Calibration(auto, share / sharpen, cues, least_value=least), figures


def fit_temperature(values: Matrix, truth: NDArray[np.int_]) -> float:
    """The temperature with the least log loss (Guo et al. 2017).

    Args:
        values: (n, k) decision values.
        truth: n columns.

    Returns:
        A positive number.
    """
    labels = list(range(values.shape[1]))
    found = minimize_scalar(
        lambda t: log_loss(truth, softmax(values / np.exp(t), axis=1), labels=labels), bounds=(-4, 3), method="bounded"
    )
    return float(np.exp(found.x))


def leaf_thresholds(proba: Matrix, truth: NDArray[np.int_], codes: Sequence[str], policy: Policy) -> dict[str, float]:
    """For each leaf the lowest confidence at which it is right often enough.

    The one-sided 90 % lower bound (Clopper-Pearson) must reach the target precision; a leaf with too few
    tickets for that borrows those of its group.

    Args:
        proba: (n, k) confidences.
        truth: n columns.
        codes: the columns.
        policy: target precision and groups.

    Returns:
        Threshold by leaf; 1.01 where no confidence suffices.
    """
    target = policy.decision.target_precision
    first, confidence = proba.argmax(axis=1), proba.max(axis=1)
    group = {code: policy.taxonomy.leaf(code).group for code in codes}
    thresholds = {}
    for column, code in enumerate(codes):
        own = first == column
        family = np.isin(first, [i for i, c in enumerate(codes) if group[c] == group[code]])
        found = _lowest(confidence[own], first[own] == truth[own], target)
        if own.sum() < _ENOUGH:
            found = min(found, max(_lowest(confidence[family], first[family] == truth[family], target), 0.5))
        thresholds[code] = found
    return thresholds


def expected_calibration_error(confidence: Matrix, right: NDArray[np.bool_], bins: int = 10) -> float:
    """Mean distance between confidence and accuracy over equal-width bins.

    Args:
        confidence: n confidences of the first leaf.
        right: whether it was right.
        bins: how many.

    Returns:
        A number in [0, 1].
    """
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    inside = [number == b for b in range(bins) if (number == b).any()]
    return float(sum(abs(confidence[rows].mean() - right[rows].mean()) * rows.mean() for rows in inside))


def _lowest(confidence: Matrix, right: NDArray[np.bool_], target: float) -> float:
    order = np.argsort(-confidence)
    wrong = np.cumsum(~right[order])
    total = np.arange(1, len(order) + 1)
    bound = beta.ppf(0.10, total - wrong, wrong + 1)
    good = np.flatnonzero(bound >= target)
    return float(confidence[order][good[-1]]) if len(good) else 1.01


def _best_share(proba: Matrix, truth: NDArray[np.int_], verdicts: Sequence[RuleVerdict], codes: Sequence[str]) -> float:
    """How much the rules' confidences help; the smallest share within 0.002 of the best macro-F1."""
    scores = {
        s: f1_score(truth, join_leaves(proba, codes, verdicts, s).argmax(axis=1), average="macro") for s in _SHARES
    }
    return next(share for share in _SHARES if scores[share] >= max(scores.values()) - 0.002)


def fit_joint(
    held: Held, name: str, unread: NDArray[np.bool_], policy: Policy, encoder: Matrix | None = None
) -> CueJoint:
    """How linear, rules and, where given, encoder make the probability of a cue, and where it is raised.

    Args:
        held: out-of-fold values and labels.
        name: the cue.
        unread: rows whose authors the rule writer has not read.
        policy: least precisions.
        encoder: n decision values of the encoder's head.

    Returns:
        The joint with its threshold.
    """
    inputs = _inputs(held, name, encoder)
    truth = held.labels[name]
    rows = unread if truth[unread].any() and not truth[unread].all() else np.ones_like(unread)
    logistic = LogisticRegression(C=10.0).fit(inputs[rows], truth[rows])
    weights = [max(0.0, float(c)) for c in logistic.coef_[0]]
    probability = expit(inputs[rows] @ weights + logistic.intercept_[0])
    decision = policy.decision
    threshold = (
        _recall_first(probability, truth[rows], decision.min_safety_precision)
        if name == "safety"
        else _best_f1(probability, truth[rows], decision.min_flag_precision if name in FLAGS else 0.0)
    )
    threshold = max(threshold, dict(decision.least_flag_probability).get(name, 0.0))  # type: ignore[call-overload]
    linear, rules, *further = weights
    return CueJoint(linear, rules, float(logistic.intercept_[0]), threshold, *further)


def cue_probabilities(held: Held, name: str, joint: CueJoint, encoder: Matrix | None = None) -> Matrix:
    """What a joint makes of all rows.

    Args:
        held: out-of-fold values.
        name: the cue.
        joint: its weights.
        encoder: n decision values of the encoder's head, for a joint that has a weight for them.

    Returns:
        n probabilities.
    """
    weights = [joint.linear, joint.rules, joint.encoder]
    inputs = _inputs(held, name, np.zeros(len(held.truth)) if encoder is None else encoder)
    return np.asarray(expit(inputs @ weights + joint.intercept))


def _inputs(held: Held, name: str, encoder: Matrix | None) -> Matrix:
    weights = [min(verdict.cues.get(name, 0.0), MOST_WEIGHT) for verdict in held.verdicts]
    further = [] if encoder is None else [encoder]
    return np.column_stack([held.cues[:, CUES.index(name)], weights, *further])


def _best_f1(probability: Matrix, truth: NDArray[np.bool_], least_precision: float) -> float:
    precision, recall, thresholds = precision_recall_curve(truth, probability)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    f1[precision < least_precision] = 0
    best = int(f1[:-1].argmax())
    below = thresholds[best - 1] if best else 0.0
    return float((thresholds[best] + below) / 2) if f1[best] > 0 else 0.5


def _recall_first(probability: Matrix, truth: NDArray[np.bool_], least_precision: float) -> float:
    """The lowest threshold whose precision still holds: danger is missed least."""
    precision, _, thresholds = precision_recall_curve(truth, probability)
    good = np.flatnonzero(precision[:-1] >= least_precision)
    return float(min(thresholds[good[0]], 0.5)) if len(good) else 0.5
