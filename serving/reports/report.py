"""What a report is made of, whatever it is written as: sections of paragraphs, lists, tables and charts."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from model.ticket import CHINA
from serving.hotspots.options import Options

Kind = Literal["text", "count", "share", "rate", "change", "times", "day", "time"]
Cell = str | int | float | date | datetime | None
Tone = Literal["plain", "note", "warn"]
NOTHING = "—"
SMALL = Options().smallest  # cells with fewer tickets show counts only


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column. `kind` decides how its cells are written, `wide` that it takes the room that is left."""

    name: str
    kind: Kind = "text"
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns, and one sentence that says what to see. None stands for what is not shown or not known.

    Pages show the first `most` rows (0: all) and say how many they leave out; a workbook has them all.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    see: str
    most: int = 0

    @property
    def on_page(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows that a page shows."""
        return self.rows[: self.most] if self.most else self.rows

    @property
    def told(self) -> str:
        """The sentence, with how many rows a page leaves out."""
        left = len(self.rows) - len(self.on_page)
        return f"{self.see}另有 {left} 行,见 Excel。" if left else self.see

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.title!r}: a row has another number of cells than there are columns")


@dataclass(frozen=True, slots=True)
class Series:
    """One row of numbers of a chart."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars (lying) or lines over labels, and one sentence that says what to see. `unit` names the numbers."""

    title: str
    shape: Literal["bar", "line"]
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    see: str
    unit: str = "件"

    def __post_init__(self) -> None:
        if any(len(one.values) != len(self.labels) for one in self.series):
            raise ValueError(f"chart {self.title!r}: a series has another length than the labels")


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list, with a heading of its own where there is one."""

    items: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """A few large numbers on top: name, value as shown, remark."""

    items: tuple[tuple[str, str, str], ...]


Block = Table | Chart | Text | Bullets | Figures


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. `period` stands in the header of every page, `marks` on top of the first one."""

    title: str
    period: str
    made: datetime
    sections: tuple[Section, ...]
    marks: tuple[str, ...] = ()


_FULL = dict(zip(",;:?!()", "\uff0c\uff1b\uff1a\uff1f\uff01\uff08\uff09", strict=True))
_BESIDE = re.compile(r"(?<=[\u3000-\u9fff%])[,;:?!()]|[,;:?!()](?=[\u3000-\u9fff])")
_UNCLOSED = re.compile("\uff08([^()\uff08\uff09]*)\\)")
_BEHIND_BRACKET = re.compile("\uff09[,;:?!]")
_UNOPENED = re.compile("\\(([^()\uff08\uff09]*)\uff09")


def typeset(text: str) -> str:
    """Our own sentences with Chinese punctuation, as people print them; cells are left as they are.

    Args:
        text: with half-width punctuation beside Chinese letters.

    Returns:
        The same with full-width punctuation there; of a pair of brackets both.
    """
    wide = _BESIDE.sub(lambda found: _FULL[found[0]], text)
    both = "\uff08\\1\uff09"
    paired = _UNOPENED.sub(both, _UNCLOSED.sub(both, wide))
    return _BEHIND_BRACKET.sub(lambda found: found[0][0] + _FULL[found[0][1]], paired)


def shown(value: Cell, kind: Kind = "text") -> str:
    """A cell in words.

    Args:
        value: a number, a time, a text, or None.
        kind: of its column.

    Returns:
        As HTML, Word and the terminal show it; `—` for None.
    """
    if value is None or value == "":
        return NOTHING
    if isinstance(value, datetime):
        return f"{value.astimezone(CHINA):%m-%d %H:%M}"
    if isinstance(value, date | str):
        return str(value)
    if kind == "share":
        return f"{value:.1%}"
    if kind == "change":
        return f"{value:+.1%}"
    if kind == "rate":
        return f"{value:.2f}"
    if kind == "times":
        return f"{value:.1f} 倍"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
