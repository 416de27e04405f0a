"""Sections 总体, 分类 and 单位."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from model.ticket import CHINA
from serving.hotspots.analysis import Analysis, Count
from serving.reports.material import Material
from serving.reports.report import SMALL, Block, Cell, Chart, Column, Figures, Section, Series, Table, Text, shown

_MOST_BARS, _MOST_UNITS, _MOST_PHRASES = 13, 20, 12
_COMPARED = (
    Column("件数", "count"), Column("上期", "count"), Column("环比", "change"), Column("去年同期", "count"),
    Column("同比", "change"), Column("占比", "share"),
)  # fmt: skip
_FEW = f"不足 {SMALL} 件的只列件数"


def totals(analysis: Analysis, material: Material) -> Section:
    """总体: the whole time at a glance, and day by day.

    Args:
        analysis: of the time.
        material: of the report.

    Returns:
        The section.
    """
    found, every = analysis.totals, analysis.totals.all
    flags = sum(found.flags.values())
    figures = Figures(
        (
            (
                "投诉工单",
                f"{every.tickets:,}",
                f"上期 {shown(every.before, 'count')},环比 {shown(every.change, 'change')}",
            ),
            ("合并同一事件后", f"{found.matters:,}", f"{len(analysis.incidents)} 起事件各计一次"),
            ("涉及人身安全", f"{found.safety:,}", "先处置,再核对"),
            ("有升级风险", f"{found.escalation:,}", "提到 12398、媒体、多次来电等"),
            ("须人工审类别", f"{found.review:,}", "程序没有把握"),
            ("特殊客户线索", f"{flags:,}", "只是提示,由人核实"),
        )
    )
    blocks: list[Block] = [figures]
    if every.tickets:
        blocks.append(_days(analysis, material))
    else:
        blocks.append(Text("这段时间没有工单。请核对起止日期;从文件出报告时,请核对受理时间一列。", "warn"))
    return Section("总体", (*blocks, *_about(analysis)))


def leaves(analysis: Analysis, material: Material) -> Section:
    """分类: groups and leaves beside the time before, and new phrases.

    Args:
        analysis: of the time.
        material: of the report.

    Returns:
        The section.
    """
    groups = {group.code: group.name for group in material.policy.taxonomy.groups}
    ordered = sorted(analysis.leaves, key=lambda one: -one.tickets)
    names = [material.leaf_name(one.leaf) for one in ordered]
    table = Table(
        "各小类",
        (Column("大类"), Column("小类"), *_COMPARED),
        tuple(
            (groups.get(one.group or "", one.group), name, *_compared(one))
            for one, name in zip(ordered, names, strict=True)
        ),
        f"{_most(names, ordered)}{_FEW}。",
    )
    return Section(
        "分类", (*_leaf_chart(ordered, names), table, _groups(analysis, groups), _phrases(analysis, material))
    )


def units(analysis: Analysis, material: Material) -> Section:
    """单位: tickets by place, per ten thousand customers where that is known, and by group.

    Args:
        analysis: of the time.
        material: of the report.

    Returns:
        The section.
    """
    ordered = sorted(analysis.units, key=lambda one: (-one.tickets, one.unit or ""))
    known = any(one.customers for one in ordered)
    columns = (Column("单位"), *_COMPARED, *((Column("户数", "count"), Column("万户投诉率", "rate")) if known else ()))
    every = analysis.totals.all.tickets
    rows = tuple(
        (one.unit, *_compared(one)[:-1], one.tickets / every if one.tickets >= SMALL else None,
         *((one.customers, one.per_10k) if known else ()))
        for one in ordered
    )  # fmt: skip
    rate = "万户投诉率=件数÷户数×10000。" if known else "没有给出各单位户数,不算万户投诉率(--customers 或 TRIAGE_CUSTOMERS)。"
    blocks: list[Block] = [Table("各单位", columns, rows, f"{_first(rows)}{rate}{_FEW}。", _MOST_UNITS)]
    if ordered:
        top = ordered[:_MOST_BARS]
        bars = (Series("本期", tuple(one.tickets for one in top)),)
        chart = Chart(
            "工单最多的单位", "bar", tuple(str(one.unit) for one in top), bars, "件数多不等于服务差,先看户数与事件。"
        )
        blocks.insert(0, chart)
        blocks.append(_by_group(analysis, material))
    if analysis.totals.without_unit:
        blocks.append(Text(f"另有 {analysis.totals.without_unit} 件没有填单位,不在上表。", "note"))
    return Section("单位", tuple(blocks))


def _days(analysis: Analysis, material: Material) -> Chart:
    first, last = analysis.since.astimezone(CHINA).date(), analysis.until.astimezone(CHINA).date()
    counts = Counter(time.astimezone(CHINA).date() for time in material.frame["accepted_at"])
    days = [first + timedelta(days=number) for number in range((last - first).days)]
    busiest = max(days, key=lambda day: counts[day])
    see = f"最多的一天是 {busiest:%m-%d},共 {counts[busiest]} 件;突起的日子请对照「热点事件」。"
    return Chart(
        "每天的工单",
        "line",
        tuple(f"{day:%m-%d}" for day in days),
        (Series("工单", tuple(counts[day] for day in days)),),
        see,
    )


def _about(analysis: Analysis) -> tuple[Text, ...]:
    cut = [one.label for one in analysis.periods if not one.complete]
    notes = [Text(note, "note") for note in analysis.notes]
    if cut:
        notes.insert(
            0,
            Text(
                f"不完整的{'周' if analysis.by == 'week' else '月'}:{'、'.join(cut)};列出件数,不比较、不检验。", "warn"
            ),
        )
    return tuple(notes)


def _compared(one: Count) -> tuple[int | float | None, ...]:
    return one.tickets, one.before, one.change, one.year_ago, one.change_year, one.share


def _first(rows: Sequence[tuple[Cell, ...]]) -> str:
    return f"最多的是{rows[0][0]},{rows[0][1]} 件。" if rows else "这段时间没有工单。"


def _most(names: list[str], ordered: list[Count]) -> str:
    if not ordered:
        return "这段时间没有工单。"
    first = ordered[0]
    share = f",占 {first.share:.0%}" if first.share is not None else ""
    return f"最多的是{names[0]},{first.tickets} 件{share}。"


def _leaf_chart(ordered: list[Count], names: list[str]) -> tuple[Chart, ...]:
    if not ordered:
        return ()
    rows = tuple(ordered[:_MOST_BARS])
    series = [Series("本期", tuple(one.tickets for one in rows))]
    if any(one.before is not None for one in rows):
        series.append(Series("上期", tuple(one.before for one in rows)))
    grown = [(one.change, name) for one, name in zip(rows, names, strict=False) if one.change is not None]
    best = max(grown, default=None)
    see = (
        f"环比升得最多的是{best[1]}({best[0]:+.0%});是否超出平常波动,看「热点事件」。"
        if best and best[0] > 0
        else "没有小类环比上升,或件数太少不比较。"
    )
    return (Chart("各小类件数", "bar", tuple(names[:_MOST_BARS]), tuple(series), see),)


def _groups(analysis: Analysis, groups: dict[str, str]) -> Table:
    rows = tuple((groups.get(one.group or "", one.group), *_compared(one)) for one in analysis.groups)
    return Table(
        "各大类", (Column("大类"), *_COMPARED), rows, "前三类是文章所列的投诉热点;「其他」在实际来电中占多数。"
    )


def _phrases(analysis: Analysis, material: Material) -> Table:
    ordered = sorted(analysis.phrases, key=lambda one: -one.weight)
    rows = tuple((one.text, material.leaf_name(one.leaf), one.tickets, one.before) for one in ordered)
    see = "本期才多起来的说法;常是新问题的苗头,点开工单看是不是同一件事。" if rows else "没有新出现的说法。"
    return Table(
        "新出现的说法",
        (Column("说法"), Column("小类"), Column("本期工单", "count"), Column("上期工单", "count")),
        rows,
        see,
        _MOST_PHRASES,
    )


def _by_group(analysis: Analysis, material: Material) -> Table:
    taxonomy = material.policy.taxonomy
    group_of = {leaf.code: leaf.group for leaf in taxonomy}
    counts: Counter[tuple[str, str]] = Counter()
    for cell in analysis.cells:
        if cell.unit and cell.leaf:
            counts[cell.unit, group_of.get(cell.leaf, "other")] += cell.tickets
    total: Counter[str] = Counter()
    for (unit, _), tickets in counts.items():
        total[unit] += tickets
    columns = (Column("单位"), *(Column(group.name, "count") for group in taxonomy.groups))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (unit, *(counts[unit, group.code] for group in taxonomy.groups)) for unit, _ in total.most_common()
    )
    return Table(
        "单位与大类", columns, rows, "各单位的工单在哪一类;同一行里特别大的数就是该单位的主要问题。", _MOST_UNITS
    )
