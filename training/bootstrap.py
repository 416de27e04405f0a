"""95 % intervals by author: whole authors are drawn with replacement, since their tickets are not independent."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from model.taxonomy import FLAGS
from model.ticket import LabelledTicket
from training.calibrate import expected_calibration_error
from training.evaluated import Evaluated, group_of, rounded
from training.split import author_of

Rows = NDArray[np.int_]
Figure = Callable[[Rows], float]
Interval = list[float] | None


def intervals(
    figures: Mapping[str, Figure], tickets: Sequence[LabelledTicket], *, rounds: int, seed: int
) -> dict[str, Interval]:
    """Percentile intervals of figures, all over the same draws.

    Args:
        figures: by name; each gives its value on some rows (which may repeat), NaN where it has none.
        tickets: n labelled tickets; one without author stands alone.
        rounds: draws.
        seed: of the generator.

    Returns:
        [low, high] by name; None where there is but one author, or no draw has a value.
    """
    groups = rows_by_author(tickets)
    if len(groups) < 2:
        return dict.fromkeys(figures)
    values = np.array([[figure(draw) for figure in figures.values()] for draw in _draws(groups, rounds, seed)])
    return {name: _interval(values[:, column]) for column, name in enumerate(figures)}


def rows_by_author(tickets: Sequence[LabelledTicket]) -> list[Rows]:
    """Who wrote what.

    Args:
        tickets: n labelled tickets.

    Returns:
        The rows of each author.
    """
    rows: dict[str, list[int]] = {}
    for row, ticket in enumerate(tickets):
        rows.setdefault(author_of(ticket), []).append(row)
    return [np.array(group) for group in rows.values()]


def headline_figures(data: Evaluated) -> dict[str, Figure]:
    """The figures of a report that get an interval, named by their place in it.

    Args:
        data: predictions and labels.

    Returns:
        By name. Resampling makes ECE a little too large, so its interval leans upwards.
    """
    right, auto, confidence = data.right, data.auto, data.confidence
    groups = [group_of(code) for code in data.gold], [group_of(code) for code in data.found]
    return {
        "category.accuracy": mean_of(right),
        "category.macro_f1": macro_f1_of(data.gold, data.found),
        "category.top3": mean_of(data.among_three),
        "group_macro_f1": macro_f1_of(*groups),
        **{f"flags.{flag}.f1": _f1_of(data, flag) for flag in FLAGS},
        **{f"{cue}.r": mean_of(data.raised(cue), data.labelled(cue)) for cue in ("safety", "escalation")},
        "calibration.ece": lambda draw: expected_calibration_error(confidence[draw], right[draw]),
        "selective.auto_rate": mean_of(auto),
        "selective.auto_precision": mean_of(right, auto),
    }


def mean_of(values: NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> Figure:
    """The share of rows for which something holds.

    Args:
        values: whether it holds; shape (n,).
        among: only these rows count; all where None.

    Returns:
        The figure; NaN where no row counts.
    """
    counted = np.ones_like(values) if among is None else among

    def share(draw: Rows) -> float:
        kept = values[draw][counted[draw]]
        return float(kept.mean()) if len(kept) else float("nan")

    return share


def macro_f1_of(gold: Sequence[str], found: Sequence[str]) -> Figure:
    """Macro-F1 over the codes that a draw holds.

    Args:
        gold: n labelled codes.
        found: n proposed codes.

    Returns:
        The figure.
    """
    codes = {code: number for number, code in enumerate(sorted({*gold, *found}))}
    cell = np.array([codes[g] * len(codes) + codes[f] for g, f in zip(gold, found, strict=True)])

    def macro(draw: Rows) -> float:
        table = np.bincount(cell[draw], minlength=len(codes) ** 2).reshape(len(codes), -1)
        seen = table.sum(axis=0) + table.sum(axis=1)
        return float((2 * np.diag(table)[seen > 0] / seen[seen > 0]).mean())

    return macro


def _f1_of(data: Evaluated, flag: str) -> Figure:
    gold, raised = data.labelled(flag), data.raised(flag)

    def f1(draw: Rows) -> float:
        total = int(gold[draw].sum() + raised[draw].sum())
        return float(2 * (gold[draw] & raised[draw]).sum() / total) if total else float("nan")

    return f1


def _draws(groups: Sequence[Rows], rounds: int, seed: int) -> Iterator[Rows]:
    generator = np.random.default_rng(seed)
    for _ in range(rounds):
        yield np.concatenate([groups[author] for author in generator.integers(0, len(groups), len(groups))])


def _interval(values: NDArray[np.float64]) -> Interval:
    known = values[~np.isnan(values)]
    return [rounded(bound) for bound in np.quantile(known, [0.025, 0.975])] if len(known) else None
