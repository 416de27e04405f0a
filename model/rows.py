"""Read tables of any kind row by row, in bounded memory. A row that cannot be read is reported, never dropped."""

import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from model.encoding import Lines, has_bad_bytes, open_text
from model.errors import InvalidTicket, UnreadableInput
from model.privacy import mask
from model.tables import Cells, delimited, each, parquet, unpacked, xlsx
from model.ticket import TEXT_KEYS, type_word

KINDS = {
    ".csv": "csv", ".tsv": "tsv", ".xlsx": "xlsx", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".txt": "text", ".log": "text", "": "text",
}  # fmt: skip
_JSON_MOST = 100_000_000  # characters of a .json file, which has to be read whole
_TITLES_MOST = 5  # rows looked at for a header: titles over merged cells may stand above it


@dataclass(frozen=True, slots=True)
class Row:
    """One input row: its number from 1, and what it holds or why it cannot be read."""

    number: int
    value: Any = None
    error: InvalidTicket | None = None


def read_rows(source: str | Path, column: str | None = None) -> Iterator[Row]:
    """Rows of a file, in order.

    Args:
        source: a path (also `.gz`), or `-` for standard input.
        column: name of the text column, where it is none of the known names.

    Yields:
        One row for each row of the input; values are strings or mappings with the text under `content`.

    Raises:
        UnreadableInput: no such file, a folder, an unknown kind, no text column, a damaged archive.
    """
    try:
        kind, path = _kind(source)
        with ExitStack() as opened:
            raw = opened.enter_context(_open(path))
            if kind in ("xlsx", "parquet"):
                file = unpacked(raw, str(path)) if path and _is_packed(path) else raw
                table = xlsx(file, str(path)) if kind == "xlsx" else parquet(file, str(path))
                yield from _named(table, column, sheet=True)
                return
            text = opened.enter_context(open_text(raw))
            yield from _from_text(text, _sniff(text, kind, column) if path is None else kind, column)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"{source} 不是完好的 gzip 压缩文件({type(error).__name__});请重新复制或压缩"
        raise UnreadableInput(message) from error
    except OSError as error:
        raise UnreadableInput(f"{source} 无法读取:{error.strerror or error};请检查路径与权限") from error


def _from_text(text: io.TextIOWrapper, kind: str, column: str | None) -> Iterator[Row]:
    if kind in ("csv", "tsv"):
        return _named(delimited(text, "\t" if kind == "tsv" else ","), column)
    if kind == "jsonl":
        return (_pick(row, column) for row in _json_lines(text))
    if kind == "json":
        return (_pick(row, column) for row in _json_array(text))
    if column:
        raise UnreadableInput("纯文本没有列,--column 用不上;请给出 CSV、XLSX、JSONL 或 Parquet")
    return _lines(text)


def _kind(source: str | Path) -> tuple[str, Path | None]:
    if str(source) == "-":
        return "text", None
    path = Path(source)
    if not path.exists():
        raise UnreadableInput(f"找不到文件 {path};请检查路径")
    if path.is_dir():
        readable = (file for file in sorted(path.iterdir()) if file.suffix and file.suffix in KINDS)
        inside = next(readable, path / "tickets.csv")
        raise UnreadableInput(f"{path} 是目录;请给出文件,如 {inside}")
    suffix = path.with_suffix("").suffix if _is_packed(path) else path.suffix
    if suffix.lower() not in KINDS:
        raise UnreadableInput(f"{path} 的类型 {suffix} 不支持;请用 {' '.join(k for k in KINDS if k)}(可加 .gz)")
    return KINDS[suffix.lower()], path


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _open(path: Path | None) -> IO[bytes]:
    if path is not None:
        return gzip.open(path, "rb") if _is_packed(path) else path.open("rb")  # type: ignore[return-value]
    if sys.stdin is None:  # closed by whoever started this process
        raise UnreadableInput("标准输入已关闭;请用管道送入工单,或给出文件")
    return sys.stdin.buffer


def _sniff(text: io.TextIOWrapper, kind: str, column: str | None) -> str:
    """What comes through standard input: JSON lines, CSV with a known header, or plain lines."""
    buffer = text.buffer
    head = buffer.peek(4096) if hasattr(buffer, "peek") else b""
    first = head.decode(text.encoding or "utf-8", "replace").lstrip("\ufeff \r\n").splitlines()[:1]
    line = first[0] if first else ""
    if line.startswith("{"):
        return "jsonl"
    names = [name.strip().strip('"') for name in line.replace("\t", ",").split(",")]
    if set(names) & {*TEXT_KEYS, column}:
        return "tsv" if "\t" in line else "csv"
    return kind


def _numbered(text: io.TextIOWrapper) -> Iterator[tuple[int, str | InvalidTicket]]:
    lines = Lines(text)
    return enumerate(each(lines, lines), 1)


def _lines(text: io.TextIOWrapper) -> Iterator[Row]:
    for number, line in _numbered(text):
        yield Row(number, error=line) if isinstance(line, InvalidTicket) else _checked(number, line.rstrip("\r\n"))


def _checked(number: int, value: Any) -> Row:
    cells = value.values() if isinstance(value, Mapping) else (value,)
    if any(isinstance(cell, str) and has_bad_bytes(cell) for cell in cells):
        return Row(number, error=InvalidTicket("bad_encoding", "这一行不是合法的 UTF-8 或 GB18030;请重新导出"))
    return Row(number, value)


def _json_lines(text: io.TextIOWrapper) -> Iterator[Row]:
    for number, line in _numbered(text):
        if isinstance(line, InvalidTicket):
            yield Row(number, error=line)
        elif has_bad_bytes(line):
            yield _checked(number, line)
        elif not line.strip("\ufeff \t\r\n"):
            yield Row(number, "")
        else:
            yield _parsed(number, line.lstrip("\ufeff"))


def _parsed(number: int, line: str) -> Row:
    try:
        return _typed(number, json.loads(line))
    except RecursionError:
        reason = "嵌套过深"
    except json.JSONDecodeError as error:
        reason = f"第 {error.colno} 个字符处"
    except ValueError:
        reason = "数字过长"
    return Row(number, error=InvalidTicket("bad_row", f"这一行不是合法的 JSON({reason});请检查引号、逗号与括号"))


def _typed(number: int, value: Any) -> Row:
    if isinstance(value, str | dict):
        return Row(number, value)
    message = f"工单须为文本或对象,收到{type_word(value)};请写成 {{\"content\": \"诉求正文\"}}"
    return Row(number, error=InvalidTicket("bad_row", message))


def _json_array(text: IO[str]) -> Iterator[Row]:
    content = text.read(_JSON_MOST + 1)
    if len(content) > _JSON_MOST:
        raise UnreadableInput(f"JSON 文件超过 {_JSON_MOST} 个字;请改成每行一条的 .jsonl")
    if has_bad_bytes(content):
        raise UnreadableInput("JSON 文件不是合法的 UTF-8 或 GB18030;请重新导出")
    try:
        data = json.loads(content.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise UnreadableInput("不是合法的 JSON 文件;请检查引号、逗号与括号,每行一条请用 .jsonl") from error
    for number, value in enumerate(data if isinstance(data, list) else [data], 1):
        yield _typed(number, value)


def _named(table: Iterator[Cells | InvalidTicket], column: str | None, *, sheet: bool = False) -> Iterator[Row]:
    """Rows as mappings under the header's names. A note beside a sheet's columns is none of a ticket's."""
    names, wanted = _header(table, column)
    for number, cells in enumerate(table, 1):
        if isinstance(cells, InvalidTicket):
            yield Row(number, error=cells)
        else:
            yield _row(number, cells[: len(names)] if sheet else cells, names, wanted)


def _header(table: Iterator[Cells | InvalidTicket], column: str | None) -> tuple[list[str], int]:
    """Names of the columns and the place of the text, below blank lines and titles of one cell."""
    seen: list[str] = []
    filled_rows = (cells for cells in table if isinstance(cells, InvalidTicket) or any(cells))
    for cells in islice(filled_rows, _TITLES_MOST):
        if isinstance(cells, InvalidTicket):
            raise UnreadableInput(f"表头无法读取:{cells}")
        names = [str(name).strip().lstrip("\ufeff") if name is not None else "" for name in cells]
        wanted = next((key for key in ([column] if column else TEXT_KEYS) if key in names), None)
        if wanted is not None:
            return names, names.index(wanted)
        filled = [name for name in names if name]
        seen = seen or filled
        if len(filled) > 1:
            break
    if not seen:
        raise UnreadableInput("文件没有可读的表头;请给出一列 content")
    shown = "、".join(mask(name).text[:12] for name in seen[:20])
    asked = f"没有列 {column}" if column else f"没有正文列({'、'.join(TEXT_KEYS)})"
    raise UnreadableInput(f"{asked};现有列:{shown};请把这一列改名为 content,或在有 --column 的命令里用它指定")


def _row(number: int, cells: Cells, names: list[str], wanted: int) -> Row:
    if any(cell not in (None, "") for cell in cells[len(names) :]):
        message = f"这一行有 {len(cells)} 格,表头只有 {len(names)} 格;正文里的逗号请加引号"
        return Row(number, error=InvalidTicket("bad_row", message))
    value = {name: cell for name, cell in zip(names, cells, strict=False) if name and cell is not None}
    text = cells[wanted] if wanted < len(cells) else None
    return _checked(number, {**value, "content": "" if text is None else text})


def _pick(row: Row, column: str | None) -> Row:
    if column and isinstance(row.value, dict):
        return Row(row.number, {**row.value, "content": row.value.get(column, "")})
    return row
