"""A masked text with its evidence marked: runs of characters that speak for the same things."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_SIGNS = {"safety": "险", "escalation": "升", "malicious": "恶", "unreasonable": "不", "theft": "窃", "arrears": "欠"}
_NAMES = {"safety": "安全风险", "escalation": "升级风险"}
_FIRST = ("safety", "escalation", "theft", "malicious", "unreasonable", "arrears", "leaf")  # which colour wins


@dataclass(frozen=True, slots=True)
class Run:
    """Characters in a row that are evidence for the same things; `kind` is "" for those that are none.

    `sign` is a mark for those who do not see colours, `title` says it in full; both stand at the first run only of
    what is marked as a whole.
    """

    text: str
    kind: str = ""
    sign: str = ""
    title: str = ""


def runs(text: str, prediction: Mapping[str, Any], names: Mapping[str, str]) -> list[Run]:
    """Cut a text where its evidence begins and ends.

    Args:
        text: masked.
        prediction: of the stored ticket; offsets are code points of the text.
        names: of leaves and flags, by code.

    Returns:
        Runs whose texts put together are the text.
    """
    spans = [span for span in _spans(prediction, names) if 0 <= span[0] < span[1] <= len(text)]
    cuts = sorted({0, len(text), *(edge for start, end, *_ in spans for edge in (start, end))})
    found, before = [], set[tuple[str, str]]()
    for start, end in itertools.pairwise(cuts):
        here = {(kind, title) for begin, stop, kind, title in spans if begin <= start and end <= stop}
        found.append(_run(text[start:end], here, here - before))
        before = here
    return found


def legend(marked: Iterable[Run], names: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What the marks of a text mean.

    Args:
        marked: the text in runs.
        names: of flags, by code.

    Returns:
        Kind, sign and name of each kind that occurs.
    """
    here = {run.kind for run in marked}
    told = {"leaf": "类别依据", **_NAMES, **names}
    return [(kind, _SIGNS.get(kind, ""), told.get(kind, kind)) for kind in _FIRST if kind in here]


def _run(text: str, here: set[tuple[str, str]], new: set[tuple[str, str]]) -> Run:
    if not here:
        return Run(text)
    kind = min((kind for kind, _ in here), key=_FIRST.index)
    sign = "".join(_SIGNS[one] for one in _FIRST if one in _SIGNS and one in {kind for kind, _ in new})
    return Run(text, kind, sign, "、".join(sorted(title for _, title in here)))


def _spans(prediction: Mapping[str, Any], names: Mapping[str, str]) -> Iterable[tuple[int, int, str, str]]:
    """Start, end, kind and what to call it."""
    for item in prediction["evidence"]:
        told = item.get("for") or prediction["category"]["code"]
        kind = told if told in _SIGNS else "leaf"
        yield item["start"], item["end"], kind, f"依据:{names.get(told, _NAMES.get(told, told))}"
    for code in ("safety", "escalation"):
        for item in prediction[code]["evidence"]:
            yield item["start"], item["end"], code, _NAMES[code]
    for code, flag in prediction["flags"].items():
        for item in flag["evidence"] if flag["raised"] else ():
            yield item["start"], item["end"], code, f"线索:{names.get(code, code)}"
