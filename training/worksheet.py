"""The rows of a batch that a person has to mend, as a workbook: mend the cells, save, give it to `triage retrain`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from model.privacy import mask
from model.spreadsheet import safe_cell
from training.batch import Problem
from training.batch_schema import COLUMNS

HEADINGS = ("文件", "行", "问题", "怎么改", *COLUMNS)
_WIDTHS = {"问题": 36, "怎么改": 40, "text": 60}


def write_worksheet(problems: Sequence[Problem], path: Path) -> None:
    """Write the workbook. Texts are masked, as classifiers see them; no cell is a formula.

    Args:
        problems: rows to mend.
        path: `.xlsx`; replaced if it is there.
    """
    book = Workbook()
    sheet = book.active
    sheet.title = "待改标注"
    sheet.append(HEADINGS)
    for problem in problems:
        sheet.append([safe_cell(value) for value in _cells(problem)])
    for number, name in enumerate(HEADINGS, 1):
        sheet.cell(1, number).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS.get(name, 14)
        if name in _WIDTHS:
            for (cell,) in sheet.iter_rows(min_row=2, min_col=number, max_col=number):
                cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)


def _cells(problem: Problem) -> list[Any]:
    return [problem.file.name, problem.number, problem.what, problem.mend, *(_cell(problem.cells, n) for n in COLUMNS)]


def _cell(cells: Mapping[str, Any], name: str) -> Any:
    value = cells.get(name, "")
    if isinstance(value, tuple):
        return "|".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return mask(value).text if name == "text" else value
