"""The rule base: the engine's conditions on small rule sets, and the built-in rules on hard cases."""

import time
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


def raised(base: RuleBase, text: str, cue: str) -> bool:
    return verdict(base, text).cues.get(cue, 0.0) >= base.policy.decision.flag_rule_weight


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


@pytest.mark.parametrize(
    "text",
    [
        "水龙头摸着发麻,洗衣机外壳漏电",
        "表箱烫手,闻到一股糊味",
        "电线掉在地上,小孩在旁边玩",
        "配电箱噼里啪啦冒火",
        "家里老人靠制氧机,现在停电了",
        "变压器冒烟了,还有火星",
        "电线耷拉到路中间,人伸手就能够着",
        "院门口那个铁箱子,我手背一碰就麻",
        "老母亲洗菜的时候被电得手一缩",
        "厨房的水管子,我拿试电笔一点就亮",
        "配电柜里面滋滋地响,还有红光",
        "听见电表那里吱吱响,有烧橡胶的味道",
        "去年换的表箱,现在又冒烟了",
        "有一根落到水田里,我放的鸭子游过去就翻白了",
        "树把两根杆子都砸趴下了",
        "配电箱没有门,里面铜排都露着,旁边就是幼儿园",
        "客户:屋里一下冇得电了\n客服代表:您别急\n客户:我婆婆吸氧的那个机子冇响了",
        "停电了,早产儿还在保温箱里",
        "我爸被拉线绊倒,腿骨折了",
        "水管爆了,水喷到电表箱里头",
        "地下车库的配电室全是水",
    ],
)
def test_present_danger_is_raised(base: RuleBase, text: str) -> None:
    assert raised(base, text, "safety")


@pytest.mark.parametrize(
    "text",
    [
        "电表黑屏了,没有冒烟,也不烫",
        "鱼塘增氧机停了,什么时候来电",
        "去年表箱起火,已经换好了,现在问发票",
        "我家煤气灶打不着火",
        "怕漏电,想问问怎么装漏电保护器",
        "孩子上网课停电了",
        "看到账单像触电一样,八百多块",
        "证件上一股烟子味,我屋里烧火铺的",
        "气得我冒火,打了三天电话",
        "断线当夜已由抢修剪掉收走,只问今晚轮不轮得到",
        "客服代表:有没有打火或者冒烟?\n客户:没有没有,就是停电",
        "总闸拉下来表还走,后头肯定拖着别人家的线",
        "目前用电正常,母亲有制氧机,想问以后停电能不能提前打电话",
        "孩子学校要搞触电急救演练,请你们来人",
        "我手麻,是颈椎病,想问上门办理",
        "一个变压器带九户,灯泡只剩一根红丝",
    ],
)
def test_danger_denied_or_over_is_not_raised(base: RuleBase, text: str) -> None:
    assert not raised(base, text, "safety")


def test_a_denied_suspicion_is_no_theft_of_the_caller(base: RuleBase) -> None:
    assert not raised(base, "我家表不走了,我可没动过,怕你们哪天赖我偷电", "theft")


def test_a_report_of_somebody_else_is_no_theft_flag(base: RuleBase) -> None:
    hits = base.hits(read(Ticket("匿名举报隔壁养鸡场没走表,私自接线偷电")))
    assert any(hit.role == "reports_other" for hit in hits)
    assert not any(hit.to == "theft" for hit in hits)


def test_an_admission_carries_its_role(base: RuleBase) -> None:
    hits = base.hits(read(Ticket("去年我绕越计量被用检查到,我认,罚也罚了。今天是表黑屏")))
    assert "admits" in {hit.role for hit in hits if hit.to == "theft"}


def test_loud_and_persistent_is_not_malicious(base: RuleBase) -> None:
    assert not raised(base, "老子天天打12398,你们狗日的抢修到底来不来,停电三天了", "malicious")


def test_a_private_debt_used_as_leverage_is_malicious(base: RuleBase) -> None:
    text = "台区经理借我三万不还,用电没问题,你就记他态度差,扣他奖金,什么时候还钱什么时候撤"
    assert raised(base, text, "malicious")


def test_a_first_refusal_is_not_unreasonable(base: RuleBase) -> None:
    assert not raised(base, "头一回打,台区经理说不能赔,我不认,要求赔我冰箱", "unreasonable")


def test_an_answered_demand_without_anything_new_is_unreasonable(base: RuleBase) -> None:
    text = "书面答复我签收了,距离符合规定我也承认,没有新情况,就是看着难看,必须挪走再补五万"
    assert raised(base, text, "unreasonable")


def test_a_former_owners_debt_is_no_arrears(base: RuleBase) -> None:
    assert not raised(base, "前房主欠了三个月电费没交,凭啥找我", "arrears")


def test_three_months_unpaid_are_arrears(base: RuleBase) -> None:
    assert raised(base, "我三个月电费没交,手头紧,能不能先送电", "arrears")


@pytest.mark.parametrize(
    "text",
    [
        "这是第三次打电话了",
        "再不来我就发抖音",
        "我已经打到12398了",
        "我们二十多户都没电",
        "十四个摊都按了手印",
        "我跑所里找过三回,没人理",
    ],
)
def test_escalation_is_raised_by_deed_or_count(base: RuleBase, text: str) -> None:
    assert raised(base, text, "escalation")


@pytest.mark.parametrize("text", ["过户跑了三趟,第三次又要复印件", "【12345热线转办】诉求内容:市民反映家中灯闪"])
def test_trips_for_the_business_or_a_header_are_no_escalation(base: RuleBase, text: str) -> None:
    assert not raised(base, text, "escalation")


@pytest.mark.parametrize(
    "text",
    [
        "电表" * 10_000,
        "没" * 20_000,
        "第三" * 10_000,
        "电表停电欠费窗口态度" * 2_000,
        "一" * 20_000,
        "听说不是停电," * 2_500,
    ],
    ids=["one word", "negations", "counts", "many words", "digits", "clauses"],
)
def test_a_hostile_text_is_cheap(base: RuleBase, text: str) -> None:
    base.hits(read(Ticket("热身")))
    document = read(Ticket(text))
    begun = time.perf_counter()
    base.hits(document)
    assert time.perf_counter() - begun < 1.0


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
