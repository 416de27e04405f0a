"""Find people's names by surname and what stands around them. Part of `model.privacy`; all words in `names.yaml`."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import yaml

_HAN = r"[\u4e00-\u9fa5]"
_MARK = r"[,。;:、!?\s()（）“”\"⟦【】\[\]\d/|—-]"
_DOTS = "·•‧∙・"
_PREPOSITIONS = "于向和任从与同由连应"  # surnames too, but 向王师傅 is one 王
_NOBODY = frozenset("我你您他她某老该此这那各两几名个多男女盲小大本其的是和找给叫跟请问及与或吗了对把被让比像问")


class _Pattern(NamedTuple):
    """An expression whose group `x` is a name; it runs where `needs` is found in the text, always where that is empty."""

    expression: "re.Pattern[str]"
    needs: "re.Pattern[str]"
    unsure: bool = True  # a common word in this place is no name
    cut: bool = False  # the first letter may be the end of another word


def given_name_spans(text: str) -> Iterator[tuple[int, int]]:
    """Spans of names in a text; honorifics and offices stay outside.

    Args:
        text: normalised text.

    Yields:
        Start and end of each name, possibly overlapping.
    """
    seen: set[int] = set()
    for start, end in _single_names(text):
        yield start, end
        while end not in seen and (found := _listed().match(text, end)):  # 张伟、李强和王芳
            seen.add(end)
            start, end = found.span("x")
            if _is_word(text, start, end, True):
                break
            yield start, end


def _single_names(text: str) -> Iterator[tuple[int, int]]:
    for found in _titles().finditer(text):
        start = _before_title(text, found.start(), found[0])
        if start < found.start():
            yield start, found.start()
    for pattern in _patterns():
        if pattern.needs.search(text):
            for found in pattern.expression.finditer(text):
                start, end = found.span("x")
                if not _is_word(text, start, end, pattern.unsure) and not (pattern.cut and _is_cut(text, start)):
                    yield start, end


def _before_title(text: str, end: int, title: str) -> int:
    """Where the name before a title starts; the title's own start where there is none."""
    sure = title in ("先生", "女士", "小姐", "太太")
    for length in (4, 3, 2, 1):
        start = end - length
        if start < 0 or not _is_name(text, start, end):
            continue
        if not _is_word(text, start, end, not sure) and not _is_cut(text, start):
            leads = length == 1 and not sure and _leads(text, start, end + len(title))
            return end if leads else start
    rare = sure and end > 0 and "\u4e00" <= text[end - 1] <= "\u9fa5" and text[end - 1] not in _NOBODY
    return end - 1 if rare and not _glued(text, end - 1) else end


def _leads(text: str, start: int, after: int) -> bool:
    """Whether the one letter before an office is no surname but a word: 向所长反映, 连主任都去了, 任班长三年."""
    if text[start] not in "向连任应" or text[start - 1 : start] in tuple("找叫是姓和跟给被让问与位名的个"):
        return False
    if text[start] == "向" and _glued(text, start):
        return True
    return re.match(_data()["leading"], text[start] + text[after : after + 12]) is not None


def _is_name(text: str, start: int, end: int) -> bool:
    """Whether these letters can be surname and given name, and no shorter name ends here."""
    name, words = text[start:end], _words()
    surname = 2 if name[:2] in words["double_surnames"] else 1
    if len(name) > surname + 2 or (surname == 1 and name[0] not in words["surnames"]):
        return False
    if not words["not_given"].isdisjoint(name[surname:]) or not all("\u4e00" <= letter <= "\u9fa5" for letter in name):
        return False
    ends_frequent = len(name) > surname and name[-1] in words["frequent"]
    if name[0] in _PREPOSITIONS and name[1:2] in words["frequent"]:
        return False
    if len(name) == 2 and ends_frequent and name[0] not in words["frequent"] and _glued(text, start):
        return False  # 花园路张大爷
    return not (len(name) == 3 and ends_frequent and (name[:2] in words["words"] or name[:2] in words["common"]))


def _is_word(text: str, start: int, end: int, unsure: bool) -> bool:
    """Whether what looks like a name is another word or begins with one."""
    name, words = text[start:end], _words()
    if not words["words"].isdisjoint((name, name[:2])) or name[1:] in words["office"]:
        return True
    if unsure and name in words["common"]:
        return True
    alone = end - start == 1 and (name in words["edge"] or text[end : end + 1] in tuple("工队总"))  # 施工, 全部
    if alone and text[start : start + 2] in words["words"]:
        return True
    if name in words["doubtful"] and text[end : end + 1] not in words["doubtful_before"]:
        return True
    following = text[start + 1 : end + 1]  # 小程序, 老费电
    return name[0] in "小老" and (following in words["words"] or following in words["common"])


def _is_cut(text: str, start: int) -> bool:
    """Whether a surname is the end of another word: the 程 of 工程师傅."""
    if start and text[start - 1 : start + 1] in _words()["tails"]:
        return True
    return text[start] in _words()["edge"] and _glued(text, start)


def _glued(text: str, start: int) -> bool:
    """Whether a letter stands before that is no end of a word for a person."""
    return start > 0 and "\u4e00" <= text[start - 1] <= "\u9fa5" and text[start - 1] not in _words()["person_ends"]


@cache
def _data() -> dict[str, str]:
    data: dict[str, str] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return data


@cache
def _words() -> dict[str, frozenset[str]]:
    """The lists of the file beside this one; single letters where it holds a run of them."""
    return {key: frozenset(run.split() if " " in run else run) for key, run in _data().items()}


def _any(*keys: str, more: str = "") -> str:
    """A pattern for any word of these lists, longest first; flat, for then `re` looks for their first letters only."""
    words = set(more.split()).union(*(_words()[key] for key in keys))
    return "(?:" + "|".join(sorted(words, key=lambda word: (-len(word), word))) + ")"


def _letters_but(some: str) -> str:
    """A class of all Han letters but some, as ranges: one look instead of a lookahead and a look."""
    edges = [0x4E00 - 1, *sorted(map(ord, set(some))), 0x9FA5 + 1]
    spans = ((low + 1, high - 1) for low, high in pairwise(edges) if high - low > 1)
    return "[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in spans) + "]"


@cache
def _titles() -> "re.Pattern[str]":
    return re.compile(rf"{_any('polite', 'office')}(?<!班主任)(?![室办们程])")


@cache
def _listed() -> "re.Pattern[str]":
    return re.compile(f"[、和与及]{_parts()['full']}{_parts()['after']}")


@cache
def _patterns() -> tuple[_Pattern, ...]:
    """Told by a word before the name, then by what follows or by the name itself."""
    return tuple(
        _Pattern(re.compile(expression), re.compile("|".join(map(re.escape, needs.split()))), **flags)
        for expression, needs, flags in (*_told(), *_alone())
    )


@cache
def _parts() -> dict[str, str]:
    """Fragments of the expressions."""
    data, words = _data(), _words()
    given = _letters_but(data["not_given"])
    clear = "".join(sorted(words["surnames"] - words["no_nickname"] - words["edge"]))  # begin few other words
    foreign = f"(?!多次)(?:(?:乌云|高娃|[{data['foreign']}{data['mongolian']}]){{3,8}}|[{data['foreign']}]{{2,4}}花)"
    surname = rf"(?:{_any('double_surnames')}|[{data['surnames']}])"
    follows = words["says"] | words["does"]
    letters = "".join(sorted(word for word in follows if len(word) == 1))
    return {
        "surname": surname,
        "given": given,
        "full": rf"(?P<x>{surname}(?:{given}){{1,2}})",
        "told": rf"(?P<x>{surname}(?:{given}){{1,2}}|{foreign})",
        "three": rf"(?P<x>{surname}(?:{given}){{2}})",
        "foreign": f"[{data['foreign']}]",
        "sure": f"(?<=[{clear}][{data['likely_given']}]{{2}})",
        "is": rf"(?:[ ]?(?:{_any('is')}|[:(“【】),]))*[ ]?",
        "after": rf"(?={_MARK}|[{letters}]|{'|'.join(sorted(w for w in follows if len(w) > 1))}|$)",
    }


def _told() -> Iterator[tuple[str, str, dict[str, bool]]]:
    """Expressions, what they need, flags: a word for a person stands before the name."""
    part = _parts()
    full, joint = part["told"], part["is"]
    after, sure = part["after"], part["sure"]
    yield f"{_any('called')}{joint}{full}{after}", "叫 姓名 名字 户名 牌上", {"unsure": False}
    yield f"{_any('titled')}{joint}{full}(?:{after}|{sure})", "", {}
    yield f"{_any('kin')}{joint}{full}(?:{after}|{sure}|{_any('then')})", "", {}
    yield f"{_any('at_work')}(?:是|叫|名叫)?{full}(?:{after}|{sure})", "", {}
    yield f"{_any('posts')}{part['three']}(?!{part['foreign']})", "", {}
    yield f"{_any('handed')}{joint}{full}(?={_MARK}|名下|的|$)", "改 变更 过户 更名 转", {}
    yield f"{_any('near')}(?P<x>老?{part['surname']})(?=家)", "家", {}
    yield f"{_any('spelt', more='哪个')}(?P<x>{part['surname']})(?=[,。;:!?\\s吧呀啊的]|$)", "", {}
    yield f'姓(?P<x>{part["surname"]})(?=[,。;:、!?\\s)”"的那是这我你他]|$)', "姓", {"unsure": False}
    spoken = "[^\\n:]{0,10}\\n[^:\\n]{1,5}:(?:我|是|叫|姓|免贵|嗯|哦|啊|,)*"
    asked = "姓名 名字 称呼 哪位 叫什么 叫啥"
    yield f"(?:{asked.replace(' ', '|')}){spoken}{full}{after}", asked, {"unsure": False}
    end = r"(?=[,。!?\s]|的|$)"
    yield f"(?:贵姓|姓什么|姓啥){spoken}(?P<x>{part['surname']}){end}", "贵姓 姓什么 姓啥", {"unsure": False}
    yield f"⟦姓名⟧{_listed().pattern}", "⟦姓名", {}
    yield f"⟦(?:电话|身份证|银行卡)⟧[ ,(:]{{0,2}}{full}(?={_MARK}|$)", "⟦电话 ⟦身份证 ⟦银行卡", {}


def _alone() -> Iterator[tuple[str, str, dict[str, bool]]]:
    """Expressions, what they need, flags: what follows the name or its own shape tells. The first letters stand first."""
    part, data, single = _parts(), _data(), f"[{_data()['surnames']}]"
    full, after, foreign = part["full"], part["after"], part["foreign"]
    says = "[ ]?(?:的(?:户号|电[话费表]|手机|身份|账户|家|房)|来电|反映|投诉|称[,:]?|诉求|诉称|致电|报修|举报)"
    says = f"(?={says}|[ ,(]{{1,2}}[男女][ ,)、]|[ ,:(]{{0,2}}(?:电话|手机|⟦电话))"
    for begin in (r"[\n。;】:〕\]）)、,(][ ]?", "^[ ]?"):
        yield f"{begin}{full}{says}", "的 反映 称 来电 诉 报修 举报 男 女 电话 手机", {}
    follows = f"(?={_MARK}|来|说|把|打|反映|称|家|上门|名下|收|和|与|$)"
    frequent = f"(?P<x>[{data['frequent']}](?!家){part['given']}{{2}})(?<![岛坪州河桥湾城港口关店]){follows}"
    yield f"{frequent}(?<=[给问找是被让由跟和与、,。;:\\n]...)", "", {}
    yield f"^{frequent}", "", {}
    yield f"(?P<x>[{data['frequent']}][{data['likely_given']}]{{2}})(?!新村)", "", {"cut": True}
    yield f"(?P<x>{single}[小{data['likely_given']}]{{2}}){after}", "", {"cut": True}
    yield f"{part['three']}(?=[ ,:(]{{0,2}}⟦电话)", "⟦电话", {"cut": True}
    easy = "".join(sorted(_words()["surnames"] - _words()["no_nickname"]))
    places = "[庄村镇屯寨店街河山沟湾岗坡寺坝圩集堡堂桥路家时年月日学妹弟了]"
    title = f"(?![{easy}]?{_any('polite')})"
    yield f"(?P<x>[小老阿](?<![{data['no_nickname_after']}].)[{easy}]){title}(?!{places})", "小 老 阿", {}
    yield f"(?P<x>[小老阿](?<=[{data['person_ends']}].){single}){title}(?:(?=看)|{after})", "小 老 阿", {}
    yield (
        f"姓(?<=(?P<x>{single}).)(?=客户|男|女|师傅|居民|用户|市民|业主|员工|工作|村民|住户|经理|老|大)",
        "姓",
        {"cut": True},
    )
    yield f"(?P<x>{single}(?:某某?|{_HAN}?某))(?![些个种一])", "某", {"cut": True}
    yield f"(?P<x>{single}(?:\\*|x|X){{1,2}})(?![a-zA-Z])", "* x X", {"cut": True}
    speaks = f"(?:{_MARK}|说|讲|那|的|答应|来|没|不|上门|电话|在|换|$)"
    short = f"(?:[哥姐叔婶嫂姨](?![哥姐叔们])|[总工队所局](?={speaks}|程师))"
    begin = f"(?:(?<!{_HAN}..)|(?<=[找跟和给是叫问与请的让位个说长由被]..))"
    yield f"{short}(?<=(?P<x>{single}).)(?:(?<=^..)|{begin})", "哥 姐 叔 婶 嫂 姨 总 工 队 所 局", {"cut": True}
    before = f"(?:{foreign}{{2,8}}|(?<=[为叫是名])(?:{part['given']}){{2,6}})"
    yield f"(?P<x>{before}[{_DOTS}](?:{_HAN}{{1,6}}?(?:{after}|(?=户))|{foreign}{{1,8}}))", " ".join(_DOTS), {}
