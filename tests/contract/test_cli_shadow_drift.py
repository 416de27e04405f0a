"""`triage shadow` and `triage drift` on files: what is printed, written and left as exit code; retrain after a split."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from model.ticket import LabelledTicket
from tests.changed_policy import VERSION, write_changed_policy

Command = Callable[..., tuple[int, str, str]]


def _write(path: Path, rows: list[dict]) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def by_hand(held_side: tuple[LabelledTicket, ...]) -> Path:
    """Tickets with the leaf that people gave, every tenth of them sent to a wrong desk at first."""
    rows = []
    for number, ticket in enumerate(held_side[:120]):
        row = {"ticket_id": ticket.id, "content": ticket.text, "category": ticket.category}
        if number % 10 == 0:
            row |= {"category": "other.misc", "final_category": ticket.category}
        rows.append(row)
    return _write(Path("hand.jsonl"), rows)


def test_shadow_reports_on_a_file_and_writes_the_page(triage: Command, by_hand: Path, bundle_folder: Path) -> None:
    code, out, err = triage("shadow", "--input", by_hand, "--bundle", bundle_folder, "--output", "s.html")
    assert code == 0, err
    assert out.startswith("120 条工单")
    assert "样本不足" in out
    assert "s.html" in err
    assert "auto_leaves:" in Path("s.html").read_text(encoding="utf-8")


def test_shadow_finishes_with_1_and_names_rows_without_a_usable_decision(
    triage: Command, by_hand: Path, bundle_folder: Path
) -> None:
    with by_hand.open("a", encoding="utf-8") as file:
        file.write('\n{"content": "停电很久了", "category": "billing.water"}\n')
    code, _, err = triage("shadow", "--input", by_hand, "--bundle", bundle_folder, "--output", "s.json")
    assert code == 1
    assert "第 121 行" in err
    assert json.loads(Path("s.json").read_text(encoding="utf-8"))["n"] == 120


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--input", "nowhere.csv"), ["nowhere.csv"]),
        (("--since", "2026-03-02", "--until", "2026-03-02"), ["--since", "2026-03-02"]),
        ((), ["没有人工决定过的工单"]),
    ],
)
def test_shadow_says_what_is_wrong(triage: Command, arguments: tuple[str, ...], words: list[str]) -> None:
    code, _, err = triage("shadow", *arguments)
    assert code == 2
    assert all(word in err for word in words), err


@pytest.fixture
def two_months(held_side: tuple[LabelledTicket, ...]) -> tuple[Path, Path]:
    """A month of few changed meters, and one with many."""
    mine = [ticket for ticket in held_side if ticket.category == "metering.replacement"]
    rest = [ticket for ticket in held_side if ticket.category != "metering.replacement"]
    rows = [{"content": t.text, "category": t.category} for t in (*mine[:28], *rest[:92], *mine[28:], *rest[92:300])]
    return _write(Path("now.jsonl"), rows[:120]), _write(Path("before.jsonl"), rows[120:])


def test_drift_names_the_campaign_and_writes_the_page(
    triage: Command, two_months: tuple[Path, Path], bundle_folder: Path
) -> None:
    files = ("--input", two_months[0], "--reference", two_months[1], "--bundle", bundle_folder)
    code, out, err = triage("drift", *files, "--output", "d.html")
    assert code == 0, err
    assert "轮换户表改造" in out
    assert "换表" in out
    assert "<html" in Path("d.html").read_text(encoding="utf-8")
    code, out, _ = triage("drift", *files, "--format", "json")
    report = json.loads(out)
    assert code == 0
    assert next(f for f in report["figures"] if f["name"] == "overridden")["n"] == 120


def test_drift_of_two_small_files_says_that_they_are_too_small(triage: Command, two_months: tuple[Path, Path]) -> None:
    few = two_months[0].with_name("few.jsonl")
    few.write_text("\n".join(two_months[0].read_text(encoding="utf-8").splitlines()[:10]), encoding="utf-8")
    code, out, _ = triage("drift", "--input", few, "--reference", two_months[1])
    assert code == 0
    assert out.startswith("样本不足:本期 10 条")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--input", "a.csv"), ["--reference"]),
        (("--since", "2026-03-02", "--until", "2026-03-01"), ["--since"]),
        (("--since", "2026-03-02", "--until", "2026-03-09", "--against-since", "2026-03-01", "--against-until", "2026-03-05"), ["重叠"]),
    ],
)  # fmt: skip
def test_drift_says_what_is_wrong(triage: Command, arguments: tuple[str, ...], words: list[str]) -> None:
    code, _, err = triage("drift", *arguments)
    assert code == 2
    assert all(word in err for word in words), err


@pytest.mark.slow
def test_retrain_after_a_split_asks_for_those_labels_and_then_goes_on_without_the_old_champion(
    triage: Command, bundle_folder: Path, held_side: tuple[LabelledTicket, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    import openpyxl

    shutil.copytree(bundle_folder, "artifacts/champion")
    monkeypatch.setenv("TRIAGE_POLICY", str(write_changed_policy(Path("policy"))))
    _write(Path("base.jsonl"), [_record(ticket) for ticket in held_side])
    _write(Path("batch.jsonl"), [{"text": "变压器噪音太大,晚上睡不着", "category": "other.poles"}])
    code, _, err = triage("predict", "--text", "停电了没人管")
    assert code == 3
    assert all(word in err for word in ("2026.1", VERSION, "triage retrain")), err

    code, _, err = triage("retrain", "--data", "base.jsonl", "--labels", "batch.jsonl")
    old = [ticket for ticket in held_side if "other.grid_facility" in (ticket.category, *ticket.secondary)]
    assert code == 2
    assert f"{len(old)} 行须改正" in err
    assert "other.poles(杆塔线路)、other.crops(青苗占地)" in err
    assert "改与规则比较" in err

    book = openpyxl.load_workbook("artifacts/待改标注.xlsx")
    sheet = book.active
    names = {cell.value: number for number, cell in enumerate(sheet[1], 1)}
    assert sheet.max_row == len(old) + 1
    for row in range(2, sheet.max_row + 1):
        for name in ("category", "secondary"):
            cell = sheet.cell(row, names[name])
            cell.value = (cell.value or "").replace("other.grid_facility", "other.crops") or None
    book.save("mended.xlsx")
    code, out, err = triage("retrain", "--data", "base.jsonl", "--labels", "mended.xlsx", "--labels", "batch.jsonl")
    assert "须改正" not in err, err
    assert "全部结论" in out


def _record(ticket: LabelledTicket) -> dict:
    return {
        "id": ticket.id, "text": ticket.text, "category": ticket.category, "secondary": list(ticket.secondary),
        "flags": sorted(ticket.flags), "theft_role": ticket.theft_role, "filing": ticket.filing or "none",
        "safety": ticket.safety, "escalation": ticket.escalation, "author": ticket.author,
        "split": "train" if int(ticket.id.split("-")[1]) % 3 else "test",
    }  # fmt: skip
