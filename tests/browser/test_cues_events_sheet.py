"""Cues, events, worklist, hotspots and model in a real browser, against a real service."""

import io
from datetime import datetime, timedelta
from pathlib import Path

import docx
import openpyxl
import pytest
from playwright.sync_api import Page, expect

from model.ticket import CHINA
from tests.browser.console_office import PHONE, Office, serious

pytestmark = pytest.mark.slow

ORG = {"county": "临江县", "station": "城东供电所"}
MALICE = "我要投诉抄表的李建国,他借我钱不还,你们单位扣他奖金,不然我天天打电话"


@pytest.fixture(scope="module", autouse=True)
def _filled(running_office: Office) -> None:
    running_office.send("M1", MALICE, org=ORG)
    body = {"version": 1, "category": "other.misc", "flags": ["malicious", "unreasonable"]}
    running_office.call("POST", "/v1/tickets/M1/review", body, who="王工")
    for number in range(7):
        running_office.send(f"O{number}", f"从早上{number + 4}点停电到现在没有人管", hours=3, org=ORG)
    running_office.call("POST", "/v1/tickets/O6/close", {"version": 1, "upheld": True}, who="王工")


def _attach(page: Page, day: str) -> None:
    page.get_by_label("来电之前已有的私人纠纷或窃电、违约处罚的凭据(注明日期)的编号或存放处").fill("用检〔2026〕31号")
    page.get_by_label("日期", exact=True).first.fill(day)
    page.get_by_label("所反映的服务问题经核实没有发生的证明的编号或存放处").fill("录像 12")
    page.get_by_role("button", name="附上").click()


def test_a_cue_needs_two_people_and_says_why_one_may_not_go_on(office: Office) -> None:
    first = office.sign_in("李工", "/cues?state=candidate&flag=malicious")
    first.get_by_role("link", name="M1").click()
    _attach(first, (datetime.now(CHINA) + timedelta(days=3)).date().isoformat())
    expect(first.get_by_role("alert").filter(has_text="没有完成")).to_contain_text("晚于今天")
    _attach(first, "2026-01-08")  # what was typed is still there; the day is mended
    expect(first.get_by_text("证据清单(2 / 2)")).to_be_visible()
    first.get_by_role("button", name="确认").click()
    expect(first.get_by_text("您已经确认过这条线索")).to_be_visible()
    expect(first.get_by_role("button", name="确认")).to_be_disabled()
    second = office.sign_in("王工", "/cues/malicious/M1")
    second.get_by_role("button", name="确认").click()
    expect(second.locator("#state")).to_have_text("已确认")
    assert office.call("GET", "/v1/tickets/M1")["category"] == "other.misc"
    assert serious(second) == []


def test_a_paper_shows_item_gaps_and_mark_and_is_only_printed(office: Office) -> None:
    page = office.sign_in("李工", "/papers/unreasonable/M1")
    paper = page.locator("article.paper")
    expect(paper).to_contain_text("最终答复(草稿)")
    expect(paper).to_contain_text("已按规定答复仍超规定(R4_UNREASONABLE)")
    expect(paper).to_contain_text("投诉受理之后提出")
    assert paper.locator("mark").count() >= 8
    assert "李建国" not in paper.inner_text()
    assert serious(page) == []


def test_a_rejected_cue_with_a_caller_who_was_right_stands_on_top_of_the_ledger(office: Office) -> None:
    office.send("M2", MALICE, org=ORG)
    office.call("POST", "/v1/tickets/M2/review", {"version": 1, "category": "other.misc", "flags": ["malicious"]})
    page = office.sign_in("李工", "/cues/malicious/M2")
    page.get_by_label("驳回的理由").select_option("caller_right")
    page.get_by_role("button", name="驳回").click()
    expect(page.locator("#state")).to_have_text("已驳回")
    page.goto(office.console + "/cues/ledger")
    expect(page.get_by_role("region", name="来电人有理的线索").get_by_role("link")).to_have_text("M2")
    assert serious(page) == []


def test_an_event_is_entered_shows_its_tickets_and_is_removed(office: Office) -> None:
    page, now = office.sign_in("李工", "/events"), datetime.now(CHINA)
    page.get_by_label("类型").select_option("planned_outage")
    page.get_by_label("开始", exact=True).fill((now - timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("结束", exact=True).fill((now + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("通知内容").fill("10千伏城东线检修停电")
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="没有完成")).to_contain_text("地区")
    page.get_by_label("区县").fill("临江县")
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_text("事件已登记")).to_be_visible()
    page.get_by_role("button", name="6 张").click()
    expect(page.get_by_role("link", name="O3")).to_be_visible()
    assert serious(page) == []
    page.get_by_text("移除", exact=True).last.click()
    page.get_by_role("button", name="确定移除").click()
    expect(page.get_by_text("登记簿里没有近期的事件")).to_be_visible()
    assert len(office.call("GET", "/v1/tickets")["tickets"]) >= 7


def test_a_table_of_events_with_a_wrong_row_says_which_and_enters_none(office: Office, tmp_path: Path) -> None:
    table = tmp_path / "events.csv"
    table.write_text(
        "类型,区县,开始时间,结束时间,内容\n计划停电,临江县,2026-12-01 08:00,2026-12-01 18:00,检修\n计划停电,,昨天,,检修\n",
        encoding="gb18030",
    )
    page = office.sign_in("李工", "/events")
    page.locator("input[type=file]").set_input_files(table)
    expect(page.get_by_role("alert").filter(has_text="没有完成")).to_contain_text("第 2 行")
    assert office.call("GET", "/v1/events")["events"] == []


def test_a_table_goes_in_and_a_worklist_comes_out_that_opens(office: Office, tmp_path: Path) -> None:
    table = tmp_path / "工单.csv"
    rows = [f"A{number},{'' if number == 7 else '停电三小时了没人管'}" for number in range(1, 101)]
    table.write_text("工单编号,工单内容\n" + "\n".join(rows), encoding="utf-8")
    page = office.sign_in("赵分析", "/sheet")
    page.locator("input[type=file]").set_input_files(table)
    expect(page.get_by_text("100 行已分拣,其中 1 行不是工单")).to_be_visible(timeout=60_000)
    with page.expect_download() as waited:
        page.get_by_role("link", name="下载 XLSX").click()
    book = openpyxl.load_workbook(io.BytesIO(waited.value.path().read_bytes()))
    listed = list(book["派单表"].iter_rows(min_row=2, values_only=True))
    assert [row[1] for row in listed] == [f"A{number}" for number in range(1, 101)]
    assert (listed[6][7], listed[5][2]) == ("未处理", "停送电")
    assert waited.value.suggested_filename == "派单表-工单.xlsx"
    assert serious(page) == []


def test_hotspots_lead_to_the_tickets_behind_them_and_to_a_report_that_opens(office: Office) -> None:
    page = office.sign_in("李工", "/hotspots")
    expect(page.locator("#matrix")).to_be_visible(timeout=90_000)
    assert serious(page) == []
    rates = page.get_by_role("region", name="类别与单位").get_by_role("row", name="万户投诉率")
    stored = len(office.call("GET", "/v1/tickets")["tickets"])
    expect(rates).to_contain_text(f"{stored}.00")  # of 10,000 customers
    expect(page.get_by_role("region", name="属实情况").get_by_role("row", name="全部 全部")).to_contain_text("—")
    page.get_by_role("region", name="事件").get_by_text("展开").first.click()
    page.get_by_role("region", name="事件").get_by_role("link", name="O3").click()
    expect(page).to_have_url(office.console + "/tickets/O3")
    page.goto(office.console + "/hotspots")
    with page.expect_download(timeout=180_000) as waited:
        page.get_by_role("button", name="Word").click(timeout=90_000)
    assert "热点" in docx.Document(io.BytesIO(waited.value.path().read_bytes())).paragraphs[0].text


def test_the_model_page_says_what_answers_and_only_an_admin_may_reload(office: Office) -> None:
    page = office.sign_in("赵分析", "/model")
    expect(page.get_by_text("只用规则").first).to_be_visible()
    expect(page.get_by_role("button", name="重新读取模型包")).to_have_count(0)
    expect(page.locator("#mix")).to_be_visible()
    assert serious(page) == []
    admin = office.sign_in("管理员", "/model")
    expect(admin.get_by_role("button", name="重新读取模型包")).to_be_visible()


@pytest.mark.parametrize("path", ["/cues", "/cues/malicious/M1", "/events", "/sheet", "/model"])
def test_pages_fit_a_telephone(office: Office, path: str) -> None:
    page = office.sign_in("李工", path, size=PHONE)
    expect(page.locator("main h1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert serious(page) == []
