"""A report as a Word document: real headings, native tables, pictures, header and footer with page numbers."""

import io
from typing import Any

from model.spreadsheet import ILLEGAL
from serving.reports.charts import picture
from serving.reports.report import Block, Bullets, Chart, Figures, Report, Table, Text, shown, typeset

_LATIN, _CHINESE = "Arial", "微软雅黑"
_BODY, _SMALL = 10.5, 9  # points
_HEAD_FILL = "E8EEF4"
_WIDTH = 16.5  # centimetres between the margins of A4
_TITLES = ("Title", "Heading 1", "Heading 2", "Heading 3")
_BULLET, _CAPTION, _NORMAL, _GRID = "List Bullet", "Caption", "Normal", "Table Grid"


def document(report: Report) -> bytes:
    """Write a report as .docx.

    Args:
        report: any.

    Returns:
        The file's bytes.
    """
    import docx

    file = docx.Document()
    _styles(file)
    _page(file, report)
    _about(file, report)
    file.add_heading(_own(report.title), 0)
    file.add_paragraph(f"{report.period} · {report.made:%Y-%m-%d %H:%M} 生成")
    for mark in report.marks:
        _paragraph(file, Text(mark, "warn"))
    for section in report.sections:
        file.add_heading(_own(section.title), 1)
        for block in section.blocks:
            _block(file, block)
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def _block(file: Any, block: Block) -> None:
    if isinstance(block, Text):
        _paragraph(file, block)
    elif isinstance(block, Bullets):
        if block.title:
            file.add_heading(_own(block.title), 2)
        for item in block.items:
            file.add_paragraph(_own(item), _BULLET)
    elif isinstance(block, Figures):
        _figures(file, block)
    elif isinstance(block, Chart):
        _picture(file, block)
    else:
        _table(file, block)


def _paragraph(file: Any, block: Text) -> None:
    from docx.shared import Pt, RGBColor

    run = file.add_paragraph().add_run(_own(block.text))
    if block.tone == "warn":
        run.bold, run.font.color.rgb = True, RGBColor(0xB3, 0x37, 0x2B)
    elif block.tone == "note":
        run.font.size, run.font.color.rgb = Pt(_SMALL), RGBColor(0x5A, 0x6B, 0x7A)


def _figures(file: Any, block: Figures) -> None:
    """One row of large numbers as a table without a header."""
    from docx.shared import Pt

    table = file.add_table(rows=1, cols=len(block.items), style=_GRID)
    for cell, (name, value, remark) in zip(table.rows[0].cells, block.items, strict=True):
        _fill(cell, name, size=_SMALL)
        run = cell.add_paragraph().add_run(_clean(value))
        run.bold, run.font.size = True, Pt(16)
        if remark:
            cell.add_paragraph().add_run(_own(remark)).font.size = Pt(_SMALL - 1)
    file.add_paragraph()


def _picture(file: Any, chart: Chart) -> None:
    from docx.shared import Cm

    file.add_heading(_own(chart.title), 2)
    drawn = file.add_picture(io.BytesIO(picture(chart)), width=Cm(_WIDTH))
    drawn._inline.docPr.set("descr", _own(f"{chart.title}。{chart.see}"))  # what a screen reader says
    file.paragraphs[-1].paragraph_format.keep_with_next = True
    file.add_paragraph(_own(chart.see), _CAPTION)


def _table(file: Any, block: Table) -> None:
    if block.title:
        file.add_heading(_own(block.title), 2)
    if block.rows:
        _grid(file, block)
    file.add_paragraph(_own(block.told), _CAPTION)


def _grid(file: Any, block: Table) -> None:
    from docx.oxml import OxmlElement

    table = file.add_table(rows=1 + len(block.on_page), cols=len(block.columns), style=_GRID)
    table.autofit = False
    widths = _widths(block)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    head, *lines = table.rows
    head._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # again on every page
    for cell, column, width in zip(head.cells, block.columns, widths, strict=True):
        cell.width = width
        _fill(cell, typeset(column.name), right=column.kind != "text", head=True)
    for line, row in zip(lines, block.on_page, strict=True):
        line._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for cell, value, column, width in zip(line.cells, row, block.columns, widths, strict=True):
            cell.width = width
            _fill(cell, shown(value, column.kind), right=column.kind != "text")


def _widths(block: Table) -> list[Any]:
    from docx.shared import Cm

    parts = [4.0 if column.wide else 1.6 if column.kind == "text" else 1.0 for column in block.columns]
    return [Cm(_WIDTH * part / sum(parts)) for part in parts]


def _fill(cell: Any, text: str, *, right: bool = False, head: bool = False, size: float = _SMALL) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    run = paragraph.add_run(_clean(text))
    run.font.size, run.bold = Pt(size), head
    paragraph.paragraph_format.space_after = Pt(0)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    if head:
        shade = OxmlElement("w:shd")
        for name, value in (("val", "clear"), ("color", "auto"), ("fill", _HEAD_FILL)):
            shade.set(qn(f"w:{name}"), value)
        cell._tc.get_or_add_tcPr().append(shade)


def _styles(file: Any) -> None:
    """One Latin and one Chinese font for everything; headings would take the theme's otherwise."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    for name in (_NORMAL, *_TITLES, _BULLET, _CAPTION, "Header", "Footer"):
        style = file.styles[name]
        style.font.name = _LATIN
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        fonts.set(qn("w:eastAsia"), _CHINESE)
        if name in _TITLES:
            style.font.color.rgb = RGBColor(0x1D, 0x27, 0x33)
    for language in file.styles.element.iter(qn("w:lang")):
        language.set(qn("w:eastAsia"), "zh-CN")
    file.styles[_NORMAL].font.size = Pt(_BODY)
    caption = file.styles[_CAPTION].font
    caption.bold, caption.size, caption.color.rgb = False, Pt(_SMALL), RGBColor(0x5A, 0x6B, 0x7A)


def _page(file: Any, report: Report) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm

    section = file.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm((21 - _WIDTH) / 2)
    section.top_margin = section.bottom_margin = Cm(2)
    section.header.paragraphs[0].text = _clean(f"{report.title} · {report.period}")
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    footer.add_run("第 ")
    _field(footer, "PAGE")
    footer.add_run(typeset(" 页,共 "))
    _field(footer, "NUMPAGES")
    footer.add_run(" 页")


def _field(paragraph: Any, name: str) -> None:
    """A number that Word counts itself."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), name)
    run = OxmlElement("w:r")
    text = OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    paragraph._p.append(field)


def _about(file: Any, report: Report) -> None:
    about = file.core_properties
    about.title, about.subject, about.author = _own(report.title), _clean(report.period), "complaint-triage"
    about.comments, about.language = "", "zh-CN"
    about.created = about.modified = report.made.replace(tzinfo=None)


def _clean(text: str) -> str:
    """Without characters that XML cannot hold."""
    return text.translate(ILLEGAL)


def _own(text: str) -> str:
    """A sentence of ours, typeset."""
    return _clean(typeset(text))
