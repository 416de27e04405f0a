"""What two triages see differently in the same tickets."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from model.calibration import CUES
from model.taxonomy import Taxonomy
from triage.analysis.frames import LABEL, cell, need_text

SHOWN = ("category", "confidence", "decision")
_COMPARED = ("category", "decision", *CUES)
NEGATIVE, POSITIVE = "negative", "positive"
_ORDER = (NEGATIVE, POSITIVE, "")
Predict = Callable[[pd.DataFrame], pd.DataFrame]


def compare(before: Predict, after: Predict, frame: pd.DataFrame, taxonomy: Taxonomy) -> pd.DataFrame:
    """Predict the same tickets twice and keep those whose prediction changed.

    Args:
        before: predicts a frame.
        after: predicts a frame.
        frame: tickets; with a column `category` also labels, which may be missing here and there.
        taxonomy: the codes allowed as labels.

    Returns:
        One row for each changed ticket, with the frame's own index: `changed` (names joined by `|`), category, confidence
        and decision of both (`…_before`, `…_after`), and with labels `label` and `flip`: `negative` (was right, is
        wrong), `positive`, or empty. Negative flips stand first, those sent out unread before the others.
    """
    need_text(frame)
    old, new = before(frame).reset_index(drop=True), after(frame).reset_index(drop=True)
    differs = pd.DataFrame({name: _differs(old[name], new[name]) for name in _COMPARED})
    table = pd.DataFrame({"changed": differs.apply(lambda row: "|".join(row.index[row]), axis=1)})
    for name in SHOWN:
        table[f"{name}_before"], table[f"{name}_after"] = old[name], new[name]
    if LABEL in frame.columns:
        table["label"] = [_label(value, taxonomy) for value in frame[LABEL]]
        table["flip"] = [_flip(*row) for row in zip(table["label"], old["category"], new["category"], strict=True)]
    rows = _ordered(table[differs.any(axis=1)])
    return table.loc[rows].set_axis(frame.index[rows])


def _differs(old: pd.Series, new: pd.Series) -> pd.Series:
    return (old != new) & ~(old.isna() & new.isna())


def _label(value: Any, taxonomy: Taxonomy) -> str | None:
    if cell(value) is None:
        return None
    code = str(value).strip()
    today = taxonomy.today(code)
    return today[0] if len(today) == 1 else taxonomy.leaf(code).code


def _flip(label: str | None, before: str, after: str) -> str:
    if label is None or before == after or label not in (before, after):
        return ""
    return NEGATIVE if label == before else POSITIVE


def _ordered(changed: pd.DataFrame) -> list[int]:
    """Rows in the order in which they are worth a look."""
    if "flip" not in changed:
        return list(changed.index)
    keys = {"rank": changed["flip"].map(_ORDER.index), "read": changed["decision_after"] != "auto"}
    by = [*keys, "confidence_after"]
    return list(changed.assign(**keys).sort_values(by, ascending=[True, True, False], kind="stable").index)
