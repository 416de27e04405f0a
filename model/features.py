"""What the linear classifier reads: one string of characters and one of words, each character with its origin."""

import re
from dataclasses import dataclass
from itertools import accumulate

from model.segmenter import Segmenter
from model.text import Aligned, lower_ascii
from model.turns import AGENT, CUSTOMER, HEADER, Segment, split_turns

_NUMBER = re.compile(r"\d+(?:\.\d+)?|\s+")


@dataclass(frozen=True, slots=True)
class Features:
    """Both views of a text: characters aligned to the masked text, and `words`, cut from the same characters."""

    characters: Aligned
    words: list[str]
    pieces: list[str]  # words and the blanks between them

    @property
    def word_starts(self) -> list[int]:
        """Position of each word in `characters.text`."""
        starts = accumulate((len(piece) for piece in self.pieces), initial=0)
        return [start for start, piece in zip(starts, self.pieces, strict=False) if not piece.isspace()]


def features(text: str, segmenter: Segmenter) -> Features:
    """Prepare a masked text: headers go, numbers become 0, a customer's turns are read twice, an agent's once.

    Args:
        text: normalised, masked text.
        segmenter: cuts the words.

    Returns:
        Both views of the text.
    """
    characters = _characters(text)
    pieces = segmenter.pieces(characters.text)
    return Features(characters, [piece for piece in pieces if not piece.isspace()], pieces)


def _characters(text: str) -> Aligned:
    segments = [s for s in split_turns(text) if s.speaker != HEADER]
    spoken = any(segment.speaker == CUSTOMER for segment in segments) and any(s.speaker == AGENT for s in segments)
    ordered = [s for s in segments if s.speaker != AGENT]
    ordered = [*ordered, *ordered, *(s for s in segments if s.speaker == AGENT)] if spoken else segments
    parts: list[str] = []
    index: list[int] = []
    for segment in ordered:
        piece = _squeeze(text, segment)
        if piece.text:
            parts += [piece.text, " "]
            index += [*(piece.index or ()), segment.end - 1]
    return Aligned("".join(parts), tuple(index))


def _squeeze(text: str, segment: Segment) -> Aligned:
    """Lower case, each number one 0, each run of white space one blank, none at either end."""
    parts: list[str] = []
    index: list[int] = []
    whole = text[segment.start : segment.end]
    position = segment.start + len(whole) - len(whole.lstrip())
    end = position + len(whole.strip())
    for found in _NUMBER.finditer(text, position, end):
        parts += [text[position : found.start()], " " if found.group().isspace() else "0"]
        index += [*range(position, found.start()), found.start()]
        position = found.end()
    parts.append(text[position:end])
    index += range(position, end)
    return Aligned(lower_ascii("".join(parts)), tuple(index))
