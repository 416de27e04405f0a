"""Wordings that dodge: the same ticket in disguise gets the same answer, and clean text is left as it is."""

import importlib.util
from pathlib import Path

import pytest

from model.pipeline import Pipeline
from model.policy import Policy
from model.policy.schema import RuleEntry
from model.privacy import mask
from model.text import normalise
from model.ticket import Ticket

PAIRS = [  # plain, and the same in disguise
    ("我们村又停电了,一天都没人来修", "我 们 村 又 停 电 了,一 天 都 没 人 来 修"),
    ("我家又停电了,抢修的一直没来", "我家又停*电了,抢.修的一直没来"),
    ("我们这片停电四个小时了也不送电", "我们这片tingdian四个小时了也不song dian"),
    ("我们这片停电四个小时了,供电所没人", "我们这片td四个小时了,gds没人"),
    ("这个月电费扣了两遍,多扣的电费不给退", "这个月⚡费扣了两遍,多扣的电🔌费不给退"),
    ("这个月电费多扣了,供电所不给退", "这个月电弗贝多扣了,亻共电所不给退"),
    ("那个校表的结果我不认,验表结果也不给", "那个教表的结果我不认,眼表结果也不给"),
    ("一到晚上电压就低,灯发暗,变压器该换了", "一到晚上店压就低,灯发暗,变鸭器该换了"),
    ("换表的时候没人说,旧表拆走了,底数也没让我看", "焕表的时候没人说,旧裱拆走了,底树也没让我看"),
    ("客户的变压器坏了", "客戸的変圧器坏了"),
    ("用电检查来说我偷电,罚了三千,我没有", "用电检查来说我愉电,罚了三千,我没有"),
    ("我家表箱冒烟了,快来人", "我家表箱maoyan了,快来人"),
    ("我家表箱着火了,快来人", "我家表箱着🔥了,快来人"),
]


@pytest.mark.parametrize(("plain", "disguised"), PAIRS)
def test_rules_answer_a_ticket_in_disguise_as_the_plain_one(
    rules_pipeline: Pipeline, plain: str, disguised: str
) -> None:
    assert _answer(rules_pipeline, disguised) == _answer(rules_pipeline, plain)


@pytest.mark.parametrize(("plain", "disguised"), PAIRS)
def test_the_classifier_answers_a_ticket_in_disguise_as_the_plain_one(
    linear_pipeline: Pipeline, plain: str, disguised: str
) -> None:
    assert _answer(linear_pipeline, disguised) == _answer(linear_pipeline, plain)


def _answer(pipeline: Pipeline, text: str) -> tuple[object, ...]:
    said = pipeline.predict([Ticket(text)])[0]
    return said.candidates, said.safety.probability, [cue.probability for cue in said.flags.values()]


@pytest.mark.parametrize(
    "text",
    [
        "机井有人触店,快来人",
        "楼道里有人触*电,快来人",
        "我 家 表 箱 起 火 了 , 快 来 人",
        "我家表箱maoyan了,快来人",
        "我家表箱着🔥了,快来人",
        "插座氵屚电,快来人",
    ],
)
def test_danger_in_disguise_is_seen(rules_pipeline: Pipeline, text: str) -> None:
    assert rules_pipeline.predict([Ticket(text)])[0].safety.raised


@pytest.mark.parametrize(
    "text",
    [
        "用电检查来说我偷殿,罚了三千,我没有",
        "用电检查来说我偷.电,罚了三千,我没有",
        "用电检查来说我toudian,罚了三千,我没有",
        "用电检查来说我愉电,罚了三千,我没有",
    ],
)
def test_theft_in_disguise_raises_its_cue_and_shows_the_words_as_sent(rules_pipeline: Pipeline, text: str) -> None:
    cue = rules_pipeline.predict([Ticket(text)])[0].flags["theft"]
    assert cue.raised
    assert any(text[e.start : e.end] in ("偷殿", "偷.电", "toudian", "愉电") for e in cue.evidence)


@pytest.mark.parametrize(
    "text",
    [
        "我这小店费电,商店费用也高",
        "师傅干着活呢,我们打伙买的",
        "药店的剂量不对,评估鉴定报告没给",
        "水、电、气、暖都断了",
        "投诉停 电话打不通",
        "宾馆店标很亮,一股电味",
        "女子说日月小区有人知道",
        "停电了⚡⚡⚡快来",
        "噪音有60db,信号是TD的,PDF发我",
        "邮箱tousu@qq.com,微信dianfei888",
        "www.dianfei.com打不开",
        "按1.9元/平/月收的",
        "起火因为线老化",
    ],
)
def test_clean_text_is_left_as_it_is(text: str) -> None:
    assert normalise(text).text == text.replace(",", ",")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("加我VX:gongdian2020送电费", "加我VX:⟦微信⟧送电费"),
        ("加我vx dianfei_88", "加我vx ⟦微信⟧"),
        ("微信号gongdian", "微信号⟦微信⟧"),
        ("wx li-gongdian", "wx ⟦微信⟧"),
        ("邮箱gongdian.li@example.com", "邮箱⟦邮箱⟧"),
        ("写信到2020dianfei@example.com", "写信到⟦邮箱⟧"),
    ],
)
def test_the_name_of_an_account_is_no_disguise_and_is_masked_whole(text: str, masked: str) -> None:
    assert mask(normalise(text).text).text == masked


@pytest.mark.parametrize("text", ["账号gongdian2020", "gong-dian2020", "dianfei_1", "QQ:dianfei", "2020gongdian"])
def test_letters_that_touch_digits_or_name_an_account_stay(text: str) -> None:
    assert normalise(text).text == text


@pytest.mark.parametrize(
    ("text", "plain"), [("tingdian3天了", "停电3天了"), ("我们3号楼tingdian了", "我们3号楼停电了")]
)
def test_pinyin_beside_an_amount_is_still_read(text: str, plain: str) -> None:
    assert normalise(text).text == plain


def test_no_word_of_the_general_language_is_taken_for_a_slip() -> None:
    found = importlib.util.find_spec("jieba")
    assert found
    assert found.submodule_search_locations
    path = Path(found.submodule_search_locations[0]) / "dict.txt"
    words = [line.split(" ")[0] for line in path.read_text(encoding="utf-8").splitlines()[::7]]
    usual = [word for word in words if len(word) == 2]
    assert len(usual) > 10_000
    changed = [word for word in usual if normalise(f"说,{word},").text[2:-1] != normalise(word).text]
    assert not changed


def test_no_wording_of_a_cue_is_taken_for_another_word(policy: Policy) -> None:
    """A wording may only be read as another one of its own group: 漏店 as 漏电, but never 电飞 as 电费.

    教表 stands among words for a meter; the check of a meter (校表) does no harm there.
    """
    wrong = {
        (rule.id, wording)
        for rule in policy.rules
        if rule.to in ("safety", "malicious", "unreasonable", "theft", "arrears")
        for group in (*rule.all, rule.unless, rule.unless_anywhere)
        for wording in _expanded(policy, group)
        if (read := normalise(f"说,{wording},").text[2:-1]) != normalise(wording).text
        and wording != "教表"
        and read not in {normalise(w).text for w in _expanded(policy, group)}
    }
    assert not wrong


def _expanded(policy: Policy, group: RuleEntry) -> set[str]:
    lexicons = policy.context.lexicons
    return {w for word in group for w in (lexicons[word[1:]] if word.startswith("@") else (word,))}  # type: ignore[attr-defined]


@pytest.mark.parametrize("phone", ["❶❸❽12345678", "①③⑧①②③④⑤⑥⑦⑧", "𝟏𝟑𝟖12345678", "⑴⑶⑻12345678"])
def test_a_phone_in_circles_is_masked(phone: str) -> None:
    assert mask(normalise(f"我的电话{phone}请回电").text).text == "我的电话⟦电话⟧请回电"


def test_the_defence_does_not_read_the_table_of_the_attack() -> None:
    root = Path(__file__).parent.parent.parent
    for name in ("text.py", "disguises.py", "lookalikes.py"):
        assert "attacks" not in (root / "model" / name).read_text(encoding="utf-8")
