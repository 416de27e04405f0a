"""docs/own-taxonomy.md is run: another utility's leaves, from the copied policy to an answer."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "own-taxonomy.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"<!-- test: (\w+) -->\n```bash\n(.*?)```", PAGE, re.DOTALL)
BIN = Path(sys.executable).parent
LIKE_AN_OFFICE = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "240"}


def _run(command: str) -> str:
    done = subprocess.run(  # noqa: S602 - the page's own lines
        f"set -e\n{command}", shell=True, env=LIKE_AN_OFFICE, capture_output=True, text=True, encoding="utf-8", timeout=600
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def _run_all(kind: str) -> list[str]:
    return [_run(block) for name, block in BLOCKS if name == kind]


def _answer(said: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(said)
    return found


def test_every_block_of_the_page_is_run_by_some_test() -> None:
    assert len(BLOCKS) == PAGE.count("```bash")
    assert {name for name, _ in BLOCKS} == {"quick", "slow", "server"}


def test_a_renamed_leaf_with_its_desk_clock_and_rule_answers_without_training() -> None:
    *_, checked, predicted = _run_all("quick")
    assert "派单表无误" in checked
    assert "电费核算中心" in checked
    assert "电费核算班" not in checked
    answer = _answer(predicted)
    assert answer["category"]["code"] == "metering.exchange"  # type: ignore[index]
    assert answer["versions"]["taxonomy"] == "2027.1"  # type: ignore[index]
    (rule,) = [
        rule
        for rule in yaml.safe_load(Path("my-policy/rules/leaves.yaml").read_text(encoding="utf-8"))["rules"]
        if rule["id"] == "ours.batch_exchange"
    ]
    assert rule["to"] == "metering.exchange"


def test_a_file_that_is_there_is_never_written_over() -> None:
    _run("triage policy copy my-policy routing.yaml")
    Path("my-policy/routing.yaml").write_text("mine", encoding="utf-8")
    again = subprocess.run(
        ["triage", "policy", "copy", "my-policy"], env=LIKE_AN_OFFICE, capture_output=True, check=False
    )
    assert again.returncode == 2
    assert "routing.yaml" in again.stderr.decode()
    assert [path.name for path in Path("my-policy").rglob("*")] == ["routing.yaml"]
    assert Path("my-policy/routing.yaml").read_text(encoding="utf-8") == "mine"


def test_without_the_entry_under_changes_an_old_label_is_named_with_what_to_do() -> None:
    first, second = [block for name, block in BLOCKS if name == "quick"][:2]
    _run(first + second)
    row = {"text": "换表没通知我,底数也没让看", "category": "metering.replacement"}
    Path("labels.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    told = subprocess.run(
        ["triage", "train", "--data", "labels.jsonl", "--output", "b"], env={**LIKE_AN_OFFICE, "TRIAGE_POLICY": "my-policy"},
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert told.returncode == 2
    assert "labels.jsonl 第 1 行" in told.stderr
    assert "changes" in told.stderr
    assert not Path("b").exists()


@pytest.mark.slow
def test_labels_of_the_former_code_train_a_bundle_that_answers_in_the_new_one_and_is_served() -> None:
    Path("labels").symlink_to(ROOT / "data" / "samples")
    _run_all("quick")
    report, tasks, trained = _run_all("slow")
    assert "ours.batch_exchange" in report
    assert "tasks.json" in tasks
    assert "metering.exchange" in Path("tasks.xml").read_text(encoding="utf-8")
    *_, figures, predicted = trained.strip().splitlines()
    assert "metering.exchange" in json.loads(figures)["category"]["per_leaf"]
    assert _answer(predicted)["category"]["code"] == "metering.exchange"  # type: ignore[index]
    assert _answer(predicted)["source"] == "linear"
    assert _answer(_run('triage predict --text "旧表还有两百度电没用完就换表了"'))["versions"]["taxonomy"] == "2027.1"  # type: ignore[index]
    assert _served_level() == "linear"


def _served_level() -> str:
    """The rung on which the page's server answers."""
    (block,) = [block for name, block in BLOCKS if name == "server"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = block.strip().replace("triage serve", f"exec triage serve --port {port}")
    process = subprocess.Popen(command, shell=True, env=LIKE_AN_OFFICE, stderr=subprocess.DEVNULL)  # noqa: S602
    try:
        for _ in range(300):
            time.sleep(0.1)
            try:
                answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
                return str(json.load(answer)["level"])
            except OSError:
                continue
        return "not ready"
    finally:
        process.terminate()
        process.wait(30)
