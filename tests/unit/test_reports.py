"""Reports as HTML, Word, Excel and CSV: structure, Chinese letters, no formula, no personal data, nothing loaded."""

import csv
import io
import re
import struct
from dataclasses import replace
from html.parser import HTMLParser

import docx
import openpyxl
import pytest

from model.policy import Policy
from model.privacy import find_personal
from model.ticket import LabelledTicket
from serving.cues.cue import State
from serving.cues.ledger import Case, Passed
from serving.reports.charts import MISSING_GLYPH, known_letters, option, picture
from serving.reports.files import CONTENT
from serving.reports.material import FilingNote, LeftOut, Material
from serving.reports.monthly.build import monthly
from serving.reports.places import belongs, close_names
from serving.reports.report import Chart, Column, Report, Section, Series, Table, Text, shown, typeset
from tests.complaints import NOW, SINCE, analysis_of, drawn, frame_of, nothing, row

SECTIONS = (
    "总体",
    "分类",
    "热点事件",
    "单位",
    "时限与重复",
    "典型案例(脱敏)",
    "报备与特殊客户合规核查",
    "成因与措施",
    "下月关注",
)


class Words(HTMLParser):
    """The words of a page and the addresses in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.headings: list[str] = []
        self.addresses: list[str] = []
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data", "poster")]

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.words.append(data)
        if self.inside == "h2":
            self.headings.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


@pytest.fixture(scope="module")
def material(policy: Policy, labelled: tuple[LabelledTicket, ...]) -> Material:
    frame = frame_of(drawn(labelled, 120), policy)
    ids = list(frame["ticket_id"])
    cases = (
        Case(
            ids[0],
            "malicious",
            "hall.staff_attitude",
            "城关供电所",
            SINCE,
            (Passed(State.REJECTED, NOW, "caller_right"),),
        ),
        Case(ids[1], "theft", "other.misc", None, SINCE),
    )
    filing = policy.taxonomy.filing("R5_MALICIOUS")
    filings = (
        FilingNote(ids[0], filing.code, filing.name, after=True),
        FilingNote(ids[2], "R3_DISASTER", "灾害或预警恶劣天气", after=False),
    )
    return Material(
        frame, policy, NOW, stored=True, cases=cases, filings=filings, left_out=LeftOut({3: "empty_text"}, (7,), 2)
    )


@pytest.fixture(scope="module")
def report(material: Material) -> Report:
    return monthly(analysis_of(material.frame, material.policy), material)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return CONTENT[".html"](report).decode()


@pytest.fixture(scope="module")
def word(report: Report) -> "docx.document.Document":
    return docx.Document(io.BytesIO(CONTENT[".docx"](report)))


@pytest.fixture(scope="module")
def book(report: Report) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(CONTENT[".xlsx"](report)))


def _all_cells(book: openpyxl.Workbook) -> list[object]:
    return [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None]


def _all_texts(word: "docx.document.Document") -> list[str]:
    cells = [cell.text for table in word.tables for line in table.rows for cell in line.cells]
    return [*(paragraph.text for paragraph in word.paragraphs), *cells]


def test_a_monthly_report_has_the_nine_sections_and_lists_what_was_left_out(report: Report) -> None:
    assert tuple(section.title for section in report.sections) == (*SECTIONS, "没有计入的行")
    assert any("第 3 行" in mark for mark in report.marks)
    assert any("第 7 行" in mark for mark in report.marks)
    assert any("2 行的受理时间不在统计期内" in mark for mark in report.marks)


def test_every_table_and_chart_says_what_to_see(report: Report) -> None:
    blocks = [block for section in report.sections for block in section.blocks if isinstance(block, Table | Chart)]
    assert len(blocks) > 12
    assert all(block.see.endswith("。") for block in blocks)


def test_the_html_page_loads_nothing(page: str) -> None:
    read = Words(page)
    assert read.headings == [typeset(title) for title in (*SECTIONS, "没有计入的行")]
    assert all(address.startswith("#") for address in read.addresses)
    assert not re.search(r"url\(|@import", page.split("</style>")[0])
    assert "default-src 'none'" in page


def test_hostile_words_stay_words_in_html(material: Material) -> None:
    evil = Table("<b>x", (Column("<i>"),), (("</script><script>alert(1)</script>",),), "<u>。")
    chart = Chart("c", "bar", ("</script><img src=x>",), (Series("s", (1,)),), "看。")
    page = CONTENT[".html"](Report("t", "p", NOW, (Section("<s>", (evil, chart)),))).decode()
    assert not {"img", "b", "i", "u", "s"} & set(
        re.findall(r"<([a-z]+)[ >]", page.split("<body>")[1].split("<script>")[0])
    )
    assert page.count("<script>") == 2


def test_the_word_document_has_headings_native_tables_pictures_and_page_numbers(
    word: "docx.document.Document", report: Report
) -> None:
    headings = [paragraph.text for paragraph in word.paragraphs if paragraph.style.name == "Heading 1"]
    assert headings == [typeset(section.title) for section in report.sections]
    tables = sum(
        isinstance(block, Table) and bool(block.rows) for section in report.sections for block in section.blocks
    )
    assert len(word.tables) == tables + 1  # the figures on top are a table too
    assert len(word.inline_shapes) == 4
    section = word.sections[0]
    assert "2026-10-01 至 2026-10-31" in section.header.paragraphs[0].text
    fields = section.footer.paragraphs[0]._p.xpath(".//w:fldSimple/@w:instr")
    assert fields == ["PAGE", "NUMPAGES"]


def test_word_asks_for_a_chinese_font_in_every_style_that_it_uses(word: "docx.document.Document") -> None:
    used = {paragraph.style.name for paragraph in word.paragraphs} | {"Header", "Footer"}
    for name in used:
        fonts = word.styles[name].element.rPr.rFonts
        assert fonts.xpath("./@w:eastAsia") == ["微软雅黑"], name
        assert not fonts.xpath("./@w:eastAsiaTheme"), name


def test_table_headers_come_again_on_every_page(word: "docx.document.Document") -> None:
    assert all(table.rows[0]._tr.xpath("./w:trPr/w:tblHeader") for table in word.tables[1:])


def test_the_workbook_has_a_sheet_for_each_section_with_frozen_header_and_real_numbers(book: openpyxl.Workbook) -> None:
    assert book.sheetnames[: len(SECTIONS)] == list(SECTIONS)
    leaves = book["分类"]
    assert leaves.freeze_panes == "A3"
    header = [cell.value for cell in leaves[2]]
    share = leaves.cell(3, header.index("占比") + 1)
    assert isinstance(share.value, float)
    assert share.number_format == "0.0%"
    assert leaves.cell(3, header.index("件数") + 1).number_format == "#,##0"


@pytest.mark.parametrize("evil", ["=1+1", "+86", "-cmd", "@SUM(A1)", "=HYPERLINK(1)"])
def test_no_cell_becomes_a_formula(evil: str) -> None:
    report = Report("t", evil, NOW, (Section("x", (Table(evil, (Column(evil),), ((evil,),), evil), Text(evil))),))
    book = openpyxl.load_workbook(io.BytesIO(CONTENT[".xlsx"](report)))
    assert all(cell.data_type != "f" for sheet in book for line in sheet.iter_rows() for cell in line)
    assert not any(str(cell).startswith(("=", "+", "-", "@")) for cell in _all_cells(book))
    lines = list(csv.reader(io.StringIO(CONTENT[".csv"](report).decode("utf-8-sig"))))
    assert [cell for line in lines for cell in line] == [f"'{evil}"] * 2


def test_no_report_holds_personal_data(page: str, word: "docx.document.Document", book: openpyxl.Workbook) -> None:
    texts = [*Words(page).words, *_all_texts(word), *(cell for cell in _all_cells(book) if isinstance(cell, str))]
    assert [text[a:b] for text in texts for a, b, _ in find_personal(text)] == []


def test_a_text_that_was_stored_unmasked_is_masked_in_the_report(policy: Policy) -> None:
    text = "客户李建国称电表接错,请回电 13912345678,户号 3301234567,家住幸福里小区3栋2单元501"
    frame = frame_of([row("T1", "metering.miswiring", text, SINCE)], policy)
    page = CONTENT[".html"](monthly(analysis_of(frame, policy), Material(frame, policy, NOW, stored=False))).decode()
    assert "典型案例" in page
    assert not any(word in page for word in ("13912345678", "3301234567", "2单元501"))


def test_pictures_hold_no_letter_that_the_font_lacks(report: Report) -> None:
    charts = [block for section in report.sections for block in section.blocks if isinstance(block, Chart)]
    letters = {
        letter
        for chart in charts
        for word in (*chart.labels, chart.unit, *(s.name for s in chart.series))
        for letter in word
    }
    assert len(charts) == 4
    assert {ord(letter) for letter in letters} <= known_letters()


def test_a_letter_outside_the_font_is_drawn_as_a_box_and_warns_nobody() -> None:
    chart = Chart("c", "bar", ("城关\U0001f600$x_1$供电所",), (Series("件", (3,)),), "看。")
    png = picture(chart)
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">I", png[16:20])[0] > 1000
    assert ord(MISSING_GLYPH) in known_letters()


def test_the_caller_who_proved_right_stands_on_top_and_a_late_filing_is_marked(
    report: Report, material: Material
) -> None:
    section = next(section for section in report.sections if section.title.startswith("报备"))
    right, ledger, items, tickets = [block for block in section.blocks if isinstance(block, Table)]
    assert right.rows[0][0] == material.cases[0].ticket_id
    assert ledger.rows[0][:4] == ("合计", "", "", 2)
    assert ("员工私人问题或不满处罚引发", 1, 0, 1) in items.rows
    assert tickets.rows[0][1:] == ("员工私人问题或不满处罚引发", "投诉后才提示", "已驳回,不得报备")
    assert tickets.rows[1][1:3] == ("灾害或预警恶劣天气", "投诉前已登记")


def test_a_cell_under_five_shows_its_count_only(report: Report) -> None:
    section = next(section for section in report.sections if section.title == "时限与重复")
    clocks = next(block for block in section.blocks if isinstance(block, Table))
    assert clocks.rows[1][0] == "抢修到场"
    assert (clocks.rows[1][3], clocks.rows[1][4]) == (1, None)


def test_an_empty_time_is_said_and_written_in_every_format(policy: Policy) -> None:
    empty = monthly(nothing(), Material(frame_of([], policy), policy, NOW, stored=True))
    assert {kind: len(write(empty)) > 300 for kind, write in CONTENT.items()} == dict.fromkeys(CONTENT, True)
    assert "这段时间没有工单" in CONTENT[".html"](empty).decode()


def test_a_time_of_one_ticket_is_reported(policy: Policy) -> None:
    frame = frame_of(
        [row("T1", "billing.charge", "电费突然多了一倍,请来看看是什么原因,家里没有添电器。", SINCE)], policy
    )
    one = monthly(analysis_of(frame, policy), Material(frame, policy, NOW, stored=True))
    text = "".join(_all_texts(docx.Document(io.BytesIO(CONTENT[".docx"](one)))))
    assert "T1" in text
    assert "电费突然多了一倍" in text


def test_a_time_that_has_not_ended_is_marked(policy: Policy) -> None:
    running = replace(nothing(), as_of=SINCE)
    report = monthly(running, Material(frame_of([], policy), policy, NOW, stored=True))
    assert "统计期尚未结束" in report.marks[0]


def test_a_file_has_no_ledger_and_the_report_says_so(policy: Policy) -> None:
    page = CONTENT[".html"](monthly(nothing(), Material(frame_of([], policy), policy, NOW, stored=False))).decode()
    assert "没有线索台账" in page


@pytest.mark.parametrize(
    ("value", "kind", "word"),
    [(None, "count", "—"), (1234, "count", "1,234"), (0.256, "share", "25.6%"), (-0.1, "change", "-10.0%"),
     (2.5, "times", "2.5 倍"), (1.234, "rate", "1.23"), (NOW, "time", "11-02 09:00"), (NOW.date(), "day", "2026-11-02")],
)  # fmt: skip
def test_cells_in_words(value: object, kind: str, word: str) -> None:
    assert shown(value, kind) == word  # type: ignore[arg-type]


def test_punctuation_is_chinese_beside_chinese_letters_only() -> None:
    assert typeset("先办,再报(见 2.1);12:30 到 1,000 件") == "先办\uff0c再报\uff08见 2.1\uff09\uff1b12:30 到 1,000 件"


def test_a_chart_names_its_unit_and_draws_its_tooltip() -> None:
    made = option(Chart("c", "line", ("10-01",), (Series("件", (3,)),), "看。"))
    assert made["tooltip"]["renderMode"] == "richText"
    assert made["yAxis"]["name"] == "件"


@pytest.mark.parametrize(
    ("org", "place", "same"),
    [
        ("城关供电所", ("某市", "安平县", "城关供电所"), True),
        ("安平县城关供电所", ("某市", "安平县", "城关供电所"), True),
        ("国网安平县供电公司 城关供电所", ("某市", "安平县", "城关供电所"), True),
        ("安平县 · 城关供电所", (None, "安平", "城关供电所"), True),
        ("安平县", ("某市", "安平县", "城关供电所"), True),
        ("清河县城关供电所", ("某市", "安平县", "城关供电所"), False),
        ("关供电所", ("某市", "安平县", "城关供电所"), False),
        ("城关供电所", ("某市", "安平县", None), False),
    ],
)
def test_a_place_is_the_one_asked_for_however_it_is_written(
    org: str, place: tuple[str | None, ...], same: bool
) -> None:
    assert belongs(org, place) is same  # type: ignore[arg-type]


def test_a_misspelt_place_gets_names_that_may_be_meant() -> None:
    assert close_names("城管供电所", ["城关供电所", "河湾供电所"])[0] == "城关供电所"


def test_rows_of_another_length_than_the_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="another number of cells"):
        Table("x", (Column("a"),), (("1", "2"),), "看。")
    with pytest.raises(ValueError, match="another length"):
        Chart("x", "bar", ("a",), (Series("s", (1, 2)),), "看。")


def test_a_page_cuts_a_long_table_and_says_so_and_a_workbook_does_not() -> None:
    rows = tuple((f"T{number}",) for number in range(9))
    report = Report("t", "p", NOW, (Section("s", (Table("", (Column("工单"),), rows, "看。", most=5),)),))
    page = CONTENT[".html"](report).decode()
    assert "T4" in page
    assert "T5" not in page
    assert "另有 4 行" in page
    texts = _all_texts(docx.Document(io.BytesIO(CONTENT[".docx"](report))))
    assert "T4" in texts
    assert "T5" not in texts
    assert "T8" in _all_cells(openpyxl.load_workbook(io.BytesIO(CONTENT[".xlsx"](report))))


def test_a_table_without_rows_is_a_sentence() -> None:
    report = Report("t", "p", NOW, (Section("s", (Table("", (Column("工单"),), (), "没有。"),)),))
    assert "<table>" not in CONTENT[".html"](report).decode()
    assert docx.Document(io.BytesIO(CONTENT[".docx"](report))).tables == []
