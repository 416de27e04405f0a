"""What the gate found, for a person and for `triage promote`. Tickets stand in it by number and label, never by text."""

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from model.errors import UnreadableInput
from model.spreadsheet import safe_cell
from model.taxonomy import Taxonomy
from training.bootstrap import Interval

KEPT, WATCH, LOST = "kept", "watch", "lost"
FILE, TEXT, FLIPS = "verdict.json", "verdict.txt", "flips.csv"
PARTS = {"frozen": "冻结测试集", "holdout": "本批留出", "recent": "近期工单"}
_FIGURES = {
    "accuracy": "正确率",
    "macro_f1": "宏 F1",
    "auto_precision": "自动派单正确率",
    "safety": "人身安全召回率",
    "labels": "自动派出的工单与本批标注相符的比例(前为冻结测试集)",
}
_HEADLINES = ("accuracy", "macro_f1", "auto_precision", "safety")
_FLIPS_SHOWN = 10


@dataclass(frozen=True)
class Sides:
    """Who was compared: bundle ids (`rules` where there was no champion), data version, version of the tolerances."""

    champion: str
    challenger: str
    data: str
    tolerances: str


@dataclass(frozen=True)
class Check:
    """One figure on one part: `values` of champion and challenger, 95 % interval of the change, what may be lost."""

    part: str
    figure: str
    n: int
    values: tuple[float, float]
    interval: Interval
    tolerance: float
    outcome: str

    @property
    def change(self) -> float:
        """Challenger minus champion."""
        return self.values[1] - self.values[0]


@dataclass(frozen=True)
class Flip:
    """A ticket that was right and would be wrong; `unread`: without a person's look; `danger`: danger is missed."""

    part: str
    id: str
    label: str
    champion: str
    challenger: str
    confidence: float
    unread: bool
    danger: bool


@dataclass(frozen=True)
class Verdict:
    """The gate's answer. `counts`: tickets by part; `gained`: tickets that were wrong and would be right."""

    sides: Sides
    counts: Mapping[str, int]
    checks: tuple[Check, ...]
    flips: tuple[Flip, ...]
    gained: int

    @property
    def accepted(self) -> bool:
        """Whether nothing is lost."""
        return not self.of(LOST)

    def of(self, outcome: str) -> list[Check]:
        """Checks with an outcome.

        Args:
            outcome: `kept`, `watch` or `lost`.

        Returns:
            Those checks.
        """
        return [check for check in self.checks if check.outcome == outcome]

    def text(self, taxonomy: Taxonomy) -> str:
        """The verdict in words.

        Args:
            taxonomy: names of leaves and flags.

        Returns:
            Chinese, several lines.
        """
        champion = "只有规则(没有在用模型)" if self.sides.champion == "rules" else self.sides.champion
        lines = [
            f"结论:{'通过' if self.accepted else '不通过'}",
            f"挑战者 {self.sides.challenger},在用 {champion},数据版本 {self.sides.data[:16]}",
        ]
        for part, count in self.counts.items():
            lines.append(f"{PARTS[part]} {count} 条:")
            shown = [c for c in self.checks if c.part == part and c.figure in _HEADLINES]
            lines += [f"  {_told(check, taxonomy)}" for check in shown]
        if any(check.figure == "labels" for check in self.of(LOST)):
            lines.append("本批标注可疑:模型有把握的工单与标注大多不符;请复核标注后再训练")
        for title, outcome in (("不通过的原因:", LOST), ("须留意(下降但样本不足以断定):", WATCH)):
            if self.of(outcome):
                lines += [title, *(f"  {PARTS[c.part]} {_told(c, taxonomy)}" for c in self.of(outcome))]
        return "\n".join((*lines, *self._flips()))

    def _flips(self) -> list[str]:
        unread, danger = (sum(getattr(flip, kind) for flip in self.flips) for kind in ("unread", "danger"))
        lines = [
            f"改对 {self.gained} 条;原来对、现在错 {len(self.flips)} 条(其中不经人看直接派出 {unread} 条,漏报危险 {danger} 条)"
        ]
        for flip in self.flips[:_FLIPS_SHOWN]:
            why = "漏报危险" if flip.danger else f"{flip.label} → {flip.challenger}({flip.confidence:.2f})"
            lines.append(f"  {PARTS[flip.part]} {flip.id}:{why}{',自动派出' if flip.unread else ''}")
        return (
            [*lines, f"  其余 {len(self.flips) - _FLIPS_SHOWN} 条见 {FLIPS}"]
            if len(self.flips) > _FLIPS_SHOWN
            else lines
        )


def write_verdict(verdict: Verdict, taxonomy: Taxonomy, folder: Path) -> None:
    """Write verdict.json, verdict.txt and flips.csv.

    Args:
        verdict: the gate's answer.
        taxonomy: names.
        folder: of the challenger; made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = {"accepted": verdict.accepted, **asdict(verdict)}
    (folder / FILE).write_text(json.dumps(table, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / TEXT).write_text(verdict.text(taxonomy) + "\n", encoding="utf-8")
    with (folder / FLIPS).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([f.name for f in fields(Flip)])
        writer.writerows([safe_cell(value) for value in asdict(flip).values()] for flip in verdict.flips)


def read_verdict(folder: Path) -> Verdict | None:
    """The verdict on a challenger.

    Args:
        folder: of the challenger.

    Returns:
        The verdict; None where it was never compared.

    Raises:
        UnreadableInput: the file is there and cannot be read.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        given: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        checks = tuple(Check(**{**check, "values": tuple(check["values"])}) for check in given["checks"])
        flips = tuple(Flip(**flip) for flip in given["flips"])
        return Verdict(Sides(**given["sides"]), given["counts"], checks, flips, given["gained"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableInput(f"{path} 不是可读的结论;请重新运行 triage retrain") from error


def _told(check: Check, taxonomy: Taxonomy) -> str:
    before, after = check.values
    span = f",95% 区间 {check.interval[0]:+.3f} 至 {check.interval[1]:+.3f}" if check.interval else ""
    allowed = f",容许下降 {check.tolerance:.3f}" if check.outcome != KEPT else ""
    change = f"{before:.3f} → {after:.3f}(差 {check.change:+.3f}{span}{allowed},{check.n} 条)"
    return f"{figure_name(check.figure, taxonomy)} {change}"


def figure_name(figure: str, taxonomy: Taxonomy) -> str:
    """A figure's Chinese name.

    Args:
        figure: of a check, e.g. `leaf:billing.charge`.
        taxonomy: names.

    Returns:
        e.g. `类别 电费(billing.charge)F1`.
    """
    kind, _, code = figure.partition(":")
    if kind == "leaf":
        return f"类别 {taxonomy.leaf(code).name}({code})F1" if code in taxonomy else f"类别 {code} F1"
    return f"线索 {taxonomy.flags[code]}({code})F1" if kind == "flag" else _FIGURES[kind]
