"""What changed between two samples of tickets, with sample sizes and control of the false-discovery rate."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from training.drift_tests import Word, changed_words, domain, rank_p, share_p
from training.evaluated import Table, rounded

CHANGED, SAME, FEW = "changed", "same", "few"
_RANKED = ("length", "unknown", "confidence")
_SHARES = ("abstained", "overridden")
_SHOWN = 15


@dataclass(frozen=True)
class DriftOptions:
    """When a change is one.

    `alpha`: rate of false discoveries; `fewest`: tickets on each side below which nothing is said; `fewest_reviewed`:
    the same for tickets that a person looked at; `least_share`: a share must change by so much; `least_rank`: so far from
    0.5 must be how often a number of today is above one of before, and the classifier's AUC; `fewest_word`: tickets that
    must hold a word; `seed`: of the classifier's halves.
    """

    alpha: float = 0.05
    fewest: int = 50
    fewest_reviewed: int = 30
    least_share: float = 0.02
    least_rank: float = 0.04
    fewest_word: int = 10
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """One comparison: `now` and `before` are shares, medians or means over `n` and `m` tickets; `effect` as tested."""

    name: str
    n: int
    m: int
    now: float | None
    before: float | None
    effect: float
    p: float | None
    q: float | None = None
    outcome: str = FEW


def drift_report(now: pd.DataFrame, before: pd.DataFrame, options: DriftOptions | None = None) -> Table:
    """Compare two samples.

    Words are only looked at where some figure changed, so that a report without any change says nothing in 95 of 100.

    Args:
        now: of `training.drift_sample.drift_sample`, n rows.
        before: m rows, predicted by the same bundle.
        options: when a change is one.

    Returns:
        JSON-ready: `n`, `m`, `enough`, `figures` (what changed first), `auc`, `words` (`more` and `fewer`), `options`.
    """
    options = options or DriftOptions()
    table: Table = {"n": len(now), "m": len(before), "options": asdict(options), "words": {"more": [], "fewer": []}}
    table |= {"enough": min(len(now), len(before)) >= options.fewest, "figures": [], "auc": None}
    if not table["enough"]:
        return table
    cut = (list(now["words"]), list(before["words"]))
    p, auc = domain(list(now["text"]), list(before["text"]), cut, options.seed)
    figures = [*_leaves(now, before), *_numbers(now, before), *_rates(now, before, options)]
    figures.append(Figure("domain", len(now), len(before), auc, 0.5, auc - 0.5, p))
    figures = _judged(figures, options)
    if any(figure.outcome == CHANGED for figure in figures):
        words = changed_words(*cut, alpha=options.alpha, fewest=options.fewest_word)
        rising = [word for word in words if word.now * len(before) > word.before * len(now)]
        falling = [word for word in words if word not in rising]
        table["words"] = {"more": _told(rising), "fewer": _told(falling)}
    return table | {"figures": [asdict(figure) for figure in figures], "auc": rounded(auc)}


def _leaves(now: pd.DataFrame, before: pd.DataFrame) -> list[Figure]:
    codes = sorted({*now["leaf"], *before["leaf"]})
    counts = [np.array([int((side["leaf"] == code).sum()) for code in codes]) for side in (now, before)]
    n, m = len(now), len(before)
    rows = zip(codes, counts[0] / n, counts[1] / m, share_p(counts[0], n, counts[1], m), strict=True)
    return [Figure(f"leaf:{code}", n, m, rounded(a), rounded(b), float(a - b), float(p)) for code, a, b, p in rows]


def _numbers(now: pd.DataFrame, before: pd.DataFrame) -> list[Figure]:
    figures = []
    for name in _RANKED:
        a, b = (side[name].dropna().to_numpy(float) for side in (now, before))
        if len(a) and len(b):
            p, above = rank_p(a, b)
            middle = np.median if name == "length" else np.mean
            figures.append(Figure(name, len(a), len(b), rounded(middle(a)), rounded(middle(b)), above - 0.5, p))
    return figures


def _rates(now: pd.DataFrame, before: pd.DataFrame, options: DriftOptions) -> list[Figure]:
    figures = []
    for name in _SHARES:
        a, b = (side[name].dropna().to_numpy(float) for side in (now, before))
        shares = [rounded(side.mean()) if len(side) else None for side in (a, b)]
        least = options.fewest_reviewed if name == "overridden" else options.fewest
        if min(len(a), len(b)) < max(1, least):
            figures.append(Figure(name, len(a), len(b), shares[0], shares[1], 0.0, None))
            continue
        (p,) = share_p(np.array([int(a.sum())]), len(a), np.array([int(b.sum())]), len(b))
        figures.append(Figure(name, len(a), len(b), shares[0], shares[1], float(a.mean() - b.mean()), float(p)))
    return figures


def _judged(figures: Sequence[Figure], options: DriftOptions) -> list[Figure]:
    """Benjamini and Hochberg (1995) over all figures that have enough tickets."""
    tested = [figure for figure in figures if figure.p is not None]
    q = false_discovery_control([figure.p for figure in tested], method="bh")
    judged = []
    for figure, value in zip(tested, q.tolist(), strict=True):
        ranked = figure.name in (*_RANKED, "domain")
        large = abs(figure.effect) >= (options.least_rank if ranked else options.least_share)
        outcome = CHANGED if value <= options.alpha and large else SAME
        judged.append(_with(figure, value, outcome))
    judged.sort(key=lambda figure: (figure.outcome != CHANGED, figure.q or 0.0))
    return [*judged, *(figure for figure in figures if figure.p is None)]


def _with(figure: Figure, q: float, outcome: str) -> Figure:
    return Figure(**{**asdict(figure), "q": q, "outcome": outcome})


def _told(words: Sequence[Word]) -> list[Table]:
    return [asdict(word) for word in words[:_SHOWN]]
