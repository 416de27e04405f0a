"""Gather what a prediction rests on: words, occlusion, rules, labelled tickets like it, reasons against `auto`."""

from model.document import Document, read
from model.occlusion import LONGEST, Occlusion, occlude
from model.pipeline import Pipeline
from model.policy import Policy
from model.prediction import Prediction
from model.reasons import Reason, word_reasons
from model.rule_classifier import judge
from model.ticket import Ticket
from training.neighbours import COUNT
from triage.analysis.explanation import Explanation, Grounds
from triage.analysis.library import Library
from triage.analysis.why import why_not_auto

_WORDS = 8
_OTHER_NAMES = {"safety": "人身安全", "escalation": "升级风险", "not_a_complaint": "不是诉求"}


def explain(pipeline: Pipeline, ticket: Ticket, library: Library) -> Explanation:
    """Predict a ticket and say why.

    Args:
        pipeline: predicts.
        ticket: as received.
        library: labelled tickets to compare with; may be empty.

    Returns:
        The prediction with its grounds.
    """
    policy = pipeline.policy
    prediction = pipeline.predict([ticket], explain=True)[0]
    document = read(ticket, policy.decision.max_characters, policy.decision.head_characters)
    verdict = judge(pipeline.rules.hits(document), policy.taxonomy)
    occlusion, unread = _occlusion(pipeline, document, prediction)
    fired = {hit.rule for hit in verdict.hits}
    grounds = Grounds(
        text=document.text,
        words=_words(pipeline, document, prediction),
        occlusion=occlusion,
        unread=unread,
        rules=verdict.hits,
        remarks={rule.id: rule.why for rule in policy.rules if rule.id in fired and rule.why},
        why=why_not_auto(pipeline, prediction, verdict),
        similar=library.near(ticket.content, COUNT) if library.there and ticket.content.strip() else None,
        names=names_of(policy),
    )
    return Explanation({"row": 1, **prediction.to_dict()}, grounds)


def names_of(policy: Policy) -> dict[str, str]:
    """What codes are called.

    Args:
        policy: of the office.

    Returns:
        Chinese names of leaves, flags, filings and the other cues, by code.
    """
    taxonomy = policy.taxonomy
    leaves = {leaf.code: leaf.name for leaf in taxonomy}
    return {**_OTHER_NAMES, **{f.code: f.name for f in taxonomy.filings}, **taxonomy.flags, **leaves}


def _words(pipeline: Pipeline, document: Document, prediction: Prediction) -> tuple[Reason, ...]:
    """The linear classifier's strongest words, without punctuation and placeholders."""
    leaf, bundle = prediction.category.code, pipeline.bundle
    if bundle is None or prediction.answered_by == "rules" or leaf not in bundle.classifier.classes_:
        return ()
    found = word_reasons(bundle.classifier, document.text, leaf, 3 * _WORDS)
    return tuple(r for r in found if _tells(document, r))[:_WORDS]


def _tells(document: Document, reason: Reason) -> bool:
    words = document.text[reason.start : reason.end]
    return any(letter.isalnum() for letter in words) and not document.overlaps_mask(reason.start, reason.end)


def _occlusion(pipeline: Pipeline, document: Document, prediction: Prediction) -> tuple[Occlusion | None, str]:
    """What the encoder rests on, or why it is not asked."""
    bundle = pipeline.bundle
    if bundle is None or bundle.second is None:
        return None, ""
    if prediction.answered_by != "encoder":
        return None, "前面一层已有把握,编码器没有读这一条。"
    found = occlude(bundle.second.encoder, document, prediction.category.code, bundle.classifier.segmenter)
    return found, "" if found else f"正文超过 {LONGEST} 字,不逐句遮去试读。"
