"""Find detailed addresses: road, estate or village with house, building and room. Part of `model.privacy`.

County, town and 供电所 stay; poles, transformers, counters and lines with a number are no addresses.
"""

import re
from collections.abc import Iterator

_N = r"[\d十百]{1,4}+"
_SIDE = "[甲乙丙丁戊东西南北中a-z]"
_NO_PLANT = "(?!号?(?:[杆变箱塔窗柜台线机]|环网|配电|开闭|分支|公变|专变|电杆|支线|主变|间隔|馈线))"
_NO_COUNT = r"(?![\d.%]|[ ]?(?:元|块|度|字|千瓦|k[wv]|v(?![a-z])|月|年|日|天|点|个|人|次|分|家|多|平|米|号|[:/]\d))"
_ROOM = rf"[ -]?[a-z]?\d{{1,4}}(?:室|房|号(?!楼)|(?<=\d\d\d)户(?![停没无都居人住业用]))|[ -]?[a-z]?\d{{2,4}}{_NO_COUNT}(?!户)"
_PART = (
    rf"(?:[ ,]?附?{_SIDE}?{_N}(?:号院|号楼|号|单元|[栋幢座楼层门梯室房#排弄])|[ ]?{_SIDE}(?:单元|[座栋幢区门])|[ ]?附\d+"
    rf"|[ ]?\d{{1,3}}(?=-\d)|-\d{{1,4}}(?!\d)|{_ROOM})"
)
_ROAD = re.compile(
    r"(?:路(?<![线电公马铁回短开断网走支岔]路)|街|巷|胡同|弄|道(?<![知管通渠轨楼车频赛隧地河味报航]道)|里(?<![这那哪家村屋厂院手心公几店城房]里))"
    rf"(?:(?:[东西南北中]|{_N})段|[东西南北中])?[ ]?{_SIDE}?{_N}(?:-\d{{1,4}})?(?:号院|号楼|号|[栋幢弄#排]){_NO_PLANT}{_PART}{{0,6}}"
)
_VILLAGE = re.compile(
    rf"(?:村(?:委会)?|屯|庄|寨|社区|大队|林场|农场)(?=[^\d十百]{{0,9}}[\d十百])(?:(?![各每全])[\u4e00-\u9fa5]{{1,5}}?(?:小组|[组队屯庄湾寨头口]))?[ ]?第?(?:{_N}[排委])?{_N}(?:号(?!楼)|[组队社排](?:[ ]?{_N}号)?)"
    rf"{_NO_PLANT}|[湾坝塆坪沟塘冲堡营店集岭坡塬][ ]?{_N}[组队社](?:[ ]?{_N}号)?{_NO_PLANT}"
)
_GROUP = re.compile(rf"{_N}(?:组|队|社)[ ]?{_N}号{_NO_PLANT}")
_BUILDING = re.compile(
    rf"(?:{_SIDE}?{_N}[ ]?(?:号楼|[栋幢座]|#楼?){_NO_PLANT}|(?<![a-z])[a-z][座栋幢])(?P<inner>(?:[ -]?{_SIDE}?(?:{_N})?(?:单元|[门梯])|[ -]?{_N}[楼层])*(?:{_ROOM})?(?:-\d{{2,4}})?)"
    rf"|(?P<unit>{_N}单元(?:[ ]?{_N}[楼层])?(?:{_ROOM}))"
)
_ROOM_ONLY = re.compile(
    rf"\d{{1,3}}-(?:\d{{1,3}}-\d{{1,4}}|\d{{3,4}})(?:室|(?![\d.-]))|{_N}[楼层][ ]?[a-z]?\d{{3,4}}(?:[室号房]|{_NO_COUNT})"
)
_INSIDE = re.compile(r"单元|[门梯]|\d{3}|[室房]|-\d")  # more than a building and a floor
_TRIGGER = re.compile(r"[\d十][ ]?(?:号|栋|幢|座|单元|组|队|社|弄|#|-\d)|[a-z][座栋幢]|[楼层][ ]?\d")
_ESTATE = re.compile(
    r"(?:小区|花园|[花家]苑|家园|公寓|新村|新城|庄园|广场|大厦|宿舍|家属院|家属区|公馆|山庄|名都|国际|中心|商场|市场|商城|大楼|写字楼|酒店|宾馆|[苑湾府庭城园院郡邸居轩阁坊]"
    r"|[东西南北中a-z\d]区|\d期)(?<!政府)(?<!家庭)(?<!法院)(?<!医院)(?<!县城)(?<!邻居)(?<!住院)$"
)
_UNNAMED = re.compile(
    "^(?:[们本咱这该某各全整同隔旧老一]|住宅|安置|我|你|他|附近|居民)?(?:个|家|旧|栋|片)?(?:小区|家属院|院|园|公寓|宿舍|广场|大厦)?$"
)
_BUILDING_WORDS = ("栋", "幢", "座", "单元", "号楼", "#")
_STOP = frozenset("住在于址是的至往到从去为由把被称说诉映我你他她们省市县镇乡了着过这那个该某每各、")
_HAMLET = re.compile("(?<=各)庄|(?<=[于那])家(?:各庄|[庄屯村](?!园))|(?<=于)庄")  # 王各庄, 于家庄: part of the name
_PREPOSITION = ("位于", "落于", "居于", "住于", "处于", "属于")


def address_spans(view: str) -> Iterator[tuple[int, int]]:
    """Spans of detailed addresses.

    Args:
        view: normalised text with digits as ASCII digits and letters in lower case.

    Yields:
        Start and end of each, possibly overlapping.
    """
    if not _TRIGGER.search(view):
        return
    for found in _ROAD.finditer(view):
        yield _lead(view, found.start()), found.end()
    for found in _VILLAGE.finditer(view):
        start = _lead(view, found.start())
        if start < found.start() or found[0].endswith("号"):
            yield start, found.end()
    yield from (found.span() for found in _GROUP.finditer(view))
    if any(word in view for word in _BUILDING_WORDS):
        yield from _buildings(view)
    for found in _ROOM_ONLY.finditer(view) if any(mark in view for mark in "-楼层") else ():
        start = _lead(view, found.start())
        if _ESTATE.search(view, start, found.start()):
            yield start, found.end()


def _buildings(view: str) -> Iterator[tuple[int, int]]:
    """A building with a room, or of a named estate; 小区8栋停电 is no address."""
    for found in _BUILDING.finditer(view):
        start = _lead(view, found.start())
        named = bool(_ESTATE.search(view, start, found.start())) and not _UNNAMED.match(view[start : found.start()])
        inside = bool(_INSIDE.search(found[0]))
        if named or (inside and found.start() - start < 7):
            yield start, found.end()
        elif inside:
            yield found.span()


def _lead(view: str, end: int) -> int:
    """Where the name that ends here begins: at most ten characters back, behind a county, town or small word."""
    start = end
    while start > max(0, end - 10):
        before = view[start - 1]
        if (
            (before in _STOP and (not _HAMLET.match(view, start) or view.startswith(_PREPOSITION, start - 2)))
            or not before.isalnum()
            or (before.isdigit() and view[start : start + 1] not in "期街里村道巷路庄")
        ):
            break
        if before == "区" and start < end and view[start - 2 : start - 1] not in "小东西南北中社园新":
            break
        start -= 1
    return start
