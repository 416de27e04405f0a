"""The hard product rules of the domain brief, section 3."""

from dataclasses import replace

import pytest

from model.bundle import Bundle
from model.calibration import Calibration
from model.pipeline import Pipeline
from model.prediction import Cue, Prediction
from model.routing import rank
from model.taxonomy import FLAGS
from model.ticket import LabelledTicket, Ticket, ticket_from

ACCEPTED = "2026-11-23T08:30:00+08:00"


@pytest.fixture(scope="module", params=["rules", "linear"])
def pipeline(request, rules_pipeline: Pipeline, linear_pipeline: Pipeline) -> Pipeline:  # type: ignore[no-untyped-def]
    return {"rules": rules_pipeline, "linear": linear_pipeline}[request.param]


def _one(pipeline: Pipeline, text: str, **more: object) -> Prediction:
    return pipeline.predict([ticket_from({"content": text, "accepted_at": ACCEPTED, **more})])[0]


def _all_flags(pipeline: Pipeline, *, raised: bool) -> Pipeline:
    """The same pipeline with every flag always, or never, raised."""
    threshold = -1.0 if raised else 2.0

    def changed(calibration: Calibration) -> Calibration:
        cues = {n: replace(j, threshold=threshold) if n in FLAGS else j for n, j in calibration.cues.items()}
        return replace(calibration, cues=cues)

    decision = pipeline.policy.decision.model_copy(update={"flag_needs": {}})
    bundle = pipeline.bundle and replace(pipeline.bundle, calibration=changed(pipeline.bundle.calibration))
    forced = Pipeline(replace(pipeline.policy, decision=decision), bundle)
    forced._by_rules = changed(forced._by_rules)
    return forced


def test_raising_every_flag_changes_neither_decision_desk_due_dates_nor_rank(
    pipeline: Pipeline, held_side: tuple[LabelledTicket, ...]
) -> None:
    """Rule 1, on every ticket of the test side."""
    tickets = [ticket_from({"content": t.text, "accepted_at": ACCEPTED}) for t in held_side]
    with_flags = _all_flags(pipeline, raised=True).predict(tickets)
    without = _all_flags(pipeline, raised=False).predict(tickets)
    for a, b in zip(with_flags, without, strict=True):
        assert all(cue.raised for cue in a.flags.values())
        assert not any(cue.raised for cue in b.flags.values())
        assert (a.decision, a.reasons, a.candidates, a.route) == (b.decision, b.reasons, b.candidates, b.route)
        assert rank(a) == rank(b)


@pytest.mark.parametrize("switched_on", ["all", (), ("other.outage", "billing.charge")])
def test_no_flag_changes_what_the_switch_of_a_leaf_says(
    pipeline: Pipeline, held_side: tuple[LabelledTicket, ...], switched_on: object
) -> None:
    """Rule 1 beside `auto_leaves`: a leaf that is off is reviewed, with and without flags; only that changes."""
    tickets = [ticket_from({"content": t.text, "accepted_at": ACCEPTED}) for t in held_side[::4]]
    decision = pipeline.policy.decision.model_copy(update={"auto_leaves": switched_on})
    switched = Pipeline(replace(pipeline.policy, decision=decision), pipeline.bundle)
    answers = [_all_flags(switched, raised=raised).predict(tickets) for raised in (True, False)]
    for flagged, plain, before in zip(*answers, pipeline.predict(tickets), strict=True):
        assert (flagged.decision, flagged.reasons, flagged.route) == (plain.decision, plain.reasons, plain.route)
        on = switched_on == "all" or before.category.code in switched_on
        assert plain.decision == (before.decision if on or before.decision != "auto" else "review")
        assert ("auto_off" in plain.reasons) == (not on and before.decision != "fallback")
        assert plain.route.due_at == before.route.due_at


def test_flags_set_by_hand_do_not_move_a_ticket_in_the_queue(pipeline: Pipeline) -> None:
    prediction = _one(pipeline, "停电三小时了没人管")
    flagged = replace(prediction, flags=dict.fromkeys(FLAGS, Cue(1.0, True)))
    assert rank(flagged) == rank(prediction)


@pytest.mark.parametrize(
    "text",
    [
        "我家电表箱冒烟了,有糊味",
        "电线断了掉在路上,小孩在旁边玩",
        "老人上着呼吸机,家里突然停电了",
        "摸水龙头发麻,电得我手一抖",
        "变压器起火了快来人",
    ],
)
def test_danger_wins_over_everything(pipeline: Pipeline, text: str) -> None:
    """Rule 2: at once to the command centre and to a person, first in the queue, whatever else is in the text."""
    loud = _one(pipeline, text + "。我知道我欠着电费,之前偷电被罚过,我就是要投诉那个人扣他奖金")
    assert loud.safety.raised
    assert loud.route.desk == "供电服务指挥中心"
    assert loud.route.deliver_to == ("供电服务指挥中心", "县公司服务专责")
    assert loud.route.arrive_by is not None
    assert rank(loud) < rank(_one(pipeline, "停电三小时了没人管,已经投诉到12345了"))


def test_a_filing_is_only_ever_suggested_and_no_tag_is_set(
    pipeline: Pipeline, held_side: tuple[LabelledTicket, ...]
) -> None:
    """Rule 3."""
    predictions = pipeline.predict([Ticket(t.text) for t in held_side])
    filings = [p.to_dict()["filing"] for p in predictions if p.filing]
    assert filings
    assert all(filing["basis"] == "suggested" for filing in filings)
    assert not any("tag" in p.to_dict() for p in predictions)


def test_a_raised_flag_shows_its_evidence(linear_pipeline: Pipeline, held_side: tuple[LabelledTicket, ...]) -> None:
    predictions = linear_pipeline.predict([Ticket(t.text) for t in held_side])
    raised = [cue for p in predictions for cue in p.flags.values() if cue.raised]
    assert len(raised) > 20
    assert sum(bool(cue.evidence) for cue in raised) / len(raised) > 0.95


@pytest.mark.parametrize("word", ["喝醉", "酒后", "精神病", "神经病", "抑郁"])
def test_drink_and_illness_are_no_wording_of_any_rule(pipeline: Pipeline, word: str) -> None:
    """Rule 5: never infer them; no rule asks for them."""
    wordings = str(pipeline.policy.rules) + str(pipeline.policy.context.lexicons)
    assert word not in wordings


def test_drink_adds_no_flag(pipeline: Pipeline) -> None:
    calm = _one(pipeline, "停电三小时了没人管,快点来修")
    drunk = _one(pipeline, "客户酒后来电,停电三小时了没人管,快点来修")
    for flag in FLAGS:
        assert drunk.flags[flag].raised == calm.flags[flag].raised


def test_names_of_employees_are_masked_too(pipeline: Pipeline) -> None:
    """Rule 5 and section 4: nothing a classifier or rule sees holds a name."""
    prediction = pipeline.predict([Ticket("窗口工号0237的李建国师傅态度恶劣,骂人")], explain=True)[0]
    assert not any("李建国" in e.text or "0237" in e.text for e in prediction.evidence)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("营业厅窗口那个女的态度太差,骂我还摔我的证件", "营业班"),
        ("抄表的台区经理骂人态度恶劣,要求道歉", "供电所"),
    ],
)
def test_a_ticket_never_goes_to_those_complained_of(pipeline: Pipeline, text: str, unit: str) -> None:
    """Rule 6."""
    route = _one(pipeline, text).route
    assert unit not in {route.desk, *route.support, *route.deliver_to}


def test_loud_and_many_calls_are_not_malicious(pipeline: Pipeline) -> None:
    """G3: swearing, calling daily, 12345, media are no evidence."""
    text = "他妈的天天停电,我天天打你们电话,打了八遍了,再不修我就找12345找媒体曝光你们"
    prediction = _one(pipeline, text)
    assert not prediction.flags["malicious"].raised
    assert prediction.escalation.raised


def test_a_denial_is_not_an_admission(linear_pipeline: Pipeline) -> None:
    prediction = _one(linear_pipeline, "你们查电的说我偷电,我没偷,我不承认,凭什么罚我三倍,要求重新调查")
    assert prediction.flags["theft"].raised
    assert prediction.flags["theft"].role == "denies"


def test_a_reported_neighbour_is_not_the_caller(linear_pipeline: Pipeline) -> None:
    prediction = _one(linear_pipeline, "我举报隔壁烧烤店偷电,天天从路灯上勾线,你们来查查他")
    assert not prediction.flags["theft"].raised
    assert prediction.flags["theft"].role == "reports_other"


def test_the_answer_does_not_change_between_calls(bundle: Bundle) -> None:
    first, second = (Pipeline(bundle.policy, bundle).predict([Ticket("换表没通知我,底数不对")])[0] for _ in range(2))
    assert first == second
