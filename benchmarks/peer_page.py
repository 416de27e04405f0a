"""The page and the picture of `peers.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from peer_run import PEERS
from peer_scores import Figure, Measured, Rows, difference, draws, macro_f1, mean_flag_f1, measured
from peer_tasks import Task

from model.taxonomy import FLAGS

_TFIDF, _OURS = ("words", "characters"), ("linear", "cascade")
_ABOUT = """\
How it is measured. Peers read the raw text and learn the leaf, and each flag with one binary classifier on the same features; encoder peers
start from the packaged multilingual-e5-small (12 layers, 256 tokens). Training seconds do not count getting the encoder, and for ours count the folds
that calibrate it. One ticket: 200 texts, one call each, leaf and flags together. Tickets/s: the whole test side in one call. MB: what is saved for
predicting. Intervals are 95 %, by bootstrap over authors (over rows on the benchmarks, whose authors are unknown).

- **fastText**: words and their inner 1–2-grams, learning rate 1, 50 epochs (its defaults learn next to nothing from so few rows).
- **TF-IDF**: sublinear; jieba words as cut by its own dictionary; `LinearSVC`, balanced weights for flags only.
- **frozen**: mean of all tokens, standardised, logistic regression.
- **SetFit**: 100 steps of 16 pairs of the first 128 tokens, which is about what 20 minutes allow; flags by logistic regression on the tuned vectors (they take no part in the tuning).
- **`Trainer`**: `AutoModelForSequenceClassification`, 4 epochs, rate 1e-4, batch 16, bf16; leaf by cross-entropy, flags as further outputs.
- **ours**, on our samples: the product. *linear* is the linear classifier with rules, *cascade* has the fine-tuned 6-layer encoder (int8) behind it.
  Both also do what no peer here does: mask, find evidence, judge safety and escalation, calibrate, route. The rules were written by a person who
  read some authors of the training side, none of the test side.
- **ours**, on the benchmarks: *linear* is the product's linear classifier alone, fitted on other labels; *cascade* adds the fine-tuned encoder, which
  learns from four fifths of the rows while the last fifth weighs the two. No rules and no calibration."""


@dataclass(frozen=True)
class Column:
    """One task with what was measured on it, by peer; `rounds` of the bootstrap."""

    task: Task
    results: Mapping[str, Mapping[str, Any]]
    rounds: int

    @cached_property
    def drawn(self) -> list[Rows]:
        """The same draws for all figures."""
        return draws(self.task.test.groups, self.rounds)

    @property
    def done(self) -> list[str]:
        """Peers that were measured."""
        return [peer for peer, result in self.results.items() if "failed" not in result]

    def leaf(self, peer: str) -> Figure:
        """Leaf macro-F1.

        Args:
            peer: that was measured.

        Returns:
            A figure of rows.
        """
        return macro_f1(self.task.test.leaves, self.results[peer]["leaves"])

    def flag(self, peer: str, *names: str) -> Figure:
        """Mean flag F1.

        Args:
            peer: that was measured, on a task with flags.
            names: of flags; all where none is given.

        Returns:
            A figure of rows.
        """
        found = self.results[peer]["flags"]
        return mean_flag_f1({n: self.task.test.flag(n) for n in names or FLAGS}, {n: found[n] for n in names or FLAGS})

    def of(self, figure: Figure) -> Measured:
        """A figure with its interval.

        Args:
            figure: of rows.

        Returns:
            Value and interval.
        """
        return measured(figure, self.drawn, len(self.task.test.texts))


def page(columns: Sequence[Column], protocol: str) -> list[str]:
    """All figures.

    Args:
        columns: one for each task.
        protocol: first paragraph.

    Returns:
        Lines of Markdown.
    """
    lines = ["# Beside peers", "", protocol, "", "![Quality against cost](peers.svg)", ""]
    for column in columns:
        train, test = column.task.train, column.task.test
        who = f" by {len(set(test.groups))} authors never met" if test.tickets else ""
        lines += [
            f"## {column.task.name}",
            "",
            f"{len(train.texts)} training rows, {len(test.texts)} to predict{who}.",
            "",
        ]
        lines += [*_table(column), "", *_paired(column), ""]
    return [*lines, "## How", "", _ABOUT]


def _table(column: Column) -> list[str]:
    flags = ["mean flag F1", *FLAGS] if column.task.test.tickets else []
    heads = ["", "leaf macro-F1", *flags, "training s", "one ticket p50 / p99 ms", "tickets/s", "MB"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for peer, result in column.results.items():
        if "failed" in result:
            cells = [result["failed"], *[""] * (len(heads) - 2)]
        else:
            seconds = "given" if result["seconds"] is None else f"{result['seconds']:.0f}"
            quality = [column.of(column.leaf(peer)).shown()]
            if flags:
                quality.append(column.of(column.flag(peer)).shown())
                quality += [f"{column.flag(peer, name)(np.arange(len(column.task.test.texts))):.2f}" for name in FLAGS]
            latency = f"{result['p50']:.1f} / {result['p99']:.1f}"
            cells = [*quality, seconds, latency, f"{result['per_second']:.0f}", f"{result['megabytes']:.1f}"]
        remark = f" ({result['remark']})" if result.get("remark") else ""
        lines.append("| " + " | ".join([PEERS[peer].title + remark, *cells]) + " |")
    return lines


def _paired(column: Column) -> list[str]:
    """Ours less the better TF-IDF peer, on the same draws."""
    lines = []
    figures = {"leaf macro-F1": column.leaf} | ({"mean flag F1": column.flag} if column.task.test.tickets else {})
    for ours in [peer for peer in _OURS if peer in column.done]:
        for name, figure in figures.items():
            peers = {peer: column.of(figure(peer)).value for peer in _TFIDF if peer in column.done}
            if peers:
                best = max(peers, key=lambda peer: peers[peer])
                gap = column.of(difference(figure(ours), figure(best))).shown(100, "+.1f")
                lines.append(f"- {PEERS[ours].title} less {PEERS[best].title}, {name}: {gap} points, paired")
    return lines


def draw(columns: Sequence[Column], path: Path) -> None:
    """Quality against the cost of one ticket.

    Args:
        columns: one for each task.
        path: SVG file.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure as Picture

    panels = [(f"{c.task.name}: leaf macro-F1", c, c.leaf) for c in columns]
    panels += [(f"{c.task.name}: mean flag F1", c, c.flag) for c in columns if c.task.test.tickets]
    with mpl.rc_context({"svg.hashsalt": "peers", "font.size": 9}):
        picture = Picture(figsize=(5.2 * len(panels), 4.2), layout="constrained")
        for axes, (title, column, figure) in zip(np.ravel(picture.subplots(1, len(panels))), panels, strict=True):
            axes.set(title=title, xscale="log", xlabel="one ticket, median ms")
            axes.margins(x=0.3, y=0.12)
            axes.grid(alpha=0.3)
            for peer in column.done:
                _point(axes, peer, column.results[peer]["p50"], column.of(figure(peer)))
        picture.savefig(path, format="svg", metadata={"Date": None})


def _point(axes: Any, peer: str, cost: float, quality: Measured) -> None:
    ours = peer in _OURS
    reach = [[quality.value - quality.low], [quality.high - quality.value]]
    colour = "tab:red" if ours else "tab:grey"
    axes.errorbar(cost, quality.value, yerr=np.maximum(reach, 0), fmt="D" if ours else "o", color=colour, capsize=2)
    name = f"ours: {peer}" if ours else peer
    axes.annotate(name, (cost, quality.value), xytext=(5, 4), textcoords="offset points", color=colour)
