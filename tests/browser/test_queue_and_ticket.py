"""Queue and ticket in a real browser: signing in, working by keyboard alone, two people on one ticket, filters."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from model.ticket import CHINA
from tests.browser.console_office import PHONE, Office, serious

pytestmark = pytest.mark.slow

_TEXTS = (
    "换表没通知我,旧表底数也没让看就拆走了",
    "电费多扣了两百块,要求退回",
    "营业厅窗口的人态度恶劣,推来推去不给办",
    "停电三小时了没人管,什么时候来电",
    "申请校表半个月了,没有人来",
)
ORG = {"city": "某市", "county": "临江县", "station": "城东供电所", "urban": True}


@pytest.fixture(scope="module", autouse=True)
def _filled(running_office: Office) -> None:
    for number in range(30):
        running_office.send(
            f"T{number:03d}", _TEXTS[number % 5], hours=1 + number / 10,
            org={**ORG, "county": f"临江{number + 1}县", "station": "河西供电所"},  # alike, but no incident of one county
        )
    running_office.send("DANGER", "电线断了掉在地上冒火花,快来人", hours=0.2)
    now = datetime.now(CHINA)
    event = {
        "kind": "planned_outage", "county": "临江县", "station": "城东供电所", "text": "10千伏城东线检修停电",
        "starts_at": (now - timedelta(hours=8)).isoformat(), "ends_at": (now + timedelta(hours=4)).isoformat(),
    }  # fmt: skip
    running_office.call("POST", "/v1/events", event)
    for number in range(4):
        running_office.send(f"E{number}", f"从早上{number + 6}点停电到现在,什么时候来电", org=ORG)


def _figure(page: Page, name: str) -> int:
    return int(page.locator(".figure", has_text=name).locator("b").inner_text())


def _ticket(page: Page) -> str:
    return page.locator(".strip .number").inner_text()


def test_a_key_opens_the_console_and_is_kept_out_of_address_cookie_and_page(office: Office) -> None:
    page = office.page()
    page.goto(office.console + "/tickets/T001")
    expect(page).to_have_url(office.console + "/sign-in")
    assert serious(page) == []
    page.get_by_label("访问密钥").fill("tri_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("密钥")
    page.get_by_label("访问密钥").fill(office.tokens["李工"])
    page.keyboard.press("Enter")
    expect(page).to_have_url(office.console + "/tickets/T001")
    (cookie,) = page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert office.tokens["李工"] not in page.content() + page.url + str(cookie["value"])
    page.get_by_role("button", name="退出").click()
    page.goto(office.console + "/")
    expect(page).to_have_url(office.console + "/sign-in")


def test_the_queue_leads_with_danger_and_folds_the_tickets_of_one_event(office: Office) -> None:
    page = office.sign_in("李工")
    rows = page.locator("tr[data-ticket]")
    expect(rows.first).to_have_attribute("data-ticket", "DANGER")
    expect(rows.first).to_contain_text("安全")
    assert serious(page) == []
    fold = page.get_by_role("button", name=re.compile("计划停电 · 共 4 张"))
    expect(page.locator("tr[data-ticket^=E]")).to_have_count(1)
    fold.click()
    expect(page.locator("tr[data-ticket^=E]")).to_have_count(4)
    expect(fold).to_have_attribute("aria-expanded", "true")
    fold.click()
    expect(page.locator("tr[data-ticket^=E]")).to_have_count(1)


def test_filters_narrow_the_list_and_stand_in_the_address(office: Office) -> None:
    page = office.sign_in("李工")
    page.get_by_role("combobox", name="类别", exact=True).select_option(label="轮换户表改造")
    expect(page.locator("tr[data-ticket] td.cat").first).to_have_text("轮换户表改造")
    assert set(page.locator("tr[data-ticket] td.cat").all_inner_texts()) == {"轮换户表改造"}
    expect(page).to_have_url(re.compile(r"category=metering\.replacement"))
    page.reload()
    expect(page.get_by_role("combobox", name="类别", exact=True)).to_have_value("metering.replacement")
    page.get_by_role("button", name="清除筛选").click()
    expect(page.locator("tr[data-ticket]").first).to_have_attribute("data-ticket", "DANGER")
    page.locator(".figure", has_text="安全风险").click()
    expect(page.locator("tr[data-ticket]")).to_have_count(1)
    page.get_by_role("combobox", name="班组").select_option(label="计量班")
    expect(page.get_by_text("没有符合筛选的工单")).to_be_visible()


def test_a_ticket_shows_evidence_candidates_clocks_card_and_history(office: Office) -> None:
    page = office.sign_in("李工", "/tickets/DANGER")
    expect(page.locator(".text mark.safety").first).to_be_visible()
    expect(page.locator(".text mark .sign").first).to_have_text(re.compile("险"))
    expect(page.locator(".candidate").first).to_be_visible()
    expect(page.locator(".clocks")).to_contain_text("到场")
    expect(page.locator(".card")).to_contain_text(re.compile(r"文章 [\d.]+ 节"))
    expect(page.locator(".past-panel")).to_contain_text("受理入库")
    assert serious(page) == []


def test_twenty_tickets_are_decided_by_keyboard_alone_and_the_last_is_taken_back(office: Office) -> None:
    page = office.sign_in("李工")
    expect(page.locator("tr[data-ticket]").first).to_be_visible()
    before = _figure(page, "已复核")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".choice")).to_be_visible()
    decided = []
    for number in range(20):
        decided.append(_ticket(page))
        if number % 5 == 4:
            page.keyboard.press("2")
            expect(page.locator("button[name=accept]")).to_contain_text("改判为")
        page.keyboard.press("Enter")
        expect(page.locator(".strip .number")).not_to_have_text(decided[-1])
    expect(page.locator(".note.said")).to_contain_text(decided[-1])
    assert len(set(decided)) == 20
    for number, name in enumerate(decided):
        found = office.call("GET", f"/v1/tickets/{name}")
        assert found["status"] == "reviewed"
        steps = [one for one in found["history"] if one["action"] == "ticket.reviewed"]
        assert [one["actor"] for one in steps] == ["李工"]
        assert (steps[0]["detail"]["from"] == steps[0]["detail"]["to"]) is (number % 5 != 4)
    page.keyboard.press("u")
    expect(page.locator(".strip .number")).to_have_text(decided[-1])
    expect(page.locator(".note.said")).to_contain_text("已撤销")
    back = office.call("GET", f"/v1/tickets/{decided[-1]}")
    assert back["status"] == "open"
    assert back["history"][-1]["action"] == "ticket.review_undone"
    page.keyboard.press("k")
    expect(page.locator(".strip .number")).to_have_text(decided[-2])
    page.keyboard.press("q")
    expect(page.locator("tr[data-ticket]").first).to_be_visible()
    assert _figure(page, "已复核") == before + 19


def test_of_two_people_on_one_ticket_the_second_sees_what_the_first_decided(office: Office) -> None:
    office.send("BOTH", "电价定错了,我家是居民用电却按商业收", hours=3)
    first, second = (office.sign_in(who, "/tickets/BOTH") for who in ("李工", "王工"))
    for page in (first, second):
        expect(page.locator(".strip .number")).to_have_text("BOTH")
    first.get_by_role("combobox", name="其他类别").select_option("other.grid_facility")
    first.locator("button[name=accept]").click()
    expect(first.locator(".note.said")).to_contain_text("电网建设与设施")
    second.get_by_label("备注").fill("以计量班现场核实为准")
    second.locator("button[name=accept]").click()
    expect(second.locator(".note.bad")).to_contain_text(re.compile("没有保存:李工.*电网建设与设施"))
    now = office.call("GET", "/v1/tickets/BOTH")
    assert (now["category"], now["version"]) == ("other.grid_facility", 2)
    expect(second.locator("button[name=accept]")).to_contain_text("电网建设与设施")


def test_contact_and_closing_stop_the_clocks(office: Office) -> None:
    office.send("DONE", "电费多扣了五十块,要求退回", hours=5)
    page = office.sign_in("李工", "/tickets/DONE")
    expect(page.locator(".strip .number")).to_have_text("DONE")
    page.keyboard.press("c")
    expect(page.locator(".clocks")).to_contain_text("已完成")
    page.get_by_text("办结…").click()
    page.get_by_label("办理结果").fill("已退回多扣电费")
    page.get_by_role("button", name="确认办结").click()
    expect(page.locator(".note.said")).to_contain_text("已办结")
    assert office.call("GET", "/v1/tickets/DONE")["status"] == "closed"


def test_an_arrival_is_noted_with_one_key_and_a_finding_with_the_closing(office: Office) -> None:
    office.send("ONSITE", "电线断了掉在地上冒火花,快来人", hours=0.1)
    page = office.sign_in("李工", "/tickets/ONSITE")
    arrive = page.get_by_role("button", name="已到场")
    expect(arrive).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator(".note.said")).to_contain_text("到场")
    expect(page.locator(".clocks .done")).to_have_count(1)
    expect(arrive).to_have_count(0)
    assert office.call("GET", "/v1/tickets/ONSITE")["arrived_at"]
    page.get_by_text("办结…").click()
    expect(page.get_by_label("未核定")).to_be_checked()
    page.get_by_label("属实", exact=True).check()
    assert serious(page) == []
    page.get_by_label("办理结果").press("Enter")  # in this form it closes, and reports no contact
    expect(page.locator(".note.said")).to_contain_text("已办结")
    expect(page.locator(".handling")).to_contain_text("属实")
    found = office.call("GET", "/v1/tickets/ONSITE")
    assert (found["status"], found["upheld"], found["contacted_at"]) == ("closed", True, None)


def test_a_ticket_that_is_not_there_says_so(office: Office) -> None:
    page = office.sign_in("李工", "/tickets/NOBODY")
    expect(page.get_by_role("alert").filter(has_text="没有这张工单")).to_be_visible()
    assert page.locator(".choice").count() == 0  # nothing to decide
    assert serious(page) == []


def test_a_phone_shows_queue_and_ticket_without_sideways_scrolling(office: Office) -> None:
    page = office.sign_in("王工", size=PHONE)
    expect(page.locator("tr[data-ticket]").first).to_be_visible()
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert serious(page) == []
        page.goto(office.console + "/tickets/DANGER")
        expect(page.locator(".choice")).to_be_visible()
