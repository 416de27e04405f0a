import csv
import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from model.errors import UnreadableInput
from model.pipeline import Pipeline
from model.spreadsheet import safe_cell
from triage.output import COLUMNS, flat, write
from triage.triage import Triage


@pytest.fixture
def results(rules_pipeline: Pipeline) -> list[dict]:
    rows = [{"text": "电表冒烟了快来人", "ticket_id": "=1+1"}, "", "停电三小时没人管"]
    return list(Triage(rules_pipeline).predict(rows))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =HYPERLINK()", "|calc", "%0A"])
def test_a_text_that_begins_like_a_formula_is_defused(text: str) -> None:
    assert safe_cell(text).startswith("'")


@pytest.mark.parametrize("value", ["停电", 5, 0.5, True, None, "a=b"])
def test_other_cells_stay_as_they_are(value: object) -> None:
    assert safe_cell(value) == value


def test_a_row_has_every_column_also_when_it_is_an_error(results: list[dict]) -> None:
    assert [set(flat(result)) == set(COLUMNS) for result in results] == [True, True, True]
    assert flat(results[1])["error_code"] == "empty_text"


def test_json_lines_keep_rows_and_order(results: list[dict], tmp_path: Path) -> None:
    assert list(write(results, tmp_path / "o.jsonl")) == results
    assert [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()] == results


def test_csv_opens_in_excel_and_holds_no_formula(results: list[dict], tmp_path: Path) -> None:
    list(write(results, tmp_path / "o.csv"))
    assert (tmp_path / "o.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader((tmp_path / "o.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [row["row"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["ticket_id"] == "'=1+1"


def test_xlsx_holds_no_formula(results: list[dict], tmp_path: Path) -> None:
    list(write(results, tmp_path / "o.xlsx"))
    sheet = openpyxl.load_workbook(tmp_path / "o.xlsx").worksheets[0]
    assert sheet.max_row == 4
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def test_parquet_keeps_types(results: list[dict], tmp_path: Path) -> None:
    list(write(results, tmp_path / "o.parquet"))
    frame = pd.read_parquet(tmp_path / "o.parquet")
    assert list(frame["row"]) == [1, 2, 3]
    assert bool(frame["safety"][0]) is True
    assert frame["confidence"].dtype == float


def test_an_unknown_extension_is_refused(results: list[dict], tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match=r"\.xlsx"):
        list(write(results, tmp_path / "o.docx"))
