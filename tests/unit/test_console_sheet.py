"""A table in, a worklist out: rows keep their order and number, only what is needed leaves, no cell is a formula."""

import asyncio
import io
from typing import Any, cast

import openpyxl
import pytest

from model.errors import UnreadableInput
from serving.console import sheet
from serving.console.client import Api, ApiProblem

TABLE = "工单编号,受理时间,工单内容,户名,联系电话\nA1,2026-11-23 08:30,停电了,张三,13800138000\nA2,2026-11-23 08:30,,李四,\n=1+1,,电费太高,,\n"


class FakeApi:
    """Answers like the service; a text without anything is an error in its place."""

    def __init__(self, busy: int = 0) -> None:
        self.calls: list[list[Any]] = []
        self.busy = busy

    async def post(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        assert path == "/v1/predict/batch"
        if self.busy:
            self.busy -= 1
            raise ApiProblem(503, "overloaded", "忙")
        self.calls.append(body["tickets"])
        return [_answer(number, ticket) for number, ticket in enumerate(body["tickets"], 1)]


def _answer(number: int, ticket: Any) -> dict[str, Any]:
    content = ticket if isinstance(ticket, str) else ticket.get("工单内容") or ticket.get("content")
    if not content:
        return {"row": number, "error": {"code": "empty_text", "message": "工单没有正文"}}
    quiet = {"raised": False}
    return {
        "row": number, "ticket_id": None, "category": {"name": "停送电", "confidence": 0.91}, "decision": "review",
        "reasons": ["low_confidence"], "safety": {"raised": True}, "escalation": quiet,
        "flags": {"malicious": quiet, "theft": {"raised": True}},
        "route": {"desk": "配电抢修", "support": ["运检部"], "arrive_by": None, "contact_due_at": None, "promise": "承诺",
                  "due_at": "2026-11-30T08:30:00+08:00"},
    }  # fmt: skip


def _predict(rows: list[Any], api: FakeApi | None = None) -> list[sheet.Done]:
    return asyncio.run(sheet.predict(cast("Api", api or FakeApi()), rows, lambda *_: None))


def test_rows_come_back_in_order_and_one_that_is_no_ticket_says_its_number() -> None:
    done = _predict(sheet.read(TABLE.encode(), "工单.csv"))
    assert [one.number for one in done] == [1, 2, 3]
    assert [one.ticket for one in done] == ["A1", "A2", "=1+1"]
    assert (done[1].wrong, done[1].reason) == (True, "第 2 行:工单没有正文")
    assert done[0].cells == (
        1, "A1", "停送电", 0.91, "安全、窃电或违约用电", "配电抢修、运检部", "11-30 08:30 前答复", "人工复核", "置信度低",
    )  # fmt: skip


def test_names_and_telephones_of_other_columns_stay_here() -> None:
    api = FakeApi()
    _predict(sheet.read(TABLE.encode("gb18030"), "工单.csv"), api)
    assert {name for ticket in api.calls[0] for name in ticket} <= {"工单编号", "受理时间", "工单内容", "content"}


def test_slices_hold_no_more_than_a_call_takes() -> None:
    rows = sheet.read(("content\n" + "停电了\n" * 150 + "长" * 300_000 + "\n").encode(), "t.csv")
    parts = list(sheet.slices(rows))
    assert [len(part) for part in parts] == [64, 64, 23]
    many = [row for row in rows[-1:] for _ in range(5)]
    assert [len(part) for part in sheet.slices(many)] == [3, 2]


def test_a_service_that_is_busy_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "_PAUSE", 0.0)
    rows = sheet.read(TABLE.encode(), "t.csv")
    assert len(_predict(rows, FakeApi(busy=2))) == 3
    with pytest.raises(ApiProblem):
        _predict(rows, FakeApi(busy=99))


def test_the_workbook_opens_has_the_columns_and_no_formula() -> None:
    done = _predict(sheet.read(TABLE.encode(), "t.csv"))
    book = openpyxl.load_workbook(io.BytesIO(sheet.workbook(done, "t.csv")))
    assert book.sheetnames == ["派单表", "未处理的行"]
    listed = book["派单表"]
    assert tuple(cell.value for cell in listed[1]) == sheet.COLUMNS
    assert [listed.cell(row, 2).value for row in (2, 3, 4)] == ["A1", "A2", "'=1+1"]
    assert all(cell.data_type != "f" for row in listed.iter_rows() for cell in row)
    assert book["未处理的行"].max_row == 2


def test_a_workbook_goes_in_and_dates_of_excel_are_understood() -> None:
    from datetime import datetime

    book = openpyxl.Workbook()
    book.active.append(["工单内容", "受理时间"])
    book.active.append(["停电了", datetime(2026, 11, 23, 8, 30)])
    file = io.BytesIO()
    book.save(file)
    api = FakeApi()
    _predict(sheet.read(file.getvalue(), "表.xlsx"), api)
    assert api.calls[0][0]["受理时间"] == "2026-11-23T08:30:00"


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"a,b\n1,2\n", "x.csv", "正文列"),
        (b"content\n", "x.csv", "没有工单"),
        (b"%PDF", "x.pdf", "不支持"),
        (b"PK\x03\x04", "x.xlsx", "x.xlsx 不是可读的 XLSX"),
        (b"content\n" + b"x\n" * (sheet.ROWS_MOST + 1), "x.csv", "超过"),
    ],
)
def test_a_file_that_is_no_table_of_tickets_says_why_and_names_no_path(content: bytes, name: str, said: str) -> None:
    with pytest.raises(UnreadableInput) as caught:
        sheet.read(content, name)
    assert said in str(caught.value)
    assert "/" not in str(caught.value).replace("XLSX", "")
