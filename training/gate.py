"""Whether a challenger may take the champion's place: both answer the same tickets, differences are paired by author."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import UnreadableInput
from model.pipeline import Pipeline
from model.taxonomy import FLAGS
from model.ticket import LabelledTicket
from model.yaml_text import parse_yaml
from training.bootstrap import Figure, Interval, Rows, intervals, macro_f1_of, mean_of, rows_by_author
from training.evaluated import Evaluated, rounded, run
from training.verdict import KEPT, LOST, WATCH, Check, Flip, Sides, Verdict

TOLERANCES = Path(__file__).with_suffix(".yaml")
_NEVER = "safety"
_ENDLESS = 1_000_000


@dataclass(frozen=True)
class Tolerance:
    """How much of a figure may be lost; see gate.yaml."""

    loss: float
    hard: float
    least: int

    def __post_init__(self) -> None:
        given = (self.loss, self.hard, self.least)
        if not all(isinstance(value, int | float) and 0 <= value < _ENDLESS for value in given):
            raise ValueError("loss、hard、least 须为不小于 0 的数")

    def outcome(self, change: float, interval: Interval, n: int) -> str:
        """What a change of a figure means.

        Args:
            change: challenger minus champion.
            interval: 95 % of the paired change; None where there is but one author.
            n: tickets that the figure rests on.

        Returns:
            `kept`, `watch` (a loss that is not proven) or `lost`.
        """
        if change >= -self.loss:
            return KEPT
        proven = change < -self.hard or self.hard == 0 or (interval is not None and interval[1] < 0)
        return LOST if proven and n >= self.least else WATCH


@dataclass(frozen=True)
class Tolerances:
    """The gate's policy."""

    version: str
    rounds: int
    authors: int
    overall: Tolerance
    leaf: Tolerance
    flag: Tolerance
    auto_precision: Tolerance
    safety: Tolerance
    labels: Tolerance

    @classmethod
    def read(cls, path: Path = TOLERANCES) -> "Tolerances":
        """From a YAML file.

        Args:
            path: with the keys of gate.yaml.

        Returns:
            The policy.

        Raises:
            UnreadableInput: a key is missing, unknown or no number.
        """
        try:
            given: dict[str, Any] = parse_yaml(path.read_text(encoding="utf-8"))
            rounds, authors = int(given.pop("rounds")), int(given.pop("authors"))
            return cls(
                str(given.pop("version")),
                rounds,
                authors,
                **{name: Tolerance(**value) for name, value in given.items()},
            )
        except (OSError, KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise UnreadableInput(f"{path}:容许下降须与 training/gate.yaml 的键相同({error});请对照改正") from error


@dataclass(frozen=True)
class _Measure:
    """A figure of both, on rows that may repeat."""

    name: str
    tolerance: Tolerance
    n: int
    before: Figure
    after: Figure

    def change(self, draw: Rows) -> float:
        return self.after(draw) - self.before(draw)


def judge_challenger(
    champion: Pipeline,
    challenger: Pipeline,
    parts: Mapping[str, Sequence[LabelledTicket]],
    tolerances: Tolerances,
    *,
    data: str,
    seed: int = 0,
) -> Verdict:
    """Compare and decide.

    Args:
        champion: in use; rules alone where there is none.
        challenger: might take its place.
        parts: labelled tickets that neither learned from, by name (`frozen`, `holdout`, `recent`); empty ones are none.
        tolerances: what may be lost.
        data: the data version that the challenger learned from.
        seed: of the bootstrap.

    Returns:
        The verdict; accepted where nothing is lost.
    """
    answers = {part: (run(champion, tickets), run(challenger, tickets)) for part, tickets in parts.items() if tickets}
    checks: list[Check] = []
    flips: list[Flip] = []
    for part, (before, after) in answers.items():
        checks += compare(part, before, after, tolerances, seed=seed)
        flips += _flips(part, before, after)
    checks += _labels(answers, tolerances.labels)
    gained = sum(int((after.right & ~before.right).sum()) for before, after in answers.values())
    sides = Sides(_name(champion), _name(challenger), data, tolerances.version)
    return Verdict(sides, {part: len(parts[part]) for part in answers}, tuple(checks), tuple(flips), gained)


def _name(pipeline: Pipeline) -> str:
    return pipeline.bundle.id if pipeline.bundle else "rules"


def compare(part: str, before: Evaluated, after: Evaluated, tolerances: Tolerances, *, seed: int = 0) -> list[Check]:
    """Every figure of the gate on one part.

    Args:
        part: its name.
        before: the champion's predictions.
        after: the challenger's, for the same tickets.
        tolerances: what may be lost.
        seed: of the bootstrap.

    Returns:
        A check for each figure that has a value for both.
    """
    everything = np.arange(len(before.tickets))
    enough = len(rows_by_author(before.tickets)) >= tolerances.authors
    measures = [m for m in _measures(before, after, tolerances) if not np.isnan(m.change(everything))]
    figures = {m.name: m.change for m in measures}
    found = intervals(figures, before.tickets, rounds=tolerances.rounds, seed=seed) if enough else {}
    checks = []
    for measure in measures:
        change, interval = measure.change(everything), found.get(measure.name)
        values = (rounded(measure.before(everything)), rounded(measure.after(everything)))
        outcome = measure.tolerance.outcome(round(change, 9), interval, measure.n)
        checks.append(Check(part, measure.name, measure.n, values, interval, measure.tolerance.loss, outcome))
    return checks


def _labels(answers: Mapping[str, tuple[Evaluated, Evaluated]], tolerance: Tolerance) -> list[Check]:
    """Whether the batch's labels can be believed: what would be routed unread agrees with them about as often as else."""
    if not {"frozen", "holdout"} <= set(answers):
        return []
    usual, seen = (max(answers[part], key=_unread_right) for part in ("frozen", "holdout"))
    n = int(seen.auto.sum())
    if not n or not usual.auto.any():
        return []
    values = (rounded(_unread_right(usual)), rounded(_unread_right(seen)))
    outcome = tolerance.outcome(values[1] - values[0], None, n)
    return [Check("holdout", "labels", n, values, None, tolerance.loss, outcome)]


def _unread_right(side: Evaluated) -> float:
    return float(side.right[side.auto].mean()) if side.auto.any() else 0.0


def _measures(before: Evaluated, after: Evaluated, tolerances: Tolerances) -> list[_Measure]:
    total, gold, labels = len(before.tickets), before.gold, np.array(before.gold)
    found = np.array(before.found), np.array(after.found)
    measures = [
        _Measure("accuracy", tolerances.overall, total, mean_of(before.right), mean_of(after.right)),
        _Measure(
            "macro_f1", tolerances.overall, total, macro_f1_of(gold, before.found), macro_f1_of(gold, after.found)
        ),
        _Measure(
            "auto_precision", tolerances.auto_precision, int(before.auto.sum()),
            mean_of(before.right, before.auto), mean_of(after.right, after.auto),
        ),
    ]  # fmt: skip
    for leaf in sorted(set(gold)):
        own = labels == leaf
        pair = (f1_of(own, side == leaf) for side in found)
        measures.append(_Measure(f"leaf:{leaf}", tolerances.leaf, int(own.sum()), *pair))
    for flag in FLAGS:
        own = before.labelled(flag)
        pair = (f1_of(own, side.raised(flag)) for side in (before, after))
        measures.append(_Measure(f"flag:{flag}", tolerances.flag, int(own.sum()), *pair))
    own = before.labelled(_NEVER)
    pair = (mean_of(side.raised(_NEVER), own) for side in (before, after))
    return [*measures, _Measure(_NEVER, tolerances.safety, int(own.sum()), *pair)]


def f1_of(gold: NDArray[np.bool_], found: NDArray[np.bool_]) -> Callable[[Rows], float]:
    """F1 of one leaf or flag.

    Args:
        gold: whether it is labelled; shape (n,).
        found: whether it was proposed; shape (n,).

    Returns:
        The figure; NaN where it is neither labelled nor proposed.
    """

    def f1(draw: Rows) -> float:
        total = int(gold[draw].sum() + found[draw].sum())
        return float(2 * (gold[draw] & found[draw]).sum() / total) if total else float("nan")

    return f1


def _flips(part: str, before: Evaluated, after: Evaluated) -> list[Flip]:
    """Tickets that the champion had right and the challenger has wrong; missed danger first, then those sent unread."""
    danger = before.labelled(_NEVER) & before.raised(_NEVER) & ~after.raised(_NEVER)
    wrong = before.right & ~after.right
    found = [
        Flip(
            part, ticket.id, ticket.category, before.found[row], after.found[row],
            rounded(after.confidence[row]), bool(after.auto[row]), bool(danger[row]),
        )
        for row, ticket in enumerate(before.tickets)
        if wrong[row] or danger[row]
    ]  # fmt: skip
    return sorted(found, key=lambda flip: (not flip.danger, not flip.unread, -flip.confidence))
