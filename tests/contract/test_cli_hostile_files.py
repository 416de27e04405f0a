"""Files that are missing, broken, forged or enormous: exit code 2 and one Chinese line that says how to mend it."""

import errno
import gzip
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

Command = Callable[..., tuple[int, str, str]]
ROW = '{"content": "停电三小时了没人管"}\n'


def _write(name: str, data: bytes | str) -> None:
    Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())


def _zip(name: str, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)


def _pieces(name: str, piece: bytes, count: int) -> None:
    """A gzip file that unpacks to `count` times the piece; members may simply follow each other."""
    packed = gzip.compress(piece, 1)
    with Path(name).open("wb") as file:
        for _ in range(count):
            file.write(packed)


MAKERS: dict[str, Callable[[str], object]] = {
    "nowhere.csv": lambda _: None,
    "folder.csv": lambda name: Path(name).mkdir(),
    "tool.exe": lambda name: _write(name, b"MZ\x90\x00"),
    "nothing.csv": lambda name: _write(name, b""),
    "blank.csv": lambda name: _write(name, b"\n\n \n"),
    "no_column.csv": lambda name: _write(name, "甲,乙\n停电,1\n"),
    "no_column.xlsx": lambda name: _book(name, [["甲", "乙"], ["停电", 1]]),
    "picture.txt": lambda name: _write(name, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    "book.csv": lambda name: _book(name, [["content"], ["停电"]]),
    "packed.txt": lambda name: _write(name, gzip.compress(b"x")),
    "noise.csv": lambda name: _write(name, bytes(range(256)) * 40),
    "noise.xlsx": lambda name: _write(name, bytes(range(256)) * 40),
    "noise.parquet": lambda name: _write(name, bytes(range(256)) * 40),
    "old.xlsx": lambda name: _write(name, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
    "text.xlsx": lambda name: _write(name, "content\n停电\n"),
    "document.xlsx": lambda name: _zip(name, {"word/document.xml": b"<a/>"}),
    "bomb.xlsx": lambda name: _zip(name, {"xl/worksheets/sheet1.xml": bytes(100_000_000)}),
    "styles.xlsx": lambda name: _zip(name, {"xl/styles.xml": bytes(60_000_000)}),
    "bomb.xlsx.gz": lambda name: _pieces(name, bytes(10_000_000), 30),
    "plain.csv.gz": lambda name: _write(name, "content\n停电\n"),
    "cut.jsonl.gz": lambda name: _write(name, gzip.compress((ROW * 9).encode())[:-9]),
    "deep.json": lambda name: _write(name, "[" * 200_000),
    "endless.json.gz": lambda name: _pieces(name, b"[" + b"1," * 5_000_000, 11),
}
# what the message says: what is wrong, what came, how to mend it
CASES = [
    ("nowhere.csv", "找不到文件", "nowhere.csv", "请检查路径"),
    ("folder.csv", "是目录", "folder.csv", "请给出文件"),
    ("tool.exe", "不支持", ".exe", "请用 .csv"),
    ("nothing.csv", "没有可读的表头", "", "请给出一列 content"),
    ("blank.csv", "没有可读的表头", "", "请给出一列 content"),
    ("no_column.csv", "没有正文列", "甲、乙", "--column"),
    ("no_column.xlsx", "没有正文列", "甲、乙", "--column"),
    ("picture.txt", "内容不是文本", "PNG", "请另存为 CSV"),
    ("book.csv", "内容不是文本", "XLSX", "把扩展名改成"),
    ("packed.txt", "内容不是文本", "gzip", "把扩展名改成"),
    ("noise.csv", "没有正文列", "现有列", "--column"),
    ("noise.xlsx", "不是可读的 XLSX", "BadZipFile", "另存为"),
    ("noise.parquet", "不是可读的 Parquet", "ArrowInvalid", "请重新导出"),
    ("old.xlsx", "旧版 .xls 或加密", "old.xlsx", "另存为 .xlsx"),
    ("text.xlsx", "不是可读的 XLSX", "BadZipFile", "另存为"),
    ("document.xlsx", "不是可读的 XLSX", "KeyError", "另存为"),
    ("bomb.xlsx", "疑似压缩炸弹", "100 MB", "请另存为 CSV"),
    ("styles.xlsx", "疑似压缩炸弹", "60 MB", "请另存为 CSV"),
    ("bomb.xlsx.gz", "解压后超过", "200 MB", "请解压后给出"),
    ("plain.csv.gz", "不是完好的 gzip", "BadGzipFile", "请重新复制或压缩"),
    ("cut.jsonl.gz", "不是完好的 gzip", "EOFError", "请重新复制或压缩"),
    ("deep.json", "不是合法的 JSON", "", ".jsonl"),
    ("endless.json.gz", "超过", "100000000 个字", ".jsonl"),
]


def _book(name: str, rows: list[list[object]]) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    with Path(name).open("wb") as file:
        book.save(file)


@pytest.mark.parametrize(("name", "wrong", "came", "mend"), CASES, ids=[case[0] for case in CASES])
def test_what_cannot_be_read_ends_with_two_and_says_why(
    triage: Command, name: str, wrong: str, came: str, mend: str
) -> None:
    MAKERS[name](name)
    code, out, err = triage("predict", name, "--output", "out.csv")
    assert (code, out) == (2, "")
    line = next(line for line in err.splitlines() if line.startswith("错误:"))
    assert all(words in line for words in (wrong, came, mend)), line
    assert "Traceback" not in err
    assert not Path("out.csv").exists()
    assert not [path for path in Path().iterdir() if path.name.startswith(".out.csv")]


def test_rows_before_the_break_of_a_file_are_printed_and_the_break_is_said(triage: Command) -> None:
    _write("cut.jsonl.gz", gzip.compress((ROW * 30_000).encode())[:-200])
    code, out, err = triage("predict", "cut.jsonl.gz", "--limit", 3)
    assert (code, len(out.splitlines())) == (0, 3)
    code, out, err = triage("predict", "cut.jsonl.gz", "--limit", 50_000, "--column", "nowhere")
    assert code == 2
    assert {json.loads(line)["error"]["code"] for line in out.splitlines()} == {"empty_text"}
    assert "EOFError" in err


def test_a_file_that_may_not_be_read_ends_with_two(triage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    really = Path.open

    def refuse(path: Path, *how: Any, **more: Any) -> object:
        if path.name == "closed.csv":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return really(path, *how, **more)

    _write("closed.csv", "content\n停电\n")
    monkeypatch.setattr(Path, "open", refuse)  # chmod does not stop a test that runs as root
    code, _, err = triage("predict", "closed.csv")
    assert code == 2
    assert "closed.csv 无法读取:Permission denied;请检查路径与权限" in err


def test_an_empty_name_is_no_standard_input(triage: Command) -> None:
    code, out, err = triage("predict", "")
    assert (code, out) == (2, "")
    assert "目录" in err


def test_a_closed_standard_input_is_said(triage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    code, _, err = triage("predict", "-")
    assert code == 2
    assert "标准输入已关闭" in err


@pytest.mark.parametrize("name", ["none.jsonl", "none.txt", "none.jsonl.gz"])
def test_a_file_without_any_row_is_done_at_once(triage: Command, name: str) -> None:
    _write(name, gzip.compress(b"") if name.endswith(".gz") else b"")
    assert triage("predict", name)[:2] == (0, "")


@pytest.mark.parametrize("kind", ["txt", "jsonl", "csv"])
def test_noise_gives_one_result_for_each_line_and_no_traceback(triage: Command, kind: str) -> None:
    noise = bytes(byte for byte in range(256) if byte not in b'\r\n",') * 20
    head = b"content\n" if kind == "csv" else b""
    line = ROW.strip() if kind == "jsonl" else "停电三小时了没人管"
    _write(f"noise.{kind}", head + b"\n".join([noise, line.encode(), noise]) + b"\n")
    code, out, err = triage("predict", f"noise.{kind}")
    results = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [result.get("error", {}).get("code") for result in results] == ["bad_encoding", None, "bad_encoding"]
    assert [result["row"] for result in results] == [1, 2, 3]
    assert "Traceback" not in err


def test_a_line_of_more_than_ten_million_characters_is_a_bad_row_of_its_own(triage: Command) -> None:
    _write("long.txt", ("停电没人管\n" + "停" * 10_000_001 + "\n电费多扣\n").encode())
    code, out, _ = triage("predict", "long.txt")
    results = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [result.get("error", {}).get("code") for result in results] == [None, "bad_row", None]
    assert "10000000" in results[1]["error"]["message"]


def test_bytes_that_are_no_text_on_the_command_line_become_a_prediction() -> None:
    command = [str(Path(sys.executable).parent / "triage"), "predict", "--text", b"\xff\xfe" + "停电三小时没人管".encode()]
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert done.returncode == 0
    assert json.loads(done.stdout)["category"]["code"] == "other.outage"
