"""Why the linear classifier decided so: each word with its exact part in the decision value."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.features import Features
from model.linear import LinearClassifier


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
    spans = {_origin(prepared, at, at + len(word)) for word, at in _words(prepared)}
    ranked = sorted((Reason(a, b, float(weights[a:b].sum())) for a, b in spans), key=lambda r: (-r.weight, r.start))
    return [reason for reason in ranked if reason.weight > 0][:top]


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
    weights = np.zeros(len(text) + 1)
    for start, end, weight in _contributions(classifier, prepared, target):
        first, last = _origin(prepared, start, end)
        weights[first:last] += weight / (last - first)
    return weights


def _contributions(classifier: LinearClassifier, prepared: Features, target: str) -> Iterator[tuple[int, int, float]]:
    """Every n-gram occurrence with its part; a column's value is shared evenly by its occurrences."""
    row = classifier.matrix([prepared])
    parts = row.data * classifier.coefficients(target)[row.indices]
    value = dict(zip(row.indices.tolist(), parts.tolist(), strict=True))
    places: dict[int, list[tuple[int, int]]] = {}
    for start, end, column in _grams(classifier, prepared):
        if column in value:
            places.setdefault(column, []).append((start, end))
    for column, spans in places.items():
        for start, end in spans:
            yield start, end, value[column] / len(spans)


def _grams(classifier: LinearClassifier, prepared: Features) -> Iterator[tuple[int, int, int]]:
    """Occurrences of words, word pairs and character n-grams with their column."""
    vocabulary, characters = classifier.words_.vocabulary_, classifier.characters_.vocabulary_
    words = list(_words(prepared))
    for number, (word, start) in enumerate(words):
        yield start, start + len(word), vocabulary.get(word, -1)
        if number + 1 < len(words):
            following, at = words[number + 1]
            yield start, at + len(following), vocabulary.get(f"{word} {following}", -1)
    text = prepared.characters.text
    for length in range(1, classifier.max_ngram + 1):
        for start in range(len(text) - length + 1):
            column = characters.get(text[start : start + length])
            if column is not None:
                yield start, start + length, column + len(vocabulary)


def _words(prepared: Features) -> Iterator[tuple[str, int]]:
    return zip(prepared.words.split(" ") if prepared.words else [], prepared.word_starts, strict=True)


def _origin(prepared: Features, start: int, end: int) -> tuple[int, int]:
    """The stretch of masked text behind an n-gram; one that spans two turns belongs to where it begins."""
    first, last = prepared.characters.span(start, end)
    return (first, last) if last - first >= 1 and last - first <= 4 * (end - start) + 20 else (first, first + 1)
