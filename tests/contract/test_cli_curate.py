"""`triage suspects` and `triage choose` from outside: what they list, what they leave alone, and how they end."""

import csv
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from model.pipeline import Pipeline
from model.policy import Policy
from model.ticket import LabelledTicket
from serving.intake import Intake, incoming_from
from serving.store import audit
from serving.store.labels import export_labels
from serving.store.reviews import Verdict, review
from serving.store.writer import TicketWriter
from training.fit import FitSettings, fit_bundle
from triage.compose import build_store
from triage.settings import Settings

Command = Callable[..., tuple[int, str, str]]
AUTHORS = ("a02", "a03", "a04")
UNSURE = "昨天来装了新表,现在停电了,电费也比上个月多"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, train_side: Sequence[LabelledTicket], policy: Policy) -> Path:
    folder = tmp_path_factory.mktemp("small") / "bundle"
    tickets = [ticket for ticket in train_side if ticket.author in AUTHORS]
    fit_bundle(tickets, policy, folder, FitSettings(folds=2), progress=lambda _: None)
    return folder


@pytest.fixture
def labels(train_side: Sequence[LabelledTicket]) -> Path:
    """Labels of four authors; two of them say another leaf."""
    rows = [_row(t) for t in train_side if t.author in (*AUTHORS, "a05")]
    for row in (rows[3], rows[60]):
        row["category"] = "other.grid_facility" if row["category"] != "other.grid_facility" else "billing.tariff"
        row["id"] = f"wrong-{row['id']}"
    return _write(Path("labels.jsonl"), rows)


def _row(ticket: LabelledTicket) -> dict:
    return {"id": ticket.id, "text": ticket.text, "category": ticket.category, "author": ticket.author}


def _write(path: Path, rows: Sequence[dict]) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def _lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_wrong_labels_lead_the_list_and_the_file_stays_as_it_was(triage: Command, labels: Path) -> None:
    before = labels.read_bytes()
    code, out, err = triage("suspects", "--labels", labels)
    assert code == 0
    assert labels.read_bytes() == before
    found, all_rows = _lines(out), before.decode().splitlines()
    assert len(found) == round(0.15 * len(all_rows))
    assert [row["rank"] for row in found] == list(range(1, len(found) + 1))
    wrong = [row for row in found if row["id"].startswith("wrong-")]
    assert len(wrong) == 2
    assert all(row["given"] == json.loads(all_rows[row["row"] - 1])["category"] for row in found)
    assert all(row["proposed"] != row["given"] for row in found)
    assert all(row["why"].startswith("标为「") for row in found)
    assert "标注未作任何改动" in err


@pytest.mark.parametrize("name", ["list.csv", "new/list.xlsx", "list.jsonl"])
def test_the_list_is_written_as_its_name_says(triage: Command, labels: Path, name: str) -> None:
    code, out, _ = triage("suspects", "--labels", labels, "--output", name, "--share", "0.05")
    assert (code, out) == (0, "")
    count = round(0.05 * len(labels.read_text(encoding="utf-8").splitlines()))
    if name.endswith(".jsonl"):
        assert len(_lines(Path(name).read_text(encoding="utf-8"))) == count
        return
    if name.endswith(".csv"):
        with Path(name).open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.reader(file))
    else:
        table = [list(row) for row in openpyxl.load_workbook(name).active.iter_rows(values_only=True)]
    assert table[0][:5] == ["序号", "文件", "行", "编号", "现标"]
    assert len(table) == count + 1
    assert table[1][1] == "labels.jsonl"


def test_a_bundle_judges_what_it_has_not_learned_and_folds_the_rest(triage: Command, labels: Path, small: Path) -> None:
    code, out, err = triage("suspects", "--labels", labels, "--bundle", small, "--share", "0.05")
    assert code == 0
    assert "它学过的" in err
    learned = sum(json.loads(line)["author"] in AUTHORS for line in labels.read_text(encoding="utf-8").splitlines())
    assert f"它学过的 {learned} 条" in err
    assert any(row["id"].startswith("wrong-") for row in _lines(out))


def test_rows_that_cannot_be_looked_at_are_named_and_the_others_are_ranked(triage: Command, labels: Path) -> None:
    with labels.open("a", encoding="utf-8") as file:
        file.write('\n{"id": "x", "text": "停电了没人管", "category": "nowhere"}')
    code, out, err = triage("suspects", "--labels", labels)
    assert code == 1
    assert "类别代码不存在" in err
    assert _lines(out)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["suspects", "--labels", "nowhere.csv"], "找不到"),
        (["suspects", "--labels", "labels.jsonl", "--output", "list.docx"], ".xlsx"),
        (["suspects", "--labels", "labels.jsonl", "--data", "nowhere"], "找不到"),
        (["suspects", "--labels", "one.jsonl"], "两个类别"),
        (["choose", "--input", "labels.jsonl", "--output", "list.pdf"], ".xlsx"),
    ],
)
def test_wrong_usage_ends_with_two_and_says_how_to_mend_it(
    triage: Command, labels: Path, arguments: Sequence[str], told: str
) -> None:
    _write(Path("one.jsonl"), [{"id": "1", "text": "停电了没人管", "category": "other.outage"}])
    code, _, err = triage(*arguments)
    assert code == 2
    assert told in err
    assert "Traceback" not in err


def test_choosing_needs_a_bundle(triage: Command, labels: Path) -> None:
    code, _, err = triage("choose", "--input", labels)
    assert code == 3
    assert "make train" in err


def test_unsure_tickets_are_chosen_once_and_what_was_learned_is_left_out(
    triage: Command, small: Path, train_side: Sequence[LabelledTicket]
) -> None:
    sure = "停电三小时了没人管,小区全都停电,什么时候来电"
    known = next(ticket.text for ticket in train_side if ticket.author == AUTHORS[0])
    Path("new.txt").write_text("\n".join([sure, UNSURE, UNSURE, " ".join(known.split())]), encoding="utf-8")
    code, out, err = triage("choose", "--n", 2, "--input", "new.txt", "--bundle", small)
    assert code == 0
    found = _lines(out)
    assert [row["row"] for row in found] == [2, 1]
    assert found[0]["category"] is None
    assert "已学过的 1 条除外" in err


def test_what_was_chosen_is_filled_in_and_read_back_as_a_batch(
    triage: Command, small: Path, train_side: Sequence[LabelledTicket], policy: Policy
) -> None:
    from training.batch import Known, read_batch

    rows = [{"id": t.id, "content": f"{t.text} 13812345678"} for t in train_side if t.author == "a06"]
    code, _, err = triage(
        "choose", "--n", 5, "--input", _write(Path("new.jsonl"), rows), "--bundle", small, "--output", "next.xlsx"
    )
    assert code == 0
    assert "triage retrain --labels" in err
    book = openpyxl.load_workbook("next.xlsx")
    names = [cell.value for cell in book.active[1]]
    for row in range(2, 7):
        book.active.cell(row, names.index("category") + 1).value = "other.misc"
    book.save("next.xlsx")
    batch = read_batch([Path("next.xlsx")], policy.taxonomy, Known((), ()))
    assert batch.problems == ()
    assert {ticket.id for ticket in batch.tickets} <= {row["id"] for row in rows}
    assert len(batch.tickets) == 5
    assert all("13812345678" not in ticket.text for ticket in batch.tickets)


def test_rows_that_are_no_tickets_are_counted_and_end_with_one(triage: Command, small: Path) -> None:
    _write(Path("new.jsonl"), [{"content": UNSURE}, {"content": ""}])
    code, out, err = triage("choose", "--input", "new.jsonl", "--bundle", small)
    assert (code, len(_lines(out))) == (1, 1)
    assert "1 行不是工单" in err


def test_without_a_file_and_a_store_there_is_nothing_to_choose_from_and_none_is_made(
    triage: Command, small: Path
) -> None:
    code, _, err = triage("choose", "--bundle", small)
    assert code == 2
    assert "--input" in err
    assert not Path("artifacts").exists()


def test_from_the_store_come_tickets_that_nobody_reviewed_and_the_audit_says_so(
    triage: Command, small: Path, rules_pipeline: Pipeline
) -> None:
    database = build_store(Settings())
    intake = Intake(TicketWriter(database), rules_pipeline, b"s" * 32, Settings().retention_days, lambda: NOW)
    for number, text in enumerate((UNSURE, "换表没通知我,电话13812345678", "校表半个月没人来")):
        intake.take_in(incoming_from({"ticket_id": f"T{number}", "content": text}), "test")
    verdict = Verdict(1, "metering.verification")
    review(database, "T2", verdict=verdict, policy=rules_pipeline.policy, reviewer="r", now=NOW)
    code, out, _ = triage("choose", "--n", 9, "--bundle", small)
    assert code == 0
    assert {row["id"] for row in _lines(out)} == {"T0", "T1"}
    assert "13812345678" not in out
    with database.read() as session:
        (entry,) = audit.entries(session, "labels:next")
    assert (entry["action"], entry["detail"]) == ("tickets.read_to_choose", {"tickets": 2})
    taxonomy = rules_pipeline.policy.taxonomy
    assert len(export_labels(database, taxonomy=taxonomy, actor="a", now=NOW).records) == 1
    database.close()
