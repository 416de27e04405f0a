"""Find personal numbers: said at once or in groups, digit by digit, over several turns. Part of `model.privacy`.

A *run* is a stretch of digits. A word such as 户号 opens a kind; runs belong to it as long as nothing but filler
(嗯, 然后, 客服:好的) stands before them. Without such a word only a run in the shape of a phone opens one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.number_shapes import DATE, HOTLINE, PART_AFTER, badge_spans, begins, identity_spans, shape_spans
from model.text import OPEN, digit_view

_KEYWORDS = {
    "phone": "电话 手机 手机号 座机 号码 联系方式 联系号 回电 致电 尾号 尾数 后四位 末四位 号儿 小灵通",
    "account": "户号 护号 互号 沪号 户头 户头号 户号码 客户号 客户编号 客户编码 用户编号 用户编码 用户号 用电编号 缴费号 交费号 缴费编号 交费编号 缴费编码 交费编码 电费编号 电费户号 付费编号 客户代码 客编 户编 那个号 这个号 我的号 号是",
    "meter": "表号 表计编号 表编号 电表编号 电能表编号 表计号 资产号 资产编号 资产编码 资产条码 资产码 表计编码 电表编码 电表号码 表号码 出厂号 出厂编号 条形码 条码 局号 局编号 一串 no. no: no",
    "id_card": "身份证 证件 证件号 证号 身份证号 证件号码",
    "bank_card": "银行卡 卡号 储蓄卡 信用卡 银行账号 银行账户 银行帐号 账号 帐号 结算卡 签约卡 借记卡",
    "staff": "工号 工牌 工牌号 胸牌 胸牌号 名牌 员工号 员工编号 警号 服务证 上岗证 工作证 坐席号 座席号 胸卡 工卡",
}
_FILLER_WORDS = (
    "客户 客服 客服代表 坐席 座席 用户 话务员 接线员 市民 群众 是 为 就是 的 呢 呀 啊 嗯 呃 哦 噢 额 哎 诶 唉 喂 哈 嘛 吧 吗 了 么 对 好 行 可以 "
    "然后 再 再来 后 后面 后头 后边 后半截 前 前面 前头 开头 中间 最后 接 接着 继续 还有 剩下 下面 尾号 末尾 那个 这个 那 这 就 你 您 我 我家 "
    "记 记一下 记好 说 念 听 听好 请说 请讲 您讲 慢点 慢慢 别急 稍等 请 收到 记下 记着 不 不是 不对 错 应该 空一下 空 停 多少 几 号 号码 "
    "编号 编码 一共 共 没错 核对 跟 给 一下 重复 上 上面 底下 印 写 写着 标 标着 报 来着 分别 叫 区号 no 找 加 也 知道 提供 方便 尾数 "
    "完了 完事 末了 末后 头里 打头 起头 后尾 下来 接下来 紧接着 跟着 往后 往下 写上 这么 个"
)
_KIND = {word: kind for kind, words in _KEYWORDS.items() for word in digit_view(words).split()}
_TAIL_WORDS = frozenset(digit_view("号码 尾号 尾数 后四位 末四位").split())
_WEAK = _TAIL_WORDS | {"no.", "no:", "no"}
_COMPLETE = {"phone": 11, "account": 10, "meter": 12, "id_card": 18, "bank_card": 19, "staff": 2}
_TALLY_BEFORE = re.compile("[元块度额费欠余量抄走底止打拨]|示数|读数|读表|时间|日期|电价")
_RUN = re.compile(
    r"\d(?:[ ,、-]\d(?!\d)){3,}+(?:[ ,、-]?x(?![a-z]))?(?![ ]?[月号日家楼层栋])|\d(?:\d|[ -](?=\d\d)|(?<=[2-9])个(?=\d))*(?:x(?![a-z]))?"
)
_UNIT = re.compile(
    r"[ ]?(?:[元块度%千万亿百十个天日月年次遍回趟分秒杆塔]|户(?![主名号])|小时|单元|k[wv]|[vwa](?![a-z])|ma|字(?!母)|多[个块度元天次户]|余[个户天])"
)
_SMALL_UNIT = re.compile("[ ]?[家人口时岁米安平伏瓦张条根台只期批倍位页层楼栋幢室组队座号级周]")
_ORDER_TAIL = re.compile("(?:单|回执|信|封条|受理|票|编号|报告|排队|叫|版)[^,。;:\n]{0,3}$")
_LETTERS = re.compile(r"(?:no[.:]?|[a-z]{1,4}-?)$")
_PART_BEFORE = re.compile(r"\d[.:/点-]$")


def _any(words: str | dict[str, str]) -> str:
    listed = digit_view(words).split() if isinstance(words, str) else words
    return "|".join(re.escape(word) for word in sorted(listed, key=lambda word: (-len(word), word)))


_KEY = re.compile(_any(_KIND))
_FILLER = re.compile(
    rf"(?:[\s,。、;:!?.()“”\"'…~/_—-]|[前后末]面?\d位|第\d[组段]|[记听写念](?:得|的)?(?:好|清楚?|明白|上|下|住|到|见|全)?了?(?:没有?|吗|吧|么)?|{_any(_FILLER_WORDS)})*+"
)


@dataclass(frozen=True, slots=True)
class _Run:
    start: int
    end: int
    digits: str
    lead: int  # where letters before the digits begin: hb0372, a-1207, no.0562


@dataclass(slots=True)
class _Open:
    """The number that is being told: its kind, where it last went on, its digits and those of its last run."""

    kind: str
    end: int
    said: str = ""
    last: int = 0

    def add(self, run: _Run) -> None:
        """Go on with a run; what the other side repeats counts once, the first digits said again begin anew."""
        again = self.said[:3] == run.digits[:3] or (self.kind == "phone" and re.match("1[3-9]", run.digits))
        if again or not self.said.endswith(run.digits):
            self.said = run.digits if again else self.said + run.digits
        self.end, self.last = run.end, len(run.digits)


def number_spans(text: str, view: str) -> Iterator[tuple[int, int, str]]:
    """Personal numbers, those with a telling word before them before those known by their shape; they may overlap.

    Args:
        text: normalised text.
        view: the same with digits as ASCII digits and letters in lower case.

    Yields:
        Start, end, kind.
    """
    yield from identity_spans(view)
    yield from badge_spans(view)
    yield from _told(text, view)
    yield from shape_spans(text, view)


def _told(text: str, view: str) -> Iterator[tuple[int, int, str]]:
    keys = [found for found in _KEY.finditer(view) if _is_key(view, found)]
    keys.reverse()
    runs = _runs(view)
    number: _Open | None = None
    for place, run in enumerate(runs):
        while keys and keys[-1].start() < run.start:
            key = keys.pop()
            if not (number and key[0] in _WEAK and not number.said and _is_filler(view, number.end, key.start())):
                number = _Open(_KIND[key[0]], key.end())  # else 工号尾号17, 胸牌no.0562
        if number is None or not _goes_on(view, number, run):
            if not _opens_phone(text, view, runs[place : place + 6]):
                number = None
                continue
            number = _Open("phone", run.start)
        lettered = number.kind in ("meter", "account", "staff")
        yield run.lead if lettered else run.start, run.end, number.kind
        number.add(run)


def _is_key(view: str, found: "re.Match[str]") -> bool:
    """No word of a placeholder, and no last digits of an order."""
    start = found.start()
    if view[start - 1 : start] == OPEN:
        return False
    if found[0] in ("证号", "证件号") and view[start - 1 : start] in "售产可照格业":
        return start == 0
    return found[0] not in _TAIL_WORDS or not _ORDER_TAIL.search(view, max(0, start - 6), start)


def _runs(view: str) -> list[_Run]:
    """Stretches of at least two digits that are no amount, date or time."""
    runs = []
    for found in _RUN.finditer(view):
        start, end = found.span()
        if end - start > 1 and (end := _without_amount(view, start, end)):
            digits = "".join(c for c in view[start:end] if c.isdigit() or c == "x")
            lead = _LETTERS.search(view, max(0, start - 5), start)
            runs.append(_Run(start, end, digits, lead.start() if lead else start))
    return runs


def _without_amount(view: str, start: int, end: int) -> int:
    """Where the run ends if a last part with a unit behind it is left away; 0 where nothing remains."""
    if _PART_BEFORE.search(view, max(0, start - 2), start):
        return 0
    while PART_AFTER.match(view, end) or _has_unit(view, start, end):
        cut = max(view.rfind(" ", start, end), view.rfind("-", start, end))
        if cut < 0:
            return 0
        end = cut
    return end


def _has_unit(view: str, start: int, end: int) -> bool:
    last = view.rfind(" ", start, end) + 1
    if last - start > 10 and (end - last < 3 or view.find(" ", start, last - 1) < 0):
        start = last  # a whole number stands before: 3207716450 30天
    length = end - start
    return length < 8 and bool(_UNIT.match(view, end) or (length < 3 and _SMALL_UNIT.match(view, end)))


def _goes_on(view: str, number: _Open, run: _Run) -> bool:
    """Whether a run belongs to the number that is being told."""
    between, digits = run.lead - number.end, run.digits
    if (number.kind != "id_card" or not number.said) and DATE.fullmatch(view, run.start, run.end):
        return False
    hotline = number.kind == "phone" and HOTLINE.fullmatch(digits) and not number.said.startswith(digits)
    if between > 40 or hotline:
        return False
    if not number.said and len(digits) < (2 if number.kind == "staff" else 3):
        return False
    if len(number.said) >= _COMPLETE[number.kind]:
        repeats = digits in number.said or number.said.startswith(digits[:3])
        sibling = (len(digits) > 5 or number.kind == "staff") and abs(len(digits) - number.last) < 2
        corrects = any(word in view[number.end : run.start] for word in ("不是", "不对", "错"))
        if not (repeats or sibling or corrects):
            return False
    if _is_filler(view, number.end, run.lead):
        return True
    return len(digits) > 5 and between < 11 and not _TALLY_BEFORE.search(view, number.end, run.lead)


def _is_filler(view: str, start: int, end: int) -> bool:
    found = _FILLER.match(view, start, end)
    return found is not None and found.end() == end


def _opens_phone(text: str, view: str, runs: Sequence[_Run]) -> bool:
    """Whether runs without a telling word before them are a phone: 幺 said first, or eleven digits in usual groups."""
    first = runs[0]
    if not re.match("1[3-9]", first.digits) or not begins(view, first.start):
        return False
    if text[first.start] == "幺" and len(first.digits) > 2:
        return not _TALLY_BEFORE.search(view, max(0, first.start - 6), first.start)
    spoken = not text[first.start].isascii()
    if not spoken and len(first.digits) not in (3, 7, 11):
        return False
    count, end = 0, first.start
    for run in runs:
        if run is not first and not _is_filler(view, end, run.start):
            return False
        if run is not first and not spoken and view[end : run.start] in (",", "、"):  # a list of amounts
            return False
        count, end = count + len(run.digits), run.end
        if count >= 11:
            return count == 11
    return False
