"""Events from a CSV table: all rows or none, with every problem named by its row."""

from collections.abc import Iterator
from io import BytesIO

from pydantic import ValidationError

from model.encoding import has_bad_bytes, open_text
from model.errors import InvalidTicket, UnreadableInput
from model.policy.cue_schema import EventsFile
from model.tables import Cells, delimited
from serving.events.entry import EventEntry, faults, messages
from serving.events.errors import InvalidEvents

Problem = dict[str, object]
ROWS_MOST = 5_000
COLUMNS = {
    "类型": "kind", "地市": "city", "区县": "county", "县": "county", "供电所": "station", "地名": "places",
    "开始时间": "starts_at", "结束时间": "ends_at", "内容": "text", "报备": "filing",
}  # fmt: skip
_NEEDED = ("kind", "starts_at", "ends_at", "text")


def read_events(content: bytes, policy: EventsFile) -> list[EventEntry]:
    """Read a table with a header in Chinese or English; kinds by code or by name.

    Args:
        content: a CSV file, UTF-8 or GB18030.
        policy: kinds of events.

    Returns:
        The entries in order; blank rows are left out.

    Raises:
        InvalidEvents: some rows must be mended.
    """
    try:
        rows = delimited(open_text(BytesIO(content)), ",")
    except UnreadableInput as error:
        raise _refused([{"row": 0, "message": str(error)}]) from error
    entries, problems = _entries(rows, _header(next(rows, [])), policy)
    if problems:
        raise _refused(problems)
    return entries


def _header(cells: Cells | InvalidTicket) -> list[str]:
    if isinstance(cells, InvalidTicket):
        raise _refused([{"row": 0, "message": "表头无法读取;请检查引号"}])
    names = [COLUMNS.get(name, name) for name in (str(cell).strip().lstrip("\ufeff") for cell in cells)]
    lacking = [name for name in _NEEDED if name not in names]
    if lacking:
        known = "、".join(COLUMNS)
        raise _refused([{"row": 0, "message": f"表头缺少 {'、'.join(lacking)};可用的列:{known}"}])
    unknown = [name for name in names if name and name not in EventEntry.model_fields]
    if unknown or len({name for name in names if name}) < sum(map(bool, names)):
        wrong = f"不认识 {'、'.join(name[:20] for name in unknown)}" if unknown else "有重复的列"
        raise _refused([{"row": 0, "message": f"表头{wrong};可用的列:{'、'.join(COLUMNS)}"}])
    return names


def _entries(
    rows: Iterator[Cells | InvalidTicket], names: list[str], policy: EventsFile
) -> tuple[list[EventEntry], list[Problem]]:
    """Entries and problems; rows count from 1 below the header."""
    by_name = {kind.name: code for code, kind in policy.kinds.items()}
    entries: list[EventEntry] = []
    problems: list[Problem] = []
    for number, cells in enumerate(rows, 1):
        if number > ROWS_MOST:
            return entries, [{"row": number, "message": f"超过 {ROWS_MOST} 行;请分批导入"}]
        if isinstance(cells, InvalidTicket) or any(has_bad_bytes(cell) for cell in cells):
            problems.append({"row": number, "message": "这一行无法读取;请检查引号与编码(UTF-8 或 GB18030)"})
        elif any(cell.strip() for cell in cells[len(names) :]):
            problems.append({"row": number, "message": "格数多于表头;内容里的逗号请加引号"})
        elif any(cell.strip() for cell in cells):
            found = _entry(dict(zip(names, cells, strict=False)), by_name, policy)
            if isinstance(found, EventEntry):
                entries.append(found)
            else:
                problems += [{"row": number, "message": message} for message in found]
    return entries, problems


def _entry(row: dict[str, str], by_name: dict[str, str], policy: EventsFile) -> EventEntry | list[str]:
    filled = {name: cell.strip() for name, cell in row.items() if name and cell.strip()}
    if "kind" in filled:
        filled["kind"] = by_name.get(filled["kind"], filled["kind"])
    try:
        entry = EventEntry.model_validate(filled)
    except ValidationError as error:
        return messages(error.errors())
    return faults(entry, policy) or entry


def _refused(problems: list[Problem]) -> InvalidEvents:
    first = problems[0]
    place = f"第 {first['row']} 行" if first["row"] else "表"
    return InvalidEvents(f"{len(problems)} 处须改正,一行也没有登记;{place}:{first['message']}", problems)
