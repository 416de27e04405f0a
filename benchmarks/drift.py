"""Drift: how soon a meter-change campaign is named, and how often two samples of the same flow are called different.

`python benchmarks/drift.py [--bundle artifacts/champion] [--draws 100] [--write docs/drift.md]`. Every sample is drawn, without
replacement, from the tickets of data/samples whose authors the bundle never learned from (splits dev and test); both sides
of a comparison come from the same authors. No ticket is written or filled in for this.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from page import publish
from scipy.stats import binomtest

from model.bundle import load_bundle
from model.pipeline import Pipeline
from model.ticket import Ticket
from training.dataset import read_labelled
from training.drift import CHANGED, drift_report
from training.drift_page import told
from training.drift_sample import drift_sample

LEAF = "metering.replacement"
WORDS = ("换表", "新表", "旧表", "换新", "轮换", "改造", "底数", "拆", "智能表", "更换")
BEFORE, USUAL = 400, 0.03  # tickets of the reference, and the leaf's share in it
WINDOWS = (50, 100, 150, 200)
SHARES = (0.10, 0.20)
Table = dict[str, Any]
Pair = tuple[pd.DataFrame, pd.DataFrame]


@dataclass(frozen=True)
class Pool:
    """Tickets to draw from: of the campaign's leaf, as people labelled them, and all others."""

    leaf: pd.DataFrame
    others: pd.DataFrame

    def campaign(self, share: float, generator: np.random.Generator) -> Pair:
        """200 tickets in the order of their arrival, of which a share is the campaign's, and the reference.

        Args:
            share: of the campaign's tickets in the flow.
            generator: draws.

        Returns:
            Now and before; no ticket twice.
        """
        now, before = round(max(WINDOWS) * share), round(BEFORE * USUAL)
        mine, rest = _shuffled(self.leaf, generator), _shuffled(self.others, generator)
        cut = max(WINDOWS) - now
        flow = pd.concat([mine[:now], rest[:cut]])
        reference = pd.concat([mine[now : now + before], rest[cut : cut + BEFORE - before]])
        return _shuffled(flow, generator), reference

    def same(self, n: int, m: int, generator: np.random.Generator) -> Pair:
        """Two samples of one flow in which the leaf has its usual share.

        Args:
            n: tickets of today.
            m: tickets of before.
            generator: draws.

        Returns:
            Now and before; no ticket twice.
        """
        few = round((n + m) * USUAL)
        rest = _shuffled(self.others, generator)[: n + m - few]
        both = _shuffled(pd.concat([_shuffled(self.leaf, generator)[:few], rest]), generator)
        return both[:n], both[n:]


def main() -> None:
    """Draw, compare, print a page, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("artifacts/champion"))
    parser.add_argument("--data", type=Path, default=Path("data/samples"))
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.bundle)
    pipeline = Pipeline(bundle.policy, bundle)
    pool, authors = _pool(arguments.data, pipeline)
    size, draws = len(pool.leaf) + len(pool.others), arguments.draws
    lines = [
        "# Drift, measured", "",
        f"Made by `python benchmarks/drift.py --write docs/drift.md` with {bundle.id}: {draws} draws a row, each without replacement from "
        f"{size} tickets of data/samples ({len(pool.leaf)} of them {LEAF}) by {authors} authors from whom the bundle never learned. Tickets of "
        "one draw are independent of each other and draws share tickets: real flow (one caller five times, one outage fifty times) "
        "raises more alarms, and new authors raise some too. Intervals are Wilson's, 95 %.",
        "", *_campaigns(pool, draws), "", *_false_alarms(pool, draws), "", *_example(pool, pipeline),
    ]  # fmt: skip
    publish(lines, arguments.write)


def _pool(data: Path, pipeline: Pipeline) -> tuple[Pool, int]:
    labelled = read_labelled([data], pipeline.policy.taxonomy).tickets
    tickets = [ticket for ticket in labelled if ticket.split not in ("train", None)]
    frame = drift_sample([Ticket(ticket.text) for ticket in tickets], [None] * len(tickets), pipeline)
    mine = np.array([ticket.category == LEAF for ticket in tickets])
    return Pool(frame[mine], frame[~mine]), len({ticket.author for ticket in tickets})


def _shuffled(frame: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    return frame.iloc[generator.permutation(len(frame))]


def _names_leaf(report: Table) -> bool:
    """The campaign's leaf is among what rose."""
    return any(f["name"] == f"leaf:{LEAF}" and f["outcome"] == CHANGED and f["effect"] > 0 for f in report["figures"])


def _names_words(report: Table) -> bool:
    """A word of changing meters is among those that rose."""
    return any(part in word["word"] for word in report["words"]["more"] for part in WORDS)


def _campaigns(pool: Pool, draws: int) -> list[str]:
    lines = [
        "## A meter-change campaign starts", "",
        f"The reference: {BEFORE} tickets, {USUAL:.0%} of them {LEAF}. Then, from one ticket to the next, that leaf is a larger share of the "
        f"flow. Named: the leaf {LEAF} is among what rose, with a word of changing meters ({'、'.join(WORDS)}) among the words "
        "that rose. The first tickets are looked at alone: after 50, 100, 150 and 200 of them.", "",
        f"| share in the flow | {' | '.join(f'leaf named after {n}' for n in WINDOWS)} | leaf and words named after {max(WINDOWS)} | any change reported after {max(WINDOWS)} |",
        "|---|" + "---|" * (len(WINDOWS) + 2),
    ]  # fmt: skip
    for share in SHARES:
        generator = np.random.default_rng(0)
        named, both, any_change = Counter[int](), 0, 0
        for _ in range(draws):
            now, before = pool.campaign(share, generator)
            for n in WINDOWS:
                report = drift_report(now[:n], before)
                named[n] += _names_leaf(report)
            both += _names_leaf(report) and _names_words(report)
            any_change += _changed(report)
        cells = [_rate(named[n], draws) for n in WINDOWS] + [_rate(both, draws), _rate(any_change, draws)]
        lines.append(f"| {share:.0%} | {' | '.join(cells)} |")
    return lines


def _false_alarms(pool: Pool, draws: int) -> list[str]:
    lines = [
        "## Nothing changes", "",
        "Both sides are drawn from one flow by the same authors. An alarm is any figure that is called changed.", "",
        "| tickets now, before | false alarms | by figure | mean AUC | seconds a report |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for n, m in ((50, 400), (200, 400)):
        began, alarms, areas, figures = time.process_time(), 0, [], Counter[str]()
        for report in _reports(draws, lambda g, n=n, m=m: pool.same(n, m, g)):
            alarms += _changed(report)
            areas.append(report["auc"])
            figures.update(f["name"].split(":")[0] for f in report["figures"] if f["outcome"] == CHANGED)
        told_by = ", ".join(f"{name} {count}" for name, count in figures.most_common()) or "none"
        seconds = (time.process_time() - began) / draws
        lines.append(f"| {n}, {m} | {_rate(alarms, draws)} | {told_by} | {np.mean(areas):.3f} | {seconds:.2f} |")
    return lines


def _reports(draws: int, pair: Callable[[np.random.Generator], Pair]) -> Iterator[Table]:
    generator = np.random.default_rng(0)
    for _ in range(draws):
        yield drift_report(*pair(generator))


def _changed(report: Table) -> bool:
    return any(figure["outcome"] == CHANGED for figure in report["figures"])


def _rate(k: int, n: int) -> str:
    interval = binomtest(k, n).proportion_ci(0.95, "wilson")
    return f"{k / n:.2f} ({interval.low:.2f}–{interval.high:.2f})"


def _example(pool: Pool, pipeline: Pipeline) -> list[str]:
    """What a person reads: the first draw with a fifth of the flow."""
    now, before = pool.campaign(0.20, np.random.default_rng(0))
    lines = told(drift_report(now, before), pipeline.policy.taxonomy)
    return ["## What `triage drift` says of the first draw at 20 %", "", *(f"> {line}\n>" for line in lines)]


if __name__ == "__main__":
    main()
