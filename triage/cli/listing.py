"""Lists for a person, as JSON lines, CSV or XLSX. No cell survives as a spreadsheet formula."""

import csv
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from model.errors import UnreadableInput
from model.spreadsheet import safe_cell

KINDS = (".jsonl", ".csv", ".xlsx")
_WIDE = {"text": 60, "why": 50, "neighbours": 36}  # columns that hold sentences, in characters

Rows = Sequence[Mapping[str, Any]]


def check_kind(output: Path | None) -> None:
    """Refuse a file of an unknown kind before any work is done.

    Args:
        output: file, or None for standard output.

    Raises:
        UnreadableInput: the extension is none of `KINDS`.
    """
    if output and output.suffix.lower() not in KINDS:
        raise UnreadableInput(f"不认识输出文件的类型:{output};请用 {' '.join(KINDS)}")


def write_list(rows: Rows, headings: Mapping[str, str], output: Path | None) -> None:
    """Write a list.

    Args:
        rows: values by key; a list of words becomes one cell, joined by `|`.
        headings: keys of the columns, each with the heading it has in a table.
        output: file whose extension tells the kind, replaced if it is there; None writes JSON lines to standard output.
    """
    if output is None:
        sys.stdout.writelines(_json_lines(rows))
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as folder:
        work = (
            Path(folder) / output.name
        )  # the list may replace the file it was made from, and half a file helps nobody
        kind = output.suffix.lower()
        if kind == ".jsonl":
            work.write_text("".join(_json_lines(rows)), encoding="utf-8")
        elif kind == ".csv":
            with work.open("w", encoding="utf-8-sig", newline="") as file:
                csv.writer(file).writerows(_table(rows, headings))
        else:
            _sheet(rows, headings, work)
        work.replace(output)


def _json_lines(rows: Rows) -> list[str]:
    return [json.dumps(dict(row), ensure_ascii=False) + "\n" for row in rows]


def _table(rows: Rows, headings: Mapping[str, str]) -> list[list[Any]]:
    return [list(headings.values()), *([_cell(row.get(key)) for key in headings] for row in rows)]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "是" if value else ""
    return safe_cell("|".join(value) if isinstance(value, list | tuple) else value)


def _sheet(rows: Rows, headings: Mapping[str, str], path: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    for line in _table(rows, headings):
        sheet.append(line)
    for number, key in enumerate(headings, 1):
        sheet.cell(1, number).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(number)].width = _WIDE.get(key, 14)
        if key in _WIDE:
            for (cell,) in sheet.iter_rows(min_row=2, min_col=number, max_col=number):
                cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
    book.save(path)
