"""Words of the trade under a wrong character of like sound or shape (停店, 抄裱). Data: lookalikes.yaml.

A wording is put right only where it is no word itself and its neighbours do not explain it, so that clean text stays.
"""

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import ahocorasick
import yaml

_COMMON = 20_000  # occurrences in jieba's dictionary from which a character stands for itself too often to be a slip
_RARE = 400  # and up to which one of a group of shapes is seldom meant
_LONGEST = 8  # characters of the longest word of the trade
_HAN_FIRST, _HAN_LAST = "\u3400", "\u9fff"


class Edit(NamedTuple):
    """Put `new` where `text[start:end]` stands."""

    start: int
    end: int
    new: str


def is_han(character: str) -> bool:
    """Whether a character is Chinese.

    Args:
        character: one character, or nothing.

    Returns:
        True for a Chinese character.
    """
    return _HAN_FIRST <= character <= _HAN_LAST


def is_word(wording: str) -> bool:
    """Whether a wording is a word of two characters in the general language, or of the trade.

    Args:
        wording: any string.

    Returns:
        True if it is.
    """
    return _is_usual(wording) or wording in lists()["pinyin_of"]


def explained(before: str, wording: str, after: str) -> bool:
    """Whether the ends of a wording belong to their neighbours (商+店 费+用).

    Args:
        before: the character before it, or nothing.
        wording: two characters or more.
        after: the character after it, or nothing.

    Returns:
        True if either end makes a word with its neighbour.
    """
    return is_word(before + wording[0]) or is_word(wording[-1] + after)


def trade_words(text: str) -> Iterator[tuple[int, int]]:
    """Places of words of the trade.

    Args:
        text: normalised text.

    Yields:
        Their spans, in order of their ends.
    """
    for last, word in _automata()[0].iter(text):
        yield last + 1 - len(word), last + 1


def slips(text: str) -> list[Edit]:
    """Wrong characters in words of the trade.

    Args:
        text: normalised text.

    Returns:
        Edits in order that do not overlap.
    """
    odd = _odd_pairs()
    if odd.isdisjoint(pairwise(text)):
        return []
    places = [at for at, pair in enumerate(pairwise(text)) if pair in odd]
    wrong = {Edit(last + 1 - len(word), last + 1, word) for at in places for last, word in _wrong_near(text, at)}
    taken = {at for span in trade_words(text) for at in range(*span)}
    found = []
    for start, end, word in sorted(wrong, key=lambda edit: (edit.start, -edit.end)):
        before = text[start - 1] if start and (len(word) == 2 or text[start] != word[0]) else ""
        after = text[end : end + 1] if len(word) == 2 or text[end - 1] != word[-1] else ""
        if taken.isdisjoint(range(start, end)) and not explained(before, text[start:end], after):
            found.append(Edit(start, end, word))
            taken.update(range(start, end))
    return found


def twins(text: str) -> list[Edit]:
    """Characters mistaken for another of the same looks, where only the other one makes a word with a neighbour.

    Args:
        text: normalised text.

    Returns:
        Edits of one character each, no two beside each other.
    """
    found: list[Edit] = []
    for match in _twin_characters().finditer(text):
        at, wrong = match.start(), match[0]
        before, after = text[max(at - 1, 0) : at], text[at + 1 : at + 2]
        meant = not lists()["plain"].isdisjoint((before + wrong, wrong + after))
        if meant or (found and found[-1].end == at) or explained(before, wrong, after):
            continue
        right = next((c for c in _twins()[wrong] if explained(before, c, after)), None)
        if right:
            found.append(Edit(at, at + 1, right))
    return found


def _wrong_near(text: str, at: int) -> Iterator[tuple[int, str]]:
    return _automata()[1].iter(text, max(0, at - _LONGEST), min(len(text), at + 2 + _LONGEST))  # type: ignore[no-any-return]


@cache
def lists() -> dict[str, Any]:
    """The lists of lookalikes.yaml, and what follows from them.

    Returns:
        `pinyin_of` word, `word_of` pinyin, `radicals` and `parts` by pair, `things` by picture; the rest as it stands.
    """
    data = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    sounds = _sounds(data["sounds"])
    words = f"{data['words']} {data['spelt']}".split()
    spelt = {w: data["readings"].get(w) or " ".join(sounds.get(c, "?") for c in w) for w in words}
    return {
        **data,
        "sounds": sounds,
        "pinyin_of": spelt,
        "word_of": {pinyin.replace(" ", ""): word for word, pinyin in reversed(spelt.items()) if "?" not in pinyin},
        "radicals": {pair[1:]: pair[0] for pair in data["radicals"].split()},
        "parts": {pair[1:]: pair[0] for pair in data["parts"].split()},
        "plain": frozenset(data["plain"].split()),
        "twins": {item[0]: item[1:] for item in data["twins"].split()},
        "things": {picture: thing for thing, pictures in data["emoji"].items() for picture in pictures},
    }


def _sounds(text: str) -> dict[str, str]:
    """Syllable of each character of GB 2312 level 1, from the first character of each syllable."""
    first = {item[-1]: item[:-1] for item in text.split()}
    level = bytes(byte for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF) for byte in (high, low))
    sounds, syllable = {}, "a"
    for character in level.decode("gb2312", errors="ignore"):
        syllable = first.get(character, syllable)
        sounds[character] = syllable
    return sounds


@cache
def _automata() -> tuple["ahocorasick.Automaton", "ahocorasick.Automaton"]:
    """Words of the trade as they are, and with one wrong character."""
    right, wrong = ahocorasick.Automaton(), ahocorasick.Automaton()
    for word in lists()["pinyin_of"]:
        right.add_word(word, word)
    for wording, word in _wrong_wordings().items():
        wrong.add_word(wording, word)
    right.make_automaton()
    wrong.make_automaton()
    return right, wrong


@cache
def _twins() -> dict[str, str]:
    """Characters that are seldom meant, with those they are mistaken for."""
    shapes = ((c, group[0]) for group in lists()["shapes"].split() for c in group[1:])
    seldom = {c: right for c, right in shapes if _general()[1].get(c, 0) < _RARE}
    return {**seldom, **lists()["twins"]}


@cache
def _twin_characters() -> "re.Pattern[str]":
    return re.compile(f"[{''.join(_twins())}]")


@cache
def _odd_pairs() -> frozenset[tuple[str, ...]]:
    """One pair of characters of each wrong wording, no word itself where there is a choice; quick to look for."""
    found = set()
    for wording, word in _wrong_wordings().items():
        at = next(i for i, (is_, should) in enumerate(zip(wording, word, strict=True)) if is_ != should)
        pairs = [wording[i : i + 2] for i in (at - 1, at) if 0 <= i < len(wording) - 1]
        oddest: str = min(pairs, key=_is_usual)
        found.add(tuple(oddest))
    return frozenset(found)


@cache
def _wrong_wordings() -> dict[str, str]:
    """Each wording with one wrong character that is no word itself, and the word it stands for."""
    data = lists()
    alike: dict[str, set[str]] = {}
    for character, sound in data["sounds"].items():
        alike.setdefault(sound, set()).add(character)
    for group in data["shapes"].split():
        for character in group:
            alike.setdefault(character, set()).update(group)
    one = _general()[1]
    common = {character for character, times in one.items() if times > _COMMON}
    plain, found = {*data["plain"], *data["pinyin_of"]}, dict[str, str]()
    for word in dict.fromkeys(data["words"].split()):
        for at, sound in enumerate(data["pinyin_of"][word].split(" ")):
            for character in sorted((alike.get(sound, set()) | alike.get(word[at], set())) - {word[at]} - common):
                wording = word[:at] + character + word[at + 1 :]
                inside = (wording[i : i + 2] for i in (at - 1, at) if 0 <= i < len(word) - 1)
                is_plain = wording in plain or (len(word) != 3 and any(map(_is_usual, inside)))
                if not is_plain:
                    found.setdefault(wording, word)
    return found


def _is_usual(wording: str) -> bool:
    """Whether a wording is a word of two characters in the general language."""
    return len(wording) == 2 and wording[1] in _general()[0].get(wording[0], "")


@cache
def _general() -> tuple[dict[str, str], dict[str, int]]:
    """Second characters by first of words of two, and how often one is a word: jieba's dictionary, read, not imported."""
    found = importlib.util.find_spec("jieba")
    places = found.submodule_search_locations if found else None
    two: dict[str, list[str]] = {}
    one: dict[str, int] = {}
    with (Path((places or [""])[0]) / "dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            if line[2:3] == " ":
                two.setdefault(line[0], []).append(line[1])
            elif line[1:2] == " ":
                one[line[0]] = int(line.split(" ")[1])
    return {first: "".join(seconds) for first, seconds in two.items()}, one
