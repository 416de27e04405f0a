"""Normalise a text and remember where each character came from.

Full width becomes half width, traditional becomes simplified (OpenCC), invisible characters go,
lone surrogates become U+FFFD. Every step keeps an alignment back to the text as sent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from model.characters import one_for_one, simplified
from model.disguises import edits
from model.lookalikes import Edit

REPLACEMENT = "�"
# zero-width, direction marks, soft hyphen, BOM, tags; control characters except line breaks and tab
_INVISIBLE = re.compile("[\u20e3\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
                        "\U000e0000-\U000e007f\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
OPEN, CLOSE = "⟦", "⟧"
MASK_WORDS = ("邮箱", "身份证", "银行卡", "电话", "表号", "户号", "车牌", "微信", "工号", "地址", "姓名")
_MASKS = re.compile(f"{OPEN}(?:{'|'.join(MASK_WORDS)}){CLOSE}|[{OPEN}{CLOSE}]")
_ROUNDS = 10  # a disguise under a disguise; a text is never looked at more often
_UPPER = {code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Aligned:
    """A text derived from another one.

    `index[i]` is the position in the source of character `i`, `ends[i]` one past its last one (None: the next);
    no `index` means that both are equally long and aligned.
    """

    text: str
    index: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None

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
        return self.index[start], self._end(end - 1)

    def then(self, following: "Aligned") -> "Aligned":
        """Chain two steps: `following` was derived from this text.

        Args:
            following: the next step.

        Returns:
            The last text, aligned to this step's source.
        """
        if self.index is None or following.index is None:
            known = following if self.index is None else self
            return Aligned(following.text, known.index, known.ends)
        index = tuple(map(self.index.__getitem__, following.index))
        if self.ends is None and following.ends is None:
            return Aligned(following.text, index)
        mine = self.ends or [i + 1 for i in self.index]
        theirs = (i - 1 for i in following.ends) if following.ends else following.index
        return Aligned(following.text, index, tuple(map(mine.__getitem__, theirs)))

    def _end(self, position: int) -> int:
        """One past the last source character of a character."""
        if self.ends is not None:
            return self.ends[position]
        return (position if self.index is None else self.index[position]) + 1


def normalise(text: str) -> Aligned:
    """Bring a text into the one form that rules, dictionary and classifiers know.

    Args:
        text: any string, also with lone surrogates or NUL.

    Returns:
        The normalised text with its alignment.
    """
    plain = plain_form(text)
    return plain.then(undisguise(plain.text))


def plain_form(text: str) -> Aligned:
    """Half width, simplified, without invisible characters; wordings stay as they are.

    Args:
        text: any string, also with lone surrogates or NUL.

    Returns:
        The text with its alignment.
    """
    plain = _SURROGATE.sub(REPLACEMENT, text).translate(one_for_one())
    plain = _MASKS.sub(_own_masks_only, plain)
    return _drop(simplified(plain), _INVISIBLE)


def undisguise(text: str) -> Aligned:
    """Take off what keeps words of the trade from being recognised: 停*电, 停店, tingdian, 亻亭电, 停⚡.

    Args:
        text: text in half width and simplified characters.

    Returns:
        The text itself where nothing is disguised, else the plain wording with its alignment.
    """
    aligned = Aligned(text)
    for _ in range(_ROUNDS):
        found = edits(aligned.text)
        if not found:
            break
        aligned = aligned.then(_edited(aligned.text, found))
    return aligned


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


def _edited(text: str, found: Sequence[Edit]) -> Aligned:
    """A new wording as long as the old one is aligned character by character, another stands for all of it."""
    parts: list[str] = []
    index: list[int] = []
    ends: list[int] = []
    position = 0
    for start, end, new in (*found, Edit(len(text), len(text), "")):
        each = len(new) == end - start
        parts += [text[position:start], new]
        index += [*range(position, start), *(range(start, end) if each else [start] * len(new))]
        ends += [*range(position + 1, start + 1), *(range(start + 1, end + 1) if each else [end] * len(new))]
        position = end
    return Aligned("".join(parts), tuple(index), tuple(ends))


def _drop(text: str, pattern: "re.Pattern[str]") -> Aligned:
    if not pattern.search(text):
        return Aligned(text)
    kept: Sequence[int] = [i for i, character in enumerate(text) if not pattern.match(character)]
    return Aligned("".join(text[i] for i in kept), tuple(kept))


def _own_masks_only(found: "re.Match[str]") -> str:
    """Our placeholders stay; brackets of their kind that a sender typed become square ones."""
    return found[0] if len(found[0]) > 1 else "[" if found[0] == OPEN else "]"


_DIGIT_TABLE = {ord(c): d for d, cs in {
    "0": "零〇○", "1": "一壹幺", "2": "二贰两", "3": "三叁", "4": "四肆",
    "5": "五伍", "6": "六陆", "7": "七柒", "8": "八捌", "9": "九玖",
}.items() for c in cs}  # fmt: skip
