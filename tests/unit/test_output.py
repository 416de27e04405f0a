import csv
import json
import unicodedata
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import UnreadableInput, UnusableOutput
from model.pipeline import Pipeline
from model.spreadsheet import ILLEGAL, safe_cell
from triage.output import COLUMNS, flat, write
from triage.triage import Triage


@pytest.fixture
def results(rules_pipeline: Pipeline) -> list[dict]:
    rows = [{"text": "电表冒烟了快来人", "ticket_id": "=1+1"}, "", "停电三小时没人管"]
    return list(Triage(rules_pipeline).predict(rows))


LEADS = ["", " ", "\t", "\r\n", "\xa0", "\u3000", "\u200b", "\ufeff", "\u202e", " \t\u200b "]
SIGNS = ["=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠", "％", "﹦", "⁼"]


@pytest.mark.parametrize("lead", LEADS, ids=ascii)
@pytest.mark.parametrize("sign", SIGNS)
def test_a_text_that_begins_like_a_formula_is_defused(lead: str, sign: str) -> None:
    assert safe_cell(f"{lead}{sign}cmd|' /C calc'!A0") == f"'{lead}{sign}cmd|' /C calc'!A0"


@given(st.text())
def test_a_cell_is_defused_once_and_keeps_its_text(text: str) -> None:
    cell = safe_cell(text)
    assert safe_cell(cell) == cell
    assert cell.removeprefix("'" if not text.startswith("'") else "") == text.translate(ILLEGAL)


@pytest.mark.parametrize("value", ["停电", 5, -0.5, True, None, "a=b", "", " ", "'=1", "(1)", "。=1"])
def test_other_cells_stay_as_they_are(value: object) -> None:
    assert safe_cell(value) == value


def test_a_row_has_every_column_also_when_it_is_an_error(results: list[dict]) -> None:
    assert [set(flat(result)) == set(COLUMNS) for result in results] == [True, True, True]
    assert flat(results[1])["error_code"] == "empty_text"


def test_a_folder_that_is_not_there_is_named(results: list[dict], tmp_path: Path) -> None:
    with pytest.raises(UnusableOutput, match=r"没有目录 .*nowhere;请先建立"):
        list(write(results, tmp_path / "nowhere" / "o.xlsx"))


def test_json_lines_keep_rows_and_order(results: list[dict], tmp_path: Path) -> None:
    assert list(write(results, tmp_path / "o.jsonl")) == results
    assert [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()] == results


FORMULAS = ["=1+1", "  =1+1", "\t=1+1", "＝1+1", "\u200b@SUM(A1)", "-1", '=HYPERLINK("http://x","y")']


def _formulas_everywhere(result: dict) -> list[dict]:
    """The result with each formula in each place that can hold a text of a user or an office's policy."""
    found = []
    for text in FORMULAS:
        spans = [{"start": 0, "end": 1, "text": text, "for": text, "weight": 1.0}]
        route = {**result["route"], "desk": text, "promise": text, "support": [text], "deliver_to": [text]}
        found.append(
            {**result, "ticket_id": text, "evidence": spans, "measures": [text], "reasons": [text], "route": route}
        )
        found.append({"row": 1, "error": {"code": text, "message": text}})
    return found


def test_csv_opens_in_excel_and_holds_no_formula_in_any_column(results: list[dict], tmp_path: Path) -> None:
    list(write([*results, *_formulas_everywhere(results[0])], tmp_path / "o.csv"))
    assert (tmp_path / "o.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "o.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["row"] for row in rows[:3]] == ["1", "2", "3"]
    assert [row["ticket_id"] for row in rows[3::2]] == [f"'{text}" for text in FORMULAS]
    assert [row["error_message"] for row in rows[4::2]] == [f"'{text}" for text in FORMULAS]
    for row in rows:
        for cell in row.values():
            assert unicodedata.normalize("NFKC", cell).strip(" \t\u200b")[:1] not in ("=", "+", "-", "@")


def test_xlsx_holds_no_formula_in_any_column(results: list[dict], tmp_path: Path) -> None:
    list(write([*results, *_formulas_everywhere(results[0])], tmp_path / "o.xlsx"))
    sheet = openpyxl.load_workbook(tmp_path / "o.xlsx").worksheets[0]
    assert sheet.max_row == 4 + 2 * len(FORMULAS)
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "b", "inlineStr"}
    assert sheet.cell(5, 2).value == "'=1+1"


def test_xlsx_has_the_headings_and_keeps_texts_as_texts(rules_pipeline: Pipeline, tmp_path: Path) -> None:
    rows = [{"text": "停电三小时没人管", "ticket_id": "00123456789012345678", "accepted_at": "2026-11-23 08:30"}]
    rows += [{"text": "停\x00电三小时\ud800没人管", "ticket_id": "a\x01\ud800\nb"}, {"text": " "}]
    list(write(Triage(rules_pipeline).predict(rows), tmp_path / "o.xlsx"))
    heading, *cells = openpyxl.load_workbook(tmp_path / "o.xlsx").worksheets[0].iter_rows(values_only=True)
    assert heading == COLUMNS
    first, second, third = (dict(zip(heading, row, strict=True)) for row in cells)
    assert first["ticket_id"] == "00123456789012345678"
    assert first["due_at"] == "2026-11-30T08:30:00+08:00"
    assert "停电" in first["evidence"].split("|")
    assert second["ticket_id"] == "a��\nb"
    assert (third["row"], third["error_code"], third["category"]) == (3, "empty_text", None)


def test_a_row_more_than_a_sheet_can_have_goes_to_a_second_sheet(
    results: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.output._SHEET_ROWS", 3)
    list(write(results * 2, tmp_path / "o.xlsx"))
    book = openpyxl.load_workbook(tmp_path / "o.xlsx")
    assert book.sheetnames == ["triage", "triage2", "triage3"]
    assert [[row[0] for row in sheet.iter_rows(values_only=True)] for sheet in book] == [
        ["row", 1, 2],
        ["row", 3, 1],
        ["row", 2, 3],
    ]


def test_one_result_is_one_line_for_every_reader_of_lines(results: list[dict], tmp_path: Path) -> None:
    odd = {**results[0], "ticket_id": "a\u2028b\u2029c\x85d\ne"}
    list(write([odd], tmp_path / "o.jsonl"))
    (line,) = (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == odd


def test_parquet_keeps_types(results: list[dict], tmp_path: Path) -> None:
    list(write(results, tmp_path / "o.parquet"))
    frame = pd.read_parquet(tmp_path / "o.parquet")
    assert list(frame["row"]) == [1, 2, 3]
    assert bool(frame["safety"][0]) is True
    assert frame["confidence"].dtype == float


def test_an_unknown_extension_is_refused(results: list[dict], tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match=r"\.xlsx"):
        list(write(results, tmp_path / "o.docx"))
