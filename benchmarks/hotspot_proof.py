"""How well rising cells and incidents are found in a world whose truth is known, beside what managers do today."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations

import numpy as np
import numpy.typing as npt
from hotspot_tickets import Planted
from hotspot_world import LEAVES, Surge, World, daily_frame, draw_surges, means, plant

from serving.hotspots.incidents import find_incidents
from serving.hotspots.options import Options
from serving.hotspots.periods import midnight, periods
from serving.hotspots.rising import find_in, matrix_of

FACTORS = (1.5, 2.0, 4.0)
WEEKS = 12  # in which surges may begin; each is looked at every Monday
SIZES = ((0.0, 2.0), (2.0, 8.0), (8.0, 1e9))  # tickets a week without the surge
Cell = tuple[str, int]
Alarms = dict[tuple[str, int, int], int]  # leaf, station, week -> weeks that the alarm is about


@dataclass
class Score:
    """False discoveries of each Monday, and of each surge the factor, its cell's size and the week it was found in."""

    false: list[float] = field(default_factory=list)
    alarms: int = 0
    surges: list[tuple[float, float, int | None]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Mean part of a Monday's alarms that are false; a Monday without alarms has none."""
        return float(np.mean(self.false))

    def power(self, factor: float, size: tuple[float, float]) -> tuple[float, int, float]:
        """Part of the surges found while they lasted, how many there were, and the mean week of the finding."""
        mine = [week for f, mean, week in self.surges if f == factor and size[0] <= mean < size[1]]
        found = [week for week in mine if week is not None]
        return len(found) / max(1, len(mine)), len(mine), float(np.mean(found)) if found else float("nan")


def detect(world: World, seed: int) -> dict[str, Score]:
    """Draw a world, plant surges, look every Monday.

    Args:
        world: what is drawn.
        seed: of the draws.

    Returns:
        Scores of the engine, of +30 % on the week before, and of z-scores above 2 and 6.
    """
    random = np.random.default_rng(seed)
    last = world.days // 7
    mean = means(world, random)
    surges = draw_surges(world, range(last - WEEKS - 4, last - 4), FACTORS, len(LEAVES) * world.stations // 10, random)
    counts = random.poisson(plant(mean, surges))
    weekly = counts.reshape(len(LEAVES), world.stations, last, 7).sum(axis=3)
    methods: dict[str, Callable[[int], Alarms]] = {
        "engine": _engine(world, counts),
        "change": lambda week: _where(_rises(weekly, week), week),
        "z": lambda week: _where(_deviates(weekly, week, 2), week),
        "z6": lambda week: _where(_deviates(weekly, week, 6), week),
    }
    true = {(one.leaf, one.station, one.week + n) for one in surges for n in range(one.weeks)}
    weeks = range(last - WEEKS - 4, last)
    usual = mean.reshape(*weekly.shape, 7).sum(axis=3).mean(axis=2)
    return {name: _score([method(week) for week in weeks], true, surges, usual) for name, method in methods.items()}


def _engine(world: World, counts: npt.NDArray[np.int64]) -> Callable[[int], Alarms]:
    matrix = matrix_of(daily_frame(counts, world.first))

    def look(week: int) -> Alarms:
        since = midnight(world.first + timedelta(days=7 * week))
        one = periods(since, since + timedelta(days=7), since + timedelta(days=7), "week")
        rising, _ = find_in(matrix, one, Options())
        return {(r.leaf, int(r.unit[-3:]) - 1, week): r.span for r in rising if r.unit}

    return look


def _rises(weekly: npt.NDArray[np.int64], week: int) -> npt.NDArray[np.bool_]:
    """What is done by hand: 环比 above +30 %, cells of five tickets or more."""
    now, before = weekly[:, :, week], weekly[:, :, week - 1]
    return (now >= 5) & (now > 1.3 * before)


def _deviates(weekly: npt.NDArray[np.int64], week: int, deviations: float) -> npt.NDArray[np.bool_]:
    """So many standard deviations above the mean of the twelve weeks before, cells of five tickets or more."""
    past = weekly[:, :, week - 12 : week]
    now = weekly[:, :, week]
    return (now >= 5) & (now > past.mean(axis=2) + deviations * past.std(axis=2, ddof=1))


def _where(found: npt.NDArray[np.bool_], week: int) -> Alarms:
    leaves = list(LEAVES)
    return {(leaves[leaf], int(station), week): 1 for leaf, station in np.argwhere(found)}


def _score(
    looks: list[Alarms], true: set[tuple[str, int, int]], surges: list[Surge], usual: npt.NDArray[np.float64]
) -> Score:
    """An alarm about several weeks is true where any of them was planted."""
    score, leaves = Score(), list(LEAVES)
    every = {cell for look in looks for cell in look}
    for look in looks:
        right = sum(
            any((leaf, unit, week - n) in true for n in range(span)) for (leaf, unit, week), span in look.items()
        )
        score.false.append((len(look) - right) / max(1, len(look)))
        score.alarms += len(look)
    for one in surges:
        weeks = [n + 1 for n in range(one.weeks) if (one.leaf, one.station, one.week + n) in every]
        size = float(usual[leaves.index(one.leaf), one.station])
        score.surges.append((one.factor, size, weeks[0] if weeks else None))
    return score


def merged(scores: list[dict[str, Score]]) -> dict[str, Score]:
    """Scores of several worlds as one.

    Args:
        scores: by method.

    Returns:
        By method.
    """
    return {
        name: Score(
            [rate for one in scores for rate in one[name].false],
            sum(one[name].alarms for one in scores),
            [surge for one in scores for surge in one[name].surges],
        )
        for name in scores[0]
    }


@dataclass(frozen=True, slots=True)
class Matched:
    """Precision and recall of incidents (matched where they share half of their tickets) and of pairs of tickets."""

    precision: float
    recall: float
    pair_precision: float
    pair_recall: float


def engine_groups(planted: Planted) -> list[set[str]]:
    """Incidents as the engine finds them."""
    return [set(one.ticket_ids) for one in find_incidents(planted.frame)]


def hand_groups(planted: Planted) -> list[set[str]]:
    """What is done by hand: one leaf, one station, one day is one incident."""
    days = planted.frame["accepted_at"].dt.date
    groups = planted.frame.groupby([planted.frame["unit"], planted.frame["category"], days])["ticket_id"]
    return [found for _, ids in groups if len(found := set(ids)) > 1]


def match_groups(planted: Planted, found: list[set[str]]) -> Matched:
    """Compare found incidents with the planted ones.

    Args:
        planted: the truth.
        found: groups of tickets.

    Returns:
        Precision and recall.
    """
    truth: dict[str, set[str]] = {}
    for ticket_id, name in planted.incident.items():
        if name is not None:
            truth.setdefault(name, set()).add(ticket_id)
    right = {name: any(len(one & group) / len(one | group) >= 0.5 for group in found) for name, one in truth.items()}
    good = [any(len(one & group) / len(one | group) >= 0.5 for one in truth.values()) for group in found]
    pairs, wanted = _pairs(found), _pairs(list(truth.values()))
    both = len(pairs & wanted)
    return Matched(
        sum(good) / max(1, len(good)), sum(right.values()) / max(1, len(right)),
        both / max(1, len(pairs)), both / max(1, len(wanted)),
    )  # fmt: skip


def _pairs(groups: list[set[str]]) -> set[tuple[str, str]]:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}
