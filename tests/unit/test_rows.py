import gzip
import io
import json
import sys
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from model.errors import UnreadableInput
from model.rows import read_rows

TEXTS = ["停电了,没人管", "电费多扣\n两百块", "表箱冒烟"]


def _texts(path: Path | str, column: str | None = None) -> list[object]:
    rows = list(read_rows(path, column))
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    return [
        row.error.code if row.error else row.value["content"] if isinstance(row.value, dict) else row.value
        for row in rows
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read_in_every_common_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    pd.DataFrame({"工单编号": ["1", "2", "3"], "受理内容": TEXTS}).to_csv(path, index=False, encoding=encoding)
    assert _texts(path) == TEXTS


def test_tsv_xlsx_and_parquet_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"content": TEXTS, "org": ["a", "b", "c"]})
    frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for name in ("t.tsv", "t.xlsx", "t.parquet"):
        assert _texts(tmp_path / name) == TEXTS


def test_json_lines_and_gzip_are_read(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"text": t}) for t in TEXTS)
    with gzip.open(tmp_path / "t.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(lines)
    assert [row.value["text"] for row in read_rows(tmp_path / "t.jsonl.gz")] == TEXTS


def test_plain_text_is_one_ticket_a_line_and_blank_lines_are_kept(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("停电\n\n电费\n", encoding="utf-8")
    assert _texts(tmp_path / "t.txt") == ["停电", "", "电费"]


def test_the_text_column_may_be_named(tmp_path: Path) -> None:
    pd.DataFrame({"a": ["x"], "b": ["停电"]}).to_csv(tmp_path / "t.csv", index=False)
    assert _texts(tmp_path / "t.csv", "b") == ["停电"]


def test_a_missing_text_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    pd.DataFrame({"甲": ["x"]}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UnreadableInput, match=r"甲.*--column"):
        list(read_rows(tmp_path / "t.csv"))


def test_bad_rows_are_reported_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(b'{"text": "ok"}\n[1]\n{bad\n\n{"text": "\xff\xfe"}\n"bare"\n')
    rows = list(read_rows(tmp_path / "t.jsonl"))
    assert [row.error.code if row.error else None for row in rows] == [
        None,
        "bad_row",
        "bad_row",
        None,
        "bad_encoding",
        None,
    ]


def test_a_ragged_row_is_a_bad_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("content,org\n停电,没人管,城东\n电费\n", encoding="utf-8")
    assert _texts(tmp_path / "t.csv") == ["bad_row", "电费"]


def test_one_bad_byte_spoils_one_line_only(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes("停电\n".encode() + b"\xb0\xff\xfe\n" + "电费\n".encode())
    assert _texts(tmp_path / "t.txt") == ["停电", "bad_encoding", "电费"]


def test_merged_and_blank_cells_do_not_shift_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["content"], ["停电"], [None], ["电费"], [None]):
        book.active.append(row)  # type: ignore[union-attr]
    book.active.merge_cells("A2:A3")  # type: ignore[union-attr]
    book.save(tmp_path / "t.xlsx")
    assert _texts(tmp_path / "t.xlsx") == ["停电", "", "电费"]


@pytest.mark.parametrize(
    "name", ["nowhere.csv", "folder", "t.exe", "broken.xlsx", "broken.parquet", "broken.jsonl.gz", "empty.csv"]
)
def test_what_cannot_be_read_at_all_is_said_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "t.exe").write_bytes(b"MZ")
    (tmp_path / "empty.csv").write_bytes(b"")
    for broken in ("broken.xlsx", "broken.parquet", "broken.jsonl.gz"):
        (tmp_path / broken).write_bytes(b"\x1f\x8b rubbish" if broken.endswith("gz") else b"rubbish")
    with pytest.raises(UnreadableInput):
        list(read_rows(tmp_path / name))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 100_000_000)
    with pytest.raises(UnreadableInput, match="压缩炸弹"):
        list(read_rows(path))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"text": "停电"}\n', [{"text": "停电"}]),
        ("停电\n电费\n", ["停电", "电费"]),
        ("content,org\n停电,城东\n", [{"content": "停电", "org": "城东"}]),
    ],
)
def test_standard_input_is_recognised(monkeypatch: pytest.MonkeyPatch, content: str, expected: list[object]) -> None:
    class _Stdin:
        buffer = io.BytesIO(content.encode())

    monkeypatch.setattr(sys, "stdin", _Stdin())
    assert [row.value for row in read_rows("-")] == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize(
    "content", ["id\tcontent\n1\t停电\n2\t电费\n", "content\n停电\n电费\n", '{"content": "停电"}\n"电费"\n']
)
def test_standard_input_is_recognised_in_every_encoding(
    monkeypatch: pytest.MonkeyPatch, encoding: str, content: str
) -> None:
    class _Stdin:
        buffer = io.BytesIO(content.encode(encoding))

    monkeypatch.setattr(sys, "stdin", _Stdin())
    assert _texts("-") == ["停电", "电费"]


def test_blank_lines_and_a_title_may_stand_above_the_header(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\n\n投诉工单表,\nid,content\n1,停电\n\n2,电费\n", encoding="utf-8")
    assert _texts(tmp_path / "t.csv") == ["停电", "", "电费"]


def test_a_row_of_data_is_never_taken_for_a_title(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("停电,1\ncontent,2\n", encoding="utf-8")
    with pytest.raises(UnreadableInput, match="没有正文列"):
        _texts(tmp_path / "t.csv")


@pytest.mark.parametrize("mark", ["\ufeff", "\ufeff\ufeff"])
def test_a_byte_order_mark_hides_no_column_and_no_line(tmp_path: Path, mark: str) -> None:
    (tmp_path / "t.csv").write_text(f"{mark}content\n停电\n", encoding="utf-8")
    assert _texts(tmp_path / "t.csv") == ["停电"]
    (tmp_path / "t.jsonl").write_text(f'{mark}"停电"\n{mark}"电费"\n{mark}\n', encoding="utf-8")
    assert _texts(tmp_path / "t.jsonl") == ["停电", "电费", ""]


def test_the_first_of_two_columns_of_one_name_counts(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("content,content\n停电,\n", encoding="utf-8")
    assert _texts(tmp_path / "t.csv") == ["停电"]


def test_quotes_that_do_not_pair_spoil_their_own_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('content,n\n停"电,1\n"停"电,2\n电费,3\n"表箱""冒烟""",4\n', encoding="utf-8")
    assert _texts(tmp_path / "t.csv") == ['停"电', "bad_row", "电费", '表箱"冒烟"']


def test_an_open_quote_swallows_no_more_than_one_row_may_hold(tmp_path: Path) -> None:
    lines = "停电了没人管" * 200_000 + "\n"
    (tmp_path / "t.csv").write_text(f'content\n电费\n"{lines * 10}停电\n', encoding="utf-8")
    texts = _texts(tmp_path / "t.csv")
    assert texts[:2] == ["电费", "bad_row"]
    assert texts[-1] == "停电"


def test_an_ending_in_capitals_is_known(tmp_path: Path) -> None:
    (tmp_path / "T.CSV.GZ").write_bytes(gzip.compress("content\n停电\n".encode()))
    assert _texts(tmp_path / "T.CSV.GZ") == ["停电"]


def test_a_missing_named_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("content\n停电\n", encoding="utf-8")
    with pytest.raises(UnreadableInput, match=r"没有列 备注;现有列:content"):
        _texts(tmp_path / "t.csv", "备注")


@pytest.mark.parametrize(("file", "named"), [("a01.jsonl", "a01.jsonl"), ("README", "tickets.csv")])
def test_of_a_folder_a_file_is_proposed(tmp_path: Path, file: str, named: str) -> None:
    (tmp_path / file).write_text("停电", encoding="utf-8")
    with pytest.raises(UnreadableInput, match=rf"是目录;请给出文件,如 .*/{named}$"):
        _texts(tmp_path)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_one(tmp_path: Path, end: str) -> None:
    (tmp_path / "t.txt").write_bytes(end.join(["停电", "", "电费\u2028贵\x0b了", ""]).encode())
    assert _texts(tmp_path / "t.txt") == ["停电", "", "电费\u2028贵\x0b了"]
    (tmp_path / "t.csv").write_bytes(end.join(["content,n", "停电,1", "电费,2", ""]).encode())
    assert _texts(tmp_path / "t.csv") == ["停电", "电费"]
