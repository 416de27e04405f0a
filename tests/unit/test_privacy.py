from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.privacy import Case, measure, read_cases, table
from model.privacy import KINDS, find_personal, mask
from model.text import CLOSE, OPEN, normalise

CASES = read_cases(Path(__file__).parent / "privacy_cases.jsonl")

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
    ("客户:电话幺三三\n客服:嗯幺三三\n客户:五五二七\n客服:好\n客户:九零一四", "九零一四", "phone"),
    ("号码是幺三七,三个六,二洞拐勾五", "三个六,二洞拐勾五", "phone"),
    ("打我手机139 0452然后7768", "7768", "phone"),
    ("客服:您的户号\n客户:零二零九\n客服:后面呢\n客户:三三幺七", "三三幺七", "account"),
    ("工号尾号17的女坐席", "17", "staff"),
    ("证件号130403880101271", "130403880101271", "id_card"),
    ("车牌就记得7K33", "7K33", "plate"),
    ("住和平路18号2号楼3单元402", "和平路18号2号楼3单元402", "address"),
    ("翠屏小区5-2-301停电", "翠屏小区5-2-301", "address"),
    ("前进村二社17号", "前进村二社17号", "address"),
    ("【诉求人】洪立军【诉求】停电", "洪立军", "name"),
    ("客服:怎么称呼您\n客户:赵国栋", "赵国栋", "name"),
    ("住户王大力、田野三人投诉", "田野", "name"),
    ("户名由武秀云变更为牛大力", "牛大力", "name"),
    ("户名登记为阿依古丽·买买提", "阿依古丽·买买提", "name"),
    ("客户住王各庄村3组12号,线杆歪了", "王各庄村3组12号", "address"),
    ("家在于家庄村2组8号", "于家庄村2组8号", "address"),
    ("碧桂园三期8栋2单元1203一直停电", "碧桂园三期8栋2单元1203", "address"),
    ("父亲李长贵一直卧床", "李长贵", "name"),
    ("我妈乔玉兰户头上", "乔玉兰", "name"),
    ("牧户斯琴高娃来电", "斯琴高娃", "name"),
    ("向师傅没来", "向", "name"),
    ("户号是零三幺二,完事五五七,末了八零四", "八零四", "account"),
    ("手机号一八六,记住没,四四幺二,跟着是三九九零", "三九九零", "phone"),
    ("新户主371999 19790302 4417,已核验", "371999 19790302 4417", "id_card"),
    ("工牌夹在兜里,露出来的数字是00452", "00452", "staff"),
    ("编号 1043 的坐席挂我电话", "1043", "staff"),
    ("加wx 88feng_dian说能便宜", "88feng_dian", "wechat"),
    ("交费编号0420061183", "0420061183", "account"),
    ("打我家里电话 2-3-3-1-0-9-8", "2-3-3-1-0-9-8", "phone"),
    ("加我VX gongdian", "gongdian", "wechat"),
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
    "工程师傅、班主任、公司老板、养老金、小程序、小高层",
    "电费老高了,冰箱老费电",
    "杨梅园停电,温泉没电,高速路口电线断了,方向反了",
    "村里3户没电,全小区180户停电,小区8栋楼都停",
    "10kV向阳线12号杆,向阳街3号箱变,3号柜台",
    "订单号20240519230700012345未到账",
    "工单受理时间20240618 214053",
    "示数是零八三四七,这次零八五六幺",
    "打了九五五九八,又打幺二三四五和400-8195598",
    "电费138.5,139.2,150.6三个月",
    "已向经理汇报,也向市长热线反映了,连班长都不知道,连电工也没来",
    "任班长三年,应主任要求签字",
    "工牌不给看,让打95598,工单编号30291,箱变编号30412",
    "户号的1、2、3、4、5、6月电费",
    "座机没人接,家里1 2 3 4 5楼都停",
    "微信充了100kwh,加v三天没通过",
    "1702一直没电,12栋两天没电",
    "证件没带,2024-01-15 13:52去的",
    "母亲高血压,儿子高中毕业,奶奶由于腿脚不便,居民楼发生火灾",
    "业主多次和开发商协调,困难户廉租房停电",
]


@pytest.mark.parametrize(("text", "secret", "kind"), PERSONAL)
def test_personal_data_is_masked(text: str, secret: str, kind: str) -> None:
    masked = mask(normalise(text).text)
    assert secret not in masked.text
    assert kind in {found for *_, found in masked.kinds}


@pytest.mark.parametrize("text", KEPT)
def test_what_the_work_needs_survives(text: str) -> None:
    assert mask(normalise(text).text).text == normalise(text).text


def test_a_word_behind_a_number_is_no_part_of_it() -> None:
    assert mask("户号3207716450一直停电").text == "户号⟦户号⟧一直停电"
    assert mask("户号3207716450 30天没电").text == "户号⟦户号⟧ 30天没电"


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


def test_the_list_of_cases_is_large_enough() -> None:
    assert Counter(case.source for case in CASES) == {"a": 180, "b": 120}
    assert sum(not case.personal for case in CASES) >= 100
    kinds = [kind for case in CASES for _, kind in case.personal]
    assert {kind: count for kind in KINDS if (count := kinds.count(kind)) < 10} == {}
    for case in CASES:
        assert all(word in case.text for word in (*(secret for secret, _ in case.personal), *case.keep))


@pytest.mark.parametrize("lists", ["ab", "a", "b"])
def test_recall_and_precision_on_the_lists(lists: str) -> None:
    figures = measure([case for case in CASES if case.source in lists])
    misses = [(kind, secret) for kind, secret, _ in sorted(figures.misses)]
    assert figures.recall() >= 0.98, misses
    assert figures.precision() >= 0.97, sorted(figures.false)
    for kind in KINDS:
        assert figures.recall(kind) >= 0.9, misses


def test_measuring_counts_a_miss_and_a_false_mask() -> None:
    missed = Case("代号鸢尾停电", (("鸢尾", "name"),), ())
    wrong = Case("电话13812345678", (), ("13812345678",))
    figures = measure([missed, wrong])
    assert figures.recall() == 0
    assert figures.precision() == 0
    assert figures.misses == [("name", "鸢尾", missed.text)]
    assert figures.touched == [("13812345678", wrong.text)]


def test_the_table_tells_the_lists_apart() -> None:
    missed = Case("代号鸢尾停电", (("鸢尾", "name"),), (), source="b")
    found = Case("电话13812345678", (("13812345678", "phone"),), (), source="a")
    assert "| all kinds | 1 | 1.000 | 1.000 | 1 | 0.000 | 1.000 | 2 | 0.500 | 1.000 |" in table([missed, found])
    assert "list" not in table([found])


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_each_case_is_masked_once_and_aligned(case: Case) -> None:
    text = normalise(case.text).text
    masked = mask(text)
    assert mask(masked.text).text == masked.text
    for start, end, kind in masked.kinds:
        word = f"{OPEN}{KINDS[kind]}{CLOSE}"
        places = [i for i in range(len(masked.text)) if masked.aligned.span(i, i + 1)[0] == start]
        at = places[0]
        assert masked.text[at : at + len(word)] == word
        assert masked.aligned.span(at, at + len(word)) == (start, end)
        assert not set(text[start:end]) & {OPEN, CLOSE}
    assert _restored(text, masked.text, masked.kinds) == text


def _restored(text: str, masked: str, kinds: tuple[tuple[int, int, str], ...]) -> str:
    """Put every masked slice of the source back in the place of its placeholder."""
    parts, position = [], 0
    for start, end, kind in kinds:
        at = masked.index(f"{OPEN}{KINDS[kind]}{CLOSE}", position)
        parts += [masked[position:at], text[start:end]]
        position = at + len(KINDS[kind]) + 2
    return "".join([*parts, masked[position:]])


@given(st.lists(st.sampled_from(
    ["客户:", "客服:", "\n", "电话", "户号", "幺三八", "零四五二", "7768", "138 0471", "然后", "嗯,", "王", "小", "先生", "李国栋", "、",
     "和平路12号", "3单元", "度", "⟦电话⟧", "⟦姓名⟧", "村3组", "工号", "-", "反映"]
), max_size=16))  # fmt: skip
def test_masking_pieces_of_tickets_twice_is_masking_once(pieces: list[str]) -> None:
    once = mask("".join(pieces)).text
    assert mask(once).text == once


def test_masking_lists_of_names_and_digits_takes_linear_time() -> None:
    import time

    for text in ("客户王小二、张伟、李强", "电话幺三八,", "师傅王", "李国栋13812345678,", "和平路12号3单元"):
        began = time.perf_counter()
        mask(text * (9000 // len(text)))
        assert time.perf_counter() - began < 3
