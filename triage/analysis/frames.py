"""Labelled tickets from a DataFrame, checked row by row like a labelled file."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from model.calibration import CUES
from model.errors import InvalidLabels, UnreadableInput
from model.taxonomy import FLAGS, Taxonomy
from model.ticket import TEXT_KEYS, LabelledTicket
from training.batch import ticket_of
from training.batch_schema import as_of_today, failures, normalised

_SHOWN = 20
LABEL = "category"


@dataclass(frozen=True)
class LabelledFrame:
    """Labelled tickets with the index of their rows, and the cues that the frame has columns for."""

    tickets: tuple[LabelledTicket, ...]
    index: tuple[Hashable, ...]
    cues: tuple[str, ...]


def labelled_frame(frame: pd.DataFrame, taxonomy: Taxonomy) -> LabelledFrame:
    """Read labelled tickets.

    Args:
        frame: a text column (`content`, `text`, `受理内容` …) and `category`; `flags`, `safety`, `escalation` and the
            other columns of a labelled file where they are known.
        taxonomy: the codes allowed.

    Returns:
        The tickets, row by row.

    Raises:
        UnreadableInput: no text column, or no `category`.
        InvalidLabels: some rows must be mended.
    """
    need_text(frame)
    if LABEL not in frame.columns:
        raise UnreadableInput(f"DataFrame 没有标注列 {LABEL};请补上类别代码")
    cells = [{str(name): cell(value) for name, value in row.items()} for row in frame.to_dict("records")]
    rows = [as_of_today(normalised(row), taxonomy) for row in cells]
    wrong = failures(rows, taxonomy)
    if wrong:
        problems = [f"第 {n + 1} 行:{';'.join(f'{what},{mend}' for what, mend in told)}" for n, told in wrong.items()]
        shown = "\n".join(problems[:_SHOWN])
        raise InvalidLabels(f"{len(problems)} 行须改正:\n{shown}", problems)
    tickets = tuple(ticket_of(row, f"row-{number}") for number, row in enumerate(rows, 1))
    told = {*frame.columns, *(FLAGS if "flags" in frame.columns else ())}
    return LabelledFrame(tickets, tuple(frame.index), tuple(cue for cue in CUES if cue in told))


def need_text(frame: pd.DataFrame) -> None:
    """Refuse a frame without text.

    Args:
        frame: of tickets.

    Raises:
        UnreadableInput: none of the columns holds the text.
    """
    if not set(TEXT_KEYS) & set(frame.columns):
        raise UnreadableInput(f"DataFrame 没有正文列({'、'.join(TEXT_KEYS)});请改列名")


def cell(value: Any) -> Any:
    """A cell's value.

    Args:
        value: of a DataFrame.

    Returns:
        None where pandas means that nothing is there.
    """
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value
