"""A simulated company whose truth is known: stations of all sizes, seasons, weekdays, holidays, planted surges.

A day's count of a leaf at a station is Poisson around size × leaf × season × kind of day × trend × the week's luck. The
luck is log-normal, lasts beyond the week, each cell's own and one shared by all stations (weather, campaigns): counts are
over-dispersed, and neither stations nor weeks are independent. The engine under test knows none of these numbers, nor this form of over-dispersion.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from model.workdays import HOLIDAY, kind_of_day

LEAVES = {  # share of all tickets, height of the season, its peak (day of the year), factor of weekends, of holidays
    "other.outage": (0.22, 0.6, 205, 1.0, 1.2), "other.power_quality": (0.08, 0.5, 205, 1.0, 1.1),
    "billing.charge": (0.20, 0.3, 230, 0.6, 0.4), "billing.tariff": (0.07, 0.1, 20, 0.5, 0.3),
    "hall.staff_attitude": (0.06, 0.1, 90, 0.4, 0.2), "metering.device": (0.07, 0.2, 220, 0.6, 0.4),
    "metering.replacement": (0.05, 0.4, 120, 0.5, 0.2), "metering.miswiring": (0.02, 0.1, 10, 0.6, 0.4),
    "metering.verification": (0.02, 0.2, 230, 0.5, 0.3), "other.new_connection": (0.07, 0.2, 150, 0.5, 0.2),
    "other.grid_facility": (0.05, 0.3, 180, 0.8, 0.6), "other.field_conduct": (0.04, 0.1, 90, 0.6, 0.4),
    "other.misc": (0.05, 0.1, 1, 0.7, 0.6),
}  # fmt: skip
Numbers = npt.NDArray[np.float64]
STAYS = 0.33  # correlation of one week's luck with the next


@dataclass(frozen=True, slots=True)
class World:
    """What is drawn.

    Args:
        stations: how many.
        days: of the calendar.
        first: the first of them, a Monday.
        weekly: tickets of a middling station a week.
        own_luck: coefficient of variation of a cell's own week.
        shared_luck: of the week that all stations of a leaf share.
        growth: of all tickets in a year, 0.1 is +10 %.
    """

    stations: int = 60
    days: int = 7 * 156
    first: date = date(2023, 10, 30)
    weekly: float = 40.0
    own_luck: float = 0.25
    shared_luck: float = 0.08
    growth: float = 0.05


@dataclass(frozen=True, slots=True)
class Surge:
    """A planted surge: cell, first week, weeks it lasts, factor."""

    leaf: str
    station: int
    week: int
    weeks: int
    factor: float


def means(world: World, random: np.random.Generator) -> Numbers:
    """(leaves, stations, days) of tickets a day, luck included.

    Args:
        world: what is drawn.
        random: draws.

    Returns:
        Before surges.
    """
    calendar = [world.first + timedelta(days=n) for n in range(world.days)]
    kinds = np.array([kind_of_day(day) for day in calendar])
    number = np.array([day.timetuple().tm_yday for day in calendar])
    size = random.lognormal(0, 0.8, world.stations) * world.weekly / 7
    taste = random.gamma(20, 1 / 20, (len(LEAVES), world.stations))
    growth = (1 + world.growth) ** (np.arange(world.days) / 365)
    days = np.array([_days(leaf, kinds, number) for leaf in LEAVES])
    weeks = -(-world.days // 7)
    shared = _luck(random, world.shared_luck, (len(LEAVES), 1, weeks))
    own = _luck(random, world.own_luck, (len(LEAVES), world.stations, weeks))
    luck = np.repeat(shared * own, 7, axis=2)[:, :, : world.days]
    found: Numbers = size[None, :, None] * taste[:, :, None] * days[:, None, :] * growth * luck
    return found


def _days(leaf: str, kinds: npt.NDArray[np.int_], number: npt.NDArray[np.int_]) -> Numbers:
    share, height, peak, weekend, holiday = LEAVES[leaf]
    season = np.exp(height * np.cos(2 * np.pi * (number - peak) / 365.25))
    weekday = np.array([1.15, 1.05, 1.0, 1.0, 0.95, weekend, weekend, holiday])
    return share * season * weekday[np.minimum(kinds, HOLIDAY)]


def _luck(random: np.random.Generator, variation: float, shape: tuple[int, ...]) -> Numbers:
    """Log-normal around 1; a third of a week's luck stays for the next."""
    spread = np.sqrt(np.log1p(variation**2))
    found = random.normal(0, 1, shape)
    for week in range(1, shape[-1]):
        found[..., week] = STAYS * found[..., week - 1] + np.sqrt(1 - STAYS**2) * found[..., week]
    return np.exp(spread * found - spread**2 / 2)


def plant(mean: Numbers, surges: list[Surge]) -> Numbers:
    """Means with surges.

    Args:
        mean: of `means`.
        surges: planted.

    Returns:
        A copy.
    """
    leaves, found = list(LEAVES), mean.copy()
    for one in surges:
        found[leaves.index(one.leaf), one.station, 7 * one.week : 7 * (one.week + one.weeks)] *= one.factor
    return found


def draw_surges(
    world: World, weeks: range, factors: tuple[float, ...], number: int, random: np.random.Generator
) -> list[Surge]:
    """Surges of four weeks in different cells.

    Args:
        world: whose cells.
        weeks: in which they may begin.
        factors: taken in turn.
        number: how many.
        random: draws.

    Returns:
        No two in one cell.
    """
    cells = random.choice(len(LEAVES) * world.stations, number, replace=False)
    leaves = list(LEAVES)
    return [
        Surge(leaves[cell % len(LEAVES)], int(cell // len(LEAVES)), int(random.choice(weeks)), 4, factors[n % len(factors)])
        for n, cell in enumerate(cells)
    ]  # fmt: skip


def daily_frame(counts: npt.NDArray[np.int64], first: date) -> pd.DataFrame:
    """Counts as the engine reads them.

    Args:
        counts: (leaves, stations, days).
        first: day.

    Returns:
        As `serving.hotspots.daily`.
    """
    leaf, station, day = np.nonzero(counts)
    names = np.array(list(LEAVES), dtype=object)
    return pd.DataFrame({
        "day": pd.Timestamp(first) + pd.to_timedelta(day, unit="D"), "leaf": names[leaf],
        "unit": np.array([f"供电所{n + 1:03d}" for n in range(counts.shape[1])], dtype=object)[station],
        "tickets": counts[leaf, station, day],
    })  # fmt: skip
