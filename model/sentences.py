"""Around a wording: its clause, its speaker, whether it is denied or only hearsay."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from model.document import Document
from model.policy.schema import ContextFile, RuleEntry
from model.turns import AGENT, HEADER

_CLAUSE = re.compile(r"[,。;!?\n、:]")
_SENTENCE = re.compile(r"[。;!?\n]")
_HEARSAY_SHARE = 0.3
_HEARSAY_REACH = 40
_PARTICLES = "啊呀的嘛咧哦喔噻哒呢吧了"  # may follow a yes: 「对啊」, but not 「是不是」


class Scene:
    """One document as the rules look at it.

    Args:
        document: normalised and masked.
        context: words of negation, hearsay and affirmation.
    """

    def __init__(self, document: Document, context: ContextFile) -> None:
        self.document = document
        self.context = context
        self.text = document.text

    def speaks(self, position: int, speaker: str) -> bool:
        """Whether the words at a position count: not a header, and not an agent's unless affirmed or `any`.

        Args:
            position: character of the masked text.
            speaker: `customer` or `any`.

        Returns:
            True if a rule may use them.
        """
        number = self._segment_at(position)
        who = self.document.segments[number].speaker if number >= 0 else HEADER
        if who == HEADER:
            return False
        return speaker == "any" or who != AGENT or self._affirmed(number)

    def sentence_at(self, position: int) -> int:
        """Number of the sentence that a position stands in.

        Args:
            position: character of the masked text.

        Returns:
            How many sentences end before it.
        """
        return bisect_right(self._sentence_ends, position)

    def same_turn(self, first: int, second: int) -> bool:
        """Whether two positions belong to one speaker's turn.

        Args:
            first: character of the masked text.
            second: another one.

        Returns:
            True if they do.
        """
        return self._segment_at(first) == self._segment_at(second)

    def weigh(self, place: Sequence[tuple[int, int]], rule: RuleEntry) -> float:
        """What a match is worth under the rule's conditions.

        Args:
            place: spans of the wordings that match, one a group.
            rule: gives weight, negation, hearsay, speaker.

        Returns:
            The weight, 0 where a condition forbids the match.
        """
        start = min(span[0] for span in place)
        if not self._counts(start, rule) or any(self.document.overlaps_mask(*span) for span in place):
            return 0.0
        if rule.negation != "ignore" and self._any_denied(place) != (rule.negation == "need"):
            return 0.0
        if rule.hearsay != "ignore" and self._hearsay(start):
            return 0.0 if rule.hearsay == "drop" else rule.weight * _HEARSAY_SHARE
        return rule.weight

    def _counts(self, start: int, rule: RuleEntry) -> bool:
        """Whether the words at a place may be used; for danger also those taken for a header."""
        number = self._segment_at(start)
        in_header = number >= 0 and self.document.segments[number].speaker == HEADER
        return self.speaks(start, rule.speaker) or (rule.to == "safety" and in_header)

    def _any_denied(self, place: Sequence[tuple[int, int]]) -> bool:
        """A wording is denied by a negation before it; one that belongs to the match itself denies nothing."""
        return any(self._denied(start, max((end for _, end in place if end <= start), default=0)) for start, _ in place)

    def _denied(self, start: int, not_before: int) -> bool:
        reach = self.text[max(self._clause_start(start), start - self.context.negation_reach, not_before) : start]
        for word in self.context.not_negation:
            reach = reach.replace(word, " " * len(word))
        return any(word in reach for word in self.context.negation)

    def _hearsay(self, start: int) -> bool:
        clause = self.text[max(self._clause_start(start), start - _HEARSAY_REACH) : start]
        return any(word in clause for word in self.context.hearsay)

    def _affirmed(self, number: int) -> bool:
        if number + 1 >= len(self.document.segments):
            return False
        following = self.document.segments[number + 1]
        answer = self.text[following.start : following.start + 12].strip().lstrip(",。")
        words = sorted(self.context.affirmation, key=len, reverse=True)
        said = 0
        while word := next((word for word in words if answer.startswith(word)), None):  # 对对对, 是的是的
            answer, said = answer[len(word) :].lstrip(_PARTICLES), said + 1
        return said > 1 or (said == 1 and not answer[:1].isalnum())

    def _clause_start(self, position: int) -> int:
        number = bisect_right(self._clause_ends, position - 1)
        return self._clause_ends[number - 1] + 1 if number else 0

    def _segment_at(self, position: int) -> int:
        number = bisect_right(self._segment_starts, position) - 1
        return number if number >= 0 and position < self.document.segments[number].end else -1

    @cached_property
    def _segment_starts(self) -> list[int]:
        return [segment.start for segment in self.document.segments]

    @cached_property
    def _clause_ends(self) -> list[int]:
        return [found.start() for found in _CLAUSE.finditer(self.text)]

    @cached_property
    def _sentence_ends(self) -> list[int]:
        return [found.start() for found in _SENTENCE.finditer(self.text)]
