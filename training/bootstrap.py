"""95 % intervals by author: whole authors are drawn with replacement, since their tickets are not independent."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.taxonomy import FLAGS
from training.evaluated import Evaluated
from training.fit import truth
from training.split import author_of

Rows = NDArray[np.int_]


def intervals(data: Evaluated, rounds: int, seed: int) -> dict[str, Any]:
    """Bootstrap intervals of the headline figures.

    Args:
        data: predictions and labels.
        rounds: draws.
        seed: of the generator.

    Returns:
        (low, high) by figure.
    """
    rows: dict[str, list[int]] = {}
    for row, ticket in enumerate(data.tickets):
        rows.setdefault(author_of(ticket), []).append(row)
    authors = list(rows)
    generator = np.random.default_rng(seed)
    draws = [
        np.concatenate([rows[authors[i]] for i in generator.integers(0, len(authors), len(authors))])
        for _ in range(rounds)
    ]
    figures: dict[str, Callable[[Rows], float]] = {
        "category.accuracy": _resampled_accuracy(data),
        "category.macro_f1": _resampled_macro(data),
        **{f"flags.{flag}.f1": _resampled_flag(data, flag) for flag in FLAGS},
    }
    return {
        name: [round(float(x), 4) for x in np.quantile([figure(draw) for draw in draws], [0.025, 0.975])]
        for name, figure in figures.items()
    }


def _resampled_accuracy(data: Evaluated) -> Callable[[Rows], float]:
    right = np.array([g == f for g, f in zip(data.gold, data.found, strict=True)])
    return lambda draw: float(right[draw].mean())


def _resampled_macro(data: Evaluated) -> Callable[[Rows], float]:
    codes = sorted(set(data.gold) | set(data.found))
    gold = np.array([codes.index(c) for c in data.gold])
    found = np.array([codes.index(c) for c in data.found])

    def macro(draw: Rows) -> float:
        table = np.bincount(gold[draw] * len(codes) + found[draw], minlength=len(codes) ** 2).reshape(len(codes), -1)
        seen = table.sum(axis=0) + table.sum(axis=1)
        return float((2 * np.diag(table)[seen > 0] / seen[seen > 0]).mean())

    return macro


def _resampled_flag(data: Evaluated, flag: str) -> Callable[[Rows], float]:
    gold = np.array([truth(t, flag) for t in data.tickets])
    raised = np.array([p.flags[flag].raised for p in data.predictions])
    return lambda draw: float(2 * (gold[draw] & raised[draw]).sum() / max(1, gold[draw].sum() + raised[draw].sum()))
