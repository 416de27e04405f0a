"""Linear classifier, rules and encoder together: who may leave early, and how the three are joined.

Characters carry the topic; the encoder carries who did what to whom. A ticket leaves before the encoder only where
the linear classifier and the rules are sure of its leaf and sure that no cue is there.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from model.bundle import Bundle, Second
from model.calibration import Calibration
from model.document import Document
from model.opinion import Opinion, linear_opinions, log_rules
from model.rule_classifier import RuleVerdict

log = logging.getLogger(__name__)
Matrix = NDArray[np.float64]
CASCADE = "cascade"
RUNGS = (CASCADE, "linear", "rules")  # the ladder, from the best answer to the quickest


def opinions(
    bundle: Bundle, documents: Sequence[Document], verdicts: Sequence[RuleVerdict], most: str = CASCADE
) -> list[Opinion]:
    """What a bundle thinks: the linear classifier first, the encoder where that is not sure.

    Args:
        bundle: linear, or a cascade.
        documents: n texts.
        verdicts: n verdicts of the rules.
        most: the highest rung to use.

    Returns:
        n opinions.
    """
    found = linear_opinions(bundle, documents, verdicts)
    if bundle.second is None or most != CASCADE:
        return found
    exits = bundle.second.exits
    rows = [n for n, o in enumerate(found) if o.answered_by == "linear" and not exits.passes(o.leaves, o.cues)]
    if rows:
        chosen = ([documents[n] for n in rows], [verdicts[n] for n in rows], [found[n] for n in rows])
        try:
            seconds = second_opinions(bundle.second, *chosen)
        except Exception as error:  # noqa: BLE001 - whatever the encoder throws, the linear classifier has answered
            log.error("encoder failed on a batch of %d: %s", len(rows), type(error).__name__)
            seconds = [replace(found[n], failed=True) for n in rows]
        for n, opinion in zip(rows, seconds, strict=True):
            found[n] = opinion
    return found


def join_leaves(linear: Matrix, encoder: Matrix, rules: Matrix, calibration: Calibration) -> Matrix:
    """One confidence from three.

    Args:
        linear: (n, n_leaves) confidences of the linear classifier.
        encoder: (n, n_leaves) decision values of the encoder.
        rules: (n, n_leaves) log confidences of the rules.
        calibration: holds the three shares.

    Returns:
        (n, n_leaves), rows sum to 1.
    """
    logits = calibration.linear_share * np.log(np.maximum(linear, 1e-12))
    logits = logits + calibration.encoder_share * log_softmax(encoder, axis=1) + calibration.rule_share * rules
    return np.asarray(softmax(logits, axis=1))


def second_opinions(
    second: Second,
    documents: Sequence[Document],
    verdicts: Sequence[RuleVerdict],
    first: Sequence[Opinion],
) -> list[Opinion]:
    """What all three think.

    Args:
        second: the encoder, and how the three are joined.
        documents: n texts.
        verdicts: n verdicts of the rules.
        first: n opinions of the linear classifier, with its raw values.

    Returns:
        n opinions.
    """
    encoder, calibration = second.encoder, second.calibration
    leaf_values, cue_values = encoder.scores(documents)
    codes = [str(code) for code in encoder.classes_]
    linear = np.array([[opinion.linear_leaves.get(code, 0.0) for code in codes] for opinion in first])
    leaves = join_leaves(linear, leaf_values, log_rules(verdicts, codes), calibration)
    column = {name: number for number, name in enumerate(encoder.cues_)}
    opinions = []
    for row, (verdict, opinion) in enumerate(zip(verdicts, first, strict=True)):
        value = {name: float(cue_values[row, number]) for name, number in column.items()}
        cues = {
            name: joint.probability(opinion.values.get(name, 0.0), verdict.cues.get(name, 0.0), value.get(name, 0.0))
            for name, joint in calibration.cues.items()
        }
        opinions.append(
            Opinion(
                leaves=dict(zip(codes, leaves[row].tolist(), strict=True)),
                cues=cues,
                roles=opinion.roles,  # the encoder learns these only to read better: its values have other thresholds
                also=opinion.also,
                answered_by="encoder",
                calibration=calibration,
                unknown_share=opinion.unknown_share,
                unlike=opinion.unlike,
            )
        )
    return opinions
