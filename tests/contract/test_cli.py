"""The command line as the contract fixes it: rows, order, exit codes, messages without a traceback."""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Command = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parent.parent.parent
FIELDS = {
    "row", "ticket_id", "category", "candidates", "secondary", "flags", "safety", "escalation", "filing", "route",
    "measures", "decision", "reasons", "evidence", "source", "answered_by", "versions",
}  # fmt: skip


def _rows(out: str) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


def test_one_text_gives_one_prediction_with_every_field(triage: Command, bundle_folder: Path) -> None:
    code, out, _ = triage("predict", "--text", "充了200 app说成功 余额还是-13.6 钱呢", "--bundle", bundle_folder)
    assert code == 0
    (row,) = _rows(out)
    assert set(row) >= FIELDS
    assert row["category"]["code"] == "billing.charge"
    assert len(row["candidates"]) == 3
    assert row["source"] == row["answered_by"] == "linear"
    assert row["versions"]["bundle"].startswith("linear-")


def test_every_input_row_gives_one_output_row_in_order(triage: Command, tmp_path: Path, bundle_folder: Path) -> None:
    rows = [
        {"text": "停电了没人管", "ticket_id": "a"},
        [1, 2],
        {"text": " "},
        {"text": "电费多扣", "ticket_id": "b"},
        "电",
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    code, out, err = triage("predict", tmp_path / "in.jsonl", "--bundle", bundle_folder)
    assert code == 1
    found = _rows(out)
    assert [r["row"] for r in found] == [1, 2, 3, 4, 5]
    assert [r.get("error", {}).get("code") for r in found] == [None, "bad_row", "empty_text", None, None]
    assert [r.get("ticket_id") for r in found] == ["a", None, None, "b", None]
    assert "2 行" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "name", ["in.csv", "in.tsv", "in.xlsx", "in.parquet", "in.jsonl", "in.jsonl.gz", "in.csv.gz", "in.txt"]
)
def test_every_input_format_gives_the_same_leaves(triage: Command, tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"受理内容": ["停电三小时了没人管", "换表没通知我,底数也没让看", "校表结果一直不给"]})
    path = tmp_path / name
    writers = {
        "csv": lambda p: frame.to_csv(p, index=False),
        "tsv": lambda p: frame.to_csv(p, index=False, sep="\t"),
        "xlsx": lambda p: frame.to_excel(p, index=False),
        "parquet": lambda p: frame.to_parquet(p),
        "jsonl": lambda p: frame.to_json(p, orient="records", lines=True, force_ascii=False),
        "txt": lambda p: p.write_text("\n".join(frame["受理内容"]), encoding="utf-8"),
    }
    writers[name.split(".")[1]](path)
    if name.endswith(".gz") and not path.read_bytes().startswith(b"\x1f\x8b"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    code, out, _ = triage("predict", path)
    assert code == 0
    assert [r["category"]["code"] for r in _rows(out)] == [
        "other.outage",
        "metering.replacement",
        "metering.verification",
    ]


def test_gb18030_is_detected(triage: Command, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes("content\n停电三小时了没人管\n".encode("gb18030"))
    code, out, _ = triage("predict", tmp_path / "in.csv")
    assert code == 0
    assert _rows(out)[0]["category"]["code"] == "other.outage"


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.xlsx", "out.parquet", "out.jsonl.gz"])
def test_the_output_follows_its_extension(triage: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / "in.txt").write_text("停电了没人管\n\n电费多扣了\n", encoding="utf-8")
    code, out, _ = triage("predict", tmp_path / "in.txt", "--output", tmp_path / name)
    assert (code, out) == (1, "")
    readers = {
        "csv": pd.read_csv,
        "xlsx": pd.read_excel,
        "parquet": pd.read_parquet,
        "jsonl": lambda p: pd.read_json(p, lines=True),
    }
    assert list(readers[name.split(".")[1]](tmp_path / name)["row"]) == [1, 2, 3]


def test_limit_takes_the_first_rows_only(triage: Command, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("停电了没人管\n" * 10, encoding="utf-8")
    assert len(_rows(triage("predict", tmp_path / "in.txt", "--limit", 3)[1])) == 3


def test_explain_gives_words_with_weights(triage: Command, bundle_folder: Path) -> None:
    text = "停电三小时了没人管"
    row = _rows(triage("predict", "--text", text, "--bundle", bundle_folder, "--explain")[1])[0]
    assert row["evidence"]
    for item in row["evidence"]:
        assert text[item["start"] : item["end"]] == item["text"]
        assert item["for"] == row["category"]["code"]
        assert item["weight"] > 0


def test_without_any_bundle_rules_answer_and_say_so(triage: Command) -> None:
    code, out, err = triage("predict", "--text", "停电三小时了没人管")
    row = _rows(out)[0]
    assert code == 0
    assert (row["decision"], row["source"], row["answered_by"]) == ("fallback", "rules", "rules")
    assert "model_unavailable" in row["reasons"]
    assert "规则" in err


def test_a_named_bundle_that_is_missing_ends_with_three(triage: Command, tmp_path: Path) -> None:
    code, out, err = triage("predict", "--text", "停电", "--bundle", tmp_path / "nowhere")
    assert (code, out) == (3, "")
    assert "没有模型包" in err


def test_a_refused_champion_ends_with_three_and_predicts_nothing(triage: Command, bundle_folder: Path) -> None:
    shutil.copytree(bundle_folder, "artifacts/champion")
    Path("artifacts/champion/linear.joblib").write_bytes(b"x")
    code, out, err = triage("predict", "--text", "停电")
    assert (code, out) == (3, "")
    assert "拒绝" in err


def test_evaluation_without_a_bundle_says_that_rules_are_measured(triage: Command, tmp_path: Path) -> None:
    row = {"id": "x1", "text": "停电三小时了没人管", "category": "other.outage"}
    (tmp_path / "x.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    code, _, err = triage("evaluate", "--data", tmp_path / "x.jsonl")
    assert code == 0
    assert "评测的是规则" in err
    assert "make demo" in err


def test_the_champion_is_found_by_itself(triage: Command, bundle_folder: Path) -> None:
    shutil.copytree(bundle_folder, "artifacts/champion")
    assert _rows(triage("predict", "--text", "停电三小时没人管")[1])[0]["source"] == "linear"


def test_the_environment_names_a_bundle(triage: Command, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_BUNDLE", str(bundle_folder))
    assert _rows(triage("predict", "--text", "停电三小时没人管")[1])[0]["source"] == "linear"


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict"],
        ["predict", "nowhere.csv"],
        ["predict", "."],
        ["predict", "--text", "x", "--engine", "warp"],
        ["predict", "--text", "停电", "--output", "x.docx"],
        ["predict", "--unknown"],
        ["train", "--output", "b", "--data", "nowhere"],
        ["evaluate", "--data", "nowhere"],
        ["nonsense"],
        ["serve", "--host", "0.0.0.0"],
    ],
)
def test_wrong_usage_ends_with_two_and_no_traceback(triage: Command, arguments: list[str]) -> None:
    code, _, err = triage(*arguments)
    assert code == 2
    assert err.strip()
    assert "Traceback" not in err


def test_train_then_evaluate(triage: Command, tmp_path: Path) -> None:
    samples = ROOT / "data" / "samples"
    code, out, _ = triage(
        "train", "--data", samples / "a01.jsonl", "--data", samples / "a02.jsonl", "--output", tmp_path / "b"
    )
    assert code == 0
    assert "linear-" in out
    code, out, err = triage(
        "evaluate", "--data", samples / "a07.jsonl", "--bundle", tmp_path / "b", "--output", tmp_path / "report"
    )
    assert code == 0
    report = json.loads(out.splitlines()[-1])
    assert report["n"] > 50
    assert (tmp_path / "report" / "report.html").exists()
    assert "训练" not in err
    code, _, err = triage("evaluate", "--data", samples / "a01.jsonl", "--split", "train", "--bundle", tmp_path / "b")
    assert code == 0
    assert "参加过" in err


def test_bad_labels_stop_training_until_they_are_skipped(triage: Command, tmp_path: Path) -> None:
    good = [json.dumps({"text": f"停电第{n}天没人管", "category": "other.outage"}) for n in range(20)]
    good += [json.dumps({"text": f"电费多扣{n}块", "category": "billing.charge"}) for n in range(20)]
    (tmp_path / "l.jsonl").write_text(
        "\n".join([*good, json.dumps({"text": "x", "category": "nope"})]), encoding="utf-8"
    )
    code, _, err = triage("train", "--data", tmp_path / "l.jsonl", "--output", tmp_path / "b")
    assert code == 2
    assert "第 41 行" in err
    assert not (tmp_path / "b").exists()
    assert triage("train", "--data", tmp_path / "l.jsonl", "--output", tmp_path / "b", "--skip-bad-rows")[0] == 0


def test_an_unknown_training_setting_is_refused(triage: Command, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("fold: 3\n", encoding="utf-8")
    code, _, err = triage(
        "train",
        "--output",
        tmp_path / "b",
        "--config",
        tmp_path / "c.yaml",
        "--data",
        ROOT / "data" / "samples" / "a01.jsonl",
    )
    assert code == 2
    assert "fold" in err


def test_routes_check_shows_every_leaf_and_rules_report_every_rule(triage: Command, policy) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = triage("routes", "check")
    assert code == 0
    assert all(code in out.replace("\n", "") or code.split(".")[0] in out for code in policy.taxonomy.codes)
    code, out, _ = triage("rules", "report", "--data", ROOT / "data" / "samples" / "a01.jsonl")
    assert code == 0
    assert "从未命中" in out


def test_the_installed_command_runs_as_a_process() -> None:
    command = [str(Path(sys.executable).parent / "triage"), "predict", "-"]
    done = subprocess.run(
        command, input="停电三小时没人管\n电表冒烟了\n", capture_output=True, text=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 0
    assert [row["safety"]["raised"] for row in _rows(done.stdout)] == [False, True]
