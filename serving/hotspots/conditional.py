"""The test behind a rising cell: an over-dispersed count against its own past.

Counts are negative binomial with variance φ·mean (quasi-Poisson). Given the total of past and present, the present count
then is beta-binomial, whatever the unknown level: exact also for small stations, and the uncertainty of a short past is
part of it (the negative binomial twin of the conditional binomial test of Przyborowski & Wilenski, 1940, Biometrika 31,
313–323). How φ is found follows Farrington et al. (1996) and Noufaily et al. (2013): past surges are cut before the
level is taken.
"""

import numpy as np
from scipy.optimize import nnls
from scipy.special import betaln, gammaln

from serving.hotspots.baseline import Numbers

CUT = 2.58  # standard deviations at which a past surge is cut; Noufaily et al. (2013) weigh it down from there on
ROUNDS = 3
OWN_WEIGHT = 0.5  # part of a cell's own dispersion beside that of its kind
REACH = 20  # deviations that the tail of the test is summed over
LEAST = 1.02  # dispersion at least: the beta-binomial needs some


def levels(past: Numbers, exposure: Numbers, groups: Numbers) -> tuple[Numbers, Numbers]:
    """Past counts without surges, and the dispersion of each cell.

    Args:
        past: (cells, windows) counts.
        exposure: (cells, windows), what the calendar would let expect, up to a factor for each cell.
        groups: (cells,) number of the kind whose dispersion is borrowed.

    Returns:
        (cells, windows) counts with surges cut, and (cells, 2): the variance is (1 + a)·mean + b·mean².
    """
    cut = past.astype(float)
    spread = np.zeros((len(past), 2))
    for _ in range(ROUNDS):
        mean = _mean(cut, exposure)
        spread = _spread(cut, mean, groups)
        factor = 1 + spread[:, :1] + spread[:, 1:] * mean
        cut = np.minimum(past, mean + CUT * np.sqrt(factor * mean) + 1)
    return cut, spread


def _mean(past: Numbers, exposure: Numbers) -> Numbers:
    """Each cell's level times what the calendar says."""
    level = past.sum(axis=1, keepdims=True) / exposure.sum(axis=1, keepdims=True)
    mean: Numbers = np.maximum(level * exposure, 1e-9)
    return mean


def _spread(past: Numbers, mean: Numbers, groups: Numbers) -> Numbers:
    """How far the variance exceeds the mean, by kind, drawn towards what the cell itself shows."""
    windows = past.shape[1]
    excess = (past - mean) ** 2 * windows / max(1, windows - 1) - mean
    found = np.zeros((len(past), 2))
    for group in np.unique(groups):
        mine = groups == group
        terms = np.column_stack([mean[mine].ravel(), mean[mine].ravel() ** 2])
        weight = 1 / (1 + terms[:, 0])  # the excess of a large cell scatters more
        found[mine] = nnls(terms * weight[:, None], np.maximum(excess[mine].ravel(), -terms[:, 0]) * weight)[0]
    own = np.maximum(excess.sum(axis=1) / mean.sum(axis=1), 0)
    pooled = found[:, 0] + found[:, 1] * mean.mean(axis=1)
    more = OWN_WEIGHT * np.maximum(own - pooled, 0)
    return np.column_stack([found[:, 0] + more, found[:, 1]])


def p_value(count: int, past: float, parts: tuple[float, float], spread: Numbers) -> float:
    """How probable so many tickets, or more, would be if the level had not changed.

    Args:
        count: tickets now.
        past: tickets before, surges cut.
        parts: exposure now and before.
        spread: (2,), as `levels` gives it.

    Returns:
        One-sided, in (0, 1].
    """
    before = round(past)
    total = count + before
    share = parts[0] / (parts[0] + parts[1])
    mean = total * share
    excess = max(LEAST - 1, float(spread[0] + spread[1] * mean))
    return _tail(count, total, mean / excess, total * (1 - share) / excess)


def _tail(count: int, total: int, alpha: float, beta: float) -> float:
    """P(X ≥ count) of a beta-binomial; the sum ends where its terms, which fall behind the mean, no longer count."""
    deviation = np.sqrt(total * alpha * beta * (alpha + beta + total) / (alpha + beta + 1)) / (alpha + beta)
    last = min(total, count + int(REACH * deviation) + REACH)
    values = np.arange(count, last + 1)
    terms = (
        gammaln(total + 1) - gammaln(values + 1) - gammaln(total - values + 1)
        + betaln(values + alpha, total - values + beta) - betaln(alpha, beta)
    )  # fmt: skip
    return float(min(1.0, np.exp(terms).sum()))
