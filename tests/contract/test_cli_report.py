"""`triage report`: from a file and from the store, in every format, with the contract's exit codes."""

import csv
import io
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import docx
import openpyxl
import pytest

from model.pipeline import Pipeline
from model.ticket import CHINA, LabelledTicket
from serving.intake import Intake, incoming_from
from serving.store.database import Database
from serving.store.handling import Closing, close
from serving.store.upgrade import upgrade
from serving.store.writer import TicketWriter
from tests.complaints import drawn
from triage.compose import build_office
from triage.settings import Settings

Command = Callable[..., tuple[int, str, str]]
HEADER = ["工单编号", "受理时间", "县公司", "供电所", "联系电话", "办结时间", "受理内容"]
OCTOBER = ("--since", "2026-10-01", "--until", "2026-11-01")
SECRET_PHONE = "13912345678"


def _write(path: Path, rows: list[list[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


@pytest.fixture
def file(tmp_path: Path, labelled: tuple[LabelledTicket, ...]) -> Path:
    """Forty tickets of October, one of November, one without a date, one without a text."""
    rows: list[list[object]] = [
        [one["ticket_id"], f"{one['accepted_at']:%Y-%m-%d %H:%M}", one["county"], one["station"], f"138{n % 9:08}",
         f"{one['closed_at']:%Y-%m-%d %H:%M}" if one["closed_at"] else "", one["text"]]
        for n, one in enumerate(drawn(labelled, 40))
    ]  # fmt: skip
    rows.append(["N1", "2026-11-05 10:00", "安平县", "城关供电所", "", "", f"电费突然翻了一倍,请回电 {SECRET_PHONE}"])
    rows.append(["N2", "", "安平县", "城关供电所", "", "", "登记的号码是前租客的,早就停机了"])
    rows.append(["N3", "2026-10-05 10:00", "安平县", "城关供电所", "", "", ""])
    return _write(tmp_path / "tickets.csv", rows)


@pytest.fixture(scope="module")
def store_file(tmp_path_factory: pytest.TempPathFactory, rules_pipeline: Pipeline) -> Path:
    """A store with tickets of October, some closed; to be copied."""
    path = tmp_path_factory.mktemp("reports") / "store.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    texts = ("电费突然翻了一倍,家里没添电器", "停电三小时了没人管", "营业厅柜员推诿,还吵起来了", "装表申请一个月没人来")
    org = {"city": "某市", "county": "安平县", "station": "城关供电所"}
    for number in range(12):
        at = datetime(2026, 10, 1 + 2 * number, 9, tzinfo=CHINA)
        intake = Intake(TicketWriter(database), rules_pipeline, b"s" * 32, 365, lambda at=at: at)  # type: ignore[misc]
        body = {"ticket_id": f"S{number}", "content": texts[number % 4], "accepted_at": at.isoformat(), "org": org}
        intake.take_in(incoming_from({**body, "contact": SECRET_PHONE}), "test")
        if number % 4 == 3:
            close(database, f"S{number}", closing=Closing(1), by="test", now=at + timedelta(days=2))
    database.wipe()
    database.close()
    return path


@pytest.fixture
def stored(store_file: Path, tmp_path: Path) -> None:
    """The store in the working folder."""
    place = tmp_path / "artifacts" / "store"
    place.mkdir(parents=True)
    shutil.copy(store_file, place / "triage.db")


def _words(path: Path) -> str:
    if path.suffix == ".docx":
        read = docx.Document(str(path))
        cells = [cell.text for table in read.tables for line in table.rows for cell in line.cells]
        return "\n".join([*(paragraph.text for paragraph in read.paragraphs), *cells])
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path)
        return "\n".join(str(c) for s in book for line in s.iter_rows(values_only=True) for c in line if c is not None)
    return path.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("kind", ["html", "docx"])
def test_a_briefing_from_a_file_in_every_format(triage: Command, file: Path, tmp_path: Path, kind: str) -> None:
    output = tmp_path / f"briefing.{kind}"
    code, out, err = triage(
        "report", "briefing", "--date", "2026-11-06", "--org", "城关供电所", "--input", file, "--output", output
    )
    assert (code, out) == (1, "")  # two rows cannot be counted
    assert "第 42 行" in err
    assert "第 43 行" in err
    words = _words(output)
    assert "晨会简报" in words
    assert "N1" in words
    assert SECRET_PHONE not in words


@pytest.mark.usefixtures("stored")
def test_a_briefing_from_the_store_is_printed(triage: Command) -> None:
    code, out, err = triage("report", "briefing", "--date", "2026-10-04", "--org", "安平县城关供电所")
    assert (code, err) == (0, "")
    assert "城关供电所 · 2026-10-04" in out
    assert "今天讲一条" in out
    assert "S1" in out


@pytest.mark.usefixtures("stored")
def test_a_misspelt_unit_is_told_of(triage: Command) -> None:
    code, _, err = triage("report", "briefing", "--date", "2026-10-04", "--org", "城管供电所")
    assert code == 0
    assert "没有「城管供电所」的工单" in err
    assert "城关供电所" in err


@pytest.mark.usefixtures("stored")
def test_worklists_from_the_store_as_a_workbook_of_one_sheet_a_list(triage: Command, tmp_path: Path) -> None:
    output = tmp_path / "lists.xlsx"
    code, _, err = triage("report", "worklists", "--output", output)
    assert code == 0, err
    book = openpyxl.load_workbook(output)
    assert len(book.sheetnames) == 5
    visits = book["电费突增上门核查"]
    assert visits.freeze_panes == "A3"
    assert {line[0] for line in visits.iter_rows(min_row=3, max_row=5, values_only=True)} == {"S0", "S4", "S8"}
    assert {line[0] for line in book["报装完工回访"].iter_rows(min_row=3, max_row=5, values_only=True)} == {
        "S3",
        "S7",
        "S11",
    }
    assert "推诿" not in _words(output)


def test_a_worklist_from_a_file_as_csv_counts_rows_without_a_date(triage: Command, file: Path, tmp_path: Path) -> None:
    output = tmp_path / "phones.csv"
    code, _, err = triage("report", "worklists", "--kind", "wrong_phones", "--input", file, "--output", output)
    assert code == 1  # one row has no text
    assert "empty_text" in err
    lines = list(csv.reader(io.StringIO(_words(output))))
    assert lines[0][0] == "工单"
    assert "N2" in [line[0] for line in lines]


def test_a_worklist_of_a_time_leaves_out_rows_without_a_date_and_says_so(
    triage: Command, file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "phones.csv"
    code, _, err = triage(
        "report", "worklists", "--kind", "wrong_phones", *OCTOBER, "--input", file, "--output", output
    )
    assert code == 1
    assert "第 42 行" in err
    assert "N2" not in _words(output)


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (("briefing", "--date", "gestern", "--org", "x"), "如 2026-11-01"),
        (("briefing", "--date", "1999-01-01", "--org", "x"), "如 2026-11-01"),
        (("worklists", "--since", "2026-13-01"), "如 2026-11-01"),
        (("worklists", "--since", "2026-11-01", "--until", "2026-11-01"), "须早于"),
        (("worklists", "--output", "list.docx"), ".xlsx .csv"),
        (("briefing", "--date", "2026-11-01", "--org", "x", "--output", "a.pdf"), ".html .docx .xlsx"),
        (("briefing", "--date", "2026-11-01", "--org", "x", "--output", "nowhere/a.html"), "没有目录"),
        (("worklists", "--input", "nothing.csv"), "找不到文件"),
        (("worklists", "--kind", "everything"), "miswiring_homes"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_a_mend(triage: Command, arguments: tuple[str, ...], mend: str) -> None:
    code, out, err = triage("report", *arguments)
    assert (code, out) == (2, "")
    assert mend in err.replace("\n", "").replace("│", "").replace(" ", "") or mend in err
    assert "Traceback" not in err


def test_a_missing_bundle_is_exit_code_3(triage: Command, file: Path, tmp_path: Path) -> None:
    code, _, err = triage("report", "worklists", "--input", file, "--bundle", tmp_path / "none")
    assert code == 3
    assert "没有模型包" in err


def test_a_monthly_report_from_a_file_lists_every_row_that_it_cannot_count(
    triage: Command, file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "month.html"
    code, out, err = triage("report", "hotspots", *OCTOBER, "--input", file, "--output", output)
    assert (code, out) == (1, "")
    assert "1 行不是工单(empty_text)" in err
    assert "1 行没有受理时间(accepted_at)" in err
    assert "1 行的受理时间不在统计期内" in err
    words = _words(output)
    for heading in ("总体", "热点事件", "时限与重复", "典型案例", "报备与特殊客户合规核查", "成因与措施", "下月关注"):
        assert heading in words
    assert "<b>40</b>" in words
    assert "没有计入的行" in words
    assert SECRET_PHONE not in words
    assert "http" not in words.split("<script>")[0].replace("http-equiv", "")


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("kind", ["html", "docx", "xlsx"])
def test_a_monthly_report_from_the_store_in_every_format(triage: Command, tmp_path: Path, kind: str) -> None:
    output = tmp_path / f"month.{kind}"
    code, out, err = triage("report", "hotspots", *OCTOBER, "--output", output)
    assert (code, out) == (0, "")
    assert err.strip() == f"已写出 {output}"
    words = _words(output)
    assert "电费突然翻了一倍" in words
    assert "没有线索台账" not in words
    assert SECRET_PHONE not in words


@pytest.mark.usefixtures("stored")
def test_a_report_without_an_output_is_printed(triage: Command) -> None:
    code, out, err = triage("report", "hotspots", *OCTOBER)
    assert (code, err) == (0, "")
    assert "投诉工单 12" in out


@pytest.mark.parametrize("kind", ["html", "docx", "xlsx"])
def test_a_time_without_tickets_is_reported(triage: Command, tmp_path: Path, kind: str) -> None:
    output = tmp_path / f"month.{kind}"
    code, _, err = triage("report", "hotspots", *OCTOBER, "--output", output)
    assert (code, err.strip()) == (0, f"已写出 {output}")
    assert "没有工单" in _words(output)


def test_a_time_of_one_ticket_is_reported(triage: Command, tmp_path: Path) -> None:
    file = _write(
        tmp_path / "one.csv",
        [["N1", "2026-10-05 10:00", "安平县", "城关供电所", "", "", "电费突然翻了一倍,请来查看原因"]],
    )
    code, out, err = triage("report", "hotspots", *OCTOBER, "--input", file)
    assert code == 0, err
    assert "投诉工单 1" in out


def test_customers_give_the_rate_by_ten_thousand(triage: Command, file: Path, tmp_path: Path) -> None:
    table = tmp_path / "customers.csv"
    table.write_text(
        "county,station,customers\n安平县,城关供电所,20000\n安平县,河湾供电所,10000\n清河县,城关供电所,8000\n",
        encoding="utf-8",
    )
    output = tmp_path / "month.html"
    assert triage("report", "hotspots", *OCTOBER, "--input", file, "--customers", table, "--output", output)[0] == 1
    assert "万户投诉率=件数÷户数×10000" in _words(output)


@pytest.mark.usefixtures("stored")
def test_the_table_of_the_settings_gives_the_rate_where_none_is_named(
    triage: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in (("settings", 20_000), ("named", 30_000)):
        table = f"county,station,customers\n安平县,城关供电所,{number}\n"
        (tmp_path / f"{name}.csv").write_text(table, encoding="utf-8")
    monkeypatch.setenv("TRIAGE_CUSTOMERS", "settings.csv")
    _, out, _ = triage("report", "hotspots", *OCTOBER)
    assert "20,000" in out
    _, out, _ = triage("report", "hotspots", *OCTOBER, "--customers", "named.csv")
    assert "30,000" in out


@pytest.mark.parametrize(
    ("table", "mend"), [(None, "请检查路径"), ("区县,供电所\n", "户数"), ("区县,供电所,户数\n城东县,河湾供电所,许多\n", "正整数")]
)
def test_a_service_does_not_start_with_a_table_of_customers_that_it_cannot_read(
    triage: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str | None, mend: str
) -> None:
    if table is not None:
        (tmp_path / "customers.csv").write_text(table, encoding="utf-8")
    monkeypatch.setenv("TRIAGE_CUSTOMERS", "customers.csv")
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: pytest.fail("it was started"))
    code, out, err = triage("serve")
    assert (code, out) == (2, "")
    assert "customers.csv" in err
    assert mend in err


def test_a_service_reads_the_table_of_customers_once_at_its_start(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("区县,供电所,户数\n城东县,河湾供电所,12000\n", encoding="utf-8")
    office = build_office(Settings(customers=file))
    file.unlink()
    assert office.customers == {"城东县 · 河湾供电所": 12_000}
    assert build_office(Settings()).customers == {}


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("kind", ["html", "docx"])
def test_a_handover_note_from_the_store(triage: Command, tmp_path: Path, kind: str) -> None:
    output = tmp_path / f"handover.{kind}"
    code, _, err = triage("report", "handover", "--output", output)
    assert code == 0, err
    words = _words(output)
    assert "县公司服务专责" in words
    assert "S0" in words
    assert "triage console" in words


@pytest.mark.parametrize(
    ("days", "mend"),
    [
        (("2026-11-01", "2026-11-01"), "须早于"),
        (("2026-12-01", "2026-11-01"), "须早于"),
        (("November", "2026-11-01"), "如 2026-11-01"),
        (("2026-10-01", "2026-02-30"), "如 2026-11-01"),
    ],
)
def test_days_that_make_no_time_are_exit_code_2(triage: Command, days: tuple[str, str], mend: str) -> None:
    code, out, err = triage("report", "hotspots", "--since", days[0], "--until", days[1])
    assert (code, out) == (2, "")
    assert mend in err.replace("\n", "").replace("│", "").replace(" ", "") or mend in err
