"""Which leaves rise, and where: every cell of leaf × place, and of leaf, against its own holiday-aware baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import false_discovery_control

from serving.hotspots.analysis import Period, Rising
from serving.hotspots.baseline import Numbers, calendar_features, exposures
from serving.hotspots.conditional import levels, p_value
from serving.hotspots.options import Options
from serving.hotspots.periods import begin, starts_before

SPANS = {"week": (1, 2, 4), "month": (1,)}  # a slow rise shows in several periods together
PAST = {"week": 52, "month": 12}  # periods of the past that a cell's own level is taken from, at most
FEWEST = {1: 6, 2: 4, 4: 3}  # windows of that many periods in the past, at least
SHOWN = 12  # of them shown with a rising cell


@dataclass(frozen=True)
class Counts:
    """Tickets a day as a matrix: `matrix` (cells, days), `cells` (leaf, unit or None for all), `days` without a gap."""

    matrix: Numbers
    cells: tuple[tuple[str, str | None], ...]
    days: tuple[date, ...]

    def place(self, day: date) -> int:
        """The column of a day, which may lie outside."""
        return (day - self.days[0]).days

    @cached_property
    def leaf_of(self) -> npt.NDArray[np.int_]:
        """(cells,) place of each cell's leaf among the leaves in order."""
        order = {leaf: number for number, leaf in enumerate(sorted({leaf for leaf, _ in self.cells}))}
        return np.array([order[leaf] for leaf, _ in self.cells])

    @cached_property
    def totals(self) -> Numbers:
        """(leaves, days) tickets of each leaf everywhere."""
        return self.matrix[[row for row, (_, unit) in enumerate(self.cells) if unit is None]]


def matrix_of(daily: pd.DataFrame) -> Counts:
    """Daily counts as a matrix. Tickets without a place count for their leaf alone.

    Args:
        daily: as `serving.hotspots.daily` gives it, at least one row.

    Returns:
        Cells of leaf × unit in order, then one for each leaf.
    """
    days = pd.date_range(daily["day"].min(), daily["day"].max())
    columns = (daily["day"] - days[0]).dt.days.to_numpy()
    leaf, leaves = pd.factorize(daily["leaf"], sort=True)
    unit, units = pd.factorize(daily["unit"], sort=True)  # -1 where there is none
    code = leaf * len(units) + unit
    pairs, own = np.unique(code[unit >= 0], return_inverse=True)
    matrix = np.zeros((len(pairs) + len(leaves), len(days)))
    tickets = daily["tickets"].to_numpy(dtype=float)
    np.add.at(matrix, (own, columns[unit >= 0]), tickets[unit >= 0])
    np.add.at(matrix, (len(pairs) + leaf, columns), tickets)
    cells = [(leaves[pair // len(units)], units[pair % len(units)]) for pair in pairs]
    return Counts(matrix, (*cells, *((one, None) for one in leaves)), tuple(day.date() for day in days))


def find_rising(daily: pd.DataFrame, periods: Sequence[Period], options: Options) -> tuple[tuple[Rising, ...], int]:
    """Cells above their baseline, all complete periods together under one false-discovery control.

    A cell under `options.smallest` tickets cannot be found, but counts among those tested, so that the control holds
    (Benjamini & Hochberg, 1995, J. R. Statist. Soc. B 57, 289–300).

    Args:
        daily: tickets a day with as much past as there is.
        periods: to be tested; incomplete ones, and those before the first ticket, are left out.
        options: what to test for.

    Returns:
        The rising cells, the surest first, and how many cells were tested.
    """
    return find_in(matrix_of(daily), periods, options) if not daily.empty else ((), 0)


def find_in(counts: Counts, periods: Sequence[Period], options: Options) -> tuple[tuple[Rising, ...], int]:
    """The same for counts that are a matrix already.

    Args:
        counts: with as much past as there is.
        periods: to be tested.
        options: what to test for.

    Returns:
        As `find_rising`.
    """
    within = [period for period in periods if period.complete and period.until > counts.days[0]]
    tested = _tested_all(counts, within, options)
    if not tested:
        return (), 0
    adjusted = false_discovery_control([row["p"] for row in tested])
    found = [Rising(**row, q=float(q)) for row, q in zip(tested, adjusted, strict=True) if q <= options.false_discovery]
    found.sort(key=lambda one: (one.q, one.p, -one.ratio, one.leaf, one.unit or ""))
    return tuple(found), len(tested)


def _tested_all(counts: Counts, periods: Sequence[Period], options: Options) -> list[dict[str, Any]]:
    """All cells of all periods. The calendar's shape is fitted anew for each month, on what lies before it."""
    shapes: dict[date, Numbers] = {}
    rows = []
    for period in periods:
        cut = begin(period.until - timedelta(days=28), "month")
        if cut not in shapes:
            shapes[cut] = _shapes(counts, counts.place(cut), counts.place(periods[-1].until))
        rows += _tested(counts, shapes[cut], period, options)
    return rows


def _shapes(counts: Counts, history: int, days: int) -> Numbers:
    """(leaves, days) of what the calendar lets expect, fitted on the first `history` days."""
    history = max(1, min(history, len(counts.days)))
    features = calendar_features([counts.days[0] + timedelta(days=n) for n in range(days)], history)
    return np.array([exposures(total[:history], features) for total in counts.totals])


def _tested(counts: Counts, shapes: Numbers, period: Period, options: Options) -> list[dict[str, Any]]:
    """Fields of `Rising` without `q` for every cell that has a past or a present; none where the past is too short.

    Of several spans the one with the smallest p is kept, times the number of spans (Bonferroni). What the last period
    alone does not show to be above its baseline is over.
    """
    spans = [found for span in SPANS[options.by] if (found := _span(counts, shapes, period, span, options))]
    if not spans:
        return []
    over = spans[0].present <= spans[0].expected
    p = np.array([np.where(over, 1.0, one.p) for one in spans])
    best = p.argmin(axis=0)
    history = spans[0].past[:, -SHOWN:].astype(int)
    rows = []
    for row in np.flatnonzero(spans[0].past.any(axis=1) | (spans[0].present > 0)):
        one, (leaf, unit) = spans[best[row]], counts.cells[row]
        rows.append({
            "leaf": leaf, "unit": unit, "period": period.label, "span": one.span, "tickets": int(one.present[row]),
            "expected": float(one.expected[row]), "ratio": float(one.present[row] / one.expected[row]),
            "p": min(1.0, len(spans) * float(p[best[row], row])), "history": tuple(history[row].tolist()),
        })  # fmt: skip
    return rows


@dataclass(frozen=True)
class _Span:
    """The last `span` periods together, for every cell: counts now and before, what was expected, p."""

    span: int
    past: Numbers
    present: Numbers
    expected: Numbers
    p: Numbers


def _span(counts: Counts, shapes: Numbers, period: Period, span: int, options: Options) -> _Span | None:
    known = starts_before(period.until, options.by, PAST[options.by] + span)
    starts = [day for day in known[::-1][span - 1 :: span][::-1] if day >= counts.days[0]]
    if len(starts) <= FEWEST[span]:
        return None
    edges = [*(counts.place(day) for day in starts), counts.place(period.until)]
    seen, expect = _sums(counts.matrix, edges), _sums(shapes, edges)[counts.leaf_of]
    past, present = seen[:, :-1], seen[:, -1]
    kinds = np.array([unit is None for _, unit in counts.cells], dtype=float)
    cut, spread = levels(past, expect[:, :-1], kinds)
    before, now, then = cut.sum(axis=1), expect[:, -1], expect[:, :-1].sum(axis=1)
    expected = (before + 0.5) * now / then
    p = np.ones(len(present))
    for row in np.flatnonzero((present >= options.smallest) & (present > expected)):
        p[row] = p_value(int(present[row]), before[row], (now[row], then[row]), spread[row])
    return _Span(span, past, present, expected, p)


def _sums(matrix: Numbers, edges: list[int]) -> Numbers:
    """(cells, windows) sums between edges; days behind the last one with a ticket count nothing."""
    whole = np.zeros((len(matrix), edges[-1] + 1))
    kept = matrix[:, : edges[-1]]
    np.cumsum(kept, axis=1, out=whole[:, 1 : kept.shape[1] + 1])
    whole[:, kept.shape[1] + 1 :] = whole[:, [kept.shape[1]]]
    return np.diff(whole[:, edges], axis=1)
