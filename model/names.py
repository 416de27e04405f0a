"""Find people's names by surname and what stands around them. Part of masking (`model.privacy`)."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

_HAN = r"[\u4e00-\u9fa5]"
_AFTER_NAME = r"(?=[,。;:、!?\s()（）“”\"⟦【\]]|的|说|讲|电话|来电|反映|致电|身份|在|是|家|和|手机|联系|$)"
_NO_PLACE = r"(?![庄村镇屯寨店街河山沟湾岗坡寺坝圩集堡堂桥路家])"
_INTRODUCED = "我叫|名叫|叫做|名字叫|名字是|姓名|联系人|户主|户名|机主|来电人|投诉人|当事人|被投诉人|本人叫"
_AT_WORK = "抄表员|收费员|营业员|柜员|催费员|检查员|台区经理|客户经理|供电所|窗口|电工|师傅|坐席|员工|窗口的|厅里的|所里的|主任|所长|经理"
_PRONOUN = "我你他她们客户就也都又没去来打是"


def given_name_spans(text: str) -> Iterator[tuple[int, int]]:
    """Spans of names in a text; honorifics and offices stay outside.

    Args:
        text: normalised text.

    Yields:
        Start and end of each name, possibly overlapping.
    """
    for pattern in _patterns():
        for found in pattern.finditer(text):
            if not _is_word(text, *found.span("x")):
                yield found.span("x")


def _is_word(text: str, start: int, end: int) -> bool:
    name, words = text[start:end], _lists()["words"]
    if name in words or text[start : start + 2] in words:
        return True
    return name in ("向", "于") and start > 0 and text[start - 1] in _PRONOUN


@cache
def _lists() -> dict[str, frozenset[str]]:
    """The word lists beside this file; single characters where the file holds a run of them."""
    data = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    split = {"words": data["words"].split(), "surnames": data["surnames"], "no_nickname": data["no_nickname"]}
    return {key: frozenset(split.get(key, value)) for key, value in data.items()}


def _any(words: frozenset[str]) -> str:
    """A pattern for any of these words, longest first."""
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


@cache
def _patterns() -> tuple["re.Pattern[str]", ...]:
    lists = _lists()
    single = "".join(sorted(lists["surnames"]))
    nick = "".join(sorted(lists["surnames"] - lists["no_nickname"]))
    polite, office = _any(lists["polite"]), _any(lists["office"])
    surname = rf"(?:{_any(lists['double_surnames'])}|[{single}])"
    full = rf"{surname}{_HAN}{{1,2}}?"
    patterns = (
        rf"(?P<x>{surname}(?:{_HAN}{{1,2}}|某{{1,2}}|x{{1,2}}|\*{{1,2}})??)(?={polite})",
        rf"(?P<x>{surname}(?:{_HAN}{{1,2}}|某{{1,2}})??)(?=(?:{office})(?!室|办|们))",
        rf"(?:{_INTRODUCED})(?:[ ]?(?:是|为|叫|:))*[ ]?(?P<x>{full}){_AFTER_NAME}",
        rf"(?<=姓)(?P<x>{surname})(?=[,。;:、!?\s)”\"的那]|$)",
        rf"(?<![大最])(?P<x>[小老阿][{nick}])(?![{single}]?(?:{polite})){_NO_PLACE}(?![时年月日学妹弟])",
        rf"(?:{_AT_WORK})(?P<x>{full})(?=[,。;:!?\s(]|说|讲|态度|不|把|没|来|上门|当|跟|给|在)",
        rf"(?P<x>[{single}]某某?)",
        rf"(?P<x>[{single}](?:某|\*|x|X){{1,2}})",
        rf"(?P<x>{surname})(?=工(?:[,。说]|程师))",
    )
    return tuple(re.compile(pattern) for pattern in patterns)
