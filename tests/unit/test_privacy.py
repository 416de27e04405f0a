import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.privacy import find_personal, mask
from model.text import normalise

PERSONAL = [
    ("我的电话13812345678", "13812345678", "phone"),
    ("打138-1234-5678找我", "138-1234-5678", "phone"),
    ("电话幺三八,零零幺二,三四五六", "幺三八,零零幺二,三四五六", "phone"),
    ("一三九二二三三四四五五", "一三九二二三三四四五五", "phone"),
    ("座机0531-82345678", "0531-82345678", "phone"),
    ("户号0312345678", "0312345678", "account"),
    ("户号是三二零一五六七八九零", "三二零一五六七八九零", "account"),
    ("护号 3201 5678 90 没错", "3201 5678 90", "account"),
    ("表号:00123456789", "00123456789", "meter"),
    ("电表资产号3340001122334455667788", "3340001122334455667788", "meter"),
    ("身份证370102199001011234", "370102199001011234", "id_card"),
    ("卡号6222021234567890123", "6222021234567890123", "bank_card"),
    ("车牌鲁A12B45堵门", "鲁A12B45", "plate"),
    ("微信号abc_12345", "abc_12345", "wechat"),
    ("邮箱zhang.san@example.com", "zhang.san@example.com", "email"),
    ("工号0237的那个", "0237", "staff"),
    ("住在幸福路12号3单元501", "幸福路12号3单元501", "address"),
    ("阳光花园7栋2单元301室没电", "阳光花园7栋2单元301室", "address"),
    ("我是张伟先生", "张伟", "name"),
    ("王师傅来换的表", "王", "name"),
    ("台区经理老费", "老费", "name"),
    ("我姓缪,上次说的", "缪", "name"),
    ("客户李某某来电", "李某某", "name"),
    ("联系人:陈小明,电话", "陈小明", "name"),
    ("欧阳女士反映", "欧阳", "name"),
]
KEPT = [
    "抄见示数08218.4,电费1047.66元",
    "3月9日受理,95598打了三次,还打了12398和12345",
    "这个月用了三百二十度,扣了两百块",
    "2026年11月23日8点30分停电",
    "城东供电所一直没人来",
    "安装师傅没来,施工师傅也没来",
    "小区小时小学的小王庄",
    "高压线离房子4.1米",
    "变压器容量400千伏安,电压221到229",
    "五个工作日,45分钟,24小时",
    "一楼住户和三楼反了",
    "旧表底数5518,新表起码0",
    "倍率30,功率因数0.85",
    "欠了2、3、4月电费",
]


@pytest.mark.parametrize(("text", "secret", "kind"), PERSONAL)
def test_personal_data_is_masked(text: str, secret: str, kind: str) -> None:
    masked = mask(normalise(text).text)
    assert secret not in masked.text
    assert kind in {found for *_, found in masked.kinds}


@pytest.mark.parametrize("text", KEPT)
def test_what_the_work_needs_survives(text: str) -> None:
    assert mask(normalise(text).text).text == normalise(text).text


def test_the_honorific_stays() -> None:
    assert mask("刘女士来电").text == "⟦姓名⟧女士来电"


@given(
    st.text(
        alphabet=st.sampled_from("张王李先生女士师傅电话户号表号0123456789一二三幺零路号单元栋停,。 ⟦⟧姓名"),
        max_size=60,
    )
)
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text).text
    assert mask(once).text == once


@given(st.text(alphabet=st.sampled_from("张先生电话户号138123456780停电,。"), max_size=60))
def test_the_alignment_is_exact_outside_the_masks(text: str) -> None:
    masked = mask(text)
    spans = find_personal(text)
    for position, character in enumerate(masked.text):
        start, end = masked.aligned.span(position, position + 1)
        if not any(a <= start < b for a, b, _ in spans):
            assert text[start:end] == character
