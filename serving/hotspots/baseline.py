"""What a leaf's tickets would be on each day if only the calendar spoke: weekdays, public holidays, season, trend.

The shape is fitted over all places together, so that a small station borrows it; its own level comes later, from its own
past (`serving.hotspots.rising`). A log-linear Poisson regression, as in Farrington et al. (1996, J. R. Statist. Soc. A
159, 547–563) and Noufaily et al. (2013, Statistics in Medicine 32, 1206–1222), with harmonics in place of their seasonal
factor.
"""

import warnings
from datetime import date

import numpy as np
import numpy.typing as npt

from model.workdays import HOLIDAY, kind_of_day

Numbers = npt.NDArray[np.float64]
YEAR = 365.25
SEASON_DAYS = 365  # of history from which on a season is fitted
TREND_DAYS = 84  # from which on a trend is fitted, while there is no season yet
BOTH_DAYS = 548  # from which on both are


def calendar_features(days: list[date], history: int) -> Numbers:
    """What the calendar says of each day.

    Args:
        days: in order; the history first.
        history: how many days of history there are; decides which terms can be told apart.

    Returns:
        (days, terms): seven kinds of day beside Wednesday, then harmonics of the year or a trend, or both, or neither.
    """
    kinds = np.array([kind_of_day(day) for day in days])
    number = np.array([day.toordinal() for day in days], dtype=float)
    columns = [(kinds == kind).astype(float) for kind in range(HOLIDAY + 1) if kind != 2]
    if history >= SEASON_DAYS:
        for wave in (1, 2):
            turn = 2 * np.pi * wave * number / YEAR
            columns += [np.sin(turn), np.cos(turn)]
    if history >= BOTH_DAYS or TREND_DAYS <= history < SEASON_DAYS:
        columns.append((number - number[0]) / max(1, history) - 0.5)
    return np.column_stack(columns)


def exposures(counts: Numbers, features: Numbers) -> Numbers:
    """How many tickets a leaf would have on each day.

    Args:
        counts: (history,) tickets a day, all places together.
        features: (days, terms) of the history and the days after it.

    Returns:
        (days,), positive.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import PoissonRegressor

    if not counts.any():
        return np.ones(len(features))
    regressor = PoissonRegressor(alpha=1e-4, solver="newton-cholesky", max_iter=50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # hardly any tickets: any shape will do
        regressor.fit(features[: len(counts)], counts)
    found: Numbers = np.maximum(regressor.predict(features), 1e-9)
    return found
