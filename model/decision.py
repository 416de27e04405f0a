"""auto, review or fallback, and why. Flags, safety and escalation are no arguments here, so they cannot change it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from model.document import Document
from model.policy.schema import DecisionFile
from model.rule_classifier import RuleVerdict
from model.taxonomy import MISC

AUTO, REVIEW, FALLBACK = "auto", "review", "fallback"
AUTO_OFF = "auto_off"  # the only reason against `auto`, where an office has not switched its leaf on
_NO_OBSTACLES = {"over_time", "model_unavailable"}  # which part did not answer; said beside `auto` too
_HAN = re.compile(r"[\u3400-\u9fff]")
_SAYS = re.compile(r"[\w\u3400-\u9fff]")
_RULES_SURE = 0.6  # confidence from which rules are a witness to be heard


@dataclass(frozen=True, slots=True)
class Case:
    """What the decision on one ticket rests on. `of_power`: the text holds a word of the policy's `power_words`."""

    document: Document
    leaf: str
    confidence: float
    verdict: RuleVerdict
    answered_by: str
    unknown_share: float = 0.0
    unlike: bool = False
    of_power: bool = True


def decide(
    case: Case, auto: Mapping[str, float], decision: DecisionFile, *, model_missing: bool
) -> tuple[str, tuple[str, ...]]:
    """How a ticket's category is to be handled.

    Args:
        case: leaf, confidence and witnesses.
        auto: threshold by leaf.
        decision: the policy's limits.
        model_missing: there is no classifier, or it failed on this ticket.

    Returns:
        `auto`, `review` or `fallback`, and the reasons against `auto`.
    """
    reasons = list(_about_text(case, decision))
    if model_missing:
        return FALLBACK, (*reasons, "model_unavailable")
    least = max(auto.get(case.leaf, 1.0), decision.least_auto)
    if not case.of_power and case.leaf != MISC:
        least = max(least, decision.least_auto_elsewhere)
    if case.confidence < least:
        reasons.append("low_confidence")
    if _rules_disagree(case):
        reasons.append("rules_disagree")
    if not decision.auto_on(case.leaf):
        reasons.append(AUTO_OFF)
    return (REVIEW if reasons else AUTO), tuple(reasons)


def ready_for_auto(decision: str, reasons: Collection[str]) -> bool:
    """Whether a ticket goes to its desk unread, or would if its leaf were switched on.

    Args:
        decision: `auto`, `review` or `fallback`.
        reasons: against `auto`.

    Returns:
        True where nothing but the switch stands against it.
    """
    return decision == AUTO or (decision == REVIEW and set(reasons) - _NO_OBSTACLES == {AUTO_OFF})


def is_no_complaint(document: Document, verdict: RuleVerdict) -> bool:
    """Whether a text speaks of nothing a utility could put right.

    Args:
        document: the text.
        verdict: what the rules say.

    Returns:
        True without any Chinese character, or where rules say so and none speaks for another leaf.
    """
    if not _HAN.search(document.body):
        return True
    return verdict.cues.get("not_a_complaint", 0) >= 1 and verdict.first == MISC


def _about_text(case: Case, decision: DecisionFile) -> tuple[str, ...]:
    short = len(_SAYS.findall(case.document.body)) < decision.short_characters
    found = {
        "too_short": short,
        "too_long": case.document.clipped,
        "not_a_complaint": not short and is_no_complaint(case.document, case.verdict),
        "unknown_words": not short and (case.unlike or case.unknown_share > decision.unknown_word_share),
    }
    return tuple(name for name, true in found.items() if true)


def _rules_disagree(case: Case) -> bool:
    """Whether rules are sure of another leaf; of a text put aside as `other.misc`, whether they see any other leaf."""
    sure = case.leaf == MISC or case.verdict.leaves[case.verdict.first] >= _RULES_SURE
    return case.answered_by != "rules" and case.verdict.fired_leaf and sure and case.verdict.first != case.leaf
