"""Figures with 95 % intervals: whole groups (authors, or single rows) are drawn with replacement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[Any]
Figure = Callable[[Rows], float]


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def shown(self, factor: float = 1, form: str = ".3f") -> str:
        """As in a table.

        Args:
            factor: 100 for points.
            form: of each number.

        Returns:
            Value and interval.
        """
        value, low, high = (format(x * factor, form) for x in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


def draws(groups: Sequence[str], rounds: int, seed: int = 0) -> list[Rows]:
    """Rows of whole groups, drawn with replacement.

    Args:
        groups: one for each row.
        rounds: how many draws.
        seed: of the generator.

    Returns:
        Row numbers of each draw.
    """
    order = np.array(groups)
    rows = [np.flatnonzero(order == group) for group in dict.fromkeys(groups)]
    generator = np.random.default_rng(seed)
    return [np.concatenate([rows[n] for n in generator.integers(0, len(rows), len(rows))]) for _ in range(rounds)]


def macro_f1(gold: Sequence[str], found: Sequence[str]) -> Figure:
    """Mean F1 over the labels that stand in a draw, as gold or as found.

    Args:
        gold: n labels.
        found: n labels.

    Returns:
        A figure of rows.
    """
    codes = {code: number for number, code in enumerate(sorted({*gold, *found}))}
    cells = np.array([codes[g] * len(codes) + codes[f] for g, f in zip(gold, found, strict=True)])

    def figure(rows: Rows) -> float:
        table = np.bincount(cells[rows], minlength=len(codes) ** 2).reshape(len(codes), -1)
        seen = table.sum(axis=0) + table.sum(axis=1)
        return float((2 * np.diag(table)[seen > 0] / seen[seen > 0]).mean())

    return figure


def mean_flag_f1(gold: Mapping[str, Sequence[bool]], found: Mapping[str, Sequence[bool]]) -> Figure:
    """Mean over flags of the F1 of their positives; a flag that is neither there nor found in a draw is left out.

    Args:
        gold: n truth values for each flag.
        found: the same, as predicted.

    Returns:
        A figure of rows.
    """
    pairs = [(np.array(gold[name]), np.array(found[name])) for name in gold]

    def figure(rows: Rows) -> float:
        both = [(2 * (g & f)[rows].sum(), g[rows].sum() + f[rows].sum()) for g, f in pairs]
        return float(np.mean([right / seen for right, seen in both if seen] or [0.0]))

    return figure


def measured(figure: Figure, drawn: Sequence[Rows], n: int) -> Measured:
    """A figure on all rows, and its interval.

    Args:
        figure: of rows.
        drawn: from `draws`.
        n: number of rows.

    Returns:
        Value and interval.
    """
    low, high = np.quantile([figure(rows) for rows in drawn], [0.025, 0.975])
    return Measured(figure(np.arange(n)), float(low), float(high))


def difference(ours: Figure, theirs: Figure) -> Figure:
    """How much better ours is, on the same rows of each draw.

    Args:
        ours: a figure.
        theirs: the same figure of a peer.

    Returns:
        Ours less theirs.
    """
    return lambda rows: ours(rows) - theirs(rows)
