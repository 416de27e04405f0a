"""A shadow run for people: one offline HTML page, a workbook, or JSON; and the lines for a terminal."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from model.errors import UnreadableInput
from model.policy import Policy
from model.spreadsheet import safe_cell
from training.evaluated import Table, rounded
from training.shadow import ON
from training.shadow_case import AVOIDED, BOTH_WRONG, CAUSED, OTHER, ShadowCase, Way

OUTCOMES = {
    CAUSED: "会派错(人工派对)",
    AVOIDED: "可避免(人工首派错)",
    BOTH_WRONG: "都派错",
    OTHER: "建议不同",
}
REASONS = {
    "low_confidence": "置信度不足", "rules_disagree": "规则意见不同", "too_short": "太短", "too_long": "太长",
    "not_a_complaint": "不是诉求", "unknown_words": "生词多", "model_unavailable": "模型未答", "over_time": "超时",
    "auto_off": "小类未开启自动",
}  # fmt: skip
_HEADINGS = ("工单", "结果", "人工首派", "最终", "建议", "置信度", "不看直接派", "送审原因", "正文(已脱敏)", "依据")
_WIDE = {"正文(已脱敏)": 70, "依据": 24, "人工首派": 30, "最终": 30, "建议": 30}


@dataclass(frozen=True)
class About:
    """What a page tells of its run: where the tickets come from, their days, what was left out, and when it was made."""

    source: str
    made: date
    notes: Sequence[str] = ()


def disagreements(cases: Sequence[ShadowCase], policy: Policy) -> list[Table]:
    """Every ticket on which people and the bundle differ, what would have been sent wrongly first.

    Args:
        cases: of the run.
        policy: names of leaves.

    Returns:
        JSON-ready rows with the masked text.
    """
    order = list(OUTCOMES)
    found = [case for case in cases if not (case.same_leaf and case.same_desk) or case.first_was_wrong]
    found.sort(key=lambda case: (order.index(case.outcome), not case.ready, -case.confidence, case.id))
    return [_row(case, policy) for case in found]


def setting(report: Table, made: date) -> str:
    """The lines to copy into decision.yaml.

    Args:
        report: of `training.shadow.shadow_report`.
        made: when.

    Returns:
        YAML.
    """
    return f"# triage shadow {made}:{report['n']} 条工单\nauto_leaves: [{', '.join(report['setting'])}]"


def write_shadow(report: Table, rows: Sequence[Table], about: About, path: Path) -> None:
    """Write .html, .xlsx or .json.

    Args:
        report: of `training.shadow.shadow_report`.
        rows: of `disagreements`.
        about: the run.
        path: its ending tells the kind; replaced if it is there.

    Raises:
        UnreadableInput: another ending.
    """
    kind = path.suffix.lower()
    if kind not in (".html", ".xlsx", ".json"):
        raise UnreadableInput(f"不认识输出文件的类型:{path};请用 .html、.xlsx 或 .json")
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == ".xlsx":
        _workbook(report, rows, about).save(path)
    elif kind == ".json":
        told = {**report, "source": about.source, "made": about.made.isoformat(), "notes": list(about.notes)}
        text = json.dumps({**told, "disagreements": list(rows)}, ensure_ascii=False, indent=1)
        path.write_text(text, encoding="utf-8")
    else:
        path.write_text(page(report, rows, about), encoding="utf-8")


def page(report: Table, rows: Sequence[Table], about: About) -> str:
    """The run as one HTML page that loads nothing.

    Args:
        report: of `training.shadow.shadow_report`.
        rows: of `disagreements`.
        about: the run.

    Returns:
        HTML.
    """
    environment = Environment(
        loader=PackageLoader("training", "templates"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = {row["leaf"]: row["name"] for row in report["switch"]}
    return environment.get_template("shadow.html").render(
        report=report, rows=rows, about=about, names=names, reasons=REASONS, outcomes=OUTCOMES, on=ON,
        setting=setting(report, about.made),
    )  # fmt: skip


def told(report: Table, rows: Sequence[Table]) -> str:
    """The run in a few lines for a terminal.

    Args:
        report: of `training.shadow.shadow_report`.
        rows: of `disagreements`.

    Returns:
        Chinese text without a word of a ticket.
    """
    routes, load, saved = report["routes"], report["review_load"], report["hours"]
    lines = [
        f"{report['n']} 条工单;与人工(最终)一致:班组 {_share(report['agreement']['desk'])},小类 {_share(report['agreement']['leaf'])}",
        f"人工首派错 {routes['wrong_by_hand']} 条:其中可避免 {routes['avoided_unread']} 条,审核时采纳建议可再避免 "
        f"{routes['avoided_if_accepted']} 条;会派错而人工派对 {routes['caused']} 条",
        f"需人看的工单:全部开启时 {_share(load['all_on'])},只开可开启的小类时 {_share(load['chosen_on'])}",
        f"人工 {saved['all_on']['by_hand']:.1f} 小时;全部开启省 {saved['all_on']['saved']:+.1f},只开可开启的省 "
        f"{saved['chosen_on']['saved']:+.1f} 小时(每步分钟数是假设)",
        *(
            f"  {row['verdict']} {row['name']}({row['leaf']}):{row['k']}/{row['n']},下限 {row['lower']:.3f}"
            for row in report["switch"]
        ),
        f"分歧 {len(rows)} 条",
    ]
    return "\n".join(lines)


def _share(value: Table) -> str:
    if value["share"] is None:
        return "—"
    return f"{value['share']:.1%}({value['ci95'][0]:.1%}–{value['ci95'][1]:.1%})"


def _row(case: ShadowCase, policy: Policy) -> Table:
    marked = _marked(case)
    return {
        "id": case.id, "outcome": case.outcome, "first": _way(case.first, policy),
        "final": _way(case.final, policy) if case.final else None, "ours": _way(case.ours, policy),
        "confidence": rounded(case.confidence), "unread": case.ready, "reasons": list(case.reasons),
        "text": case.text, "evidence": [part for part, is_evidence in marked if is_evidence], "marked": marked,
    }  # fmt: skip


def _way(way: Way, policy: Policy) -> str:
    return f"{policy.taxonomy.leaf(way.leaf).name} → {way.desk}" if way.leaf else way.desk


def _marked(case: ShadowCase) -> list[tuple[str, bool]]:
    """The masked text in pieces, each with whether it is evidence."""
    parts: list[tuple[str, bool]] = []
    end = 0
    for first, last in sorted(case.evidence):
        if first >= end:
            parts += [(case.text[end:first], False), (case.text[first:last], True)]
            end = last
    return [part for part in (*parts, (case.text[end:], False)) if part[0]]


def _workbook(report: Table, rows: Sequence[Table], about: About) -> Workbook:
    book = Workbook()
    first = book.active
    first.title = "总览"
    for line in (
        about.source,
        *about.notes,
        *told(report, rows).splitlines(),
        *setting(report, about.made).splitlines(),
    ):
        first.append([safe_cell(line)])
    first.column_dimensions["A"].width = 120
    switch = book.create_sheet("小类开关")
    columns = {
        "leaf": "代码", "name": "小类", "proposed": "建议次数", "n": "可直接派", "k": "一致", "share": "一致率",
        "lower": f"单侧 {report['assumptions']['confidence']:.0%} 下限", "fewest": "至少须几条", "verdict": "结论",
    }  # fmt: skip
    _fill(switch, list(columns.values()), [[row[key] for key in columns] for row in report["switch"]])
    _fill(book.create_sheet("分歧工单"), list(_HEADINGS), [_cells(row) for row in rows])
    return book


def _cells(row: Mapping[str, Any]) -> list[Any]:
    reasons = "、".join(REASONS.get(reason, reason) for reason in row["reasons"])
    ways = [row["first"], row["final"] or "", row["ours"]]
    head = [row["id"], OUTCOMES[row["outcome"]], *ways, row["confidence"], "是" if row["unread"] else "否"]
    return [*head, reasons, row["text"], "|".join(row["evidence"])]


def _fill(sheet: Any, headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    sheet.append(headings)
    for row in rows:
        sheet.append([safe_cell(value) for value in row])
    for number, name in enumerate(headings, 1):
        sheet.cell(1, number).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(number)].width = _WIDE.get(name, 16)
        if name in _WIDE:
            for (cell,) in sheet.iter_rows(min_row=2, min_col=number, max_col=number):
                cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
