"""Why the linear classifier decided so: each word with its exact part in the decision value."""

from dataclasses import dataclass

import numpy as np

from model.features import Features
from model.grams import Numbers
from model.linear import LinearClassifier

_NOTHING = 1e-9  # parts below this are rounding


@dataclass(frozen=True, slots=True)
class Reason:
    """A word of the masked text and its exact part in the decision value of a leaf or cue."""

    start: int
    end: int
    weight: float


def word_reasons(classifier: LinearClassifier, text: str, target: str, top: int = 5) -> list[Reason]:
    """The words that speak most for a leaf or cue.

    The parts of all words, of the blanks between them and the intercept sum to the decision value.

    Args:
        classifier: fitted.
        text: masked text.
        target: leaf code or cue name.
        top: how many words at most.

    Returns:
        Words with positive weight, strongest first.
    """
    prepared = classifier.prepare([text])[0]
    weights = character_weights(classifier, text, target, prepared)
    if not prepared.words:
        return []
    starts = np.array(prepared.word_starts)
    first, last = _origin(prepared, starts, starts + np.array([len(word) for word in prepared.words]))
    until = np.concatenate([[0.0], np.cumsum(weights)])
    values = until[last] - until[first]
    best = np.argsort(-values, kind="stable")[: 2 * top]  # a customer's words may stand there twice
    ranked = dict.fromkeys(Reason(int(first[n]), int(last[n]), float(values[n])) for n in best)
    return [reason for reason in ranked if reason.weight > _NOTHING][:top]


def character_weights(
    classifier: LinearClassifier, text: str, target: str, prepared: Features | None = None
) -> np.ndarray:
    """Each character's part in the decision value.

    Args:
        classifier: fitted.
        text: masked text.
        target: leaf code or cue name.
        prepared: the prepared text, where it is at hand.

    Returns:
        One weight for each character of `text` (and one for its end); with the intercept they sum to the value.
    """
    prepared = prepared or classifier.prepare([text])[0]
    start, end, column = classifier.grams_.occurrences(prepared)
    shared = classifier.grams_.shares(column) * classifier.coefficients(target)[column]
    first, last = _origin(prepared, start, end)
    steps = np.zeros(len(text) + 2)
    np.add.at(steps, first, shared / (last - first))
    np.add.at(steps, last, -shared / (last - first))
    return np.cumsum(steps)[:-1]


def _origin(prepared: Features, start: Numbers, end: Numbers) -> tuple[Numbers, Numbers]:
    """The stretches of masked text behind n-grams; one that spans two turns belongs to where it begins."""
    index = np.array(prepared.origin, np.int64)
    first, last = index[start], index[end - 1] + 1
    length = last - first
    return first, np.where((length >= 1) & (length <= 4 * (end - start) + 20), last, first + 1)
