"""The hotspot engine against worlds whose truth is known, beside +30 % 环比 and a plain z-score; and how fast it is.

    python benchmarks/hotspots.py --write docs/hotspots.md

Needs nothing but data/samples. The picture goes beside the page.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

from hotspot_picture import draw
from hotspot_proof import (
    FACTORS,
    SIZES,
    Matched,
    Score,
    detect,
    engine_groups,
    hand_groups,
    match_groups,
    merged,
)
from hotspot_tickets import START, many, plant_incidents
from hotspot_world import World
from page import publish

from model.policy import load_policy
from model.ticket import LabelledTicket
from serving.hotspots.analyse import Background, analyse
from serving.hotspots.daily import daily_of
from serving.hotspots.incidents import find_incidents
from serving.hotspots.options import Options
from training.dataset import read_labelled

WORLDS = (
    World(stations=20),
    World(stations=60),
    World(stations=200),
    World(stations=60, days=7 * 80),
    World(stations=60, weekly=15),
)
SEEDS = (1, 2)
METHODS = {"engine": "this engine", "change": "环比 above +30 %", "z": "z-score above 2", "z6": "z-score above 6"}
NUMBERS = (10_000, 30_000, 100_000)


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds for so many tickets: incidents alone, and a whole analysis of one month among them."""

    tickets: int
    incidents: float
    whole: float


def main() -> None:
    """Run all and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, default=Path("data/samples"))
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    samples = list(read_labelled([asked.samples], load_policy().taxonomy).tickets)
    worlds = {world: merged([detect(world, seed) for seed in SEEDS]) for world in WORLDS}
    incidents = [_incidents(samples, seed) for seed in SEEDS]
    speeds = [_speed(samples, number) for number in NUMBERS]
    if asked.write:
        draw(merged(list(worlds.values())), METHODS, asked.write.with_suffix(".svg"))
    publish([*_opening(), *_detection(worlds), *_matched(incidents), *_times(speeds)], asked.write)


def _incidents(samples: list[LabelledTicket], seed: int) -> dict[str, Matched]:
    planted = plant_incidents(samples, stations=40, days=60, incidents=90, seed=seed)
    groups = {"this engine": engine_groups(planted), "one leaf, one station, one day": hand_groups(planted)}
    return {name: match_groups(planted, found) for name, found in groups.items()}


def _speed(samples: list[LabelledTicket], number: int) -> Speed:
    """100,000 tickets in a quarter of 200 stations; the analysis reads all of them."""
    frame = many(samples, number, stations=200, days=90, seed=1)
    began = time.perf_counter()
    find_incidents(frame)
    middle = time.perf_counter()
    first, last = START, frame["accepted_at"].iloc[-1].to_pydatetime()
    background = Background(daily=daily_of(frame), as_of=last)
    analyse(frame, since=first, until=last, policy=load_policy(), options=Options(), background=background)
    return Speed(number, middle - began, time.perf_counter() - middle)


def _opening() -> list[str]:
    return [
        "# Hotspot engine: proof",
        "",
        "Written by `python benchmarks/hotspots.py --write docs/hotspots.md`. Truth is known because it is simulated "
        "(`benchmarks/hotspot_world.py`): 13 leaves, stations of log-normal size, a season for each leaf, weekdays, Chinese "
        "holidays, growth, and log-normal luck of each cell's week and of each leaf's week everywhere, a third of which stays "
        "for the next week. The engine does not know this form. **No figure here comes from a real company.**",
        "",
        "![Surges found and false alarms](hotspots.svg)",
        "",
    ]


def _detection(worlds: dict[World, dict[str, Score]]) -> list[str]:
    lines = [
        "## Rising cells",
        "",
        "A tenth of all cells (leaf × station) gets a surge of four weeks; sixteen Mondays are looked at. *False* is the mean "
        "part of a Monday's alarms that are about no planted week. Every method may raise an alarm from five tickets on.",
        "",
        "| stations | tickets a week each | weeks of history | method | alarms | false | " + " | ".join(f"×{f:g} found" for f in FACTORS) + " |",
        "|---:|---:|---:|---|---:|---:|" + "---:|" * len(FACTORS),
    ]  # fmt: skip
    for world, scores in worlds.items():
        for name, score in scores.items():
            found = " | ".join(f"{score.power(factor, (2.0, 1e9))[0]:.0%}" for factor in FACTORS)
            lines.append(
                f"| {world.stations} | {world.weekly:g} | {world.days // 7 - 16} | {METHODS[name]} | {score.alarms} | {score.rate:.1%} | {found} |"
            )
    return [
        *lines,
        "",
        "*Found*: in any of its four weeks, cells that usually have two tickets a week or more.",
        "",
        *_power(worlds),
    ]


def _power(worlds: dict[World, dict[str, Score]]) -> list[str]:
    together = merged(list(worlds.values()))
    lines = [
        "### By size of the cell, all worlds",
        "",
        "Part found (mean week of the surge in which it was found, 1 is the first).",
        "",
        "| usual tickets a week | surge | planted | " + " | ".join(METHODS.values()) + " |",
        "|---|---:|---:|" + "---:|" * len(METHODS),
    ]
    for size in SIZES:
        name = f"{size[0]:g} to {size[1]:g}" if size[1] < 1e6 else f"{size[0]:g} and more"
        for factor in FACTORS:
            cells = [together[method].power(factor, size) for method in METHODS]
            shown = " | ".join(f"{part:.0%} ({week:.1f})" if part else "0 %" for part, _, week in cells)
            lines.append(f"| {name} | ×{factor:g} | {cells[0][1]} | {shown} |")
    return [
        *lines,
        "",
        "A surge of ×1.5 in a cell with a few tickets a week can hardly be told from chance; a fixed threshold 'finds' it because "
        "it raises an alarm in so many cells, as the column *false* shows. A z-score above 6 is quieter, and still "
        f"{together['z6'].rate:.0%} of a Monday's alarms are false, against {together['engine'].rate:.1%} of the engine's.",
        "",
    ]


def _matched(incidents: list[dict[str, Matched]]) -> list[str]:
    lines = [
        "## Incidents",
        "",
        "90 planted among some 5,000 tickets of 60 days and 40 stations (`benchmarks/hotspot_tickets.py`): copies in other words, "
        "villages in the dark, bursts after a fault; texts are edited tickets of data/samples. Incidents match where they share "
        "half of their tickets; pairs are pairs of tickets.",
        "",
        "| seed | method | precision | recall | pairs: precision | pairs: recall |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for seed, found in zip(SEEDS, incidents, strict=True):
        for name, one in found.items():
            lines.append(
                f"| {seed} | {name} | {one.precision:.3f} | {one.recall:.3f} | {one.pair_precision:.3f} | {one.pair_recall:.3f} |"
            )
    return [*lines, ""]


def _times(speeds: list[Speed]) -> list[str]:
    rows = [f"| {one.tickets:,} | {one.incidents:.1f} | {one.whole:.1f} |" for one in speeds]
    growth = (speeds[-1].incidents / speeds[0].incidents) / (speeds[-1].tickets / speeds[0].tickets)
    return [
        "## Speed",
        "",
        "Seconds on one machine with two cores that did other work too; tickets of 90 days and 200 stations with texts.",
        "",
        "| tickets | incidents | whole analysis, incidents and phrases included |",
        "|---:|---:|---:|",
        *rows,
        "",
        f"From {speeds[0].tickets:,} to {speeds[-1].tickets:,} tickets the time per ticket of incidents grows by the factor {growth:.2f}.",
    ]


if __name__ == "__main__":
    main()
