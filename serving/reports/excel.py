"""A report as a workbook: one sheet a section, the first table's header frozen, numbers as numbers, texts as texts."""

import io
import re
from datetime import datetime
from typing import Any

from model.spreadsheet import safe_cell
from model.ticket import CHINA
from serving.reports.report import Block, Bullets, Cell, Figures, Kind, Report, Section, Table, Text, typeset

FORMATS: dict[Kind, str] = {
    "text": "@", "count": "#,##0", "share": "0.0%", "rate": "0.00", "change": "+0.0%;-0.0%;0.0%", "times": '0.0"倍"',
    "day": "yyyy-mm-dd", "time": "yyyy-mm-dd hh:mm",
}  # fmt: skip
_WIDTHS = {"text": 18, "day": 12, "time": 17}
_WIDE, _NARROW, _NAME_MOST = 70, 12, 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
_HEAD_FILL = "E8EEF4"


def workbook(report: Report) -> bytes:
    """Write a report as .xlsx. Cells that a spreadsheet would take for formulas are kept as text.

    Args:
        report: any.

    Returns:
        The file's bytes.
    """
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    book.properties.title, book.properties.creator = report.title, "complaint-triage"
    for section in report.sections:
        _sheet(book.create_sheet(_name(section.title, set(book.sheetnames))), report, section)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _name(title: str, taken: set[str]) -> str:
    name = _FORBIDDEN.sub(" ", title)[:_NAME_MOST]
    return name if name not in taken else f"{name[: _NAME_MOST - 3]} {len(taken)}"


def _sheet(sheet: Any, report: Report, section: Section) -> None:
    """The first table stands on top, under one line of title, so that its header can be frozen."""
    from openpyxl.styles import Font

    sheet.append([safe_cell(f"{report.title} · {section.title} · {report.period}")])
    sheet["A1"].font = Font(bold=True, size=12)
    first = next((block for block in section.blocks if isinstance(block, Table)), None)
    if first:
        _table(sheet, first)
        sheet.freeze_panes = "A3"
    for mark in report.marks:
        _line(sheet, mark)
    for block in section.blocks:
        if block is not first:
            _block(sheet, block)
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:2" if first else "1:1"


def _block(sheet: Any, block: Block) -> None:
    if isinstance(block, Text):
        _line(sheet, block.text)
    elif isinstance(block, Bullets):
        for line in (block.title, *block.items):
            _line(sheet, line)
    elif isinstance(block, Figures):
        for item in block.items:
            sheet.append([safe_cell(part) for part in item])
    elif isinstance(block, Table):
        sheet.append([])
        _line(sheet, block.title)
        _table(sheet, block)


def _line(sheet: Any, text: str) -> None:
    if text:
        sheet.append([safe_cell(typeset(text))])


def _table(sheet: Any, block: Table) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet.append([safe_cell(typeset(column.name)) for column in block.columns])
    for cell in sheet[sheet.max_row]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor=_HEAD_FILL)
    for row in block.rows:
        sheet.append([_cell(value) for value in row])
        for cell, column in zip(sheet[sheet.max_row], block.columns, strict=False):
            kind = column.kind if not isinstance(cell.value, str) else "text"
            cell.number_format = FORMATS[kind]
            cell.alignment = Alignment(wrap_text=column.wide, vertical="top")
    for place, column in enumerate(block.columns, 1):
        letter = get_column_letter(place)
        wanted = _WIDE if column.wide else _WIDTHS.get(column.kind, _NARROW)
        sheet.column_dimensions[letter].width = max(wanted, sheet.column_dimensions[letter].width)
    _line(sheet, block.see)


def _cell(value: Cell) -> Any:
    if isinstance(value, datetime):  # a sheet knows no time zones
        return value.astimezone(CHINA).replace(tzinfo=None)
    return safe_cell(value)
