"""Tests of a change between two samples: exact for shares, ranks for numbers, a classifier and words for texts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from scipy.stats import false_discovery_control, hypergeom, mannwhitneyu
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

Numbers = NDArray[np.float64]
_COUNTS = NDArray[np.int_]
_WIDTH = 2**16
_LONGEST = 2_000  # characters of a text that the domain classifier reads


@dataclass(frozen=True, slots=True)
class Word:
    """A word that more, or fewer, tickets hold: how many now and before, and its q-value."""

    word: str
    now: int
    before: int
    q: float


def share_p(now: _COUNTS, n: int, before: _COUNTS, m: int) -> Numbers:
    """Fisher's exact test of two shares, twice the smaller side (never above 1), for many shares at once.

    Args:
        now: how many of the n tickets of today, an array.
        n: tickets of today.
        before: how many of the m tickets of before.
        m: tickets of before.

    Returns:
        p-values in the shape of `now`.
    """
    both = now + before
    low, high = hypergeom.cdf(now, n + m, both, n), hypergeom.sf(now - 1, n + m, both, n)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(low, high)))


def rank_p(now: Numbers, before: Numbers) -> tuple[float, float]:
    """Mann and Whitney's test of two samples of numbers.

    Args:
        now: numbers of today, without NaN.
        before: numbers of before.

    Returns:
        The p-value, and how often a number of today is above one of before (0.5: no change).
    """
    if np.ptp(np.concatenate([now, before])) == 0:
        return 1.0, 0.5
    found = mannwhitneyu(now, before, alternative="two-sided", method="asymptotic")
    return float(found.pvalue), float(found.statistic / (len(now) * len(before)))


def domain(
    now: Sequence[str], before: Sequence[str], words: tuple[Sequence[str], Sequence[str]], seed: int
) -> tuple[float, float]:
    """How well a classifier tells the texts of today from those of before (Lopez-Paz, Oquab 2017).

    TF-IDF of words and pairs of characters, logistic regression; learned on one half, tested on the other, both ways.

    Args:
        now: masked texts of today.
        before: masked texts of before.
        words: the same texts as words joined by blanks.
        seed: of the halves.

    Returns:
        The p-value (twice the smaller one of the halves), and the mean AUC over the halves (0.5: cannot be told apart).
    """
    target = np.array([1] * len(now) + [0] * len(before))
    matrix = _features([text[:_LONGEST] for text in (*now, *before)], [*words[0], *words[1]])
    values, areas = [], []
    for learn, held in StratifiedKFold(2, shuffle=True, random_state=seed).split(target, target):
        classifier = LogisticRegression(class_weight="balanced", solver="liblinear", dual=True, random_state=seed)
        score = classifier.fit(matrix[learn], target[learn]).decision_function(matrix[held])
        new = target[held] == 1
        values.append(mannwhitneyu(score[new], score[~new], alternative="greater", method="asymptotic").pvalue)
        areas.append(roc_auc_score(target[held], score))
    return float(min(1.0, 2 * min(values))), float(np.mean(areas))


def _features(texts: Sequence[str], cut: Sequence[str]) -> csr_matrix:
    """No label is used, so fitting on both halves spoils nothing."""
    characters = HashingVectorizer(
        analyzer="char", ngram_range=(2, 2), n_features=_WIDTH, alternate_sign=False, norm=None
    )
    by_word = HashingVectorizer(analyzer=str.split, n_features=_WIDTH, alternate_sign=False, norm=None)
    views = (characters.transform(texts), by_word.transform(cut))
    return hstack([TfidfTransformer(sublinear_tf=True).fit_transform(view) for view in views]).tocsr()


def changed_words(now: Sequence[str], before: Sequence[str], *, alpha: float, fewest: int) -> list[Word]:
    """Words that more or fewer tickets hold than before, with control of the false-discovery rate.

    Args:
        now: n texts of today as words joined by blanks.
        before: m texts of before.
        alpha: rate of false discoveries.
        fewest: tickets, of both sides together, that must hold a word.

    Returns:
        The surest first. Numbers, placeholders and words of one character are no words here.
    """
    held = [Counter(word for text in side for word in set(text.split()) if _counts(word)) for side in (now, before)]
    both = held[0] + held[1]
    names = sorted(word for word, count in both.items() if fewest <= count <= len(now) + len(before) - fewest)
    if not names:
        return []
    counts = [np.array([side[word] for word in names]) for side in held]
    q = false_discovery_control(share_p(counts[0], len(now), counts[1], len(before)), method="bh")
    found = [Word(*row) for row in zip(names, counts[0].tolist(), counts[1].tolist(), q.tolist(), strict=True)]
    return sorted((word for word in found if word.q <= alpha), key=lambda word: (word.q, word.word))


def _counts(word: str) -> bool:
    return len(word) > 1 and all("\u3400" <= character <= "\u9fff" for character in word)
