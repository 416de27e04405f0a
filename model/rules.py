"""The rule base: YAML compiled once, matched with Aho-Corasick and a few regular expressions.

Rules answer alone where there is no bundle, witness beside a classifier, and find evidence.
"""

import re
import sys
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import ahocorasick

from model.document import Document
from model.needles import needles, width
from model.policy import Policy
from model.policy.schema import RuleEntry
from model.sentences import Scene
from model.text import plain_form

Span = tuple[int, int]
Wordings = dict[str, list[Span]]  # places of each wording of any rule in a text
Groups = dict[int, list[Span]]  # places of a rule's wordings, by group
_MOST_PLACES = 100  # places of one rule that are looked at in a text; keeps hostile texts cheap
_MOST_WINDOWS = 50  # likewise places of its needles that an expression runs around
_MOST_NEAR = 20  # likewise wordings on either side of a place
_LONGEST_WORDING = 40
_LOOK_AHEAD = 20  # characters that an expression may look at behind its match


@dataclass(frozen=True, slots=True)
class Hit:
    """One rule that fired: where (span in the masked text), for what, and how strongly."""

    rule: str
    to: str
    start: int
    end: int
    weight: float
    role: str | None = None
    parts: tuple[Span, ...] = ()  # the wordings themselves, where a rule joins several


@dataclass(frozen=True, slots=True)
class _Compiled:
    entry: RuleEntry
    groups: tuple[frozenset[str], ...]  # of an expression: strings of which one stands in every match
    regex: "re.Pattern[str] | None"
    width: int
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
        grouped = self._by_group(found)
        candidates = [n for n, groups in grouped.items() if len(groups) == len(self._rules[n].groups)]
        ordered = sorted([*candidates, *self._everywhere])
        fired = (self._fire(self._rules[n], scene, found, grouped.get(n, {})) for n in ordered)
        return [hit for hit in fired if hit]

    def _fire(self, rule: _Compiled, scene: Scene, found: Wordings, groups: Groups) -> Hit | None:
        places = list(islice(self._places(rule, scene, groups), _MOST_PLACES))
        if not places:
            return None
        if any(scene.speaks(start, rule.entry.speaker) for w in rule.unless_anywhere for start, _ in found.get(w, ())):
            return None
        barred = {scene.sentence_at(start) for w in rule.unless for start, _ in found.get(w, ())}
        best: Hit | None = None
        for place in places:
            if barred and scene.sentence_at(place[0][0]) in barred:
                continue
            weight = scene.weigh(place, rule.entry)
            if weight > (best.weight if best else 0.0):
                start, end = min(span[0] for span in place), max(span[1] for span in place)
                best = Hit(rule.entry.id, rule.entry.to, start, end, weight, rule.entry.role, tuple(sorted(place)))
            if weight == rule.entry.weight:
                break
        return best

    def _places(self, rule: _Compiled, scene: Scene, groups: Groups) -> Iterator[tuple[Span, ...]]:
        if rule.regex:
            whole = (0, len(scene.text))
            for start, end in _windows(groups[0], rule.width, whole[1]) if groups else [whole]:
                yield from ((m.span(),) for m in rule.regex.finditer(scene.text, start, end) if m.end() > m.start())
            return
        for first in groups[0]:
            chosen = [first]
            for number in range(1, len(rule.groups)):
                near = _around(groups[number], first, rule.entry.within)
                near = [p for p in near if _fits(chosen, p, rule.entry.ordered) and scene.same_turn(first[0], p[0])]
                if not near:
                    break
                chosen.append(min(near, key=lambda p: abs(p[0] - first[0])))
            else:
                yield tuple(chosen)

    def _by_group(self, found: Wordings) -> dict[int, Groups]:
        """Places by number of the rule and of its group, sorted, for the rules that have any."""
        grouped: dict[int, Groups] = {}
        for wording, spans in found.items():
            for rule, group in self._index.get(wording, ()):
                grouped.setdefault(rule, {}).setdefault(group, []).extend(spans)
        for groups in grouped.values():
            for spans in groups.values():
                spans.sort()
        return grouped

    @cached_property
    def _index(self) -> dict[str, list[tuple[int, int]]]:
        index: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, rule in enumerate(self._rules):
            for group, wordings in enumerate(rule.groups):
                for wording in wordings:
                    index[wording].append((number, group))
        return dict(index)

    def _wordings(self, text: str) -> Wordings:
        found: Wordings = defaultdict(list)
        for last, wording in self._automaton.iter(text) if len(self._automaton) else ():
            found[wording].append((last - len(wording) + 1, last + 1))
        return found

    @cached_property
    def _rules(self) -> tuple[_Compiled, ...]:
        return tuple(self._compile(entry) for entry in self.policy.rules)

    @cached_property
    def _everywhere(self) -> list[int]:
        """Expressions that may match anywhere, since no needle of theirs can be told."""
        return [number for number, rule in enumerate(self._rules) if rule.regex and not rule.groups[0]]

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
            groups=(needles(entry.regex),) if entry.regex else tuple(self._expand(group) for group in entry.all),
            regex=re.compile(entry.regex) if entry.regex else None,
            width=width(entry.regex) if entry.regex else 0,
            unless=self._expand(entry.unless),
            unless_anywhere=self._expand(entry.unless_anywhere),
        )

    def _expand(self, wordings: Iterable[str]) -> frozenset[str]:
        lexicons = self.policy.context.lexicons
        words = (w for wording in wordings for w in (lexicons[wording[1:]] if wording.startswith("@") else (wording,)))
        return frozenset(plain_form(word).text for word in words)


def _around(group: list[Span], first: Span, within: int) -> list[Span]:
    """Places of a sorted group near another place; of very many only the nearest on either side."""
    start = bisect_left(group, (first[0] - within - _LONGEST_WORDING, 0))
    end = bisect_right(group, (first[1] + within, sys.maxsize))
    middle = bisect_left(group, first, start, end)
    near = group[max(start, middle - _MOST_NEAR) : min(end, middle + _MOST_NEAR)]
    return [p for p in near if max(p[0] - first[1], first[0] - p[1]) <= within]


def _windows(needles: Sequence[Span], width: int, length: int) -> list[Span]:
    """Stretches of a text in which a match of this width can stand around one of these places."""
    windows: list[Span] = []
    for first, last in needles[:_MOST_WINDOWS]:
        start, end = max(0, first - width), min(length, last + width + _LOOK_AHEAD)
        if windows and start <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(end, windows[-1][1]))
        else:
            windows.append((start, end))
    return windows


def _fits(chosen: list[Span], place: Span, ordered: bool) -> bool:
    overlaps = any(place[0] < end and start < place[1] for start, end in chosen)
    return not overlaps and (not ordered or place[0] >= chosen[-1][1])
