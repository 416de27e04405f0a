"""Tables as rows of cells: CSV, XLSX and Parquet, in bounded memory, also where the file is spoilt or forged."""

import csv
import io
import sys
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import IO, Any

from model.encoding import ROW_MOST, UNREADABLE, Lines
from model.errors import InvalidTicket, UnreadableInput

Cells = list[Any]
_SHEET_ROWS = 1_048_576  # what a sheet can have; a forged row number beyond it would be counted up to
_ARCHIVE_MOST = 2_000_000_000  # bytes unpacked
_STRINGS_MOST = 1_000_000_000  # of these the table of texts, which is held in memory
_WHOLE_MOST = 50_000_000  # of these the parts that are read whole: styles, themes, relations
_RATIO_MOST = 200
_STREAMED = ("xl/worksheets/", "xl/pivotCache/", "xl/media/")
_PARQUET_BATCH = 128


def delimited(text: IO[str], delimiter: str) -> Iterator[Cells | InvalidTicket]:
    """Rows of a CSV or TSV.

    Args:
        text: opened with `newline=""`.
        delimiter: between cells.

    Yields:
        Cells; blank lines between rows are rows without cells; an error where quotes do not pair or a row is too long.
    """
    csv.field_size_limit(min(sys.maxsize, ROW_MOST))
    lines = Lines(text)
    blank = 0
    for row in each(csv.reader(lines, delimiter=delimiter, strict=True), lines):
        if not row:
            blank += 1
            continue
        yield from ([] for _ in range(blank))
        blank = 0
        yield row


def each(reader: Iterator[Any], lines: Lines) -> Iterator[Any]:
    """What a reader of lines gives, going on behind rows that cannot be read.

    Args:
        reader: reads `lines`, or is `lines`.
        lines: their size is counted anew for each row.

    Yields:
        Rows, and an `InvalidTicket` in the place of one that cannot be read.
    """
    while True:
        lines.left = lines.most
        try:
            row = next(reader)
        except StopIteration:
            return
        except InvalidTicket as error:
            row = error
        except csv.Error as error:
            place = f"第 {getattr(reader, 'line_num', 0)} 行附近"
            row = InvalidTicket("bad_row", f"{place}引号不成对({error});其中的行没有读出,请改正后重跑")
        yield row


def xlsx(file: IO[bytes], name: str) -> Iterator[Cells]:
    """Rows of a workbook's first sheet, values of formulas as last calculated.

    Args:
        file: the workbook.
        name: for messages.

    Yields:
        Cells; blank rows between others are rows, those at the end are none. Of merged cells the first has the value.

    Raises:
        UnreadableInput: no workbook, a spoilt one, or one that unpacks to an unreasonable size.
    """
    if file.read(4) == b"\xd0\xcf\x11\xe0":
        raise UnreadableInput(f"{name} 是旧版 .xls 或加密的工作簿;请用 Excel 去掉密码,另存为 .xlsx")
    file.seek(0)
    try:
        _refuse_bomb(file, name)
        yield from _sheet(file, name)
    except UnreadableInput:
        raise
    except Exception as error:  # a spoilt workbook makes openpyxl throw anything
        message = f"{name} 不是可读的 XLSX({type(error).__name__});请用 Excel 打开检查,另存为 .xlsx 或 CSV"
        raise UnreadableInput(message) from error


def _refuse_bomb(file: IO[bytes], name: str) -> None:
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    total = sum(entry.file_size for entry in entries)
    strings = sum(entry.file_size for entry in entries if entry.filename.endswith("sharedStrings.xml"))
    streamed = sum(entry.file_size for entry in entries if entry.filename.startswith(_STREAMED))
    dense = any(entry.file_size > _RATIO_MOST * max(1, entry.compress_size) for entry in entries)
    if (
        total > _ARCHIVE_MOST
        or strings > _STRINGS_MOST
        or total - strings - streamed > _WHOLE_MOST
        or (total > _WHOLE_MOST and dense)
    ):
        raise UnreadableInput(f"{name} 解压后有 {total // 1_000_000} MB,疑似压缩炸弹,没有解压;请另存为 CSV")


def _sheet(file: IO[bytes], name: str) -> Iterator[Cells]:
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells of styles and validations it does not know
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # the size that a file claims may be wrong, and rows beyond it would be lost
    empty = 0
    for number, row in enumerate(_quietly(sheet.iter_rows(values_only=True)), 1):
        if number > _SHEET_ROWS:
            raise UnreadableInput(f"{name} 的行号超出 XLSX 的上限 {_SHEET_ROWS},文件有误;请另存为 CSV")
        if all(cell is None for cell in row):
            empty += 1
            continue
        yield from ([] for _ in range(empty))
        empty = 0
        yield list(row)
    book.close()


def _quietly(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            row = next(rows, None)
        if row is None:
            return
        yield row


def parquet(file: IO[bytes], name: str) -> Iterator[Cells]:
    """Rows of a Parquet file, the names of its columns first.

    Args:
        file: the Parquet file.
        name: for messages.

    Yields:
        Cells; a text that is no UTF-8 is `UNREADABLE`, a time that no calendar has is None.

    Raises:
        UnreadableInput: no Parquet file, or a spoilt one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        yield list(table.schema_arrow.names)
        for batch in table.iter_batches(batch_size=_PARQUET_BATCH):
            yield from (list(cells) for cells in zip(*map(_values, batch.columns), strict=True))
    except (pa.ArrowException, OSError) as error:
        message = f"{name} 不是可读的 Parquet 文件({type(error).__name__});请重新导出"
        raise UnreadableInput(message) from error


def _values(column: Iterable[Any]) -> Cells:
    return [_value(scalar) for scalar in column]


def _value(scalar: Any) -> Any:
    try:
        value = scalar.as_py()
    except UnicodeDecodeError:
        return UNREADABLE
    except (ValueError, OverflowError):
        return None
    if isinstance(value, bytes):  # some writers do not say that a column is text
        with suppress(UnicodeDecodeError):
            return value.decode("utf-8")
    return value


def unpacked(file: IO[bytes], name: str, most: int = 200_000_000) -> IO[bytes]:
    """A compressed workbook or Parquet file, unpacked into memory: both must be read from their ends.

    Args:
        file: gives the unpacked bytes.
        name: for messages.
        most: bytes.

    Returns:
        The bytes as a file.

    Raises:
        UnreadableInput: they are more.
    """
    data = file.read(most + 1)
    if len(data) > most:
        raise UnreadableInput(f"{name} 解压后超过 {most // 1_000_000} MB;请解压后给出原文件")
    return io.BytesIO(data)
