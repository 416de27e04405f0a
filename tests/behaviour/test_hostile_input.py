"""Odd and hostile texts through files and the command line, each with the outcome that contract.md fixes."""

import csv
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from model.rows import read_rows
from triage.cli.main import run
from triage.triage import Triage

TEXTS = json.loads((Path(__file__).parent.parent / "data" / "hostile_texts.json").read_text(encoding="utf-8"))


def _text(case: dict[str, Any]) -> str:
    return str(case["text"]) * case.get("times", 1)


def _check(case: dict[str, Any], result: dict[str, Any]) -> None:
    if "error" in case:
        assert result["error"]["code"] == case["error"], case["name"]
        return
    assert result["category"]["code"] == case.get("leaf", result["category"]["code"]), case["name"]
    sent = "".join("\ufffd" if 0xD800 <= ord(character) < 0xE000 else character for character in _text(case))
    for found in (*result["evidence"], *result["safety"]["evidence"], *result["escalation"]["evidence"]):
        assert sent[found["start"] : found["end"]] == found["text"], case["name"]
    if "reason" in case:
        assert case["reason"] in result["reasons"], case["name"]
        assert result["decision"] == "review", case["name"]


def test_odd_texts_get_what_the_contract_says_on_the_command_line(
    tmp_path: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = [json.dumps({"ticket_id": case["name"], "content": _text(case)}) for case in TEXTS]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    command = ["triage", "predict", "in.jsonl", "--bundle", str(bundle_folder), "--explain"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as left:
        run()
    out, err = capfd.readouterr()
    assert left.value.code == 1
    assert "Traceback" not in err
    results = [json.loads(line) for line in out.splitlines()]
    assert [result["row"] for result in results] == list(range(1, len(TEXTS) + 1))
    for case, result in zip(TEXTS, results, strict=True):
        _check(case, result)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_odd_texts_get_the_same_from_tables(tmp_path: Path, linear_pipeline, kind: str) -> None:  # type: ignore[no-untyped-def]
    cases = [case for case in TEXTS if _writable(case, kind)]
    assert len(cases) >= 15
    path = tmp_path / f"in.{kind}"
    if kind == "csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([["content", "n"], *([_text(case), n] for n, case in enumerate(cases))])
    else:
        book = openpyxl.Workbook()
        for row in (["content", "n"], *([_text(case), n] for n, case in enumerate(cases))):
            book.active.append(row)  # type: ignore[union-attr]
            book.active.cell(book.active.max_row, 1).data_type = "s"  # type: ignore[union-attr]
        book.save(path)
    results = list(Triage(linear_pipeline).predict_rows(read_rows(path)))
    assert [result["row"] for result in results] == list(range(1, len(cases) + 1))
    for case, result in zip(cases, results, strict=True):
        _check(case, result)


def _writable(case: dict[str, Any], kind: str) -> bool:
    """A CSV in UTF-8 holds no surrogates; a workbook also no control characters and no more than 32,767 characters."""
    if any(0xD800 <= ord(character) < 0xE000 for character in case["text"]):
        return False
    fits = len(_text(case)) <= 32_767 and all(c in "\t\n\r" or ord(c) >= 32 for c in case["text"])
    return kind == "csv" or (fits and bool(case["text"]))


FORMULAS = ["=1+1", " \t=1+1", "＝1+1", "+1", "-1", "@SUM(A1)", "\u200b=1", "\ufeff\u3000=1", "\r\n=1"]


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.xlsx"])
def test_no_formula_of_a_ticket_reaches_a_spreadsheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    lines = [json.dumps({"ticket_id": f"{formula}{n}", "content": f"{formula}停电三小时了没人管"})
             for n, formula in enumerate(FORMULAS)]  # fmt: skip
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["triage", "predict", "in.jsonl", "--output", name])
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code in (0, None)
    if name == "out.xlsx":
        cells = [cell for row in openpyxl.load_workbook(name).worksheets[0].iter_rows(min_row=2) for cell in row]
        assert all(cell.data_type != "f" for cell in cells)
        ids = [cell.value for cell in cells if cell.column == 2]
    else:
        opener = gzip.open if name.endswith(".gz") else open
        with opener(name, "rt", encoding="utf-8-sig", newline="") as file:
            ids = [row["ticket_id"] for row in csv.DictReader(file)]
    assert [value.replace("\r\n", "\n") for value in ids] == [
        f"'{formula}{n}".replace("\r\n", "\n") for n, formula in enumerate(FORMULAS)
    ]


ODD_LINES = [
    ("a list", "[1, 2]", "bad_row", "收到列表"),
    ("a number", "5", "bad_row", "收到数字"),
    ("null", "null", "bad_row", "收到空值"),
    ("true", "true", "bad_row", "收到真假值"),
    ("NaN", "NaN", "bad_row", "收到数字"),
    ("an infinite number", "-Infinity", "bad_row", "收到数字"),
    ("a list without end", "[" * 100_000, "bad_row", "嵌套过深"),
    ("objects without end", '{"content":' * 100_000, "bad_row", "嵌套过深"),
    ("an object in the text", '{"content": {"a": 1}}', "bad_row", "content 须为文本,收到对象"),
    ("a list in the number", '{"content": "停电三小时", "ticket_id": [1]}', "bad_row", "ticket_id 须为文本,收到列表"),
    ("a list in the org", '{"content": "停电三小时", "org": {"city": [1]}}', "bad_row", "org.city 须为文本"),
    ("a transcript of another kind", '{"transcript": "喂"}', "bad_row", "transcript 须为列表"),
    ("a huge integer", '{"content": "停电三小时", "ticket_id": ' + "9" * 5000 + "}", "bad_row", "数字过长"),
    ("no JSON", "{content: 停电}", "bad_row", "第 2 个字符"),
    ("an unknown time", '{"content": "停电三小时", "accepted_at": 5}', "bad_row", "受理时间"),
    ("NaN as text", '{"content": NaN}', "empty_text", "content"),
    ("null as text", '{"content": null}', "empty_text", "content"),
    ("no text", "{}", "empty_text", "content"),
    ("a blank line", " ", "empty_text", "content"),
    ("a key twice: the last counts", '{"content": "停电三小时", "content": " "}', "empty_text", "content"),
    ("a bare text", '"停电三小时了没人管"', None, ""),
    ("a key twice, filled last", '{"content": "", "content": "停电三小时了没人管"}', None, ""),
    ("a long integer as number", '{"content": "停电三小时了没人管", "ticket_id": ' + "9" * 4000 + "}", None, ""),
    ("NaN in an unknown field", '{"content": "停电三小时了没人管", "x": NaN}', None, ""),
    ("depth in an unknown field", '{"content": "停电三小时了没人管", "x": ' + "[" * 500 + "]" * 500 + "}", None, ""),
    ("surrogates in names", '{"content": "停电三小时了没人管", "\\ud800": "\\udc00"}', None, ""),
    ("a byte order mark", '\ufeff{"content": "停电三小时了没人管"}', None, ""),
]


def test_odd_json_lines_keep_their_place_and_say_what_came(tmp_path: Path, rules_pipeline) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "in.jsonl").write_text("\n".join(line for _, line, _, _ in ODD_LINES), encoding="utf-8")
    results = list(Triage(rules_pipeline).predict_rows(read_rows(tmp_path / "in.jsonl")))
    assert [result["row"] for result in results] == list(range(1, len(ODD_LINES) + 1))
    for (name, _, code, words), result in zip(ODD_LINES, results, strict=True):
        assert result.get("error", {}).get("code") == code, name
        assert words in result.get("error", {}).get("message", ""), name
        assert code or result["category"]["code"] == "other.outage", name
