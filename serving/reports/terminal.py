"""A report as text for a terminal."""

from typing import Any

from serving.reports.report import Block, Bullets, Chart, Figures, Report, Table, Text, shown

_MOST_ROWS = 12  # of a table; the files show all


def print_report(report: Report, console: Any) -> None:
    """Print a report; charts are left out, long tables are cut.

    Args:
        report: any.
        console: of rich.
    """
    console.print(f"{report.title}  {report.period}", style="bold", markup=False)
    for mark in report.marks:
        console.print(mark, style="red", markup=False)
    for section in report.sections:
        console.print(f"\n{section.title}", style="bold blue", markup=False)
        for block in section.blocks:
            _block(block, console)


def _block(block: Block, console: Any) -> None:
    if isinstance(block, Text):
        console.print(block.text, style="red" if block.tone == "warn" else None, markup=False, highlight=False)
    elif isinstance(block, Bullets):
        for line in (block.title, *(f"· {item}" for item in block.items)):
            if line:
                console.print(line, markup=False, highlight=False)
    elif isinstance(block, Figures):
        console.print("  ".join(f"{name} {value}" for name, value, _ in block.items), markup=False, highlight=False)
    elif not isinstance(block, Chart):
        _table(block, console)


def _table(block: Table, console: Any) -> None:
    from rich.table import Table as Grid
    from rich.text import Text as Plain

    grid = Grid(title=block.title or None, title_justify="left", expand=False)
    for column in block.columns:
        grid.add_column(column.name, justify="left" if column.kind == "text" else "right", overflow="fold")
    for row in block.on_page[:_MOST_ROWS]:
        grid.add_row(*(Plain(shown(value, column.kind)) for value, column in zip(row, block.columns, strict=True)))
    console.print(grid)
    left = len(block.rows) - _MOST_ROWS
    console.print(
        f"{block.see}{f'(另有 {left} 行见文件)' if left > 0 else ''}", style="dim", markup=False, highlight=False
    )
