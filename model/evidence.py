"""Evidence: the words of the text as sent that speak for a leaf or cue; never a masked one."""

from collections.abc import Iterable

from model.bundle import Bundle
from model.document import Document
from model.prediction import Evidence
from model.reasons import word_reasons
from model.rule_classifier import RuleVerdict

_MOST = 5
WeightedSpan = tuple[int, int, float]


def leaf_evidence(document: Document, verdict: RuleVerdict, leaf: str, bundle: Bundle | None) -> tuple[Evidence, ...]:
    """Evidence for the proposed leaf: exact word reasons where a bundle is given, else where rules fired.

    Args:
        document: the text.
        verdict: rules that fired.
        leaf: the proposed category.
        bundle: explains by words where given.

    Returns:
        Up to five stretches in text order, none overlapping.
    """
    spans = _wordings(verdict, leaf)
    if bundle and leaf in bundle.classifier.classes_:
        spans = _words(document, bundle, leaf, _MOST)
    return _collect(document, spans, leaf)


def cue_evidence(document: Document, verdict: RuleVerdict, cue: str, bundle: Bundle | None) -> tuple[Evidence, ...]:
    """Evidence for a raised cue: where its rules fired, else the classifier's strongest words.

    Args:
        document: the text.
        verdict: rules that fired.
        cue: a flag, `safety` or `escalation`.
        bundle: explains by words where no rule fired.

    Returns:
        Up to five stretches in text order, none overlapping.
    """
    spans = _wordings(verdict, cue)
    if not spans and bundle and cue in bundle.classifier.cues_:
        spans = _words(document, bundle, cue, 3)
    return tuple(Evidence(e.start, e.end, e.text) for e in _collect(document, spans, None))


def _wordings(verdict: RuleVerdict, target: str) -> list[WeightedSpan]:
    """Each wording of the rules that fired for a leaf or cue."""
    hits = (hit for hit in verdict.hits if hit.to == target)
    return [(start, end, hit.weight) for hit in hits for start, end in hit.parts or ((hit.start, hit.end),)]


def _words(document: Document, bundle: Bundle, target: str, most: int) -> list[WeightedSpan]:
    """The classifier's strongest words that a person can read something from (no punctuation)."""
    reasons = word_reasons(bundle.classifier, document.text, target, 2 * most)
    telling = [r for r in reasons if any(c.isalnum() for c in document.text[r.start : r.end])]
    return [(r.start, r.end, r.weight) for r in telling[:most]]


def _collect(document: Document, spans: Iterable[WeightedSpan], leaf: str | None) -> tuple[Evidence, ...]:
    chosen: list[Evidence] = []
    for start, end, weight in sorted(spans, key=lambda span: -span[2]):
        sent = document.sent_span(start, end)
        if sent and not any(sent[0] < e.end and e.start < sent[1] for e in chosen):
            chosen.append(Evidence(*sent, document.sent[slice(*sent)], leaf, weight))
    return tuple(sorted(chosen[:_MOST], key=lambda e: e.start))
