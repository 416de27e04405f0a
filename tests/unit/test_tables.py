"""Workbooks and Parquet files that are odd, spoilt or forged."""

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model.encoding import UNREADABLE
from model.errors import UnreadableInput
from model.rows import read_rows
from model.tables import parquet, unpacked, xlsx

SHEET = "xl/worksheets/sheet1.xml"


def _book(path: Path, rows: list[list[Any]], change: Callable[[Any], object] = lambda _: None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    change(book.active)
    book.save(path)
    return path


def _forged(path: Path, edits: list[tuple[str, bytes, bytes]], more: dict[str, bytes] | None = None) -> Path:
    """A workbook of three rows whose parts were edited."""
    source = _book(path.with_name("source.xlsx"), [["id", "content"], ["1", "停电"], ["2", "电费"]])
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            for part, before, after in edits:
                assert part != name or before in data
                data = data.replace(before, after) if part == name else data
            new.writestr(name, data)
        for name, data in (more or {}).items():
            new.writestr(name, data)
    return path


def _texts(path: Path) -> list[object]:
    return [row.error.code if row.error else row.value["content"] for row in read_rows(path)]


def test_rows_beyond_the_size_that_a_sheet_claims_are_read(tmp_path: Path) -> None:
    path = _forged(tmp_path / "t.xlsx", [(SHEET, b'ref="A1:B3"', b'ref="A1"')])
    assert _texts(path) == ["停电", "电费"]


def test_a_sheet_that_claims_to_be_enormous_costs_nothing(tmp_path: Path) -> None:
    path = _forged(tmp_path / "t.xlsx", [(SHEET, b'ref="A1:B3"', b'ref="A1:XFD1048576"')])
    with path.open("rb") as file:
        assert [len(cells) for cells in xlsx(file, "t")] == [2, 2, 2]


def test_a_row_number_that_no_sheet_has_is_refused(tmp_path: Path) -> None:
    path = _forged(tmp_path / "t.xlsx", [(SHEET, b'"A3"', b'"A9999999999"'), (SHEET, b'"B3"', b'"B9999999999"'),
                                         (SHEET, b'<row r="3"', b'<row r="9999999999"')])  # fmt: skip
    with pytest.raises(UnreadableInput, match="行号超出"):
        _texts(path)


ENTITIES = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"lol") for n in range(10))


@pytest.mark.parametrize(
    "edit",
    [
        (SHEET, b"</row>", b"<oops>"),
        (SHEET, b'"B3"', b'"ZZZZZ3"'),
        (SHEET, b"<worksheet", b"<!DOCTYPE x [" + ENTITIES + b"]><worksheet x='&l9;'"),
        ("xl/styles.xml", b"<styleSheet", b"<"),
        ("xl/workbook.xml", b"</workbook>", b""),
        ("[Content_Types].xml", b"sheet.main+xml", b"nothing"),
    ],
    ids=["tags", "place", "entities", "styles", "end", "types"],
)
def test_a_spoilt_workbook_is_unreadable_and_not_a_crash(tmp_path: Path, edit: tuple[str, bytes, bytes]) -> None:
    with pytest.raises(UnreadableInput, match=r"不是可读的 XLSX.*另存为"):
        _texts(_forged(tmp_path / "t.xlsx", [edit]))


def test_pictures_do_not_make_a_workbook_a_bomb(tmp_path: Path) -> None:
    with zipfile.ZipFile(_forged(tmp_path / "t.xlsx", []), "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("xl/media/image1.png", bytes(60_000_000))
    assert _texts(tmp_path / "t.xlsx") == ["停电", "电费"]


def test_a_title_over_merged_cells_and_blank_rows_may_stand_above_the_header(tmp_path: Path) -> None:
    rows = [["95598 投诉工单表"], [None], ["工单号", "受理内容"], ["7", "停电"], ["8", "电费"]]
    path = _book(tmp_path / "t.xlsx", rows, lambda sheet: sheet.merge_cells("A1:B1"))
    assert [row.value["工单号"] for row in read_rows(path)] == ["7", "8"]
    assert _texts(path) == ["停电", "电费"]


def test_a_merged_text_belongs_to_the_first_of_its_rows(tmp_path: Path) -> None:
    rows = [["id", "content"], ["1", "停电"], ["2", None], ["3", "电费"]]
    path = _book(tmp_path / "t.xlsx", rows, lambda sheet: sheet.merge_cells("B2:B3"))
    assert _texts(path) == ["停电", "", "电费"]


def test_a_note_beside_the_columns_spoils_no_row(tmp_path: Path) -> None:
    path = _book(tmp_path / "t.xlsx", [["content"], ["停电"], ["电费"]], lambda sheet: sheet.cell(3, 26, "已回访"))
    assert _texts(path) == ["停电", "电费"]


def test_cells_of_other_kinds_are_handed_on(tmp_path: Path) -> None:
    time = datetime(2026, 11, 23, 8, 30)
    rows = [["content", "受理时间"], [5, time], [True, None], ["=1+1", None], ["停电", "昨天"]]
    values = [row.value for row in read_rows(_book(tmp_path / "t.xlsx", rows))]
    assert values[0] == {"content": 5, "受理时间": time}
    assert [value["content"] for value in values[1:]] == [True, "", "停电"]


def test_a_warning_of_the_library_does_not_reach_the_user(tmp_path: Path) -> None:
    far = b'<c r="B3" s="1"><v>99999999999</v></c>'
    path = _forged(tmp_path / "t.xlsx", [(SHEET, b"</sheetData>", b'<row r="4">' + far.replace(b"B3", b"B4")
                                          + b"</row></sheetData><extLst><ext uri='x'/></extLst>")])  # fmt: skip
    assert len(_texts(path)) == 3  # pytest turns a warning into an error


def test_a_compressed_table_is_unpacked_up_to_a_limit() -> None:
    assert unpacked(io.BytesIO(b"12345"), "t.xlsx.gz", 5).read() == b"12345"
    with pytest.raises(UnreadableInput, match="解压后"):
        unpacked(io.BytesIO(b"123456"), "t.xlsx.gz", 5)


def test_parquet_values_that_cannot_be_read_do_not_end_the_file(tmp_path: Path) -> None:
    spoilt = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff\xfe\xff", b"okk"]).buffers())
    times = pa.array([2**55, 0]).cast(pa.timestamp("ms"))
    columns = {
        "content": spoilt,
        "时间": times,
        "图": pa.array([b"\xff", b"\xfe"]),
        "注": pa.array(["停电".encode(), b"x"]),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    with (tmp_path / "t.parquet").open("rb") as file:
        header, *rows = parquet(file, "t")
    assert header == list(columns)
    assert rows == [[UNREADABLE, None, b"\xff", "停电"], ["okk", datetime(1970, 1, 1), b"\xfe", "x"]]
    assert _texts(tmp_path / "t.parquet") == ["bad_encoding", "okk"]


def test_a_spoilt_parquet_file_is_unreadable(tmp_path: Path) -> None:
    pq.write_table(pa.table({"content": [f"停电{n}" * 50 for n in range(2000)]}), tmp_path / "t.parquet")
    data = bytearray((tmp_path / "t.parquet").read_bytes())
    data[100:200] = bytes(100)
    (tmp_path / "t.parquet").write_bytes(data)
    with pytest.raises(UnreadableInput, match=r"不是可读的 Parquet.*请重新导出"):
        _texts(tmp_path / "t.parquet")
