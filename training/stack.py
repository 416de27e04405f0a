"""Join linear classifier, rules and encoder on out-of-fold predictions, and choose who may leave before the encoder."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.metrics import f1_score, log_loss

from model.calibration import CUES, Calibration, Exits
from model.cascade import join_leaves
from model.opinion import join_leaves as join_linear
from model.opinion import log_rules
from model.policy import Policy
from training.calibrate import (
    Held,
    RulesRead,
    cue_probabilities,
    expected_calibration_error,
    fit_joint,
    leaf_thresholds,
)
from training.fit import LinearPart

Matrix = NDArray[np.float64]
_LOST = 0.005  # share of a cue's positives that may be lost by leaving early
_AGREED = 0.995  # share of tickets leaving early whose leaf the whole cascade would have given too
_LEAST = 0.5  # no ticket leaves early below this confidence


@dataclass(frozen=True)
class EncoderHeld:
    """The encoder's out-of-fold decision values, row by row with `Held`: `leaves` (n, n_codes), `cues` (n, n_cues)."""

    leaves: Matrix
    cues: Matrix


def stack(
    part: LinearPart, encoder: EncoderHeld, policy: Policy, read: RulesRead = RulesRead(), *, alone: bool = False
) -> tuple[Calibration, Exits, dict[str, float]]:
    """Fit the cascade's calibration.

    Args:
        part: the linear classifier with its out-of-fold values and its calibration with rules.
        encoder: out-of-fold values of the encoder.
        policy: target precisions.
        read: authors to leave out of what is fitted on rules.
        alone: the encoder decides without the linear classifier, and no ticket leaves before it.

    Returns:
        Calibration of all three, thresholds for leaving early, and out-of-fold figures.
    """
    held, first = part.held, part.calibration
    if alone:
        held = replace(held, leaves=np.zeros_like(held.leaves), cues=np.zeros_like(held.cues))
    truth = np.array([held.codes.index(leaf) for leaf in held.truth])
    linear = softmax(held.leaves / part.classifier.temperature_, axis=1)
    rules = log_rules(held.verdicts, held.codes)
    unread = read.unread(held.authors, read.leaves)
    shares = _shares(linear[unread], encoder.leaves[unread], rules[unread], truth[unread], most=0.0 if alone else 5.0)
    calibration = Calibration({}, rule_share=shares[2], linear_share=shares[0], encoder_share=shares[1])
    joined = join_leaves(linear, encoder.leaves, rules, calibration)
    heard = read.unread(held.authors, read.cues)
    cues = {
        name: fit_joint(held, name, heard, policy, encoder.cues[:, number]) if held.labels[name].any() else first.cues[name]
        for number, name in enumerate(CUES)
    }
    auto = leaf_thresholds(joined[unread], truth[unread], held.codes, policy)
    calibration = Calibration(auto, shares[2], cues, shares[0], shares[1])
    early = join_linear(linear, held.codes, held.verdicts, first.rule_share)
    exits = Exits({}, {}) if alone else _exits(held, encoder, early, joined, first, calibration)
    figures = {
        "leaf_macro_f1": float(f1_score(truth, joined.argmax(axis=1), average="macro")),
        "ece": expected_calibration_error(joined.max(axis=1), joined.argmax(axis=1) == truth),
        "leave_early": float(np.mean(_leaving(held, early, first, exits))),
    }
    return calibration, exits, figures


def _shares(
    linear: Matrix, encoder: Matrix, rules: Matrix, truth: NDArray[np.int_], *, most: float
) -> tuple[float, float, float]:
    """Weights of the three log confidences with the least log loss; that of the linear classifier is at most `most`."""
    parts = [np.log(np.maximum(linear, 1e-12)), log_softmax(encoder, axis=1), rules]
    labels = list(range(linear.shape[1]))

    def loss(weights: NDArray[np.float64]) -> float:
        logits = sum(w * part for w, part in zip(weights, parts, strict=True))
        return float(log_loss(truth, softmax(logits, axis=1), labels=labels))

    start, bounds = np.array([min(1.0, most), 0.5, 0.1]), [(0.0, most), (0.0, 5.0), (0.0, 5.0)]
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    return float(found[0]), float(found[1]), float(found[2])


def _exits(
    held: Held, encoder: EncoderHeld, alone: Matrix, joined: Matrix, first: Calibration, second: Calibration
) -> Exits:
    """The lowest confidences and highest probabilities at which leaving early costs next to nothing."""
    cues = {}
    for number, name in enumerate(CUES):
        early = cue_probabilities(held, name, first.cues[name])
        late = cue_probabilities(held, name, second.cues[name], encoder.cues[:, number])
        wanted = held.labels[name] & (late >= second.cues[name].threshold)
        lost = np.sort(early[wanted])
        bound = lost[int(_LOST * len(lost))] if len(lost) else first.cues[name].threshold
        cues[name] = float(np.nextafter(min(bound, first.cues[name].threshold), 0.0))
    same = alone.argmax(axis=1) == joined.argmax(axis=1)
    leaves = {code: _lowest_agreeing(alone, same, column) for column, code in enumerate(held.codes)}
    return Exits(leaves, cues)


def _lowest_agreeing(alone: Matrix, same: NDArray[np.bool_], column: int) -> float:
    rows = np.flatnonzero(alone.argmax(axis=1) == column)
    order = rows[np.argsort(-alone[rows].max(axis=1))]
    if not len(order):
        return 2.0
    agreed = np.cumsum(same[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(agreed >= _AGREED)
    return max(float(alone[order[good[-1]]].max()), _LEAST) if len(good) else 2.0


def _leaving(held: Held, alone: Matrix, first: Calibration, exits: Exits) -> NDArray[np.bool_]:
    probabilities = {name: cue_probabilities(held, name, first.cues[name]) for name in CUES}
    return np.array([exits.passes(_by_code(held.codes, alone[row]), {n: p[row] for n, p in probabilities.items()})
                     for row in range(len(alone))])  # fmt: skip


def _by_code(codes: Sequence[str], row: Matrix) -> dict[str, float]:
    return dict(zip(codes, row.tolist(), strict=True))
