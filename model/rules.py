"""The rule base: YAML compiled once, matched with Aho-Corasick and a few regular expressions.

Rules answer alone where there is no bundle, witness beside a classifier, and find evidence.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import ahocorasick

from model.document import Document
from model.policy import Policy
from model.policy.schema import RuleEntry
from model.sentences import Scene
from model.text import normalise



@dataclass(frozen=True, slots=True)
class Hit:
    """One rule that fired: where (span in the masked text), for what, and how strongly."""

    rule: str
    to: str
    start: int
    end: int
    weight: float
    role: str | None = None


@dataclass(frozen=True, slots=True)
class _Compiled:
    entry: RuleEntry
    groups: tuple[frozenset[str], ...]
    regex: "re.Pattern[str] | None"
    unless: frozenset[str]
    unless_anywhere: frozenset[str]


class RuleBase:
    """All rules of a policy, compiled on first use.

    Args:
        policy: rules, lexicons and context words.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def hits(self, document: Document) -> list[Hit]:
        """Every rule that fires on a document, once each, at its strongest place.

        Args:
            document: normalised and masked.

        Returns:
            Hits in the order of the rule files.
        """
        scene = Scene(document, self.policy.context)
        found = self._wordings(document.text)
        hits = []
        for rule in self._rules:
            best = max(self._fire(rule, scene, found), key=lambda hit: hit.weight, default=None)
            if best:
                hits.append(best)
        return hits

    def _fire(self, rule: _Compiled, scene: Scene, found: dict[str, list[tuple[int, int]]]) -> Iterator[Hit]:
        if any(scene.speaks(start, rule.entry.speaker) for w in rule.unless_anywhere for start, _ in found.get(w, ())):
            return
        for start, end in self._places(rule, scene, found):
            if any(scene.same_sentence(start, at) for w in rule.unless for at, _ in found.get(w, ())):
                continue
            weight = scene.weigh(start, end, rule.entry)
            if weight > 0:
                yield Hit(rule.entry.id, rule.entry.to, start, end, weight, rule.entry.role)

    def _places(self, rule: _Compiled, scene: Scene, found: dict[str, list[tuple[int, int]]]) -> Iterator[tuple[int, int]]:
        if rule.regex:
            yield from (m.span() for m in rule.regex.finditer(scene.text) if m.end() > m.start())
            return
        places = [sorted(span for wording in group for span in found.get(wording, ())) for group in rule.groups]
        if not all(places):
            return
        for first in places[0]:
            chosen = [first]
            for group in places[1:]:
                near = [p for p in group if _close(chosen, p, rule.entry.within, rule.entry.ordered)]
                near = [p for p in near if scene.same_turn(first[0], p[0])]
                if not near:
                    break
                chosen.append(min(near, key=lambda p: abs(p[0] - first[0])))
            else:
                yield min(c[0] for c in chosen), max(c[1] for c in chosen)

    def _wordings(self, text: str) -> dict[str, list[tuple[int, int]]]:
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for last, wording in self._automaton.iter(text):
            found[wording].append((last - len(wording) + 1, last + 1))
        return found

    @cached_property
    def _rules(self) -> tuple[_Compiled, ...]:
        return tuple(self._compile(entry) for entry in self.policy.rules)

    @cached_property
    def _automaton(self) -> "ahocorasick.Automaton":
        automaton = ahocorasick.Automaton()
        for rule in self._rules:
            for wording in (*(w for group in rule.groups for w in group), *rule.unless, *rule.unless_anywhere):
                automaton.add_word(wording, wording)
        automaton.make_automaton()
        return automaton

    def _compile(self, entry: RuleEntry) -> _Compiled:
        return _Compiled(
            entry=entry,
            groups=tuple(self._expand(group) for group in entry.all),
            regex=re.compile(entry.regex) if entry.regex else None,
            unless=self._expand(entry.unless),
            unless_anywhere=self._expand(entry.unless_anywhere),
        )

    def _expand(self, wordings: Iterable[str]) -> frozenset[str]:
        lexicons = self.policy.context.lexicons
        words = (w for wording in wordings for w in (lexicons[wording[1:]] if wording.startswith("@") else (wording,)))
        return frozenset(normalise(word).text for word in words)


def _close(chosen: list[tuple[int, int]], place: tuple[int, int], within: int, ordered: bool) -> bool:
    first = chosen[0]
    gap = max(place[0] - first[1], first[0] - place[1])
    overlaps = any(place[0] < end and start < place[1] for start, end in chosen)
    return gap <= within and not overlaps and (not ordered or place[0] >= chosen[-1][1])
