"""Sections 热点事件 and 时限与重复."""

from serving.hotspots.analysis import Analysis, Breach, Incident, Rising, Why
from serving.reports.material import Material
from serving.reports.report import SMALL, Cell, Chart, Column, Section, Series, Table, shown

_WHY = {Why.EVENT: "已知事件", Why.REPEAT: "重复来电", Why.WORDING: "说法相同", Why.PLACE: "同地同时"}
_CLOCKS = {"contact": "24 小时联系", "due": "5 个工作日答复", "arrive": "抢修到场"}
_MOST_INCIDENTS, _MOST_IDS, _MOST_CALLERS, _MOST_LATE, _MOST_BARS = 20, 8, 20, 15, 10
_TINY = 0.001
EVERYWHERE = "全部单位"


def hotspots(analysis: Analysis, material: Material) -> Section:
    """热点事件: what rises above its baseline, and incidents counted once.

    Args:
        analysis: of the time.
        material: of the report.

    Returns:
        The section.
    """
    rising = tuple(
        (spot.leaf_name, spot.rising.unit or EVERYWHERE, period(spot.rising), spot.rising.tickets, spot.rising.expected,
         spot.rising.ratio, spot.matters, f"{spot.rising.q:.3f}" if spot.rising.q >= _TINY else f"<{_TINY}", "、".join(spot.phrases))
        for spot in analysis.hotspots
    )  # fmt: skip
    columns = (
        Column("小类"), Column("单位"), Column("期间"), Column("件数", "count"), Column("平常", "rate"),
        Column("倍数", "times"), Column("合并事件后", "count"), Column("q 值"), Column("新说法"),
    )  # fmt: skip
    see = (
        f"检验了 {analysis.tested} 格,{len(rising)} 格高出平常(已计节假日与平时波动,误报率控制在一成以内);合并事件后件数少的,是一件事打了多个电话。"
        if rising
        else f"检验了 {analysis.tested} 格,没有一格高出平常波动。"
    )
    incidents = tuple(_incident(one, material) for one in analysis.incidents)
    named = (
        Column("事件"), Column("小类"), Column("单位"), Column("起止"),
        Column("工单", "count"), Column("涉安全", "count"), Column("依据"), Column("地点或已知事件", wide=True), Column("工单编号", wide=True),
    )  # fmt: skip
    told = (
        f"共 {len(analysis.incidents)} 起,各计一次,每张工单的时限照旧。"
        if incidents
        else "没有发现多张工单说同一件事。"
    )
    return Section(
        "热点事件",
        (
            *_beside(analysis),
            Table("高出平常的类别与单位", columns, rising, see),
            Table("多张工单说的同一件事", named, incidents, told, _MOST_INCIDENTS),
        ),
    )


def clocks(analysis: Analysis, material: Material) -> Section:
    """时限与重复: clocks that were missed, callers with three and more tickets, findings.

    Args:
        analysis: of the time.
        material: of the report.

    Returns:
        The section.
    """
    return Section("时限与重复", (_breaches(analysis), _callers(analysis, material), *_findings(analysis, material)))


def _beside(analysis: Analysis) -> tuple[Chart, ...]:
    """Hotspots beside what would have been usual."""
    spots = analysis.hotspots[:_MOST_BARS]
    if not spots:
        return ()
    labels = tuple(f"{spot.leaf_name} · {spot.rising.unit or EVERYWHERE}" for spot in spots)
    series = (
        Series("本期", tuple(spot.rising.tickets for spot in spots)),
        Series("平常", tuple(round(spot.rising.expected, 1) for spot in spots)),
    )
    return (Chart("热点:本期与平常", "bar", labels, series, "两条差得越多,越不像平常的起伏。"),)


def period(rising: Rising) -> str:
    """The period of a rising cell, with those before that were tested together with it.

    Args:
        rising: of an analysis.

    Returns:
        Such as 2026-W47 (连同前 1 期).
    """
    return rising.period if rising.span == 1 else f"{rising.period}(连同前 {rising.span - 1} 期)"


def _incident(one: Incident, material: Material) -> tuple[Cell, ...]:
    many = len(one.ticket_ids)
    ids = "、".join(one.ticket_ids[:_MOST_IDS]) + (f" 等 {many} 张" if many > _MOST_IDS else "")
    places = f"{one.unit or '未填'}{f' 等 {one.units} 个单位' if one.units > 1 else ''}"
    return (one.id, material.leaf_name(one.leaf), places, f"{shown(one.first_at)} 至 {shown(one.last_at)}", many, one.safety,
            "、".join(_WHY[why] for why in one.why), one.event or "、".join(one.words), ids)  # fmt: skip


def _breaches(analysis: Analysis) -> Table:
    columns = (
        Column("时限"), Column("单位"), Column("已到期或已完成", "count"), Column("超时", "count"), Column("超时占比", "share"),
        Column("至今未完成", "count"), Column("超时工单", wide=True),
    )  # fmt: skip
    rows = tuple(
        (
            _CLOCKS.get(one.clock, one.clock),
            one.unit or EVERYWHERE,
            one.decided,
            one.late,
            one.share,
            one.running,
            _ids(one),
        )
        for one in sorted(analysis.breaches, key=lambda one: (one.unit is not None, -one.late, one.clock))
        if one.late or one.unit is None
    )
    late = sum(one.late for one in analysis.breaches if one.unit is None)
    see = f"共超时 {late} 次;至今未完成的今天就办。不足 {SMALL} 件的不算占比。" if late else "没有超时。"
    return Table("时限", columns, rows, f"{see}没有登记到场的,以联系或办结时间代替。" if rows else see, _MOST_LATE)


def _ids(one: Breach) -> str:
    shown = "、".join(one.ticket_ids[:_MOST_IDS])
    return f"{shown} 等" if len(one.ticket_ids) > _MOST_IDS else shown


def _callers(analysis: Analysis, material: Material) -> Table:
    columns = (
        Column("来电者(代号)"), Column("工单", "count"), Column("未办结", "count"), Column("首次", "time"), Column("末次", "time"),
        Column("小类"), Column("单位"), Column("工单编号", wide=True),
    )  # fmt: skip
    rows = tuple(
        (one.caller, len(one.ticket_ids), one.open, one.first_at, one.last_at,
         "、".join(material.leaf_name(leaf) for leaf in one.leaves), "、".join(one.units), "、".join(one.ticket_ids[:_MOST_IDS]))
        for one in analysis.repeat_callers
    )  # fmt: skip
    see = (
        f"{len(analysis.repeat_callers)} 位客户来电三次以上:先问清上次为什么没有解决,不因来电多而视为恶意。"
        if rows
        else "没有来电三次以上的客户。"
    )
    return Table("重复来电(三次以上)", columns, rows, see, _MOST_CALLERS)


def _findings(analysis: Analysis, material: Material) -> tuple[Table, ...]:
    if not analysis.upheld:
        return ()
    columns = (
        Column("小类"),
        Column("单位"),
        Column("已查清", "count"),
        Column("属实", "count"),
        Column("属实率", "share"),
    )
    rows = tuple(
        (material.leaf_name(one.leaf), one.unit or EVERYWHERE, one.judged, one.upheld, one.share)
        for one in analysis.upheld
    )
    return (Table("属实情况", columns, rows, "只统计已经查清的工单;没有登记结论的不算不属实。"),)
