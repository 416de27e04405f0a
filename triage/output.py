"""Write predictions as JSON lines, CSV, XLSX or Parquet. No cell survives as a spreadsheet formula."""

import csv
import gzip
import io
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from model.errors import UnreadableInput, UnusableOutput
from model.spreadsheet import ILLEGAL, safe_cell
from model.taxonomy import FLAGS

COLUMNS = (
    "row", "ticket_id", "category", "category_name", "group", "confidence", "candidates", "secondary",
    *FLAGS, *(f"{flag}_probability" for flag in FLAGS), "theft_role", "safety", "escalation", "filing",
    "desk", "support", "deliver_to", "contact_due_at", "due_at", "arrive_by", "promise", "measures",
    "decision", "reasons", "evidence", "source", "answered_by", "bundle", "error_code", "error_message",
)  # fmt: skip

Results = Iterator[dict[str, Any]]
_SHOWN = 40  # characters of a long name that its work folder bears: a name of 255 bytes leaves no room for more
_SHEET_ROWS = 1_048_576  # more a sheet cannot have
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}  # some readers of lines take these for ends


def flat(result: dict[str, Any]) -> dict[str, Any]:
    """One prediction (or error) as a table row with the columns of `COLUMNS`.

    Args:
        result: a prediction with `row`, or an error.

    Returns:
        Column → value; lists joined by `|`, missing values None.
    """
    values: dict[str, Any] = dict.fromkeys(COLUMNS)
    values["row"] = result["row"]
    if "error" in result:
        return {**values, "error_code": result["error"]["code"], "error_message": result["error"]["message"]}
    category, route, flags = result["category"], result["route"], result["flags"]
    values |= {key: result[key] for key in ("ticket_id", "decision", "source", "answered_by")}
    values |= {
        "category": category["code"],
        "category_name": category["name"],
        "group": category["group"],
        "confidence": category["confidence"],
    }
    values |= {flag: flags[flag]["raised"] for flag in FLAGS}
    values |= {f"{flag}_probability": flags[flag]["probability"] for flag in FLAGS}
    values |= {key: route[key] for key in ("desk", "contact_due_at", "due_at", "arrive_by", "promise")}
    values |= {"support": "|".join(route["support"]), "deliver_to": "|".join(route["deliver_to"])}
    values |= {key: "|".join(result[key]) for key in ("secondary", "reasons", "measures")}
    values["candidates"] = "|".join(f"{c['code']}:{c['confidence']}" for c in result["candidates"])
    values["evidence"] = "|".join(e["text"] for e in result["evidence"])
    values |= {
        "theft_role": flags["theft"]["role"],
        "safety": result["safety"]["raised"],
        "escalation": result["escalation"]["raised"],
    }
    return values | {
        "filing": result["filing"]["code"] if result["filing"] else None,
        "bundle": result["versions"]["bundle"],
    }


def write(results: Iterable[dict[str, Any]], output: Path | None) -> Results:
    """Write results as they come and hand them on.

    Args:
        results: predictions and errors in order.
        output: file whose extension tells the kind; None writes JSON lines to standard output.

    Yields:
        Each result, after it was written.

    Raises:
        UnreadableInput: the extension is not one of .jsonl .csv .xlsx .parquet (.jsonl.gz, .csv.gz).
        UnusableOutput: its folder is not there.
    """
    if output is None:
        yield from _json_lines(iter(results), sys.stdout)
        return
    name = output.name.lower()
    writer = next((writer for endings, writer in _WRITERS if name.endswith(endings)), None)
    if writer is None:
        raise UnreadableInput(f"不认识输出文件的类型:{output};请用 .jsonl .csv .xlsx .parquet(.jsonl 与 .csv 可加 .gz)")
    if not output.parent.is_dir():
        raise UnusableOutput(f"没有目录 {output.parent};请先建立,或换一个位置")
    with tempfile.TemporaryDirectory(prefix=f".{output.name[:_SHOWN]}-", dir=output.parent) as folder:
        work = Path(folder) / output.name  # the input may be the same file, and half a file helps nobody
        yield from writer(iter(results), work)
        work.replace(output)


def _jsonl(results: Results, path: Path) -> Results:
    with _text(path) as file:
        yield from _json_lines(results, file)


def _json_lines(results: Results, file: TextIO) -> Results:
    for result in results:
        file.write(json.dumps(result, ensure_ascii=False).translate(_LINE_ENDS) + "\n")
        yield result


def _csv(results: Results, path: Path) -> Results:
    with _text(path, encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for result in results:
            writer.writerow({key: safe_cell(value) for key, value in flat(result).items()})
            yield result


def _xlsx(results: Results, path: Path) -> Results:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet, count = _new_sheet(book), 1
    for result in results:
        if count == _SHEET_ROWS:
            sheet, count = _new_sheet(book), 1
        sheet.append([safe_cell(value) for value in flat(result).values()])
        count += 1
        yield result
    book.save(path)


def _new_sheet(book: Any) -> Any:
    sheet = book.create_sheet(f"triage{len(book.worksheets) + 1}" if book.worksheets else "triage")
    sheet.append(list(COLUMNS))
    return sheet


def _parquet(results: Results, path: Path) -> Results:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"row": pa.int64(), "confidence": pa.float64(), "safety": pa.bool_(), "escalation": pa.bool_()}
    kinds |= {flag: pa.bool_() for flag in FLAGS} | {f"{flag}_probability": pa.float64() for flag in FLAGS}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    with pq.ParquetWriter(path, schema) as writer:
        batch: list[dict[str, Any]] = []
        for result in results:
            batch.append(
                {
                    key: value.translate(ILLEGAL) if isinstance(value, str) else value
                    for key, value in flat(result).items()
                }
            )
            yield result
            if len(batch) == 1024:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, schema))


@contextmanager
def _text(path: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    raw = gzip.open(path, "wb") if path.suffix.lower() == ".gz" else path.open("wb")  # noqa: SIM115 - closed below
    with raw, io.TextIOWrapper(raw, encoding=encoding, newline="", errors="replace") as file:
        yield file


_WRITERS = (
    ((".jsonl", ".jsonl.gz"), _jsonl),
    ((".csv", ".csv.gz"), _csv),
    ((".xlsx",), _xlsx),
    ((".parquet",), _parquet),
)
