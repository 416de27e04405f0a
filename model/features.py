"""What the linear classifier reads: one string of characters and one of words, each character with its origin."""

import re
from dataclasses import dataclass

from model.segmenter import Segmenter
from model.text import Aligned, lower_ascii
from model.turns import AGENT, CUSTOMER, HEADER, Segment, split_turns

_NUMBER = re.compile(r"\d+(?:\.\d+)?|\s+")


@dataclass(frozen=True, slots=True)
class Features:
    """Text for the vectorizers; `origin[i]` is the position of character `i` in the masked text."""

    characters: Aligned
    words: str
    word_starts: tuple[int, ...]  # position of each word in `characters.text`


def features(text: str, segmenter: Segmenter) -> Features:
    """Prepare a masked text: headers go, numbers become 0, a customer's turns are read twice, an agent's once.

    Args:
        text: normalised, masked text.
        segmenter: cuts the words.

    Returns:
        Both views of the text.
    """
    characters = _characters(text)
    cut = segmenter.cut_with_offsets(characters.text)
    return Features(characters, " ".join(word for word, _ in cut), tuple(start for _, start in cut))


def _characters(text: str) -> Aligned:
    segments = [s for s in split_turns(text) if s.speaker != HEADER]
    spoken = any(segment.speaker == CUSTOMER for segment in segments) and any(s.speaker == AGENT for s in segments)
    ordered = [s for s in segments if s.speaker != AGENT]
    ordered = [*ordered, *ordered, *(s for s in segments if s.speaker == AGENT)] if spoken else segments
    parts: list[str] = []
    index: list[int] = []
    for segment in ordered:
        piece = _squeeze(text, segment)
        parts.append(piece.text)
        index += piece.index or ()
        parts.append(" ")
        index.append(max(segment.start, segment.end - 1))
    return Aligned("".join(parts), tuple(index))


def _squeeze(text: str, segment: Segment) -> Aligned:
    """Lower case, each number one 0, each run of white space one blank."""
    parts: list[str] = []
    index: list[int] = []
    position = segment.start
    for found in _NUMBER.finditer(text, segment.start, segment.end):
        parts += [text[position : found.start()], " " if found.group().isspace() else "0"]
        index += [*range(position, found.start()), found.start()]
        position = found.end()
    parts.append(text[position : segment.end])
    index += range(position, segment.end)
    return Aligned(lower_ascii("".join(parts)), tuple(index))
