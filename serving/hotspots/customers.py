"""Customers by place: the denominator of 万户投诉率."""

from collections.abc import Mapping
from pathlib import Path

from model.encoding import has_bad_bytes, open_text
from model.errors import InvalidTicket, UnreadableInput
from model.tables import delimited
from serving.hotspots.frame import Level, unit_name

_NAMES = {
    "地市": "city",
    "区县": "county",
    "县": "county",
    "供电所": "station",
    "户数": "customers",
    "客户数": "customers",
}


def read_customers(path: Path, *, level: Level = "station") -> Mapping[str, int]:
    """Customers of each unit from a CSV table with a header.

    Args:
        path: columns `station` (供电所), `county` (区县), `city` (地市) as tickets write them, and `customers` (户数).
        level: what a unit is; rows of one unit are added up.

    Returns:
        Customers by the name of the unit.

    Raises:
        UnreadableInput: no such file, a column is missing, a number cannot be read; the message names the row.
    """
    try:
        with path.open("rb") as file:
            rows = list(delimited(open_text(file), ","))
    except OSError as error:
        raise UnreadableInput(f"{path} 无法读取:{error.strerror or error};请检查路径与权限") from error
    header = (
        []
        if not rows or isinstance(rows[0], InvalidTicket)
        else [str(cell).strip().lstrip("\ufeff") for cell in rows[0]]
    )
    names = [_NAMES.get(name, name) for name in header]
    needed = "city" if level == "city" else level
    if "customers" not in names or needed not in names:
        raise UnreadableInput(f"{path} 的表头须有 {needed} 与 customers(户数),现有:{'、'.join(header) or '无'}")
    found: dict[str, int] = {}
    for number, cells in enumerate(rows[1:], 1):
        if isinstance(cells, InvalidTicket) or any(has_bad_bytes(cell) for cell in cells):
            raise UnreadableInput(f"{path} 第 {number} 行无法读取;请检查引号与编码(UTF-8 或 GB18030)")
        if any(cell.strip() for cell in cells[len(names) :]):
            raise UnreadableInput(f"{path} 第 {number} 行格数多于表头;带逗号的户数请加引号")
        row = {name: str(cell).strip() for name, cell in zip(names, cells, strict=False)}
        unit = unit_name(row, level)
        if unit is not None:
            found[unit] = found.get(unit, 0) + _whole(row.get("customers", ""), path, number)
    return found


def _whole(word: str, path: Path, number: int) -> int:
    try:
        value = int(float(word.replace(",", "")))
    except (ValueError, OverflowError):
        value = 0
    if value <= 0:
        raise UnreadableInput(f"{path} 第 {number} 行的户数须为正整数,收到 {word[:20]!r};请改正")
    return value
