"""Texts that are nearly the same: MinHash over runs of four characters finds candidates, Jaccard similarity decides."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from model.errors import MissingExtra

_RUN = 4
_FEWEST = 8  # runs; shorter texts are alike by chance
_PERMUTATIONS = 64
_CANDIDATES = 0.4
ALIKE = 0.5
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Pair:
    """Row `row` of the asked texts is nearly text `other` of the known ones."""

    row: int
    other: int
    similarity: float


def near_pairs(asked: Sequence[str], known: Sequence[str]) -> list[Pair]:
    """For each asked text the known text most like it, where half of their runs of characters are shared.

    Args:
        asked: n texts.
        known: m texts.

    Returns:
        At most one pair for each asked text, in their order. Very short texts have none.

    Raises:
        MissingExtra: datasketch is not installed.
    """
    index, runs = _index(known)
    found = []
    for row, text in enumerate(asked):
        own = _runs(text)
        if len(own) < _FEWEST:
            continue
        candidates = [(_jaccard(own, runs[other]), other) for other in index.query(_hashed(own))]
        if candidates and max(candidates)[0] >= ALIKE:
            similarity, other = max(candidates)
            found.append(Pair(row, other, similarity))
    return found


def near_groups(texts: Sequence[str]) -> list[int]:
    """Texts that are nearly the same, directly or through others, get the same number.

    Args:
        texts: n texts.

    Returns:
        n numbers.
    """
    index, runs = _index(texts)
    groups = list(range(len(texts)))
    for row, own in runs.items():
        for other in index.query(_hashed(own)):
            if other < row and _jaccard(own, runs[other]) >= ALIKE:
                old, new = groups[row], groups[other]
                groups = [new if group == old else group for group in groups]
    return groups


def _index(texts: Sequence[str]) -> tuple[Any, dict[int, set[str]]]:
    try:
        from datasketch import MinHashLSH
    except ImportError as error:
        raise MissingExtra("查找近似工单需要 datasketch;请运行 pip install 'complaint-triage[learn]'") from error
    index = MinHashLSH(threshold=_CANDIDATES, num_perm=_PERMUTATIONS)
    runs = {row: own for row, own in enumerate(map(_runs, texts)) if len(own) >= _FEWEST}
    for row, own in runs.items():
        index.insert(row, _hashed(own))
    return index, runs


def _hashed(runs: set[str]) -> Any:
    from datasketch import MinHash

    hashed = MinHash(num_perm=_PERMUTATIONS)
    hashed.update_batch([run.encode("utf-8", "replace") for run in sorted(runs)])
    return hashed


def _runs(text: str) -> set[str]:
    bare = _SPACE.sub("", text)
    return {bare[start : start + _RUN] for start in range(len(bare) - _RUN + 1)}


def _jaccard(first: set[str], second: set[str]) -> float:
    return len(first & second) / len(first | second)
