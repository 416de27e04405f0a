"""Read tables of any kind row by row, in bounded memory. A row that cannot be read is reported, never dropped."""

import csv
import gzip
import io
import json
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from model.encoding import has_bad_bytes, open_text
from model.errors import InvalidTicket, UnreadableInput
from model.privacy import mask
from model.ticket import TEXT_KEYS

KINDS = {
    ".csv": "csv", ".tsv": "tsv", ".xlsx": "xlsx", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".txt": "text", ".log": "text", "": "text",
}  # fmt: skip
_XLSX_MOST_BYTES = 2_000_000_000
_XLSX_MOST_RATIO = 200
_CELL_MOST = 50_000_000


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
    kind, path = _kind(source)
    try:
        if kind in ("xlsx", "parquet"):
            table = _xlsx(_local(path)) if kind == "xlsx" else _parquet(_local(path))
            yield from _named(table, column)
            return
        with _open(path) as raw, open_text(raw) as text:
            kind = _sniff(text, kind, column) if path is None else kind
            if kind in ("csv", "tsv"):
                yield from _named(_delimited(text, "\t" if kind == "tsv" else ","), column)
            elif kind == "jsonl":
                yield from (_pick(row, column) for row in _json_lines(text))
            elif kind == "json":
                yield from (_pick(row, column) for row in _json_array(text))
            elif column:
                raise UnreadableInput("纯文本没有列,--column 用不上;请给出 CSV、XLSX、JSONL 或 Parquet")
            else:
                yield from _lines(text)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise UnreadableInput(f"{source} 是损坏的压缩文件({type(error).__name__});请重新复制") from error
    except OSError as error:
        raise UnreadableInput(f"{source} 无法读取:{error.strerror or error};请检查路径与权限") from error


def _kind(source: str | Path) -> tuple[str, Path | None]:
    if str(source) == "-":
        return "text", None
    path = Path(source)
    if not path.exists():
        raise UnreadableInput(f"找不到文件 {path};请检查路径")
    if path.is_dir():
        raise UnreadableInput(f"{path} 是目录;请给出文件,如 {path}/tickets.csv")
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if suffix.lower() not in KINDS:
        raise UnreadableInput(f"{path} 的类型 {suffix} 不支持;请用 {' '.join(k for k in KINDS if k)}(可加 .gz)")
    return KINDS[suffix.lower()], path


def _open(path: Path | None) -> IO[bytes]:
    if path is None:
        return sys.stdin.buffer
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _local(path: Path | None) -> Path | io.BytesIO:
    if path is None:
        raise UnreadableInput("标准输入不能是 XLSX 或 Parquet;请给出文件")
    if path.suffix != ".gz":
        return path
    with gzip.open(path, "rb") as file:
        return io.BytesIO(file.read(_XLSX_MOST_BYTES))


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


def _lines(text: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(text, 1):
        yield _checked(number, line.rstrip("\r\n"))


def _checked(number: int, value: Any) -> Row:
    cells = value.values() if isinstance(value, Mapping) else (value,)
    if any(isinstance(cell, str) and has_bad_bytes(cell) for cell in cells):
        return Row(number, error=InvalidTicket("bad_encoding", "这一行不是合法的 UTF-8 或 GB18030;请重新导出"))
    return Row(number, value)


def _json_lines(text: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(text, 1):
        if has_bad_bytes(line):
            yield _checked(number, line)
        elif not line.strip():
            yield Row(number, "")
        else:
            yield _parsed(number, line)


def _parsed(number: int, line: str) -> Row:
    try:
        return _typed(number, json.loads(line))
    except (ValueError, RecursionError):
        return Row(number, error=InvalidTicket("bad_row", "这一行不是合法的 JSON;请检查引号与逗号"))


def _typed(number: int, value: Any) -> Row:
    if isinstance(value, str | dict):
        return Row(number, value)
    return Row(number, error=InvalidTicket("bad_row", f"工单须为文本或对象,收到 {type(value).__name__}"))


def _json_array(text: IO[str]) -> Iterator[Row]:
    try:
        data = json.loads(text.read())
    except (ValueError, RecursionError) as error:
        raise UnreadableInput("不是合法的 JSON 文件;每行一条请用 .jsonl") from error
    for number, value in enumerate(data if isinstance(data, list) else [data], 1):
        yield _typed(number, value)


def _delimited(text: io.TextIOWrapper, delimiter: str) -> Iterator[list[Any] | InvalidTicket]:
    """Rows of cells. Blank lines between rows are rows without a text; an unfinished quote is reported."""
    csv.field_size_limit(min(sys.maxsize, _CELL_MOST))
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    blank = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield InvalidTicket(
                "bad_row", f"第 {reader.line_num} 行附近引号不成对({error});其中的行没有读出,请改正后重跑"
            )
            continue
        if not row:
            blank += 1
            continue
        yield from ([] for _ in range(blank))
        blank = 0
        yield row


def _xlsx(path: Path | io.BytesIO) -> Iterator[list[Any]]:
    import openpyxl

    with zipfile.ZipFile(path) as archive:
        sizes = [(entry.file_size, max(1, entry.compress_size)) for entry in archive.infolist()]
    total = sum(size for size, _ in sizes)
    if total > _XLSX_MOST_BYTES or (
        total > 50_000_000 and any(size / packed > _XLSX_MOST_RATIO for size, packed in sizes)
    ):
        raise UnreadableInput(f"{path} 解压后过大(疑似压缩炸弹);请另存为 CSV")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableInput(f"{path} 不是可读的 XLSX;请用 Excel 另存") from error
    empty = 0
    for row in book.worksheets[0].iter_rows(values_only=True):
        cells = list(row)
        if all(cell is None for cell in cells):
            empty += 1  # trailing blank rows are no rows; those in between are
            continue
        yield from ([None] * len(cells) for _ in range(empty))
        empty = 0
        yield cells
    book.close()


def _parquet(path: Path | io.BytesIO) -> Iterator[list[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise UnreadableInput(f"{path} 不是可读的 Parquet 文件;请重新导出") from error
    yield list(file.schema_arrow.names)
    for batch in file.iter_batches(batch_size=1024):
        columns = [batch.column(i).to_pylist() for i in range(batch.num_columns)]
        yield from (list(cells) for cells in zip(*columns, strict=True))


def _named(table: Iterator[list[Any] | InvalidTicket], column: str | None) -> Iterator[Row]:
    """Rows as mappings under the header's names."""
    header = next(table, None)
    if header is None or isinstance(header, InvalidTicket):
        raise UnreadableInput("文件没有可读的表头;请给出一列 content")
    names = [str(name).strip().lstrip("\ufeff") if name is not None else "" for name in header]
    wanted = column if column else next((key for key in TEXT_KEYS if key in names), None)
    if wanted is None or wanted not in names:
        shown = "、".join(mask(name).text[:12] for name in names[:20])
        raise UnreadableInput(f"没有正文列({'、'.join(TEXT_KEYS)});现有列:{shown};请用 --column 指定")
    for number, cells in enumerate(table, 1):
        yield Row(number, error=cells) if isinstance(cells, InvalidTicket) else _row(number, cells, names, wanted)


def _row(number: int, cells: list[Any], names: list[str], wanted: str) -> Row:
    if any(cell not in (None, "") for cell in cells[len(names) :]):
        message = f"这一行有 {len(cells)} 格,表头只有 {len(names)} 格;正文里的逗号请加引号"
        return Row(number, error=InvalidTicket("bad_row", message))
    value = {name: cell for name, cell in zip(names, cells, strict=False) if name and cell is not None}
    return _checked(number, {**value, "content": value.get(wanted, "")})


def _pick(row: Row, column: str | None) -> Row:
    if column and isinstance(row.value, dict):
        return Row(row.number, {**row.value, "content": row.value.get(column, "")})
    return row
