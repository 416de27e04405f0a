"""The learning loop from outside: retrain, models, promote, rollback; what is refused, why, and what stays in place."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import openpyxl
import pytest

from model.bundle import load_bundle
from model.policy import Policy
from model.ticket import LabelledTicket
from training.fit import FitSettings, fit_bundle
from training.promote import exchange
from training.verdict import KEPT, LOST, Check, Sides, Verdict, write_verdict

Command = Callable[..., tuple[int, str, str]]
SAMPLES = Path(__file__).parent.parent.parent / "data" / "samples"
BASE, BATCH = ("a02", "a03"), ("a10", "a11", "a13")
CHAMPION = Path("artifacts/champion")


@dataclass(frozen=True)
class Pair:
    """Two small bundles of which one is in use and the other might be."""

    old: Path
    new: Path

    @property
    def ids(self) -> tuple[str, str]:
        """Their ids."""
        return _id(self.old), _id(self.new)


def _id(bundle: Path) -> str:
    return str(json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["id"])


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, train_side: tuple[LabelledTicket, ...], policy: Policy) -> Pair:
    folder = tmp_path_factory.mktemp("pair")
    for name, authors in (("old", BASE), ("new", (*BASE, "a04"))):
        tickets = [ticket for ticket in train_side if ticket.author in authors]
        fit_bundle(tickets, policy, folder / name, FitSettings(folds=2), progress=lambda _: None)
    return Pair(folder / "old", folder / "new")


@pytest.fixture
def office(pair: Pair) -> Pair:
    """The old one in use, the new one a challenger that was never compared."""
    shutil.copytree(pair.old, CHAMPION)
    shutil.copytree(pair.new, Path("artifacts/challengers") / pair.ids[1] / "bundle")
    return pair


def _judged(pair: Pair, policy: Policy, outcome: str, champion: str | None = None) -> None:
    check = Check("frozen", "macro_f1", 600, (0.9, 0.8), [-0.12, -0.08], 0.01, outcome)
    sides = Sides(champion or pair.ids[0], pair.ids[1], "d" * 64, "1")
    verdict = Verdict(sides, {"frozen": 600}, (check,), (), 0)
    write_verdict(verdict, policy.taxonomy, Path("artifacts/challengers") / pair.ids[1])


def _log() -> list[dict]:
    lines = Path("artifacts/promotions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_promotion_asks_for_a_verdict_and_the_champion_stays(triage: Command, office: Pair) -> None:
    code, _, err = triage("promote", office.ids[1])
    assert code == 2
    assert "没有比较过" in err
    assert _id(CHAMPION) == office.ids[0]


def test_a_refused_challenger_is_promoted_by_force_only_and_the_log_says_so(
    triage: Command, office: Pair, policy: Policy
) -> None:
    _judged(office, policy, LOST)
    code, _, err = triage("promote", office.ids[1])
    assert code == 2
    assert "不通过" in err
    assert "--force" in err
    assert _id(CHAMPION) == office.ids[0]
    assert triage("promote", office.ids[1], "--force", "--note", "试用一周")[0] == 0
    assert _id(CHAMPION) == office.ids[1]
    (line,) = _log()
    assert line["forced"] is True
    assert "不通过" in line["against"]
    assert (line["note"], line["action"], line["former"]) == ("试用一周", "promote", office.ids[0])


def test_an_accepted_challenger_takes_the_place_and_rollback_gives_it_back(
    triage: Command, office: Pair, policy: Policy
) -> None:
    _judged(office, policy, KEPT)
    code, out, _ = triage("promote", office.ids[1])
    assert code == 0
    assert office.ids[1] in out
    assert load_bundle(CHAMPION).id == office.ids[1]
    code, out, _ = triage("rollback", "--note", "主任要求")
    assert code == 0
    assert load_bundle(CHAMPION).id == office.ids[0]
    assert [(line["action"], line["bundle"]) for line in _log()] == [
        ("promote", office.ids[1]),
        ("rollback", office.ids[0]),
    ]
    assert _log()[0]["forced"] is False
    code, _, err = triage("rollback")
    assert code == 3
    assert "没有可恢复" in err
    assert triage("promote", office.ids[1])[0] == 0


def test_a_verdict_on_another_champion_does_not_count(triage: Command, office: Pair, policy: Policy) -> None:
    _judged(office, policy, KEPT, champion="linear-20200101-00000000")
    code, _, err = triage("promote", office.ids[1])
    assert code == 2
    assert "linear-20200101-00000000" in err


def test_the_beginning_of_an_id_is_enough_and_an_unknown_one_is_missing(
    triage: Command, office: Pair, policy: Policy
) -> None:
    _judged(office, policy, KEPT)
    code, _, err = triage("promote", "nobody")
    assert code == 3
    assert "triage models" in err
    assert triage("promote", office.ids[1][:-2])[0] == 0


def test_no_force_promotes_a_damaged_bundle(triage: Command, office: Pair, policy: Policy) -> None:
    _judged(office, policy, KEPT)
    (Path("artifacts/challengers") / office.ids[1] / "bundle" / "linear.joblib").write_bytes(b"x")
    code, _, err = triage("promote", office.ids[1], "--force")
    assert code == 3
    assert "拒绝" in err
    assert load_bundle(CHAMPION).id == office.ids[0]
    assert not Path("artifacts/promotions.jsonl").exists()


def test_the_first_champion_can_come_from_the_loop(triage: Command, office: Pair, policy: Policy) -> None:
    shutil.rmtree(CHAMPION)
    _judged(office, policy, KEPT, champion="rules")
    assert triage("promote", office.ids[1])[0] == 0
    assert _log()[0]["former"] is None


def test_models_lists_who_is_who(triage: Command, office: Pair, policy: Policy) -> None:
    _judged(office, policy, LOST)
    code, out, _ = triage("models")
    assert code == 0
    rows = {line.split()[1]: line for line in out.splitlines() if "linear-" in line}
    assert office.ids[0] in rows["在用"]
    assert office.ids[1] in rows["挑战者"]
    assert "不通过" in rows["挑战者"]
    triage("promote", office.ids[1], "--force")
    rows = {line.split()[1]: line for line in triage("models")[1].splitlines() if "linear-" in line}
    assert office.ids[1] in rows["在用"]
    assert office.ids[0] in rows["曾在用"]
    assert "挑战者" not in rows


def _two_folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name, encoding="utf-8")
    return tmp_path / "first", tmp_path / "second"


def test_places_are_exchanged_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by renaming one after the other, which leaves a moment without a champion."""
    first, second = _two_folders(tmp_path)
    monkeypatch.delattr("os.replace")
    exchange(first, second)
    assert [(path / "file").read_text(encoding="utf-8") for path in (first, second)] == ["second", "first"]


def test_a_system_that_cannot_exchange_renames_and_a_failure_brings_the_former_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = _two_folders(tmp_path)
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    exchange(first, second)
    assert [(path / "file").read_text(encoding="utf-8") for path in (first, second)] == ["second", "first"]
    shutil.rmtree(first)
    with pytest.raises(FileNotFoundError):
        exchange(first, second)
    assert (second / "file").read_text(encoding="utf-8") == "first"


@pytest.fixture
def base(labelled: Sequence[LabelledTicket]) -> Path:
    """Two authors to learn from, and the frozen test."""
    rows = [row for row in _rows("*") if row["author"] in BASE or row["split"] == "test"]
    return _write(Path("base.jsonl"), rows)


def _rows(pattern: str) -> Iterator[dict]:
    for path in sorted(SAMPLES.glob(f"{pattern}.jsonl")):
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def _write(path: Path, rows: Sequence[dict]) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def _batch(name: str, *, wrong: int = 0) -> Path:
    """Three authors who are new; of every ten tickets `wrong` say the next leaf."""
    rows = [{**row, "split": None} for author in BATCH for row in _rows(author)]
    leaves = sorted({row["category"] for row in rows})
    for number, row in enumerate(rows):
        if number % 10 < wrong:
            row["category"] = leaves[(leaves.index(row["category"]) + 1) % len(leaves)]
            row["secondary"] = [code for code in row["secondary"] if code != row["category"]]
    return _write(Path(name), rows)


def test_bad_rows_stop_a_retraining_and_come_back_as_a_worksheet(triage: Command, office: Pair, base: Path) -> None:
    row = next(iter(_rows("a10")))
    labels = _write(Path("new.jsonl"), [{**row, "split": None}, {**row, "id": "x", "category": "nope"}])
    code, _, err = triage("retrain", "--labels", labels, "--data", base, "--worksheet", "改.xlsx")
    assert code == 2
    assert "new.jsonl 第 2 行" in err
    assert "改.xlsx" in err
    assert "Traceback" not in err
    sheet = openpyxl.load_workbook("改.xlsx").active
    assert [cell.value for cell in sheet[1]][:4] == ["文件", "行", "问题", "怎么改"]
    assert [cell.value for cell in sheet[2]][1] == 2
    assert len(list(Path("artifacts/challengers").iterdir())) == 1
    assert not Path("artifacts/data").exists()


def test_a_batch_that_is_known_already_has_nothing_to_teach(triage: Command, office: Pair, base: Path) -> None:
    labels = _write(Path("old.jsonl"), [row for row in _rows("a02") if row["split"] == "train"])
    code, _, err = triage("retrain", "--labels", labels, "--data", base)
    assert code == 2
    assert "已学过" in err


@pytest.mark.parametrize("arguments", [["--labels", "nowhere.csv"], [], ["--labels", "base.jsonl", "--data", "none"]])
def test_wrong_usage_of_retrain_ends_with_two(
    triage: Command, office: Pair, base: Path, arguments: Sequence[str]
) -> None:
    code, _, err = triage("retrain", *arguments)
    assert code == 2
    assert err.strip()
    assert "Traceback" not in err


def test_a_named_champion_that_is_missing_ends_with_three(
    triage: Command, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_BUNDLE", "nowhere/bundle")
    assert triage("retrain", "--labels", base, "--data", base)[0] == 3


def test_wrong_labels_are_refused_good_ones_accepted_promoted_learned_from_again_and_rolled_back(
    triage: Command, office: Pair, base: Path
) -> None:
    code, out, err = triage("retrain", "--labels", _batch("bad.jsonl", wrong=6), "--data", base)
    assert code == 1, err
    assert out.startswith("结论:不通过")
    assert "不通过的原因" in out
    assert "冻结测试集" in out.split("不通过的原因")[1]
    assert ("未登记" in err) == (find_spec("mlflow") is None)
    refused = next(p.name for p in Path("artifacts/challengers").iterdir() if p.name != office.ids[1])
    assert triage("promote", refused)[0] == 2

    code, out, err = triage("retrain", "--labels", _batch("good.jsonl"), "--data", base)
    assert code == 0, out
    assert out.startswith("结论:通过")
    (accepted,) = {p.name for p in Path("artifacts/challengers").iterdir()} - {office.ids[1], refused}
    assert triage("promote", accepted)[0] == 0
    assert load_bundle(CHAMPION).id == accepted

    # the champion's batch is learned from again, the refused one is not; what was held back stays held back
    manifests = {p: json.loads(p.read_text(encoding="utf-8")) for p in Path("artifacts/data").glob("*.json")}
    (mine,) = (m for m in manifests.values() if m["bundles"] == [accepted])
    held = {row["id"] for row in mine["rows"] if row["part"] == "held"}
    assert {row["id"].split("-")[0] for row in mine["rows"]} == set(BATCH)
    more = _write(Path("more.jsonl"), [{**row, "split": None} for row in _rows("a17")])
    code, out, err = triage("retrain", "--labels", more, "--data", base)
    assert "近期工单" in out, err
    third = max(Path("artifacts/challengers").iterdir(), key=lambda p: p.stat().st_mtime)
    learned = set(load_bundle(third / "bundle").manifest["data"]["rows"])
    assert {name.split("-")[0] for name in learned} >= {"a17", *BASE}
    assert not learned & held
    assert learned & {row["id"] for row in mine["rows"]}

    assert triage("rollback")[0] == 0
    assert load_bundle(CHAMPION).id == office.ids[0]


def test_label_studio_tasks_come_back_as_a_batch(triage: Command, office: Pair, base: Path) -> None:
    code, out, _ = triage("label-studio", SAMPLES / "a10.jsonl", "--output", "out/tasks.json")
    assert code == 0
    assert "88" in out
    assert Path("out/tasks.xml").read_text(encoding="utf-8").startswith("<View>")
    tasks = json.loads(Path("out/tasks.json").read_text(encoding="utf-8"))
    for task in tasks[:1]:
        result = [{**r, "value": {"choices": ["nope"]}} for r in task["predictions"][0]["result"]]
        task["annotations"] = [{"completed_by": 1, "result": result}]
    Path("back.json").write_text(json.dumps(tasks), encoding="utf-8")
    code, _, err = triage("retrain", "--labels", "back.json", "--data", base)
    assert code == 2
    assert "nope" in err
    assert "没有类别" in err


@pytest.mark.parametrize("options", [(), ("--classifier", "linear")])
def test_a_warm_start_needs_a_cascade_in_use(
    triage: Command, office: Pair, base: Path, options: tuple[str, ...]
) -> None:
    code, _, err = triage("retrain", "--labels", _batch("good.jsonl"), "--data", base, "--warm", *options)
    assert code == 2
    assert "--warm" in err
    assert "从头训练" in err
    assert [path.name for path in Path("artifacts/challengers").iterdir()] == [office.ids[1]]
