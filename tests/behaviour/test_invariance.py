"""What must not change a leaf, and what must (CheckList: invariance, direction, minimum function)."""

import pytest

from model.pipeline import Pipeline
from model.ticket import Ticket

PLAIN = {
    "hall.staff_attitude": "去营业厅办业务,窗口的人爱答不理,还把我的材料扔出来,态度太差了",
    "billing.tariff": "峰谷分时电价办了两个月,账单上还是没执行,按平价收的",
    "billing.charge": "这个月电费扣了两遍,多扣的钱一直不退给我",
    "metering.miswiring": "我家的表和对门的接反了,关了我家闸,表还在走,两家互相交电费",
    "metering.device": "电表黑屏了,什么数都看不到,要求换个好的表",
    "metering.replacement": "换表的时候没通知我,旧表底数也没让我看就拆走了",
    "metering.verification": "申请校表半个月了,没人来,也不给检定结果",
    "other.outage": "停电四个小时了,打电话说在抢修,到现在没来电",
    "other.power_quality": "一到晚上电压就低,灯发暗,空调都启动不了",
    "other.new_connection": "申请新装充电桩受理了一个月,一直没人来装表",
    "other.grid_facility": "变压器离我家窗户太近,天天嗡嗡响,要求挪走",
    "other.field_conduct": "抄表员上门催费骂人,说话特别难听,要求他道歉",
    "other.misc": "物业收的电费一块五一度,比国家电价高,物业乱加价",
}


@pytest.mark.parametrize("code", PLAIN)
def test_a_plain_ticket_of_each_leaf_is_recognised(linear_pipeline: Pipeline, code: str) -> None:
    assert linear_pipeline.predict([Ticket(PLAIN[code])])[0].category.code == code


@pytest.mark.parametrize("code", PLAIN)
@pytest.mark.parametrize(
    "change",
    [
        lambda t: "你好,麻烦问一下,我是王先生。" + t,
        lambda t: t + "。谢谢,我电话13812345678",
        lambda t: "【12345热线转办】编号:20261123001\n诉求内容:" + t,
        lambda t: t.replace(",", ""),
        lambda t: t.replace(",", ",").replace("。", ". "),
        lambda t: "客服代表:您好请讲\n客户:" + t,
    ],
    ids=["courtesy", "phone", "header", "no-punctuation", "full-width", "transcript"],
)
def test_what_says_nothing_about_the_matter_does_not_change_the_leaf(
    linear_pipeline: Pipeline, code: str, change
) -> None:  # type: ignore[no-untyped-def]
    assert linear_pipeline.predict([Ticket(change(PLAIN[code]))])[0].category.code == code


def test_a_relay_header_alone_is_no_escalation(linear_pipeline: Pipeline) -> None:
    header = "【12345热线转办】编号:20261123001\n诉求内容:"
    assert not linear_pipeline.predict([Ticket(header + PLAIN["billing.charge"])])[0].escalation.raised


def test_traditional_characters_give_the_same_leaf(linear_pipeline: Pipeline) -> None:
    assert (
        linear_pipeline.predict([Ticket("這個月電費扣了兩遍,多扣的錢一直不退給我")])[0].category.code
        == "billing.charge"
    )


@pytest.mark.parametrize(
    ("danger", "none"),
    [
        ("电表箱冒烟了,还有糊味", "电表箱没有冒烟,就是锁坏了"),
        ("摸电表箱发麻漏电", "担心以后会不会漏电,现在没事"),
    ],
)
def test_denied_danger_is_less_likely_than_danger(linear_pipeline: Pipeline, danger: str, none: str) -> None:
    yes, no = linear_pipeline.predict([Ticket(danger), Ticket(none)])
    assert yes.safety.raised
    assert no.safety.probability < yes.safety.probability


def test_what_only_the_agent_says_does_not_raise_danger(rules_pipeline: Pipeline) -> None:
    text = "客服代表:请问表箱有没有冒烟漏电\n客户:没有,就是想问电费"
    assert not rules_pipeline.predict([Ticket(text)])[0].safety.raised
