"""Any mixture of good and bad rows through files: count and order kept, evidence cut from its own text."""

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.pipeline import Pipeline
from model.privacy import mask
from model.rows import read_rows
from model.text import normalise
from model.ticket import ticket_from
from triage.output import write
from triage.triage import Triage

WORDS = st.text(alphabet="停电费表箱冒烟客户:偷欠张先生13812345678\u200b\u202e😀=,\"' \n\t", max_size=40)
CELLS = st.one_of(WORDS, st.text(max_size=20), st.sampled_from(["停电三小时了没人管", "=1+1", "电表冒烟了快来人", ""]))
VALUES = st.one_of(
    CELLS, st.integers(), st.none(), st.booleans(), st.floats(), st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.sampled_from(["content", "text", "受理内容", "ticket_id", "org", "x"]), CELLS, max_size=3),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any_file")


def _results(pipeline: Pipeline, path: Path) -> list[dict[str, Any]]:
    return list(Triage(pipeline).predict_rows(read_rows(path), explain=True))


def _assert_rows(results: list[dict[str, Any]], count: int) -> None:
    assert [result["row"] for result in results] == list(range(1, count + 1))
    for result in results:
        if "error" in result:
            assert result["error"]["code"] in ("empty_text", "bad_row", "bad_encoding")
        else:
            assert result["decision"] in ("auto", "review", "fallback")


def _assert_spans(result: dict[str, Any], text: str) -> None:
    spans = [*result["evidence"], *result["safety"]["evidence"], *result["escalation"]["evidence"]]
    spans += [found for flag in result["flags"].values() for found in flag["evidence"]]
    for found in spans:
        assert text[found["start"] : found["end"]] == found["text"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(VALUES.map(json.dumps), st.text(max_size=9).map(lambda t: "".join(t.splitlines()))), max_size=9))
def test_json_lines_of_any_kind(folder: Path, linear_pipeline: Pipeline, lines: list[str]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    (folder / "in.jsonl").write_bytes(data)
    results = _results(linear_pipeline, folder / "in.jsonl")
    _assert_rows(results, len(lines))
    for line, result in zip(lines, results, strict=True):
        if "error" not in result:
            _assert_spans(result, ticket_from(json.loads(line)).content)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")), max_size=12))
def test_plain_lines_of_any_bytes(folder: Path, rules_pipeline: Pipeline, lines: list[bytes]) -> None:
    (folder / "in.txt").write_bytes(b"start\n" + b"".join(line + b"\n" for line in lines))
    _assert_rows(_results(rules_pipeline, folder / "in.txt"), len(lines) + 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, st.integers(0, 3)), max_size=9))
def test_csv_of_any_cells_also_ragged_ones(
    folder: Path, linear_pipeline: Pipeline, rows: list[tuple[str, str, int]]
) -> None:
    with (folder / "in.csv").open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ticket_id", "content"])
        writer.writerows([number, text, *["更多"] * more] for number, text, more in rows)
    results = _results(linear_pipeline, folder / "in.csv")
    _assert_rows(results, len(rows))
    for (_, text, more), result in zip(rows, results, strict=True):
        sent = text.encode("utf-8", "replace").decode()
        expected = "bad_row" if more else None if sent.strip() else "empty_text"
        assert result.get("error", {}).get("code") == expected
        if expected is None:
            _assert_spans(result, sent)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.integers(-(2**40), 2**40), st.booleans(), st.text("停电费=+ 冒烟了\n😀'", max_size=20)), max_size=9
    )
)
def test_a_workbook_of_any_cells_in_and_out(folder: Path, rules_pipeline: Pipeline, cells: list[object]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["n", "content"], *([n, cell] for n, cell in enumerate(cells))):
        sheet.append(row)  # type: ignore[union-attr]
        sheet.cell(sheet.max_row, 2).data_type = "s" if isinstance(row[1], str) else "n"  # type: ignore[union-attr]
    book.save(folder / "in.xlsx")
    results = list(write(_results(rules_pipeline, folder / "in.xlsx"), folder / "out.xlsx"))
    _assert_rows(results, len(cells))
    read_back = openpyxl.load_workbook(folder / "out.xlsx").worksheets[0]
    assert [row[0] for row in read_back.iter_rows(min_row=2, values_only=True)] == [result["row"] for result in results]
    assert all(cell.data_type != "f" for row in read_back.iter_rows() for cell in row)


PERSONAL = [
    "我是张伟先生", "王女士", "联系人:", "电话", "13812345678", "幺三八,零零幺二", "户号", "0312345678", "是", "表号:", "住在幸福路",
    "12号", "3单元501", "阳光花园7栋", "身份证", "370102199001011234", "微信号abc_12345", "a.b@c.cn", "鲁A12B45", "工号0237",
    "⟦电话⟧", "⟦", "⟧", "姓名", "李某某", ",", "。", " ", "\n", "\u200b", "1", "一", "度", "元", "停电", "客户:",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(PERSONAL), max_size=12).map("".join)))
def test_a_masked_text_is_masked_no_further(text: str) -> None:
    once = mask(normalise(text).text).text
    assert mask(normalise(once).text).text == once
