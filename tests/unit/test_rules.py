"""The rule base: the engine's conditions on small rule sets, and the built-in leaves."""

from pathlib import Path

import pytest

from model.document import read
from model.policy import Policy, load_policy
from model.rule_classifier import RuleVerdict, judge
from model.rules import Hit, RuleBase
from model.ticket import LabelledTicket, Ticket
from training.rules_report import rules_report, to_text

_HEAD = 'version: "t"\neffective_from: 2026-11-01\nrules:\n'
_EMPTY = 'version: "t"\neffective_from: 2026-11-01\nrules: []\n'
_OUTAGE = "id: a, to: other.outage, all: [[停电]]"
_SCREEN = "id: a, to: metering.device, within: 40, all: [[电表], [黑屏]]"


def policy_with(folder: Path, *rules: str) -> Policy:
    (folder / "rules").mkdir(exist_ok=True)
    text = _HEAD + "".join(f"  - {{{rule}}}\n" for rule in rules)
    (folder / "rules" / "leaves.yaml").write_text(text, encoding="utf-8")
    for name in ("flags", "safety"):
        (folder / "rules" / f"{name}.yaml").write_text(_EMPTY, encoding="utf-8")
    return load_policy(folder)


def hits_of(folder: Path, text: str, *rules: str) -> list[Hit]:
    return RuleBase(policy_with(folder, *rules)).hits(read(Ticket(text)))


@pytest.fixture(scope="module")
def base() -> RuleBase:
    return RuleBase(load_policy())


def verdict(base: RuleBase, text: str) -> RuleVerdict:
    return judge(base.hits(read(Ticket(text))), base.policy.taxonomy)


# ── the engine ────────────────────────────────────────────────────────────────


def test_a_plain_wording_fires_with_its_span(tmp_path: Path) -> None:
    (hit,) = hits_of(tmp_path, "我家停电了", _OUTAGE)
    assert (hit.start, hit.end, hit.weight) == (2, 4, 1.0)


def test_a_negation_in_the_clause_drops_a_hit(tmp_path: Path) -> None:
    assert not hits_of(tmp_path, "不是停电", _OUTAGE)


def test_a_negation_in_another_clause_is_no_denial(tmp_path: Path) -> None:
    assert hits_of(tmp_path, "我不同意,停电了", _OUTAGE)


def test_a_negation_out_of_reach_is_no_denial(tmp_path: Path) -> None:
    assert hits_of(tmp_path, "没有人告诉过我们这里今天停电", _OUTAGE)


def test_a_word_that_only_looks_like_a_negation_denies_nothing(tmp_path: Path) -> None:
    assert hits_of(tmp_path, "动不动停电", _OUTAGE)


def test_a_negation_before_the_second_wording_denies_the_match(tmp_path: Path) -> None:
    assert not hits_of(tmp_path, "表箱没有发烫", "id: a, to: safety, all: [[表箱], [发烫]]")


def test_a_wording_that_holds_a_negation_is_not_denied_by_itself(tmp_path: Path) -> None:
    assert hits_of(tmp_path, "没通知就换表", "id: a, to: metering.replacement, all: [[换表], [没通知]]")


def test_negation_ignore_keeps_a_denied_wording(tmp_path: Path) -> None:
    assert hits_of(tmp_path, "不是停电", f"{_OUTAGE}, negation: ignore")


def test_negation_need_fires_only_where_denied(tmp_path: Path) -> None:
    rule = f"{_OUTAGE}, negation: need"
    assert hits_of(tmp_path, "不是停电", rule)
    assert not hits_of(tmp_path, "停电", rule)


def test_hearsay_weakens_a_hit(tmp_path: Path) -> None:
    (hit,) = hits_of(tmp_path, "听说表不准", "id: a, to: metering.device, all: [[表不准]]")
    assert hit.weight == pytest.approx(0.3)


def test_hearsay_can_drop_a_hit(tmp_path: Path) -> None:
    assert not hits_of(tmp_path, "听说表不准", "id: a, to: metering.device, hearsay: drop, all: [[表不准]]")


def test_the_strongest_place_of_a_rule_is_reported(tmp_path: Path) -> None:
    (hit,) = hits_of(tmp_path, "听说表不准。我也看到表不准", "id: a, to: metering.device, all: [[表不准]]")
    assert hit.weight == 1.0
    assert hit.start > 5


def test_words_of_an_agent_do_not_count(tmp_path: Path) -> None:
    assert not hits_of(tmp_path, "客服代表:请问是停电了吗\n客户:我问电费", _OUTAGE)


def test_words_of_an_agent_count_when_affirmed(tmp_path: Path) -> None:
    assert hits_of(tmp_path, "客服代表:请问是停电了吗\n客户:对,快来人", _OUTAGE)


def test_a_question_that_begins_like_a_yes_affirms_nothing(tmp_path: Path) -> None:
    assert not hits_of(tmp_path, "客服代表:请问是停电了吗\n客户:是不是你们弄错了", _OUTAGE)


def test_speaker_any_counts_an_agent(tmp_path: Path) -> None:
    assert hits_of(tmp_path, "客服代表:请问是停电了吗\n客户:我问电费", f"{_OUTAGE}, speaker: any")


def test_a_relay_header_does_not_count(tmp_path: Path) -> None:
    text = "【12345热线转办单】\n工单编号:123\n内容:灯不亮"
    assert not hits_of(tmp_path, text, 'id: a, to: escalation, all: [["12345"]]')


def test_wordings_must_stand_within_reach(tmp_path: Path) -> None:
    rule = "id: a, to: metering.device, within: 4, all: [[电表], [黑屏]]"
    assert hits_of(tmp_path, "电表一直黑屏", rule)
    assert not hits_of(tmp_path, "电表是上个月装的现在黑屏", rule)


def test_ordered_wordings_must_follow_one_another(tmp_path: Path) -> None:
    assert hits_of(tmp_path, "电表黑屏", f"{_SCREEN}, ordered: true")
    assert not hits_of(tmp_path, "黑屏的电表", f"{_SCREEN}, ordered: true")


def test_wordings_of_two_turns_do_not_join(tmp_path: Path) -> None:
    assert not hits_of(tmp_path, "客户:电表\n客服代表:嗯\n客户:黑屏", _SCREEN)


def test_unless_holds_within_the_sentence_only(tmp_path: Path) -> None:
    rule = f"{_OUTAGE}, unless: [欠费]"
    assert not hits_of(tmp_path, "因为欠费,停电了", rule)
    assert hits_of(tmp_path, "我没有欠费。停电了", rule)


def test_unless_anywhere_holds_in_the_whole_text(tmp_path: Path) -> None:
    assert not hits_of(tmp_path, "欠费。换了一句。停电了", f"{_OUTAGE}, unless_anywhere: [欠费]")


def test_a_placeholder_is_no_wording(tmp_path: Path) -> None:
    assert not hits_of(tmp_path, "请打我手机13912345678", "id: a, to: other.misc, negation: ignore, all: [[电话]]")


def test_a_match_may_span_a_placeholder(tmp_path: Path) -> None:
    assert hits_of(tmp_path, "回电13912345678说停电", "id: a, to: other.misc, within: 30, all: [[回电], [停电]]")


def test_a_lexicon_is_expanded(tmp_path: Path) -> None:
    assert hits_of(tmp_path, "智能表黑屏", 'id: a, to: metering.device, all: [["@meter"], [黑屏]]')


def test_a_rule_base_of_regular_expressions_alone_works(tmp_path: Path) -> None:
    rule = r"id: a, to: other.power_quality, regex: '\d{3}伏'"
    assert hits_of(tmp_path, "量了只有178伏", rule)
    assert not hits_of(tmp_path, "停电", rule)


def test_full_width_and_traditional_characters_are_found(tmp_path: Path) -> None:
    assert hits_of(tmp_path, "我家停電了,ＡＰＰ打不开", _OUTAGE)


# ── the built-in rules ────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "leaf"),
    [
        ("柜台那个小姑娘头都不抬,只顾玩手机", "hall.staff_attitude"),
        ("窗口说没有表箱,办不了,资料也不收", "hall.staff_attitude"),
        ("办了峰谷,账单还是一个价", "billing.tariff"),
        ("同一笔电费扣了两次,钱退给我", "billing.charge"),
        ("电费我昨天就交清了,到现在还没复电", "billing.charge"),
        ("把总闸拉了,外面的表还在走,是不是邻居接在我表上了", "metering.miswiring"),
        ("电表黑屏了,什么都看不见", "metering.device"),
        ("不是电费的事,电表倒走,要求换一块", "metering.device"),
        ("换表没人通知,旧表底数也没让看", "metering.replacement"),
        ("申请校表十天了没人来", "metering.verification"),
        ("我们这儿停电一上午了,什么时候来电", "other.outage"),
        ("一到晚上电压低,空调带不动", "other.power_quality"),
        ("增容受理四十天了没下文", "other.new_connection"),
        ("门口的变压器噪音太大,晚上睡不着", "other.grid_facility"),
        ("抄表员骂我母亲,要他当面道歉", "other.field_conduct"),
        ("举报隔壁饭店从电杆上勾线偷电", "other.misc"),
        ("物业说我欠物业费把我家电停了", "other.misc"),
    ],
)
def test_a_plain_complaint_gets_its_leaf(base: RuleBase, text: str, leaf: str) -> None:
    assert verdict(base, text).first == leaf


# ── the report ────────────────────────────────────────────────────────────────

_LABELLED = (
    LabelledTicket(id="t1", text="我家停电了", category="other.outage"),
    LabelledTicket(id="t2", text="停电的事不提,电费多扣", category="billing.charge"),
    LabelledTicket(id="t3", text="灯不亮", category="other.outage"),
)
_RULES = (
    "id: strong, to: other.outage, weight: 2, all: [[停电]]",
    "id: weak, to: other.outage, weight: 1, all: [[停电]]",
    "id: never, to: other.outage, all: [[龙卷风]]",
)


def test_the_report_counts_hits_precision_and_coverage(tmp_path: Path) -> None:
    row = rules_report(_LABELLED, policy_with(tmp_path, *_RULES)).rows[0]
    assert (row.fired, row.correct, row.last_hit) == (2, 1, "t2")
    assert (row.precision, row.coverage) == (0.5, 0.5)


def test_the_report_names_dead_and_shadowed_rules(tmp_path: Path) -> None:
    report = rules_report(_LABELLED, policy_with(tmp_path, *_RULES))
    assert report.dead == ("never",)
    assert report.shadowed == ("weak",)


def test_the_report_prints_chinese_headings(tmp_path: Path) -> None:
    text = to_text(rules_report(_LABELLED, policy_with(tmp_path, *_RULES)))
    assert all(word in text for word in ("规则", "指向", "命中", "准确率", "覆盖率", "最近命中", "从未命中", "被遮蔽"))
