"""Texts that are nearly the same: they share half of their runs of four characters (Jaccard similarity, exact)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import CountVectorizer

_RUN = 4
_FEWEST = 8  # runs; shorter texts are alike by chance
ALIKE = 0.5
_AT_ONCE = 64  # texts compared with all others in one product
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Pair:
    """Row `row` of the asked texts is nearly text `other` of the known ones."""

    row: int
    other: int
    similarity: float


def near_pairs(asked: Sequence[str], known: Sequence[str]) -> list[Pair]:
    """For each asked text the known text most like it, if it is nearly the same.

    Args:
        asked: n texts.
        known: m texts.

    Returns:
        At most one pair for each asked text, in their order. Very short texts have none.
    """
    best: dict[int, Pair] = {}
    for pair in _all_pairs(asked, known):
        if pair.row not in best or pair.similarity > best[pair.row].similarity:
            best[pair.row] = pair
    return [best[row] for row in sorted(best)]


def near_groups(texts: Sequence[str]) -> list[int]:
    """Texts that are nearly the same, directly or through others, get the same number.

    Args:
        texts: n texts.

    Returns:
        n numbers.
    """
    pairs = list(_all_pairs(texts, texts))
    ends = [pair.row for pair in pairs], [pair.other for pair in pairs]
    graph = coo_array((np.ones(len(pairs)), ends), shape=(len(texts), len(texts)))
    return [int(number) for number in connected_components(graph, directed=False)[1]]


def _all_pairs(asked: Sequence[str], known: Sequence[str]) -> Iterator[Pair]:
    bare = [[_SPACE.sub("", text) for text in texts] for texts in (asked, known)]
    if not any(len(text) >= _RUN for text in bare[0]) or not known:
        return
    counter = CountVectorizer(analyzer="char", ngram_range=(_RUN, _RUN), binary=True, lowercase=False, dtype=np.int32)
    own = counter.fit_transform(bare[0] + bare[1])
    mine, others = own[: len(asked)], own[len(asked) :]
    sizes = np.asarray(mine.sum(axis=1)).ravel(), np.asarray(others.sum(axis=1)).ravel()
    for start in range(0, len(asked), _AT_ONCE):
        shared: Any = (mine[start : start + _AT_ONCE] @ others.T).tocoo()
        rows, columns = shared.row + start, shared.col
        alike = shared.data / (sizes[0][rows] + sizes[1][columns] - shared.data)
        wanted = (alike >= ALIKE) & (np.minimum(sizes[0][rows], sizes[1][columns]) >= _FEWEST)
        found = zip(rows[wanted], columns[wanted], alike[wanted], strict=True)
        yield from (Pair(int(row), int(column), float(value)) for row, column, value in found)
