"""Section 报备与特殊客户合规核查: what became of cues, callers who were right, filings suggested after the complaint."""

from collections import Counter
from typing import Any

from model.policy import Policy
from serving.cues.cue import STATE_NAMES, State
from serving.cues.ledger import Case, ledger
from serving.reports.material import FilingNote, Material
from serving.reports.report import SMALL, Cell, Column, Section, Table, Text

_MOST_TICKETS, _MOST_CELLS = 20, 30
_ENDS = (State.REJECTED, State.REMOVED)
_COUNTS = (
    Column("提出", "count"), Column("未决", "count"), Column("确认", "count"), Column("驳回", "count"),
    Column("申诉", "count"), Column("撤销", "count"), Column("到期", "count"),
)  # fmt: skip
_KEYS = ("raised", "open", "confirmed", "rejected", "appealed", "removed", "expired")


def compliance(material: Material) -> Section:
    """The ledger of cues with the cases on top where the caller was right, and suggested filings.

    Args:
        material: of the report.

    Returns:
        The section.
    """
    rules = Text("线索只是提示:须证据齐全、两人确认才生效;不影响派单、时限与答复。报备与标签只能由人办理。", "note")
    if not material.stored:
        told = Text("从文件出的报告没有线索台账(确认、驳回、申诉);请从存储出报告。", "warn")
        return Section("报备与特殊客户合规核查", (told, *_filings(material), rules))
    found = ledger(material.cases)
    return Section(
        "报备与特殊客户合规核查",
        (_right(found["caller_proved_right"], material), _cells(found, material), *_filings(material), rules),
    )


def _right(proved: list[dict[str, str | bool | None]], material: Material) -> Table:
    columns = (
        Column("工单"),
        Column("线索"),
        Column("小类"),
        Column("被反映单位"),
        Column("结论"),
        Column("结论日期"),
        Column("经申诉"),
    )
    flags = material.policy.taxonomy.flags
    rows = tuple(
        (str(one["ticket_id"]), flags.get(str(one["flag"]), str(one["flag"])), material.leaf_name(str(one["leaf"])),
         str(one["unit"] or "未登记"), STATE_NAMES[State(str(one["how"]))], str(one["ended_at"])[:10], "是" if one["after_appeal"] else "否")
        for one in proved
    )  # fmt: skip
    see = (
        f"{len(rows)} 位被疑为恶意的客户,查下来反映属实:先看这些,问题在我们。"
        if rows
        else "这段时间没有「疑为恶意而反映属实」的结论。"
    )
    return Table("被疑恶意而反映属实", columns, rows, see)


def _cells(found: dict[str, Any], material: Material) -> Table:
    flags = material.policy.taxonomy.flags
    columns = (
        Column("线索"),
        Column("小类"),
        Column("被反映单位"),
        *_COUNTS,
        Column("确认占比", "share"),
        Column("反映属实占比", "share"),
    )

    def row(name: str, leaf: str, unit: str, cell: dict[str, object]) -> tuple[Cell, ...]:
        counts = [_cell(cell.get(key)) for key in (*_KEYS, "confirmed_share", "caller_right_share")]
        return (name, leaf, unit, *counts)

    rows = [
        row(flags.get(str(one["flag"]), str(one["flag"])), material.leaf_name(str(one["leaf"])), str(one["unit"]), one)
        for one in found["cells"]
    ]
    rows.insert(0, row("合计", "", "", found["total"]))
    see = f"未决的要尽快补证据或驳回;提出多而确认少的,是提示太松。不足 {SMALL} 条的只列条数。"
    return Table("线索台账", columns, tuple(rows), see if found["cells"] else "这段时间没有提出线索。", _MOST_CELLS)


def _cell(value: object) -> Cell:
    return value if isinstance(value, int | float) else None


def _filings(material: Material) -> tuple[Table, Table]:
    """By item, always with its name; each ticket with the mark of hard rule 4."""
    after = Counter(one.code for one in material.filings if one.after)
    every = Counter(one.code for one in material.filings)
    items = material.policy.taxonomy.filings
    counted = tuple(
        (item.name, every[item.code], every[item.code] - after[item.code], after[item.code])
        for item in items
        if every[item.code]
    )
    columns = (
        Column("报备事项"),
        Column("提示", "count"),
        Column("投诉前已登记", "count"),
        Column("投诉后才提示", "count"),
    )
    late = sum(after.values())
    see = f"{late} 张是投诉到了以后才提示的:不得补办报备来冲抵投诉,须逐张核对。" if late else "没有投诉后才提示的报备。"
    return Table("报备事项", columns, counted, see if counted else "这段时间没有提示报备。"), _listed(material)


def _listed(material: Material) -> Table:
    ordered = sorted(material.filings, key=lambda one: (not one.after, one.ticket_id))
    rows = tuple(
        (
            one.ticket_id,
            one.name,
            "投诉后才提示" if one.after else "投诉前已登记",
            _outcome(one, material.cases, material.policy),
        )
        for one in ordered
    )
    columns = (Column("工单"), Column("报备事项", wide=True), Column("登记"), Column("线索结论"))
    return Table(
        "提示了报备的工单",
        columns,
        rows,
        "事项以名称为准;投诉后才提示的在前。" if rows else "没有提示报备的工单。",
        _MOST_TICKETS,
    )


def _outcome(one: FilingNote, cases: tuple[Case, ...], policy: Policy) -> str | None:
    """What became of the cue that the filing goes with."""
    flag = policy.taxonomy.filing(one.code).goes_with
    case = next((case for case in cases if (case.ticket_id, case.flag) == (one.ticket_id, flag)), None)
    if flag is None:
        return None
    last = case.passed[-1].state if case and case.passed else State.CANDIDATE
    return f"{STATE_NAMES[last]}{',不得报备' if last in _ENDS else ''}"
