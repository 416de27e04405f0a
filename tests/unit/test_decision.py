import inspect
from dataclasses import replace

import pytest

from model.decision import AUTO, FALLBACK, REVIEW, Case, decide, ready_for_auto
from model.document import read
from model.policy import Policy
from model.routing import route
from model.rule_classifier import RuleVerdict
from model.rules import Hit
from model.ticket import Ticket


def _case(policy: Policy, text: str, *, leaf: str = "other.outage", confidence: float = 0.99, **more) -> Case:  # type: ignore[no-untyped-def]
    leaves = dict.fromkeys(policy.taxonomy.codes, 0.0) | {more.pop("rules_leaf", leaf): 1.0}
    verdict = RuleVerdict(leaves, more.pop("cues", {}), more.pop("hits", ()))
    return Case(read(Ticket(text)), leaf, confidence, verdict, more.pop("answered_by", "linear"), **more)


def _decide(policy: Policy, case: Case, *, missing: bool = False) -> tuple[str, tuple[str, ...]]:
    return decide(case, dict.fromkeys(policy.taxonomy.codes, 0.8), policy.decision, model_missing=missing)


def test_a_confident_leaf_goes_to_its_desk(policy: Policy) -> None:
    assert _decide(policy, _case(policy, "停电三小时了没人管")) == (AUTO, ())


def test_low_confidence_goes_to_a_person(policy: Policy) -> None:
    assert _decide(policy, _case(policy, "停电三小时了没人管", confidence=0.5)) == (REVIEW, ("low_confidence",))


def test_nothing_goes_out_unread_below_the_least_confidence_whatever_was_fitted(policy: Policy) -> None:
    fitted = dict.fromkeys(policy.taxonomy.codes, 0.3)
    for confidence, outcome in ((0.69, REVIEW), (0.71, AUTO)):
        case = _case(policy, "停电三小时了没人管", confidence=confidence)
        assert decide(case, fitted, policy.decision, model_missing=False)[0] == outcome


@pytest.mark.parametrize(("leaf", "confidence", "outcome"), [
    ("other.outage", 0.94, REVIEW), ("other.outage", 0.96, AUTO), ("other.misc", 0.94, AUTO),
])  # fmt: skip
def test_a_text_that_names_nothing_of_power_goes_to_a_power_desk_unread_only_if_nearly_certain(
    policy: Policy, leaf: str, confidence: float, outcome: str
) -> None:
    case = _case(policy, "公交车一个小时不来", leaf=leaf, confidence=confidence, of_power=False)
    assert _decide(policy, case)[0] == outcome


def test_without_a_classifier_it_is_fallback(policy: Policy) -> None:
    outcome, reasons = _decide(policy, _case(policy, "停电三小时了没人管"), missing=True)
    assert outcome == FALLBACK
    assert "model_unavailable" in reasons


@pytest.mark.parametrize("text", ["电", "停电", "停电!", "?"])
def test_a_text_of_a_few_characters_is_too_short(policy: Policy, text: str) -> None:
    outcome, reasons = _decide(policy, _case(policy, text))
    assert outcome == REVIEW
    assert "too_short" in reasons


@pytest.mark.parametrize("text", ["😀😀😀😀😀", "please help me", "<p>hello world</p>", "123456789012345"])
def test_a_text_without_chinese_is_no_complaint(policy: Policy, text: str) -> None:
    outcome, reasons = _decide(policy, _case(policy, text))
    assert outcome == REVIEW
    assert set(reasons) & {"too_short", "not_a_complaint"}


def test_a_very_long_text_is_named_too_long(policy: Policy) -> None:
    outcome, reasons = _decide(policy, _case(policy, "停电了。" * 6000))
    assert outcome == REVIEW
    assert "too_long" in reasons


def test_a_text_far_from_all_training_goes_to_a_person(policy: Policy) -> None:
    assert _decide(policy, _case(policy, "停电三小时了没人管", unlike=True)) == ("review", ("unknown_words",))


def test_unknown_words_go_to_a_person(policy: Policy) -> None:
    assert _decide(policy, _case(policy, "停电三小时了没人管", unknown_share=0.9))[1] == ("unknown_words",)


def test_sure_rules_that_see_another_leaf_are_heard(policy: Policy) -> None:
    from model.rules import Hit

    hit = Hit("x", "billing.charge", 0, 2, 2.0)
    case = _case(policy, "停电三小时了没人管", rules_leaf="billing.charge", hits=(hit,))
    assert _decide(policy, case) == (REVIEW, ("rules_disagree",))


def test_no_flag_safety_or_escalation_can_reach_the_decision_or_the_route() -> None:
    """Hard product rule 1, by signature: neither function takes them (the route takes danger, which raises, and
    further leaves, whose units complained of get nothing)."""
    assert set(inspect.signature(decide).parameters) == {"case", "auto", "decision", "model_missing"}
    assert set(inspect.signature(route).parameters) == {"ticket", "leaf", "decision", "routing", "danger", "secondary"}


def test_a_ticket_is_not_put_aside_unread_where_rules_see_a_matter_of_ours(policy: Policy) -> None:
    leaves = dict.fromkeys(policy.taxonomy.codes, 0.05) | {"billing.charge": 0.2}  # unsure, but not other.misc
    hits = (Hit("charge.topic", "billing.charge", 0, 2, 0.5),)
    case = _case(policy, "老家电费突然增加请调查", leaf="other.misc", hits=hits)
    verdict = RuleVerdict(leaves, {}, hits)
    assert _decide(policy, replace(case, verdict=verdict)) == (REVIEW, ("rules_disagree",))
    assert _decide(policy, replace(case, verdict=verdict, leaf="billing.tariff")) == (AUTO, ())


def _only(policy: Policy, *leaves: str) -> Policy:
    return replace(policy, decision=policy.decision.model_copy(update={"auto_leaves": leaves}))


def test_a_leaf_that_is_not_switched_on_goes_to_a_person_however_sure(policy: Policy) -> None:
    case = _case(policy, "停电三小时了没人管")
    assert _decide(_only(policy, "billing.charge"), case) == (REVIEW, ("auto_off",))
    assert _decide(_only(policy), case) == (REVIEW, ("auto_off",))
    assert _decide(_only(policy, "other.outage"), case) == (AUTO, ())


def test_the_switch_makes_no_ticket_auto_that_was_not(policy: Policy) -> None:
    case = _case(policy, "停电三小时了没人管", confidence=0.5)
    assert _decide(_only(policy, "other.outage"), case) == (REVIEW, ("low_confidence",))
    assert _decide(_only(policy), case, missing=True)[0] == FALLBACK


def test_ready_for_auto_means_that_only_the_switch_stands_against_it() -> None:
    assert ready_for_auto(AUTO, ())
    assert ready_for_auto(AUTO, ("over_time",))
    assert ready_for_auto(REVIEW, ("auto_off",))
    assert ready_for_auto(REVIEW, ("auto_off", "over_time"))
    assert not ready_for_auto(REVIEW, ("auto_off", "low_confidence"))
    assert not ready_for_auto(REVIEW, ("low_confidence",))
    assert not ready_for_auto(FALLBACK, ("auto_off", "model_unavailable"))
