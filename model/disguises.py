"""Disguises of words in a text: characters set apart, emoji, pinyin, parts of characters, wrong characters.

On clean text nothing is found; each finder begins with one search that costs microseconds. Data: lookalikes.yaml.
"""

import re
from collections.abc import Iterator
from functools import cache

from model.lookalikes import Edit, explained, is_han, is_word, lists, slips, trade_words, twins

Span = tuple[int, int]
_HAN = "\u3400-\u9fff"
_PICTURES = "\u2600-\u27bf\u2b00-\u2bff\u23e9-\u23f3\U0001f170-\U0001f251\U0001f300-\U0001faff"
_LOOSE = rf"[ \t*.·•_~^+=#|/\\'`\"…{_PICTURES}-]"
_GAP = re.compile(rf"{_LOOSE}{_LOOSE}{{0,2}}(?=[{_HAN}])")
_FIRM = ",;:!?。"  # stand between characters of clean text too; only long rows of them are a disguise
_FIRM_ROW = re.compile(rf"[{_FIRM}](?<=[{_HAN}].)(?:[{_HAN}][{_FIRM}]){{4,}}(?=[{_HAN}])")
_FIRM_GAP = re.compile(f"[{_FIRM}]")
_TOUCHING = re.compile(rf"[{_HAN}](?=[{_HAN}])")
_LATIN = re.compile("[a-zA-Z]+(?:[ '-][a-zA-Z]+)*")
_PICTURE = re.compile(f"[{_PICTURES}]")
_LETTERS = re.compile("[a-zA-Z][a-zA-Z]")
_TOKEN = re.compile("[a-zA-Z]+")
_ACCOUNT = "微信|薇信|威信|企微|邮箱|(?<![0-9])号|(?<![a-z])(?:[vw]x|qq|weixin|v信|v(?=:))|(?<=加)v"
_AN_ADDRESS = re.compile(
    rf"(?:(?:{_ACCOUNT})[^,。]{{0,3}}[a-z0-9_.-]{{0,20}}|[@._/][a-z0-9]{{0,20}}|[0-9]-?)$", re.IGNORECASE
)
_AMOUNT = "[0-9]{0,3}(?:[.][0-9]+)?[ ]?[天次个小户年月日点号家块度回遍分元多周趟楼层]"  # tingdian3天
_OF_ADDRESS = re.compile(rf"[_/]|\.[a-zA-Z]|[a-zA-Z0-9_.-]{{0,64}}(?:@|艾特|圈a)|-?[0-9](?!{_AMOUNT})")
_SHORT = 4  # shorter wordings have nothing around them that would tell a slip from what is meant
_MANY = 6  # gaps in a text that is set apart as a whole
_MOST_TOKENS = 4
_PARTICLES = "了吗呢啊呀吧的啦哦呗嘛"


def edits(text: str) -> list[Edit]:
    """The edits of the first kind of disguise that a text has; call again on the edited text.

    Args:
        text: text in half width and simplified characters.

    Returns:
        Edits in order that do not overlap; none for a text without disguise, or with too few characters to tell.
    """
    if len(text) < _SHORT:
        return []
    for find in (_emoji, _apart, _latin, _parts, slips, twins):
        if found := find(text):
            return found
    return []


def _emoji(text: str) -> list[Edit]:
    """A picture for a thing, where that thing makes a word with a neighbour or stands inside a clause."""
    found = []
    for match in _pictures().finditer(text):
        before, after = text[max(match.start() - 1, 0) : match.start()], text[match.end() : match.end() + 1]
        thing = lists()["things"][match[0]]
        if thing in (before, after) or is_word(before + after) or _PICTURE.search(before + after):
            continue
        inside = is_han(before) and is_han(after) and before not in _PARTICLES
        if is_word(before + thing) or is_word(thing + after) or inside:
            found.append(Edit(*match.span(), thing))
    return found


def _apart(text: str) -> list[Edit]:
    """Characters set apart: rows of single characters, most of a text, or a word of the trade."""
    gaps = [m.span() for m in _GAP.finditer(text) if m.start() and is_han(text[m.start() - 1])]
    if len(gaps) >= _MANY and len(gaps) > len(_TOUCHING.findall(text)):
        chosen = set(gaps)
    else:
        in_rows = _rows(text, [gap for gap in gaps if text[gap[0]] != "/"])  # 元/平/月
        chosen = {gap for row in in_rows for gap in row} | set(_inside_words(text, gaps))
    for row in _FIRM_ROW.finditer(text):
        chosen |= {gap.span() for gap in _FIRM_GAP.finditer(text, *row.span())}
    return [Edit(*gap, "") for gap in sorted(chosen)]


def _rows(text: str, gaps: list[Span]) -> Iterator[list[Span]]:
    """Rows of at least two gaps with one character between; a row of just two has to stand alone."""
    row: list[Span] = []
    for gap in [*gaps, (-9, -9)]:
        if row and gap[0] != row[-1][1] + 1:
            first, last = row[0][0] - 1, row[-1][1] + 1
            alone = not (first and is_han(text[first - 1])) and not is_han(text[last : last + 1])
            if len(row) > 2 or (len(row) == 2 and alone):
                yield row
            row = []
        row.append(gap)


def _inside_words(text: str, gaps: list[Span]) -> Iterator[Span]:
    """Gaps inside a word of the trade, unless its ends belong to their neighbours (停 电话)."""
    if not gaps:
        return
    joined, cuts, position = "", dict[int, Span](), 0
    for gap in gaps:
        joined += text[position : gap[0]]
        cuts[len(joined)] = gap
        position = gap[1]
    joined += text[position:]
    for start, end in trade_words(joined):
        if inside := [cuts[at] for at in range(start + 1, end) if at in cuts]:
            before = joined[start - 1] if start and start not in cuts else ""
            after = joined[end : end + 1] if end not in cuts else ""
            if not explained(before, joined[start:end], after):
                yield from inside


def _latin(text: str) -> list[Edit]:
    """Words of the trade in pinyin (tingdian, ting dian), and the few usual initials next to Chinese (td)."""
    found: list[Edit] = []
    for match in _LATIN.finditer(text) if _LETTERS.search(text) else ():
        tokens = [m.span() for m in _TOKEN.finditer(text, *match.span()) if not _is_address(text, *m.span())]
        first = 0
        while first < len(tokens):
            edit, used = _longest(text, tokens[first : first + _MOST_TOKENS])
            found += [edit] if edit else []
            first += used
    return found


def _longest(text: str, tokens: list[Span]) -> tuple[Edit | None, int]:
    """The word that begins with the first token and takes most of them, and how many it takes."""
    start = tokens[0][0]
    for count in range(len(tokens), 0, -1):
        end = tokens[count - 1][1]
        if word := _spelt("".join(text[slice(*token)] for token in tokens[:count]).lower()):
            return Edit(start, end, word), count
    end = tokens[0][1]
    word = _abbreviated(text[max(start - 1, 0) : start], text[start:end], text[end : end + 1])
    return (Edit(start, end, word) if word else None), 1


def _is_address(text: str, start: int, end: int) -> bool:
    """Whether letters belong to an address, a link or a name of an account (gongdian2020): masking has to see it."""
    return bool(_AN_ADDRESS.search(text, max(start - 28, 0), start) or _OF_ADDRESS.match(text, end))


def _spelt(letters: str) -> str:
    """The words that letters spell out altogether, or nothing."""
    if not _syllables().fullmatch(letters):
        return ""
    return "".join(lists()["word_of"][part] for part in _syllables_one().findall(letters))


def _abbreviated(before: str, letters: str, after: str) -> str:
    """The word of the trade with these initials, where nothing but Chinese is beside them."""
    beside = [c for c in (before, after) if not (c.isspace() or c in _FIRM)]
    return lists()["initials"].get(letters, "") if beside and all(map(is_han, beside)) else ""


def _parts(text: str) -> list[Edit]:
    """Parts of a character for the character; parts that are characters themselves need a word around them."""
    found: list[Edit] = []
    for match in _first_parts().finditer(text):
        start = match.start()
        if found and start < found[-1].end:
            continue
        pair = text[start : start + 2]
        if whole := lists()["radicals"].get(pair):
            found.append(Edit(start, start + 2, whole))
        elif whole := lists()["parts"].get(pair):
            before, after = text[max(start - 1, 0) : start], text[start + 2 : start + 3]
            wanted = is_word(before + whole) or is_word(whole + after)
            if wanted and not is_word(pair) and not _stands_alone(before, pair, after, whole):
                found.append(Edit(start, start + 2, whole))
    return found


def _stands_alone(before: str, pair: str, after: str, whole: str) -> bool:
    """Whether the parts belong to their neighbours, and the whole makes no word of the trade that says otherwise."""
    trade = lists()["pinyin_of"]
    return explained(before, pair, after) and before + whole not in trade and whole + after not in trade


@cache
def _pictures() -> "re.Pattern[str]":
    return re.compile(f"[{''.join(lists()['things'])}]")


@cache
def _first_parts() -> "re.Pattern[str]":
    return re.compile(f"[{''.join({pair[0] for name in ('radicals', 'parts') for pair in lists()[name]})}]")


@cache
def _syllables_one() -> "re.Pattern[str]":
    return re.compile("|".join(sorted(lists()["word_of"], key=lambda letters: (-len(letters), letters))))


@cache
def _syllables() -> "re.Pattern[str]":
    return re.compile(f"(?:{_syllables_one().pattern})+")
