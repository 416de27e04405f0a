"""A picture of a verdict: what each figure gains or loses, with its interval. Codes only, so that any font will do."""

from importlib.util import find_spec
from pathlib import Path

from training.verdict import LOST, WATCH, Verdict

_COLOURS = {LOST: "#c0392b", WATCH: "#e0a030"}
_KEPT = "#4a7ba6"
_ROW = 0.24  # inches


def draw_verdict(verdict: Verdict, path: Path) -> bool:
    """Draw every check.

    Args:
        verdict: the gate's answer.
        path: `.png` or `.svg`.

    Returns:
        False where matplotlib is not installed; then nothing is written.
    """
    if find_spec("matplotlib") is None:
        return False
    from matplotlib.figure import Figure

    checks = verdict.checks[::-1]
    figure = Figure(figsize=(8, 1 + _ROW * len(checks)), layout="constrained")
    axes = figure.subplots()
    for row, check in enumerate(checks):
        low, high = check.interval or (check.change, check.change)
        colour = _COLOURS.get(check.outcome, _KEPT)
        axes.plot([low, high], [row, row], color=colour, linewidth=2)
        axes.plot([check.change], [row], "o", color=colour, markersize=4)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_yticks(range(len(checks)), [f"{c.part} {c.figure} (n={c.n})" for c in checks], fontsize=7)
    axes.set_xlabel("challenger minus champion, 95 % interval by author")
    figure.savefig(path)
    return True
