"""Mask personal data, of customers and of employees, before anything else looks at a text.

Kept on purpose: readings, amounts, kWh, dates, counts, public hotlines, county, town and 供电所.
Names keep their honorific (⟦姓名⟧先生). Source of the list: PIPL articles 5-8 and 51; domain brief, section 4.
Numbers, addresses and names are found in modules of their own; what has letters in it, here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from model.addresses import address_spans
from model.names import given_name_spans
from model.private_numbers import number_spans
from model.text import CLOSE, MASK_WORDS, OPEN, Aligned, digit_view, lower_ascii

KINDS = dict(
    zip(
        ("email", "id_card", "bank_card", "phone", "meter", "account", "plate", "wechat", "staff", "address", "name"),
        MASK_WORDS,
        strict=True,
    )
)

_TO_VIEW = re.compile("[A-Z零〇○一壹幺二贰两三叁四肆五伍六陆七柒八捌九玖]")
_VIEW = {letter: lower_ascii(digit_view(letter)) for letter in _TO_VIEW.pattern[4:-1]} | {
    chr(code): chr(code).lower() for code in range(ord("A"), ord("Z") + 1)
}
_WORD_ONE = re.compile(
    f"[一两](?<=[0-9A-Za-z_].)(?=[\u4e00-\u9fa5])(?![{_TO_VIEW.pattern[4:-1]}点十百千万亿号单栋座])"
)  # 1702一到晚上
_RADIO = {"洞": "0", "拐": "7", "勾": "9", "腰": "1"}  # digits as linemen and dispatchers say them
_RADIO_LETTER = re.compile(f"[{''.join(_RADIO)}]")
_RADIO_RUN = re.compile(r"[\d洞拐勾腰]{3,}")
_NUMBER = re.compile(r"\d[ ,、./_\-—]{0,2}\d[ ,、./_\-—]{0,2}\d|工号|工牌|胸牌")  # fewer digits are no personal number
_ROUNDS = 20  # two or three in practice; a bound for texts made to be slow
_PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_MAIL_NAME = r"(?:[a-z0-9_.+-]|下划线|点(?=[a-z0-9]))"
_LETTERED = tuple(
    (kind, re.compile(needs), re.compile(pattern))
    for kind, needs, pattern in (
        ("email", "@|艾特|圈a", rf"(?<![a-z0-9_.+点线-])(?P<x>{_MAIL_NAME}{{1,64}}[ ]?(?:@|艾特|圈a)[ ]?[a-z0-9-]{{1,63}}(?:[.点][a-z0-9-]{{1,63}}){{1,4}})"),
        ("plate", f"[{_PROVINCE}][a-z]", rf"(?P<x>[{_PROVINCE}][a-hj-np-z][·•. -]?(?=[a-z]{{0,5}}\d)[a-hj-np-z0-9]{{4,6}}[警学挂]?)(?![a-z0-9])"),
        ("plate", f"[{_PROVINCE}][a-z]", rf"(?P<x>[{_PROVINCE}][a-hj-np-z])(?=[^a-z0-9。;]{{1,10}}[a-z0-9]{{5,6}}(?![a-z0-9]))[^a-z0-9]{{1,10}}(?P<y>(?=[a-z]{{0,5}}\d)[a-z0-9]{{5,6}})"),
        ("plate", "车牌|车号|牌照", r"(?:车牌|车号|牌照)(?:号码|号|尾号|是|为|:| |,|尾数|末尾|的|叫|就|只|记得|大概|好像|后面|后[1-9几]位|那个)*(?P<x>(?=[a-z·-]{0,5}\d)[a-z0-9·-]{3,8})(?![a-z0-9])"),
        ("wechat", "[微薇]|威信|[vw]x|v信|v:|加v|weixin", r"(?:微信?号?|薇信?|威信|企微|vx|wx|(?<![a-z])v(?=:)|加v|v信|weixin)(?:号码|号|是|为|就是|叫|:|;|,|加我?|同号|也行|id|我的|我|\(|“|名| )*(?P<x>(?:[a-z](?=[-_a-z]*\d|[-_a-z]{5})|(?!\d+(?:kwh|kva|kw|kv|ma|ah|[mg]b|[wvagm])(?![-_a-z0-9]))\d(?=\d*[_a-z])(?=[-_a-z0-9]{6}))[-_a-z0-9]{4,19})(?![-_a-z0-9])"),
        ("wechat", "微信", r"(?P<x>(?<![-_a-z0-9])[a-z](?=[a-z]*[-_\d])[-_a-z0-9]{5,19})(?=[ ,]?(?:是|为|就是|这个|那个)?[我他她]?的?微信)"),
        ("wechat", "qq|扣扣|企鹅", r"(?:qq|扣扣|企鹅)(?:号码|号|群|是|为|就是|加|:|,|我|\(| )*(?P<x>\d{5,11})"),
    )
)  # fmt: skip


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
    return Masked(_replace(text, spans), tuple(spans))


def find_personal(text: str) -> list[tuple[int, int, str]]:
    """Find personal data; where two finds overlap, the first one wins.

    A placeholder can tell that its neighbour is personal too, so the masked text is searched again until nothing
    is found: masking twice is masking once.

    Args:
        text: normalised text.

    Returns:
        Non-overlapping (start, end, kind) in order.
    """
    spans: list[tuple[int, int, str]] = []
    masked = Aligned(text)
    for _ in range(_ROUNDS):
        if not (found := _find(masked.text)):
            break
        spans = sorted([*spans, *((*masked.span(start, end), kind) for start, end, kind in found)])
        masked = _replace(text, spans)
    return spans


def _replace(text: str, spans: list[tuple[int, int, str]]) -> Aligned:
    if not spans:
        return Aligned(text)
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
    return Aligned("".join(parts), tuple(index))


def _find(text: str) -> list[tuple[int, int, str]]:
    taken = bytearray(len(text))  # 1 where a character is masked already
    for own in re.finditer(f"{OPEN}[^{CLOSE}]*{CLOSE}", text):
        taken[slice(*own.span())] = b"\x01" * (own.end() - own.start())
    found: list[tuple[int, int, str]] = []
    for start, end, kind in _candidates(text):
        while kind == "address" and start < end and taken[start]:  # the first of two that stand together ends here
            start += 1
        if start < end and not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            found.append((start, end, kind))
    return sorted(found)


def _candidates(text: str) -> Iterator[tuple[int, int, str]]:
    view = _view(text)
    for kind, needs, pattern in _LETTERED:
        if needs.search(view):
            for found in pattern.finditer(view):
                for group in pattern.groupindex:
                    yield (*found.span(group), kind)
    if _NUMBER.search(view):
        yield from number_spans(text, view)
    for start, end in address_spans(view):
        yield start, end, "address"
    for start, end in given_name_spans(text):
        yield start, end, "name"


def _view(text: str) -> str:
    """The text with spoken digits as ASCII digits and letters in lower case, equally long."""
    view = _TO_VIEW.sub(lambda found: _VIEW[found[0]], text)
    for found in _WORD_ONE.finditer(text):
        view = view[: found.start()] + found[0] + view[found.end() :]
    if _RADIO_LETTER.search(view):
        view = _RADIO_RUN.sub(_radio, view)
    return view


def _radio(found: "re.Match[str]") -> str:
    """洞拐勾 among digits are digits themselves where together they are at least three."""
    among_digits = any(letter.isdigit() for letter in found[0])
    return "".join(_RADIO.get(letter, letter) for letter in found[0]) if among_digits else found[0]
