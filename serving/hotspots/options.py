"""What an analysis may be asked to do otherwise; every default stands here."""

from dataclasses import dataclass
from typing import Literal

from serving.hotspots.frame import Level

By = Literal["week", "month"]


@dataclass(frozen=True, slots=True)
class Options:
    """Options of an analysis.

    Args:
        by: the period that is counted and tested.
        level: what a unit is.
        smallest: a cell with fewer tickets shows counts only.
        false_discovery: part of the rising cells that may be chance (Benjamini–Hochberg).
        repeats: tickets of one caller from which on the caller is listed.
        phrases: new phrases of one leaf at most.
        texts_most: tickets whose texts are read for incidents and phrases, the latest first.
    """

    by: By = "week"
    level: Level = "station"
    smallest: int = 5
    false_discovery: float = 0.1
    repeats: int = 3
    phrases: int = 10
    texts_most: int = 200_000
