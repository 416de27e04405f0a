"""What the linear classifier reads: one string of characters and one of words, each character with its origin."""

import re
from dataclasses import dataclass
from itertools import accumulate

from model.segmenter import Segmenter
from model.text import lower_ascii
from model.turns import AGENT, CUSTOMER, HEADER, Segment, split_turns

_NUMBER = re.compile(r"\d+(?:\.\d+)?|\s+")


@dataclass(frozen=True, slots=True)
class Features:
    """Both views of a masked text: `characters`, and `words`, cut from the same characters."""

    text: str
    characters: str
    words: list[str]
    pieces: list[str]  # words and the blanks between them

    @property
    def word_starts(self) -> list[int]:
        """Position of each word in `characters`."""
        starts = accumulate((len(piece) for piece in self.pieces), initial=0)
        return [start for start, piece in zip(starts, self.pieces, strict=False) if not piece.isspace()]

    @property
    def origin(self) -> list[int]:
        """Position in `text` of each of `characters`; found anew each time, since only reasons need it."""
        index: list[int] = []
        for start, end in _reading_order(self.text):
            position = start
            for found in _NUMBER.finditer(self.text, start, end):
                index += [*range(position, found.start()), found.start()]
                position = found.end()
            index += [*range(position, end), end - 1]
        return index


def features(text: str, segmenter: Segmenter) -> Features:
    """Prepare a masked text: headers go, numbers become 0, a customer's turns are read twice, an agent's once.

    Args:
        text: normalised, masked text.
        segmenter: cuts the words.

    Returns:
        Both views of the text.
    """
    stretches = (_NUMBER.sub(_short, text[start:end]) + " " for start, end in _reading_order(text))
    characters = lower_ascii("".join(stretches))
    pieces = segmenter.pieces(characters)
    return Features(text, characters, [piece for piece in pieces if not piece.isspace()], pieces)


def _reading_order(text: str) -> list[tuple[int, int]]:
    """Stretches of the text as they are read, without white space at either end."""
    segments = [s for s in split_turns(text) if s.speaker != HEADER]
    agent = [s for s in segments if s.speaker == AGENT]
    if agent and any(segment.speaker == CUSTOMER for segment in segments):
        others = [s for s in segments if s.speaker != AGENT]
        segments = [*others, *others, *agent]
    return [span for segment in segments if (span := _stripped(text, segment))]


def _stripped(text: str, segment: Segment) -> tuple[int, int] | None:
    whole = text[segment.start : segment.end]
    start = segment.start + len(whole) - len(whole.lstrip())
    length = len(whole.strip())
    return (start, start + length) if length else None


def _short(found: "re.Match[str]") -> str:
    """Each number is one 0, each run of white space one blank."""
    return " " if found[0].isspace() else "0"
