"""What classifier and rules together think of each ticket, before any decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from model.bundle import Bundle
from model.calibration import ALSO, CUES, ROLES, Calibration
from model.document import Document
from model.rule_classifier import RuleVerdict

_FLOOR = 1e-4  # rule confidences below this count alike


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is thought of one ticket, and by whom.

    `leaves`: confidence by leaf, sums to 1; `cues`: probability by cue; `roles`, `also`: decision value by theft role
    and by second leaf; `calibration`: thresholds that these numbers were made for. `unlike`: the text is far from all that was learned from.
    `failed`: the encoder should have read it too, and threw. `linear_leaves` and `values` are
    the linear classifier's own confidences and decision values, for a cascade.
    """

    leaves: Mapping[str, float]
    cues: Mapping[str, float]
    roles: Mapping[str, float]
    also: Mapping[str, float]
    answered_by: str
    calibration: Calibration
    unknown_share: float = 0.0
    unlike: bool = False
    failed: bool = False
    linear_leaves: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)


def rules_opinion(verdict: RuleVerdict, fallback: Calibration) -> Opinion:
    """What rules alone think.

    Args:
        verdict: the rules that fired.
        fallback: turns summed weights into probabilities.

    Returns:
        The opinion.
    """
    cues = {name: fallback.cues[name].probability(0.0, verdict.cues.get(name, 0.0)) for name in CUES}
    roles: dict[str, float] = {}
    for hit in verdict.hits:
        if hit.role:
            roles[hit.role] = roles.get(hit.role, 0.0) + hit.weight
    return Opinion(verdict.leaves, cues, roles, {}, "rules", fallback)


def linear_opinions(bundle: Bundle, documents: Sequence[Document], verdicts: Sequence[RuleVerdict]) -> list[Opinion]:
    """What the linear classifier thinks, joined with the rules as the bundle was calibrated.

    Args:
        bundle: classifier and calibration.
        documents: n texts.
        verdicts: n verdicts of the rules.

    Returns:
        n opinions. A text without one known word is left to the rules.
    """
    classifier, calibration = bundle.classifier, bundle.calibration
    alone, values, unknown, claims = classifier.scores([document.text for document in documents])
    codes = [str(c) for c in classifier.classes_]
    proba = join_leaves(alone, codes, verdicts, calibration.rule_share)
    columns = {name: number for number, name in enumerate(classifier.cues_)}
    opinions = []
    for row, verdict in enumerate(verdicts):
        cues = {
            name: joint.probability(values[row, columns[name]] if name in columns else 0.0, verdict.cues.get(name, 0.0))
            for name, joint in calibration.cues.items()
        }
        value = {name: float(values[row, column]) for name, column in columns.items()}
        leaves = dict(zip(codes, proba[row].tolist(), strict=True))
        knows = unknown[row] < 1.0
        opinions.append(
            Opinion(
                leaves=leaves if knows else verdict.leaves,
                cues=cues,
                roles={name.removeprefix(ROLES): v for name, v in value.items() if name.startswith(ROLES)},
                also={name.removeprefix(ALSO): v for name, v in value.items() if name.startswith(ALSO)},
                answered_by="linear" if knows else "rules",
                calibration=calibration,
                unknown_share=float(unknown[row]),
                unlike=calibration.least_value is not None and float(claims[row]) < calibration.least_value,
                linear_leaves=dict(zip(codes, alone[row].tolist(), strict=True)) if bundle.second else {},
                values=value,
            )
        )
    return opinions


def join_leaves(
    proba: NDArray[np.float64], codes: Sequence[str], verdicts: Sequence[RuleVerdict], share: float
) -> NDArray[np.float64]:
    """Add the rules' log confidence to the classifier's.

    Args:
        proba: (n, n_leaves) confidences of the classifier.
        codes: its columns.
        verdicts: n verdicts.
        share: weight of the rules; 0 leaves the classifier alone.

    Returns:
        (n, n_leaves), rows sum to 1.
    """
    if not share:
        return proba
    logits = np.log(np.maximum(proba, 1e-12)) + share * log_rules(verdicts, codes)
    return np.asarray(softmax(logits, axis=1))


def log_rules(verdicts: Sequence[RuleVerdict], codes: Sequence[str]) -> NDArray[np.float64]:
    """The rules' confidences as logarithms, very small ones alike.

    Args:
        verdicts: n verdicts.
        codes: leaf codes.

    Returns:
        (n, n_leaves).
    """
    return np.log([[max(verdict.leaves.get(code, 0.0), _FLOOR) for code in codes] for verdict in verdicts])
