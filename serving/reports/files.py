"""Write a report to a file; its extension tells the kind."""

import csv
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

from model.errors import UnreadableInput
from model.spreadsheet import safe_cell
from serving.reports.excel import workbook
from serving.reports.html import page
from serving.reports.report import Report, Table, shown
from serving.reports.word import document

PAGES = (".html", ".docx", ".xlsx")
LISTS = (".xlsx", ".csv")
_SHOWN = 40  # characters of a long name that its work folder bears: a name of 255 bytes leaves no room for more


def check(output: Path | None, kinds: tuple[str, ...]) -> None:
    """Refuse a file's kind before any work is done.

    Args:
        output: where the report is to go; None for the terminal.
        kinds: extensions that this report can be written as.

    Raises:
        UnreadableInput: another extension, or no such folder.
    """
    if output is None:
        return
    if output.suffix.lower() not in kinds:
        raise UnreadableInput(f"不认识输出文件的类型:{output};请用 {' '.join(kinds)}")
    if not output.parent.is_dir():
        raise UnreadableInput(f"没有目录 {output.parent};请先建立,或换一个位置")


def write(report: Report, output: Path) -> None:
    """Write a report; a file that is there is replaced at the end, never half written.

    Args:
        report: any.
        output: its extension is one that `check` let pass.
    """
    content = CONTENT[output.suffix.lower()](report)
    with tempfile.TemporaryDirectory(prefix=f".{output.name[:_SHOWN]}-", dir=output.parent) as folder:
        work = Path(folder) / output.name
        work.write_bytes(content)
        work.replace(output)


def _html(report: Report) -> bytes:
    return page(report).encode("utf-8")


def _csv(report: Report) -> bytes:
    """The tables one below another, each with its header; a spreadsheet program reads it as UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for table in (block for section in report.sections for block in section.blocks if isinstance(block, Table)):
        writer.writerow([safe_cell(column.name) for column in table.columns])
        for row in table.rows:
            cells = zip(row, table.columns, strict=True)
            writer.writerow(["" if value is None else safe_cell(shown(value, column.kind)) for value, column in cells])
    return out.getvalue().encode("utf-8-sig", "replace")


CONTENT: dict[str, Callable[[Report], bytes]] = {".html": _html, ".docx": document, ".xlsx": workbook, ".csv": _csv}
