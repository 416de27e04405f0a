"""Why the encoder decided so: how much a leaf loses when a stretch of the ticket is taken away (occlusion).

The clauses of a ticket first, then the words of the clauses that tell most (Zeiler and Fergus 2014, after images; Li,
Monroe and Jurafsky 2016, "Understanding Neural Networks through Representation Erasure"). Unlike the reasons of the
linear classifier these weights are no exact parts: two clauses that say the same thing each weigh little.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from model.document import HEADER, Document
from model.encoder import Encoder
from model.reasons import Reason
from model.segmenter import Segmenter

_CLAUSE = re.compile(r"[^,。;!?\n、:]+")
LONGEST = 2_000  # characters; each stretch costs a reading of the whole text, so longer texts are left out
_CLAUSES = 10  # stretches at most; neighbours are joined where there are more clauses
_TELLING = 3  # clauses whose words are looked at
_WORDS = 12
_NOISE = 0.1  # log odds; int8 arithmetic alone moves a value by about half as much
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Occlusion:
    """Stretches of the masked text without which a leaf's log odds fall, strongest first; weights in natural logs.

    `clauses` tell where to look, `words` what it is there.
    """

    clauses: tuple[Reason, ...] = ()
    words: tuple[Reason, ...] = ()


def occlude(encoder: Encoder, document: Document, leaf: str, segmenter: Segmenter) -> Occlusion | None:
    """Look at a ticket without each of its clauses, then without each word of the telling ones.

    Args:
        encoder: of the bundle.
        document: normalised and masked.
        leaf: the proposed category.
        segmenter: cuts words.

    Returns:
        What the leaf rests on; None where the encoder does not know the leaf, or the text is longer than `LONGEST`.
    """
    if leaf not in encoder.classes_ or len(document.text) > LONGEST:
        return None
    look = _Look(encoder, document, list(encoder.classes_).index(leaf))
    clauses = look.at(_joined(list(_clauses(document))))
    words = [word for clause in clauses[:_TELLING] for word in _words(document, clause, segmenter)]
    return Occlusion(tuple(clauses), tuple(look.at(words[:_WORDS])))


@dataclass(frozen=True)
class _Look:
    """One ticket read again and again, each time as it is served: in one padded batch int8 values move with the rows
    beside them, by more than a word of little weight is worth, for about a third less time (docs/explain.md).
    """

    encoder: Encoder
    document: Document
    column: int

    def at(self, spans: Sequence[Span]) -> list[Reason]:
        """Those of some stretches without which the leaf loses, strongest first."""
        if not spans:
            return []
        whole, *without = self._log_odds([self.document, *(_without(self.document, span) for span in spans)])
        found = [Reason(*span, float(whole - left)) for span, left in zip(spans, without, strict=True)]
        return sorted((reason for reason in found if reason.weight >= _NOISE), key=lambda reason: -reason.weight)

    def _log_odds(self, documents: Sequence[Document]) -> list[float]:
        """Of the leaf against all others; unlike a probability they go on falling where the encoder is sure."""
        values, _ = self.encoder.scores(documents)
        others = logsumexp(np.delete(values, self.column, axis=1), axis=1)
        return [float(value) for value in values[:, self.column] - others]


def _without(document: Document, span: Span) -> Document:
    """Blanks in place of a stretch; the encoder reads runs of blanks as one."""
    start, end = span
    text = document.text[:start] + " " * (end - start) + document.text[end:]
    return replace(document, aligned=replace(document.aligned, text=text))


def _clauses(document: Document) -> Iterator[Span]:
    """Stretches between punctuation that say something, without headers and speakers' labels."""
    for segment in document.segments:
        if segment.speaker != HEADER:
            for found in _CLAUSE.finditer(document.text, segment.start, segment.end):
                if any(letter.isalnum() for letter in found[0]):
                    yield found.span()


def _joined(clauses: list[Span]) -> list[Span]:
    """At most so many stretches, each of neighbouring clauses."""
    each = -(-len(clauses) // _CLAUSES)
    groups = [clauses[first : first + each] for first in range(0, len(clauses), each or 1)]
    return [(group[0][0], group[-1][1]) for group in groups]


def _words(document: Document, clause: Reason, segmenter: Segmenter) -> Iterator[Span]:
    position = clause.start
    for piece in segmenter.pieces(document.text[clause.start : clause.end]):
        span = position, position + len(piece)
        if any(letter.isalnum() for letter in piece) and not document.overlaps_mask(*span):
            yield span
        position = span[1]
