"""「拖入 Excel → 得到派单表」: rows of a file go to the service in slices, and come back as a worklist in the same order.

Nothing is stored, here or there: the service predicts only, and the table lives as long as the page.
"""

import asyncio
import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from model.errors import UnreadableInput
from model.rows import KINDS, Row, read_rows
from model.spreadsheet import ILLEGAL, safe_cell
from model.ticket import ID_KEYS, TEXT_KEYS
from serving.console import words
from serving.console.client import Api, ApiProblem

ROWS_MOST = 20_000
SLICE = 64  # tickets of one call: the contract allows 256, fewer let the progress be seen
SLICE_BYTES = 3_000_000  # of its body: the contract allows 4 MB
COLUMNS = ("行", "工单", "类别", "置信度", "线索", "班组", "时限", "处理方式", "原因")
_WIDTHS = (6, 22, 18, 8, 22, 22, 34, 12, 40)
_SENT = (*TEXT_KEYS, *ID_KEYS, "accepted_at", "受理时间", "channel", "biz_type", "org", "transcript", "repeat_of")
_TRIES = 5
_PAUSE = 2.0  # seconds before a slice that the service was too busy for is sent again
_BUSY = (0, 429, 503)
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Done:
    """A row of the worklist, or why the row is no ticket."""

    number: int
    ticket: str = ""
    category: str = ""
    confidence: float | None = None
    cues: str = ""
    desk: str = ""
    clock: str = ""
    decision: str = ""
    reason: str = ""
    wrong: bool = False

    @property
    def cells(self) -> tuple[Any, ...]:
        """The row in the order of `COLUMNS`."""
        return (
            self.number, self.ticket, self.category, self.confidence, self.cues, self.desk, self.clock, self.decision,
            self.reason,
        )  # fmt: skip


def read(content: bytes, name: str) -> list[Row]:
    """Rows of a file that somebody handed in.

    Args:
        content: of the file.
        name: its name, whose ending tells what it is.

    Returns:
        All rows in order, readable or not.

    Raises:
        UnreadableInput: not a table that can be read, no text column, too many rows, or none.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"input{_ending(name)}"
        path.write_bytes(content)
        try:
            rows = list(islice(read_rows(path), ROWS_MOST + 1))
        except UnreadableInput as error:
            raise UnreadableInput(str(error).replace(str(path), name).replace("--column", "改列名来")) from error
    if len(rows) > ROWS_MOST:
        raise UnreadableInput(f"{name} 超过 {ROWS_MOST} 行;请分成几个文件,或用 triage predict")
    if not rows:
        raise UnreadableInput(f"{name} 里没有工单;请检查是否存成了空表")
    return rows


def _ending(name: str) -> str:
    """The ending that tells a file's kind; nothing else of its name comes near the disk."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    packed = suffixes[-1:] == [".gz"]
    kind = next(iter(suffixes[-2:-1] if packed else suffixes[-1:]), "")
    if kind not in KINDS:
        raise UnreadableInput(f"{name[:100]} 的类型不支持;请用 {' '.join(k for k in KINDS if k)}(可加 .gz)")
    return f"{kind}.gz" if packed else kind


async def predict(api: Api, rows: Sequence[Row], told: Told) -> list[Done]:
    """Let the service predict rows.

    Args:
        api: the service with the person's key.
        rows: n rows.
        told: how many of n are done.

    Returns:
        n rows of the worklist, in order.

    Raises:
        ApiProblem: the service refused a slice, or stayed too busy for it.
    """
    done: list[Done] = []
    for part in slices(rows):
        answers = iter(await _answers(api, [value for row, value in part if row.error is None]))
        done += [_done(row, None if row.error else next(answers)) for row, _ in part]
        told(len(done), len(rows))
    return done


def slices(rows: Sequence[Row]) -> Iterator[list[tuple[Row, Any]]]:
    """Rows with what is sent of them, in parts that one call takes.

    Args:
        rows: n rows.

    Yields:
        At most `SLICE` rows, of at most `SLICE_BYTES` where it is more than one row.
    """
    part: list[tuple[Row, Any]] = []
    size = 0
    for row in rows:
        value = _sent(row)
        more = len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        if part and (len(part) == SLICE or size + more > SLICE_BYTES):
            yield part
            part, size = [], 0
        part.append((row, value))
        size += more
    if part:
        yield part


def workbook(done: Sequence[Done], name: str) -> bytes:
    """The worklist as XLSX; no cell survives as a formula.

    Args:
        done: rows.
        name: of the file that was handed in.

    Returns:
        The file: the list, and the rows that are no tickets once more by themselves.
    """
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    book.properties.title = f"派单表 {name}".translate(ILLEGAL)
    _fill(book.create_sheet("派单表"), done)
    wrong = [one for one in done if one.wrong]
    if wrong:
        _fill(book.create_sheet("未处理的行"), wrong)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _fill(sheet: Any, done: Sequence[Done]) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet.append(COLUMNS)
    for one in done:
        sheet.append([safe_cell(cell) for cell in one.cells])
    for place, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
        sheet.cell(1, place).font = Font(bold=True)
    for (cell,) in sheet.iter_rows(min_row=2, min_col=4, max_col=4):
        cell.number_format, cell.alignment = "0%", Alignment(horizontal="right")
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = sheet.dimensions


def _sent(row: Row) -> Any:
    """Only what the service reads: other columns, which may hold names and numbers, stay here."""
    if not isinstance(row.value, dict):
        return row.value
    return {name: _plain(row.value[name]) for name in _SENT if row.value.get(name) is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | list | dict) else str(value)


async def _answers(api: Api, tickets: list[Any]) -> list[dict[str, Any]]:
    for tried in range(_TRIES):
        try:
            answers: list[dict[str, Any]] = await api.post("/v1/predict/batch", {"tickets": tickets}) if tickets else []
            return answers
        except ApiProblem as problem:
            if problem.status not in _BUSY or tried == _TRIES - 1:
                raise
            await asyncio.sleep(_PAUSE)
    return []


def _done(row: Row, answer: dict[str, Any] | None) -> Done:
    named = row.value if isinstance(row.value, dict) else {}
    ticket = str(next((named[key] for key in ID_KEYS if named.get(key) is not None), ""))
    wrong = str(row.error) if row.error else (answer or {}).get("error", {}).get("message")
    if answer is None or wrong:
        return Done(row.number, ticket, decision="未处理", reason=f"第 {row.number} 行:{wrong}", wrong=True)
    route = answer["route"]
    return Done(
        row.number,
        ticket or (answer["ticket_id"] or ""),
        answer["category"]["name"],
        answer["category"]["confidence"],
        "、".join(_cues(answer)),
        "、".join([route["desk"], *route["support"]]),
        _clock(route),
        words.DECISION.get(answer["decision"], answer["decision"]),
        "、".join(words.REASONS.get(reason, reason) for reason in answer["reasons"]),
    )


def _cues(answer: dict[str, Any]) -> list[str]:
    marked = [name for name, key in (("安全", "safety"), ("升级风险", "escalation")) if answer[key]["raised"]]
    return marked + [words.FLAG.get(flag, flag) for flag, cue in answer["flags"].items() if cue["raised"]]


def _clock(route: dict[str, Any]) -> str:
    said = (("arrive_by", "前到场"), ("contact_due_at", "前联系"), ("due_at", "前答复"))
    times = [f"{words.moment(route[name])} {what}" for name, what in said if route[name]]
    return ";".join(times) or str(route["promise"])
