"""Normalise a text and remember where each character came from.

Full width becomes half width, traditional becomes simplified (OpenCC), invisible characters go,
lone surrogates become U+FFFD. Every step keeps an alignment back to the text as sent.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import opencc

REPLACEMENT = "�"
# zero-width, direction marks, soft hyphen, BOM, tags; control characters except line breaks and tab
_INVISIBLE = re.compile("[\u20e3\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
                        "\U000e0000-\U000e007f\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
OPEN, CLOSE = "⟦", "⟧"
MASK_WORDS = ("邮箱", "身份证", "银行卡", "电话", "表号", "户号", "车牌", "微信", "工号", "地址", "姓名")
_MASKS = re.compile(f"{OPEN}(?:{'|'.join(MASK_WORDS)}){CLOSE}|[{OPEN}{CLOSE}]")
_UPPER = {code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Aligned:
    """A text derived from another one.

    `index[i]` is the position in the source of character `i`; None means that both are equally long and aligned.
    """

    text: str
    index: tuple[int, ...] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The source span of `text[start:end]`.

        Args:
            start: first character.
            end: one past the last character, greater than `start`.

        Returns:
            Start and end in the source, code points.
        """
        if self.index is None:
            return start, end
        return self.index[start], self.index[end - 1] + 1

    def then(self, following: "Aligned") -> "Aligned":
        """Chain two steps: `following` was derived from this text.

        Args:
            following: the next step.

        Returns:
            The last text, aligned to this step's source.
        """
        if self.index is None or following.index is None:
            return Aligned(following.text, following.index if self.index is None else self.index)
        return Aligned(following.text, tuple(self.index[i] for i in following.index))


def normalise(text: str) -> Aligned:
    """Bring a text into the one form that rules, dictionary and classifiers know.

    Args:
        text: any string, also with lone surrogates or NUL.

    Returns:
        The normalised text with its alignment.
    """
    plain = _SURROGATE.sub(REPLACEMENT, text).translate(_width_table())
    plain = _MASKS.sub(_own_masks_only, plain)
    simplified = _converter().convert(plain)
    if len(simplified) != len(plain):  # a phrase rule changed the length: go character by character
        simplified = "".join(_one(character) for character in plain)
    return _drop(simplified, _INVISIBLE)


def lower_ascii(text: str) -> str:
    """A to Z in lower case; nothing else changes, so the length stays.

    Args:
        text: any text.

    Returns:
        A string of the same length.
    """
    return text.translate(_UPPER)


def digit_view(text: str) -> str:
    """The text with Chinese digits as ASCII digits, equally long, for patterns over spoken numbers.

    Args:
        text: normalised text.

    Returns:
        A string of the same length (幺 and 零 included).
    """
    return text.translate(_DIGIT_TABLE)


def clip(text: str, limit: int, head: int) -> Aligned:
    """Keep the first `head` and the last `limit - head` characters of a longer text.

    Args:
        text: any text.
        limit: characters kept in all.
        head: of these, how many from the beginning.

    Returns:
        The text itself, or head and tail joined by a line break.
    """
    if len(text) <= limit:
        return Aligned(text)
    tail = len(text) - (limit - head)
    index = (*range(head), head, *range(tail, len(text)))
    return Aligned(text[:head] + "\n" + text[tail:], index)


def _drop(text: str, pattern: "re.Pattern[str]") -> Aligned:
    if not pattern.search(text):
        return Aligned(text)
    kept: Sequence[int] = [i for i, character in enumerate(text) if not pattern.match(character)]
    return Aligned("".join(text[i] for i in kept), tuple(kept))


def _own_masks_only(found: "re.Match[str]") -> str:
    """Our placeholders stay; brackets of their kind that a sender typed become square ones."""
    return found[0] if len(found[0]) > 1 else "[" if found[0] == OPEN else "]"


def _one(character: str) -> str:
    converted: str = _converter().convert(character)
    return converted if len(converted) == 1 else character


@cache
def _converter() -> Any:
    return opencc.OpenCC("t2s")


@cache
def _width_table() -> dict[int, str]:
    """Characters whose compatibility form is one other character (full width, compatibility ideographs)."""
    table = {
        code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x80, 0x10000) if not 0xD800 <= code < 0xE000
    }
    single = {code: form for code, form in table.items() if len(form) == 1 and form != chr(code)}
    return {**single, ord("　"): " ", ord("。"): "。"}


_DIGIT_TABLE = {ord(c): d for d, cs in {
    "0": "零〇○", "1": "一壹幺", "2": "二贰两", "3": "三叁", "4": "四肆",
    "5": "五伍", "6": "六陆", "7": "七柒", "8": "八捌", "9": "九玖",
}.items() for c in cs}  # fmt: skip
