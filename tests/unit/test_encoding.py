import io

import pytest

from model.encoding import UNREADABLE, Lines, detect, has_bad_bytes, open_text
from model.errors import InvalidTicket, UnreadableInput
from model.tables import each

TEXT = "停电三小时了没人管\n电费多扣\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-32"])
def test_a_text_is_read_in_its_own_encoding(encoding: str) -> None:
    assert open_text(io.BytesIO(TEXT.encode(encoding))).read() == TEXT


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"", "utf-8-sig"),
        (b"ascii\nonly\n", "utf-8-sig"),
        (TEXT.encode() + b"\xff\xfe\xb0 spoilt\n", "utf-8-sig"),
        (b"\xb0\xff\xff spoilt\n\xff\xb0 spoilt\n" + "停电三小时了没人管\n".encode(), "utf-8-sig"),
        (TEXT.encode("gb18030") + b"\xff spoilt\n", "gb18030"),
        (("停电" * 10).encode()[:-1], "utf-8-sig"),
        (("停电" * 10).encode("gb18030")[:-1], "gb18030"),
    ],
)
def test_the_encoding_is_the_one_that_reads_more_lines(data: bytes, encoding: str) -> None:
    assert detect(data) == encoding


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_bytes_that_end_in_the_middle_of_a_character_spoil_the_last_line_only(encoding: str) -> None:
    lines = open_text(io.BytesIO(TEXT.encode(encoding) + b"\x00")).read().splitlines()
    assert lines == ["停电三小时了没人管", "电费多扣", UNREADABLE]


def test_a_surrogate_written_as_bytes_is_no_character() -> None:
    text = open_text(io.BytesIO(TEXT.encode() + b"\xed\xa0\x80\n")).read()
    assert [has_bad_bytes(line) for line in text.splitlines()] == [False, False, True]


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"PK\x03\x04", "XLSX"), (b"%PDF-1.7", "PDF"), (b"\x1f\x8b\x08", "gzip"), (b"PAR1\x15", "Parquet")],
)
def test_a_file_of_another_kind_is_named(head: bytes, name: str) -> None:
    with pytest.raises(UnreadableInput, match=name):
        open_text(io.BytesIO(head + bytes(100)))


def _read(text: str, most: int) -> list[object]:
    lines = Lines(io.StringIO(text, newline=""), most)
    return [row.code if isinstance(row, InvalidTicket) else row for row in each(lines, lines)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("12345", ["12345"]),
        ("1234\n", ["1234\n"]),
        ("12345\n", ["bad_row"]),
        ("a\n1234567890123\nb\r\nc", ["a\n", "bad_row", "b\r\n", "c"]),
        ("\n\n1", ["\n", "\n", "1"]),
    ],
)
def test_a_line_that_is_too_long_is_an_error_in_its_place(text: str, rows: list[str]) -> None:
    assert _read(text, 5) == rows


def test_a_row_of_several_lines_is_counted_as_one() -> None:
    lines = Lines(io.StringIO("12\n34\n56\n"), 7)
    assert [next(lines), next(lines)] == ["12\n", "34\n"]
    with pytest.raises(InvalidTicket, match="超过 7 个字"):
        next(lines)
