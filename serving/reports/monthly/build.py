"""The monthly report as a whole."""

from datetime import timedelta

from model.ticket import CHINA
from serving.hotspots.analysis import Analysis
from serving.reports.material import Material
from serving.reports.monthly import cases, compliance, events, figures
from serving.reports.report import Report, Section, Text

TITLE = "供电服务投诉热点分析及管控措施"


def monthly(analysis: Analysis, material: Material) -> Report:
    """Write the monthly report.

    Args:
        analysis: of the time.
        material: the same tickets, and what was left out of them.

    Returns:
        Nine sections; rows that could not be counted stand on top and in a section of their own.
    """
    last = (analysis.until - timedelta(microseconds=1)).astimezone(CHINA)
    marks = list(material.left_out.sentences())
    if analysis.until > analysis.as_of:
        marks.insert(
            0, f"统计期尚未结束(数据截至 {analysis.as_of.astimezone(CHINA):%Y-%m-%d %H:%M}),环比、同比仅供参考"
        )
    sections = (
        figures.totals(analysis, material),
        figures.leaves(analysis, material),
        events.hotspots(analysis, material),
        figures.units(analysis, material),
        events.clocks(analysis, material),
        cases.typical(analysis, material),
        compliance.compliance(material),
        cases.measures(analysis, material),
        cases.next_month(analysis, material),
    )
    period = f"{analysis.since.astimezone(CHINA):%Y-%m-%d} 至 {last:%Y-%m-%d}"
    return Report(TITLE, period, material.made, (*sections, *_rows(material)), tuple(marks))


def _rows(material: Material) -> tuple[Section, ...]:
    """All rows that could not be counted, one by one: nothing is dropped in silence."""
    from serving.reports.report import Column, Table

    left = material.left_out
    rows = [(number, code) for number, code in left.errors.items()] + [(number, "no_date") for number in left.undated]
    if not rows:
        return ()
    table = Table(
        "", (Column("行号", "count"), Column("原因")), tuple(sorted(rows)), "改正后重出报告;no_date 为没有受理时间。"
    )
    return (Section("没有计入的行", (table, Text("行号从第一行数据起算,不含表头。", "note"))),)
