"""Sections 典型案例(脱敏), 成因与措施 and 下月关注."""

from datetime import date, datetime, timedelta
from typing import Any

import holidays

from model.privacy import mask
from model.text import normalise
from model.ticket import CHINA
from serving.cues.cue import State
from serving.hotspots.analysis import Analysis
from serving.reports.material import Material, tickets_of
from serving.reports.monthly.events import period
from serving.reports.report import Block, Bullets, Column, Section, Table, Text

_CASES, _LEAVES = 6, 5  # shown at most
_SHORTEST, _LONGEST, _LIKED = 8, 300, 120  # characters of a typical case; what is longer is cut
_EXPIRES = timedelta(days=31)


def typical(analysis: Analysis, material: Material) -> Section:
    """典型案例(脱敏): one masked text for each hotspot, else for each of the largest leaves.

    Args:
        analysis: of the time.
        material: of the report.

    Returns:
        The section.
    """
    chosen: dict[str, Any] = {}
    for leaf, unit, words in _places(analysis):
        one = _best(material, leaf, unit, words, set(chosen))
        if one is not None and len(chosen) < _CASES:
            chosen[one.ticket_id] = one
    columns = (
        Column("工单"),
        Column("受理时间", "time"),
        Column("小类"),
        Column("单位"),
        Column("诉求(已脱敏)", wide=True),
    )
    rows = tuple(
        (
            one.ticket_id,
            one.accepted_at.to_pydatetime(),
            material.leaf_name(one.category),
            one.unit,
            _masked(one.text),
        )
        for one in chosen.values()
    )
    see = (
        "每个热点(或件数最多的小类)一例,选说法最有代表性的;姓名、电话、户号、地址已隐去。"
        if rows
        else "没有可以举例的正文。"
    )
    return Section("典型案例(脱敏)", (Table("", columns, rows, see),))


def measures(analysis: Analysis, material: Material) -> Section:
    """成因与措施: the article's causes and measures for each hotspot, else for the largest leaves.

    Args:
        analysis: of the time.
        material: of the report.

    Returns:
        The section.
    """
    wanted = list(dict.fromkeys(leaf for leaf, _, _ in _places(analysis)))[:_LEAVES]
    taxonomy, policy = material.policy.taxonomy, material.policy.measures
    blocks: list[Block] = []
    rows = []
    for code in (code for code in wanted if code in taxonomy):
        causes = "、".join(taxonomy.causes[cause] for cause in taxonomy.leaf(code).causes) or "文章未列"
        entry = policy.leaves[code]
        where = "、".join(
            dict.fromkeys(spot.rising.unit or "全部单位" for spot in analysis.hotspots if spot.rising.leaf == code)
        )
        rows.append((material.leaf_name(code), where or "件数居前", causes, entry.section))
        blocks.append(Bullets(entry.measures, f"{material.leaf_name(code)}:管控措施(文章 {entry.section})"))
    columns = (Column("小类"), Column("热点所在"), Column("成因(文章第 1 节)", wide=True), Column("措施所在章节"))
    see = (
        "成因是文章对这类投诉的归纳,是否如此请对照本月工单;措施逐条落实到人和日期。"
        if rows
        else "没有工单,没有措施可列。"
    )
    return Section("成因与措施", (Table("成因", columns, tuple(rows), see), *blocks))


def next_month(analysis: Analysis, material: Material) -> Section:
    """下月关注: what is still open, what rises, what is planned, and holidays.

    Args:
        analysis: of the time.
        material: of the report.

    Returns:
        The section.
    """
    items = [*_rising(analysis), *_open(analysis), *_cues(material), *_days_off(analysis.until)]
    return Section("下月关注", (Bullets(tuple(items)) if items else Text("没有须特别关注的事项。"),))


def _places(analysis: Analysis) -> list[tuple[str, str | None, tuple[str, ...]]]:
    """Leaf, unit and telling words: of hotspots, then of the leaves with most tickets."""
    spots = [(spot.rising.leaf, spot.rising.unit, spot.phrases) for spot in analysis.hotspots]
    largest = sorted((one for one in analysis.leaves if one.leaf and one.tickets), key=lambda one: -one.tickets)
    words: dict[str, tuple[str, ...]] = {}
    for phrase in analysis.phrases:
        words[phrase.leaf] = (*words.get(phrase.leaf, ()), phrase.text)
    return [*spots, *((str(one.leaf), None, words.get(str(one.leaf), ())) for one in largest[:_LEAVES])]


def _best(material: Material, leaf: str, unit: str | None, words: tuple[str, ...], taken: set[str]) -> Any:
    """The ticket whose text holds most of the words, and of these the one of a readable length."""
    frame = material.frame
    near = frame[(frame["category"] == leaf) & frame["text"].notna()]
    best, best_rank = None, (-1, 0)
    for one in tickets_of(near):
        length = len(one.text)
        if one.ticket_id in taken or length < _SHORTEST or (unit and one.unit != unit):
            continue
        rank = (sum(word in one.text for word in words), -abs(length - _LIKED))
        if rank > best_rank:
            best, best_rank = one, rank
    return best


def _masked(text: str) -> str:
    """Masked once more: a text that was stored by an older version may have been masked less."""
    clean = mask(normalise(text).text).text
    return f"{clean[:_LONGEST]}…" if len(clean) > _LONGEST else clean


def _rising(analysis: Analysis) -> list[str]:
    return [
        f"{spot.leaf_name}({spot.rising.unit or '全部单位'}):{period(spot.rising)} {spot.rising.tickets} 件,为平常的 {spot.rising.ratio:.1f} 倍,按「成因与措施」盯到回落"
        for spot in analysis.hotspots[:_LEAVES]
    ]


def _open(analysis: Analysis) -> list[str]:
    waiting = sum(one.running for one in analysis.breaches if one.unit is None and one.clock != "contact")
    callers = sum(one.open > 0 for one in analysis.repeat_callers)
    return [
        *([f"{waiting} 张工单已超时仍未办结,月初清零"] if waiting else []),
        *([f"{callers} 位来电三次以上的客户还有工单未办结,由所长当面答复"] if callers else []),
    ]


def _cues(material: Material) -> list[str]:
    """What is in the hands of people, and objects against it."""
    last = [case.passed[-1].state if case.passed else State.CANDIDATE for case in material.cases]
    undecided, appealed = last.count(State.CANDIDATE), last.count(State.APPEALED)
    return [
        *([f"{undecided} 条特殊客户线索未决,补齐证据或驳回"] if undecided else []),
        *([f"{appealed} 条线索在申诉中,按期复核"] if appealed else []),
    ]


def _days_off(until: datetime) -> list[str]:
    """Public holidays of the month that follows."""
    first = until.astimezone(CHINA).date()
    found: dict[str, date] = {}
    for day, name in sorted(
        holidays.country_holidays("CN", years=(first.year, first.year + 1), language="zh_CN").items()
    ):
        if first <= day < first + _EXPIRES and "休息日" not in name:
            found.setdefault(name, day)
    return [
        f"{name}({day:%m-%d} 起):节前检查值班与抢修,节日用电高峰易有停电、低电压来电" for name, day in found.items()
    ]
