"""Mask personal data, of customers and of employees, before anything else looks at a text.

Kept on purpose: readings, amounts, kWh, dates, counts, public hotlines, county, town and 供电所.
Names keep their honorific (⟦姓名⟧先生). Source of the list: PIPL articles 5-8 and 51; domain brief, section 4.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from model.names import given_name_spans
from model.text import CLOSE, MASK_WORDS, OPEN, Aligned, digit_view, lower_ascii

KINDS = dict(
    zip(
        ("email", "id_card", "bank_card", "phone", "meter", "account", "plate", "wechat", "staff", "address", "name"),
        MASK_WORDS,
        strict=True,
    )
)

_GAP = r"[ ,、./_\-—]{0,2}"  # what people put between spoken groups of digits
_IS = r"[ ]?(?:号码?|编号)?[ ]?(?:是|为|就是|叫|no\.?|:|;|,|尾号|尾数|后四位|\(|“|\")*[ ]?"
_NOT_LONGER = r"(?![\d.]*\d)"
_UNIT_AFTER = r"(?![ ]?(?:元|块|度|千瓦|kwh|字|万|亿|个|天|分))"
_PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_HAN = r"[\u4e00-\u9fa5]"
_ROOM = r"(?:[ -]?[a-z]?\d{1,4}(?:(?:号院|号楼|单元|期|栋|幢|座|楼|层|门|梯|室|户|号|#|排|-)|(?!\d|[ ]?(?:元|块|度|字|千瓦|kwh|月|年|日|天|点))))"
_NO_STOP = r"(?![住在于到址是的我你他她和])"
_ORDER_BEFORE = (
    r"(?<!工单)(?<!工单号)(?<!单号)(?<!流水号)(?<!订单号)(?<!交易号)(?<!编号[: ])(?<!单号[: ])(?<!流水号[: ])"
)


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked text with the spans of its placeholders and the alignment to the text it came from."""

    aligned: Aligned
    kinds: tuple[tuple[int, int, str], ...]  # start and end in the source of `aligned`, kind

    @property
    def text(self) -> str:
        """The masked text."""
        return self.aligned.text


def mask(text: str) -> Masked:
    """Replace personal data by placeholders such as ⟦电话⟧.

    Args:
        text: normalised text. Masking a masked text changes nothing.

    Returns:
        The masked text, the masked source spans with their kinds, and the alignment.
    """
    spans = find_personal(text)
    if not spans:
        return Masked(Aligned(text), ())
    parts: list[str] = []
    index: list[int] = []
    position = 0
    for start, end, kind in spans:
        word = f"{OPEN}{KINDS[kind]}{CLOSE}"
        parts += [text[position:start], word]
        index += [*range(position, start), *([start] * (len(word) - 1)), end - 1]
        position = end
    parts.append(text[position:])
    index += range(position, len(text))
    return Masked(Aligned("".join(parts), tuple(index)), tuple(spans))


def find_personal(text: str) -> list[tuple[int, int, str]]:
    """Find personal data; where two kinds overlap, the one listed first in `KINDS` wins.

    Args:
        text: normalised text.

    Returns:
        Non-overlapping (start, end, kind) in order.
    """
    view = lower_ascii(digit_view(text))
    taken = bytearray(len(text))  # 1 where a character is masked already
    for own in re.finditer(f"{OPEN}[^{CLOSE}]*{CLOSE}", text):
        taken[slice(*own.span())] = b"\x01" * (own.end() - own.start())
    found: list[tuple[int, int, str]] = []
    for start, end, kind in _candidates(text, view):
        if start < end and not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            found.append((start, end, kind))
    return sorted(found)


def _candidates(text: str, view: str) -> Iterator[tuple[int, int, str]]:
    has_digit = any(character.isdigit() for character in view)
    for kind, pattern, needs_digit in _patterns():
        if needs_digit and not has_digit:
            continue
        for found in pattern.finditer(view):
            yield (*found.span("x"), kind)
    for start, end in given_name_spans(text):
        yield start, end, "name"


@cache
def _patterns() -> tuple[tuple[str, "re.Pattern[str]", bool], ...]:
    """Patterns over the digit view, lower case; the group `x` is what gets masked."""
    table = [
        ("email", r"(?P<x>[a-z0-9_.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4})", False),
        ("id_card", r"(?<!\d)(?P<x>[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dx])(?!\d)", True),
        ("id_card", rf"身份证{_IS}(?P<x>\d(?:{_GAP}[\dx]){{5,17}}){_NOT_LONGER}", True),
        ("bank_card", rf"(?:银行卡|卡号|储蓄卡|信用卡|银行账[号户]){_IS}(?P<x>\d(?:[ -]?\d){{3,18}}){_NOT_LONGER}", True),
        ("meter", rf"(?:表号|电表号|电能表号|表计编号|表编号|资产编?号|出厂编?号|表箱编?号|条形码|局号){_IS}(?P<x>[a-z]{{0,4}}\d(?:[ -]?\d){{3,21}}){_NOT_LONGER}", True),
        ("account", rf"(?:户号|护号|客户编?号|用户编?号|用电编?号|缴费号|交费号|户头号|总户号|客户代码){_IS}(?:[^\d,。;\n]{{0,4}})(?P<x>\d(?:{_GAP}\d){{3,15}}){_NOT_LONGER}{_UNIT_AFTER}", True),
        ("bank_card", r"(?<![\d.])(?P<x>[3-6]\d{3}(?:[ -]?\d{4}){3}(?:[ -]?\d{1,3})?)(?![\d.])", True),
        ("phone", rf"(?<!\d)(?:(?<!\.)|(?<=\D\.)|(?<=^\.)|(?<=^\d\.)|(?<=[\s;。:,]\d\.))(?P<x>(?:\+?86[ -]?)?1{_GAP}[3-9](?:{_GAP}\d){{9}}){_NOT_LONGER}", True),
        ("phone", r"(?<![\d.])(?P<x>0\d{2,3}[ -]?[2-9]\d{6,7})(?!\d)", True),
        ("phone", rf"(?:电话|手机|座机|号码|联系方式|回电|致电){_IS}(?P<x>(?!95598|12\d{{3}}(?!\d)|400)\d(?:{_GAP}\d){{5,11}}){_NOT_LONGER}{_UNIT_AFTER}", True),
        ("account", rf"{_ORDER_BEFORE}(?<![\d.a-z-])(?P<x>\d{{9,13}})(?![\d.])(?![ ]?(?:元|块|度|千瓦|kwh))", True),
        ("plate", rf"(?P<x>[{_PROVINCE}][a-hj-np-z][·• ]?(?=[a-z]{{0,5}}\d)[a-hj-np-z0-9]{{5,6}})(?![a-z0-9])", True),
        ("wechat", r"(?:微信号?|薇信|威信|vx|wx|v信|weixin)(?:是|为|:|;|,|加|同号)*[ ]?(?P<x>[a-z][-_a-z0-9]{5,19})", False),
        ("wechat", r"qq(?:号)?(?:是|为|:)?[ ]?(?P<x>\d{5,11})", True),
        ("staff", rf"(?:工号|工牌号?|胸牌号?|员工号|员工编号|警号|服务证号?|上岗证号?){_IS}(?:[^\d,。;\n]{{0,3}})(?P<x>[a-z]{{0,3}}\d{{2,10}})(?!\d)", True),
        ("address", rf"(?:(?<=[住在于到址是的:;,。、\s(“镇乡县区市]))(?P<x>{_NO_STOP}{_HAN}{{1,6}}?(?:大道|大街|小街|胡同|路|街|巷|弄|道|里)[ ]?(?:{_ROOM}){{1,5}})", True),
        ("address", rf"(?:(?<=[住在于到址是的:;,。、\s(“镇乡县区市路])|^)(?P<x>{_NO_STOP}{_HAN}{{1,8}}?(?:小区|花园|花苑|家园|公寓|新村|新城|庄园|广场|大厦|宿舍|家属院|苑|湾|府|庭|城)[ ]?(?:{_ROOM}){{1,5}})", True),
        ("address", r"(?<!\d)(?P<x>\d{1,3}(?:号楼|栋|幢|座|#)[ ]?(?:\d{1,2}(?:单元|门|梯)[ ]?)?(?:\d{2,4}(?:室|户|号)?))(?![\d.]|[ ]?(?:元|块|度|字|户))", True),
        ("address", r"(?<!\d)(?P<x>\d{1,2}(?:单元)[ ]?\d{2,4}(?:室|户|号)?)(?![\d.]|[ ]?(?:元|块|度|字))", True),
        ("address", rf"(?:(?<=[住在于到址是的:;,。、\s(镇乡县区])|^)(?P<x>{_NO_STOP}{_HAN}{{1,5}}?(?:村|社区|屯|庄|寨|湾)\d{{1,2}}(?:组|队|社)(?:\d{{1,4}}号)?)", True),
        ("address", rf"(?P<x>(?:{_HAN}{{1,4}}(?:村|社区|屯|庄|寨)|\d{{1,2}}组|\d{{1,2}}队)\d{{1,4}}号)(?!表|杆|变|窗|楼|线)", True),
    ]  # fmt: skip
    return tuple((kind, re.compile(pattern), digit) for kind, pattern, digit in table)
