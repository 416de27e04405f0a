"""Strings of which one must stand in every text that a regular expression matches.

A rule's expression runs only around these strings, which one Aho-Corasick pass finds for all rules together
(the prefilter of RE2's `FilteredRE2`, over the parse tree of Python's own `re`).
"""

from collections.abc import Iterable, Sequence
from re import _constants as op  # type: ignore[attr-defined]  # the parse tree has no public home
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_MOST = 400  # strings that one expression may ask for
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_LOOKS = (op.ASSERT, op.ASSERT_NOT, op.AT)
Node = Iterable[tuple[Any, Any]]


def needles(pattern: str) -> frozenset[str]:
    """Find the strings.

    Args:
        pattern: a regular expression.

    Returns:
        Strings, the longest and fewest that can be told; empty where none can be told.
    """
    return frozenset(_required(parser.parse(pattern)) or ())


def width(pattern: str) -> int:
    """How many characters a match may have.

    Args:
        pattern: a regular expression.

    Returns:
        The most characters of one match; huge where there is no bound.
    """
    return int(parser.parse(pattern).getwidth()[1])


def _required(node: Node) -> set[str] | None:
    """The best of: each stretch that can be spelt out in full, and what an inner part requires."""
    found: list[set[str]] = []
    stretch = {""}
    for kind, value in node:
        spelt = _spelt(kind, value)
        longer = _joined(stretch, spelt) if spelt is not None else None
        if longer is not None:
            stretch = longer
            continue
        found.append(stretch)
        stretch = spelt or {""}
        inner = None if spelt else _inner(kind, value)
        if inner:
            found.append(inner)
    usable = [strings for strings in (*found, stretch) if strings and "" not in strings]
    return max(usable, key=lambda strings: (min(map(len, strings)), -len(strings)), default=None)


def _inner(kind: Any, value: Any) -> set[str] | None:
    """What a part requires that cannot be spelt out."""
    if kind is op.SUBPATTERN:
        return _required(value[3])
    if kind is op.ATOMIC_GROUP:
        return _required(value)
    if kind in _REPEATS and value[0] > 0:
        return _required(value[2])
    if kind is op.BRANCH:
        branches = [_required(branch) for branch in value[1]]
        return set().union(*(b for b in branches if b)) if all(branches) else None
    return None


def _spelt(kind: Any, value: Any) -> set[str] | None:
    """Every string that a part can match; None where there are too many to tell."""
    if kind is op.LITERAL:
        return {chr(value)}
    if kind is op.IN:
        return _class(value)
    if kind in _LOOKS:
        return {""}
    if kind is op.SUBPATTERN:
        return _sequence(value[3])
    if kind is op.ATOMIC_GROUP:
        return _sequence(value)
    if kind is op.BRANCH:
        branches = [_sequence(branch) for branch in value[1]]
        return None if None in branches else set().union(*(b for b in branches if b))
    if kind in _REPEATS and value[1] <= 2:
        return _repeated(_sequence(value[2]), value[0], value[1])
    return None


def _class(members: Sequence[tuple[Any, Any]]) -> set[str] | None:
    strings: set[str] = set()
    for kind, value in members:
        if kind is op.LITERAL:
            strings.add(chr(value))
        elif kind is op.RANGE and value[1] - value[0] < _MOST:
            strings |= {chr(code) for code in range(value[0], value[1] + 1)}
        else:
            return None
    return strings


def _sequence(node: Node) -> set[str] | None:
    strings: set[str] | None = {""}
    for kind, value in node:
        spelt = _spelt(kind, value)
        strings = _joined(strings, spelt) if strings is not None and spelt is not None else None
        if strings is None:
            return None
    return strings


def _repeated(strings: set[str] | None, least: int, most: int) -> set[str] | None:
    found: set[str] = set()
    times: set[str] | None = {""}
    for number in range(most + 1):
        if times is None or strings is None:
            return None
        found |= times if number >= least else set()
        times = _joined(times, strings)
    return found


def _joined(first: set[str], second: set[str]) -> set[str] | None:
    if len(first) * len(second) > _MOST:
        return None
    return {a + b for a in first for b in second}
