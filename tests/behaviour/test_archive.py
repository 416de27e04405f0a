"""Scoring on Ray, with real actors: the same results as in one process, also where a worker is killed amid the work."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("ray", reason="extra `ray` is not installed")
pytestmark = pytest.mark.slow
SAMPLE = Path(__file__).parent.parent.parent / "data" / "samples" / "a07.jsonl"
TRIAGE = [sys.executable, "-c", "from triage.cli.main import run; run()"]
WORKER = re.compile(r"ray::(MapWorker|_MapWorker|Scorer|MapBatches)")


def _triage(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TRIAGE, *words], capture_output=True, text=True, timeout=900, check=False)


def _texts(count: int) -> list[str]:
    rows = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    return [rows[n % len(rows)]["text"] for n in range(count)]


def _archive(folder: Path, files: int, rows: int) -> Path:
    folder.mkdir()
    for number in range(files):
        frame = pd.DataFrame({"content": _texts(rows)})
        frame.loc[number] = ""  # one row of each file is no ticket
        frame.to_parquet(folder / f"{number}.parquet") if number % 2 else frame.to_csv(
            folder / f"{number}.csv", index=False
        )
    return folder


def _same(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, wanted)


def test_a_file_gives_byte_for_byte_what_the_local_engine_gives(bundle_folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "t.jsonl"
    lines = [json.dumps({"content": text}, ensure_ascii=False) for text in _texts(300)]
    source.write_text("\n".join([*lines[:100], "{broken", *lines[100:]]) + "\n", encoding="utf-8")
    one, two = tmp_path / "local.jsonl", tmp_path / "ray.jsonl"
    bundle = ("--bundle", str(bundle_folder), "--reproducible")
    assert _triage("predict", str(source), *bundle, "--output", str(one)).returncode == 1
    told = _triage("predict", str(source), *bundle, "--engine", "ray", "--output", str(two))
    assert told.returncode == 1, told.stderr
    assert one.read_bytes() == two.read_bytes()
    assert not list(tmp_path.glob(".*.parts"))


def test_a_killed_worker_loses_nothing_and_a_second_run_computes_nothing(bundle_folder: Path, tmp_path: Path) -> None:
    archive = _archive(tmp_path / "in", files=4, rows=400)
    words = (
        "predict",
        str(archive),
        "--bundle",
        str(bundle_folder),
        "--engine",
        "ray",
        "--output",
        str(tmp_path / "out"),
    )
    with subprocess.Popen([*TRIAGE, *words], stderr=subprocess.PIPE, text=True) as process:
        killed = _kill_a_worker(process)
        told = process.communicate(timeout=900)[1]
    assert killed, "no worker was seen at work"
    assert process.returncode == 1, told
    for number in range(4):
        name = f"{number}.{'parquet' if number % 2 else 'csv'}"
        local = tmp_path / "local.parquet"
        _triage("predict", str(archive / name), "--bundle", str(bundle_folder), "--output", str(local))
        _same(pd.read_parquet(tmp_path / "out" / f"{name}.parquet"), pd.read_parquet(local))
    again = _triage(*words)
    assert "4 部分为上次所算" in again.stderr


def _kill_a_worker(process: subprocess.Popen[str]) -> bool:
    """End one actor with SIGKILL as soon as one is seen scoring."""
    end = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < end:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                name = (folder / "cmdline").read_text().strip("\0")
            except OSError:
                continue
            if WORKER.match(name) and "idle" not in name.lower():
                os.kill(int(folder.name), signal.SIGKILL)
                return True
        time.sleep(0.1)
    return False
