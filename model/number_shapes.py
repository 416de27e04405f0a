"""Personal numbers known by their shape alone: phones, cards, identity numbers, long numbers. Part of `model.privacy`."""

import re
from collections.abc import Iterator

HOTLINE = re.compile(r"95\d{3}|96\d{3,4}|12\d{3}|1[12]\d|100\d\d|400\d{7}|[48]00")
DATE = re.compile(
    r"(?:19|20)\d\d[- ]?(?:0?[1-9]|1[0-2])[- ]?(?:0?[1-9]|[12]\d|3[01])(?:[- ]?[0-2]\d[0-5]\d(?:[0-5]\d)?)?"
)
PART_AFTER = re.compile(r"[.:/点]\d|-\d(?!\d)")  # a decimal, a time, a date goes on
_GAP = r"[ ,、./_\-—]{0,2}"  # what people put between the digits of one number
_MOBILE = re.compile(
    rf"1(?<!\d1)[ -]?[3-9](?:(?:[ -]?\d){{9}}|\d(?:{_GAP}\d{{8}}|{_GAP}\d{{4}}{_GAP}\d{{4}}|{_GAP}\d{{3}}{_GAP}\d{{5}}|\d{{4}}{_GAP}\d{{4}}))(?![\d.]*\d)"
    r"|1(?<!\d1)[,、.][3-9](?:[,、.]\d){9}(?![\d.]*\d)"
)
_LANDLINE = re.compile(rf"0(?<!\d0)(?<!\d\.0)\d{{2,3}}\)?{_GAP}[2-9]\d{{2,3}}{_GAP}\d{{4}}(?!\d)")
_CARD = re.compile(r"(?<!\d)[3-6]\d{3}(?:[ -]?\d{4}){3}(?:[ -]?\d{1,3})?(?![\d.])")
_IDENTITY = re.compile(
    r"[1-9]\d{5}(?:(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dx]"
    r"|[3-9]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3})(?!\d)"
    rf"|[1-9]\d{{5}}{_GAP}(?:19\d\d|200\d){_GAP}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]){_GAP}\d{{3}}[\dx](?!\d)"
)
_BADGE_WORD = "(?:[工胸名]牌|工作证|胸卡|工卡|服务证|上岗证)"
_STAFF = r"[是为: ]{0,2}(?P<x>[a-z]{0,3}-?\d{3,8})"
_BADGE = re.compile(
    rf"{_BADGE_WORD}[^。;!?\n\d表单杆箱变柜话机户证卡车票信]{{0,24}}(?:编[号码]|号码?|数字|写着|印着){_STAFF}(?![\d.:/]|[ ]?[元块度天号])"
)
_OF_STAFF = re.compile(
    rf"(?:编号|号码){_STAFF}[ ]?的?(?:那个|这个)?(?={_BADGE_WORD}|[坐座]席|客服|话务员|接线员|工作人员|柜员|营业员|员工|抄表员|收费员)"
)
_SEAT = re.compile("[0-9]{3,6}(?=号)")
_SEATED = ("坐席", "座席", "客服", "话务员", "接线员", "工作人员", "柜员", "营业员", "员工", "师傅", "为您")
_LONG = re.compile(r"[0-9]{9,30}(?![ ]?(?:元|块|度|千瓦|kwh|十))")
_SAID = "零〇幺一二两三四五六七八九洞拐"
_SPOKEN = re.compile(f"[{_SAID}]{{7,8}}(?![{_SAID}十百千万多几点度块元字号条])")
_ORDER = re.compile(r"(?:工单|单号|流水|订单|交易|受理|回执|文号|批次|发票|编号|编码|合同|案号|时间)[^\d,。;\n]{0,6}$")


def identity_spans(view: str) -> Iterator[tuple[int, int, str]]:
    """Identity numbers of 18 and 15 digits.

    Args:
        view: the text with digits as ASCII digits and letters in lower case.

    Yields:
        Start, end, kind.
    """
    yield from ((*found.span(), "id_card") for found in _IDENTITY.finditer(view) if begins(view, found.start()))


def badge_spans(view: str) -> Iterator[tuple[int, int, str]]:
    """Numbers of employees at a distance from the badge: 工牌翻过去了,后头印着编号3350192.

    Args:
        view: the text with digits as ASCII digits and letters in lower case.

    Yields:
        Start, end, kind.
    """
    for pattern, needs in ((_BADGE, "牌卡证"), (_OF_STAFF, ("编号", "号码"))):
        for found in pattern.finditer(view) if any(word in view for word in needs) else ():
            if not HOTLINE.fullmatch(found["x"]):
                yield (*found.span("x"), "staff")


def shape_spans(text: str, view: str) -> Iterator[tuple[int, int, str]]:
    """All other numbers that need no word before them.

    Args:
        text: normalised text.
        view: the same with digits as ASCII digits and letters in lower case.

    Yields:
        Start, end, kind.
    """
    yield from ((*found.span(), "phone") for found in _MOBILE.finditer(view))
    yield from ((*found.span(), "bank_card") for found in _CARD.finditer(view) if begins(view, found.start()))
    yield from ((*found.span(), "phone") for found in _LANDLINE.finditer(view))
    yield from ((*found.span(), "staff") for found in _SEAT.finditer(view) if _is_seat(view, found))
    yield from ((*found.span(), _kind_of(found)) for found in _LONG.finditer(view) if _is_identifier(view, found))
    yield from ((*found.span(), "account") for found in _SPOKEN.finditer(text) if _is_identifier(view, found))


def begins(view: str, start: int) -> bool:
    """Whether a number can begin here: not inside another, not behind a decimal point.

    Args:
        view: the text with digits as ASCII digits.
        start: where its first digit stands.

    Returns:
        True if it can.
    """
    before = view[max(0, start - 2) : start]
    return not before[-1:].isdigit() and not (before[-1:] == "." and before[:1].isdigit())


def _is_seat(view: str, found: "re.Match[str]") -> bool:
    """1073号坐席, 营业员2018号; 3号柜台 and 95598号 are none."""
    start, end = found.span()
    told = view.startswith(_SEATED, end + 1) or view.endswith(_SEATED, 0, start)
    return told and begins(view, start) and not HOTLINE.fullmatch(found[0])


def _kind_of(found: "re.Match[str]") -> str:
    length = found.end() - found.start()
    return "account" if length < 14 else "bank_card" if length < 20 else "meter"


def _is_identifier(view: str, found: "re.Match[str]") -> bool:
    """Whether a long number is no order, type, date or part of a decimal."""
    start, end = found.span()
    before = view[max(0, start - 1) : start]
    return (
        begins(view, start)
        and not (before.isascii() and before.isalpha())
        and not _ORDER.search(view, max(0, start - 14), start)
        and not DATE.fullmatch(view, start, end)
        and not PART_AFTER.match(view, end)
    )
