"""New phrases (新词): words that a leaf's tickets hold now and hardly held before.

Class-based TF-IDF (Grootendorst, 2022, BERTopic, arXiv:2203.05794): the classes are a leaf's tickets now and before. Texts
are masked; a word of fewer than `smallest` tickets is never shown. Weight alone would show everyday words of a quiet week:
a phrase must also be more frequent than chance (conditional binomial test, Benjamini–Hochberg within the leaf).
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import binom, false_discovery_control

from serving.hotspots.analysis import Phrase
from serving.hotspots.options import Options

TIMES_MORE = 3.0  # share of the tickets now against before, at least
_WORD = re.compile(r"[\u4e00-\u9fffA-Za-z]{2,}")
_SPEAKERS = frozenset({"客户", "客服", "代表", "客服代表"})
Cut = Callable[[str], list[str]]


def find_phrases(now: pd.DataFrame, before: pd.DataFrame, cut: Cut, options: Options) -> tuple[Phrase, ...]:
    """New phrases of every leaf.

    Args:
        now: tickets with `category` and `text`; of an incident give one ticket only, else its words win.
        before: tickets of the time before.
        cut: a text into words.
        options: fewest tickets, most phrases of a leaf.

    Returns:
        By leaf, the weightiest first; nothing where the time before has no texts.
    """
    now, before = now[now["text"].notna()], before[before["text"].notna()]
    if len(before) < options.smallest or len(now) < options.smallest:
        return ()
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(analyzer=lambda text: terms(cut(text)), binary=True, min_df=options.smallest)
    try:
        matrix = counter.fit_transform([*now["text"], *before["text"]])
    except ValueError:  # no term in so many tickets
        return ()
    leaves = np.array([*now["category"], *before["category"]], dtype=object)
    is_now = np.arange(len(leaves)) < len(now)
    names = counter.get_feature_names_out()
    everywhere = np.asarray(matrix.sum(axis=0)).ravel()
    average = everywhere.sum() / (2 * len(set(leaves)))
    rarity = np.log1p(average / everywhere)
    found: list[Phrase] = []
    for leaf in sorted(set(leaves)):
        sides = [matrix[(leaves == leaf) & (is_now == side)] for side in (True, False)]
        found += _of_leaf(leaf, names, rarity, sides, options)
    return tuple(found)


def _of_leaf(leaf: str, names: Sequence[str], rarity: object, sides: list[object], options: Options) -> list[Phrase]:
    counts = [np.asarray(side.sum(axis=0)).ravel() for side in sides]  # type: ignore[attr-defined]
    sizes = [max(1, side.shape[0]) for side in sides]  # type: ignore[attr-defined]
    if sides[1].shape[0] < options.smallest:  # type: ignore[attr-defined]
        return []
    share = counts[0] / sizes[0]
    new = (counts[0] >= options.smallest) & (share >= TIMES_MORE * (counts[1] + 0.5) / sizes[1])
    chance = binom.sf(counts[0] - 1, counts[0] + counts[1], sizes[0] / (sizes[0] + sizes[1]))
    shown = counts[0] >= options.smallest
    chance[shown] = false_discovery_control(chance[shown]) if shown.any() else chance[shown]
    new &= chance <= options.false_discovery
    weight = counts[0] / max(1, counts[0].sum()) * rarity
    order = [int(place) for place in np.argsort(-weight, kind="stable") if new[place]]
    kept: list[Phrase] = []
    for place in order:
        text = names[place]
        told = any(counts[0][place] <= one.tickets and _part_of(text, one.text) for one in kept)
        if not told and len(kept) < options.phrases:
            kept.append(Phrase(text, leaf, int(counts[0][place]), int(counts[1][place]), float(weight[place])))
    return kept


def _part_of(text: str, other: str) -> bool:
    """One says nothing that the other does not."""
    return text in other or other in text


def terms(words: Sequence[str]) -> list[str]:
    """Words of two letters or more, and pairs of neighbours.

    Args:
        words: of a text, in order.

    Returns:
        Each as it may be shown.
    """
    kept = [word if _tells(word) else None for word in words]
    return [*filter(None, kept), *(one + two for one, two in pairwise(kept) if one and two)]


@lru_cache(100_000)
def _tells(word: str) -> bool:
    """Few words make up most of all texts."""
    return bool(_WORD.fullmatch(word)) and word not in _SPEAKERS
