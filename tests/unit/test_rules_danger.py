"""The built-in rules: danger, the flags' cues, escalation, and the price of a hostile text."""

import time

import pytest

from model.document import read
from model.policy import load_policy
from model.rule_classifier import judge
from model.rules import RuleBase
from model.ticket import Ticket


@pytest.fixture(scope="module")
def base() -> RuleBase:
    return RuleBase(load_policy())


def raised(base: RuleBase, text: str, cue: str) -> bool:
    cues = judge(base.hits(read(Ticket(text))), base.policy.taxonomy).cues
    return cues.get(cue, 0.0) >= base.policy.decision.flag_rule_weight


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


def test_a_dense_tangle_is_no_tingling(base: RuleBase) -> None:
    assert not raised(base, "走廊里密密麻麻的管子,手一碰就掉灰,希望整改", "safety")
    assert raised(base, "摸到水龙头手发麻,麻麻的,快来人", "safety")
