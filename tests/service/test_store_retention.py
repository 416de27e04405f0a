"""Nothing raw is ever written; a deletion leaves no word behind; labels leave the store with a record."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from model.errors import Conflict
from model.policy import Policy
from serving.store.columns import Base
from serving.store.database import Database
from serving.store.labels import export_labels, trained_on
from serving.store.reading import load
from serving.store.retention import delete_ticket, purge_expired
from serving.store.reviews import Verdict, review
from serving.store.tables import DataVersionTicket, OutboxMessage, StoredTicket
from training.dataset import read_labelled

Take = Callable[..., dict]
PLANTED = ("13812345678", "张伟", "幸福小区", "0012345678", "3号楼")
WORDS = "灯笼鱼跳进变压器"  # no personal data: stands in the masked text, and must be gone after a deletion
NOTE = "备注里的蓝色雨伞"


@pytest.fixture
def planted(take: Take, database: Database, policy: Policy, clock: Any) -> dict[str, Any]:
    """A reviewed ticket full of personal data."""
    answer = take(
        "T1",
        f"我叫张伟,电话13812345678,{WORDS},停电了,没人管,户号0012345678",
        contact="张伟 13812345678",
        address="幸福小区3号楼",
        cust_no="0012345678",
        reply="已联系张伟13812345678",
        transcript=[{"speaker": "customer", "text": f"我叫张伟,{WORDS}"}],
        channel="13812345678",
    )
    verdict = Verdict(1, "other.outage", note=f"张伟13812345678 {NOTE}")
    review(database, "T1", verdict=verdict, policy=policy, reviewer="r", now=clock())
    return answer


def _cells(database: Database) -> dict[str, str]:
    """Everything in the store, table by table."""
    with database.read() as session:
        return {
            name: json.dumps([list(map(str, row)) for row in session.execute(select(table))], ensure_ascii=False)
            for name, table in Base.metadata.tables.items()
        }


def _files(database: Database) -> bytes:
    """SQLite's files as they lie on the disk, escapes undone."""
    file = database.file
    assert file is not None
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob("store.db*")))


def _spellings(word: str) -> tuple[bytes, ...]:
    return word.encode(), word.encode("unicode_escape"), json.dumps(word).strip('"').encode()


def test_masked_text_stands_in_one_table_and_nothing_raw_in_any(database: Database, planted: dict[str, Any]) -> None:
    cells = _cells(database)
    assert [name for name, content in cells.items() if WORDS in content] == ["ticket_texts"]
    assert [name for name, content in cells.items() if NOTE in content] == ["review_notes"]
    for word in PLANTED:
        assert not [name for name, content in cells.items() if word in content], word
    if database.is_sqlite:
        content = _files(database)
        assert WORDS.encode() in content
        assert not [word for word in PLANTED for form in _spellings(word) if form in content]


def test_after_a_deletion_no_word_is_left_in_the_store_nor_in_its_files(
    database: Database, planted: dict[str, Any], clock: Any
) -> None:
    with database.read() as session:
        assert session.get_one(StoredTicket, "T1").caller
    delete_ticket(database, "T1", actor="合规", now=clock())
    cells = _cells(database)
    for word in (*PLANTED, WORDS, NOTE):
        assert not [name for name, content in cells.items() if word in content], word
    if database.is_sqlite:
        content = _files(database)
        assert not [word for word in (*PLANTED, WORDS, NOTE) for form in _spellings(word) if form in content]
    with database.read() as session:
        stored = load(session, "T1")
        assert session.get_one(StoredTicket, "T1").caller is None
    assert (stored["status"], stored["text"], stored["prediction"]["evidence"]) == ("deleted", None, [])
    assert stored["prediction"]["category"]["code"] == planted["category"]["code"]


def test_desks_hear_of_a_deletion_and_of_nothing_else_any_more(
    database: Database, planted: dict[str, Any], clock: Any
) -> None:
    delete_ticket(database, "T1", actor="合规", now=clock())
    delete_ticket(database, "T1", actor="合规", now=clock())
    with database.read() as session:
        waiting = select(OutboxMessage.kind, OutboxMessage.desk).order_by(OutboxMessage.id)
        assert {tuple(row) for row in session.execute(waiting)} == {
            ("deleted", "县公司服务专责"), ("deleted", "供电服务指挥中心"),
        }  # fmt: skip


def test_a_deleted_ticket_is_not_taken_in_again_nor_reviewed(
    database: Database, take: Take, policy: Policy, clock: Any
) -> None:
    first = take("T1", "停电三小时了没人管")
    delete_ticket(database, "T1", actor="合规", now=clock())
    again = take("T1", "停电三小时了没人管")
    assert (again["status"], again["category"], again["evidence"]) == ("deleted", first["category"], [])
    with pytest.raises(Conflict):
        review(database, "T1", verdict=Verdict(2, "other.outage"), policy=policy, reviewer="r", now=clock())


def test_a_purge_deletes_what_is_over_and_nothing_else(database: Database, take: Take, clock: Any) -> None:
    take("old", "停电三小时了没人管")
    clock.goes_on(days=200)
    take("young", "停电三小时了没人管")
    with database.write() as session:
        session.execute(text("UPDATE outbox SET delivered_at = made_at WHERE ticket_id = 'old'"))
    clock.goes_on(days=164, hours=23)
    assert purge_expired(database, actor="purge", now=clock()).tickets == 0
    clock.goes_on(hours=2)
    assert purge_expired(database, actor="purge", now=clock()).tickets == 1
    assert purge_expired(database, actor="purge", now=clock()).tickets == 0
    with database.read() as session:
        assert load(session, "old")["text"] is None
        assert load(session, "young")["text"] == "停电三小时了没人管"
        assert {m.ticket_id for m in session.scalars(select(OutboxMessage)) if m.kind == "routed"} == {"young"}


def test_reviewed_tickets_leave_as_a_labelled_file_that_training_reads(
    database: Database, planted: dict[str, Any], take: Take, policy: Policy, clock: Any, tmp_path: Path
) -> None:
    take("T2", "这张没有人看过,停电了")
    batch = export_labels(database, taxonomy=policy.taxonomy, actor="分析员", now=clock())
    assert [record["id"] for record in batch.records] == ["T1"]
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in batch.records), encoding="utf-8")
    read = read_labelled([file], policy.taxonomy)
    assert read.digest == batch.digest
    assert (read.tickets[0].category, read.tickets[0].safety) == ("other.outage", False)
    assert "张伟" not in read.tickets[0].text


def test_a_deletion_marks_the_batches_and_names_the_bundles_trained_on_them(
    database: Database, planted: dict[str, Any], policy: Policy, clock: Any
) -> None:
    batch = export_labels(database, taxonomy=policy.taxonomy, actor="分析员", now=clock())
    assert export_labels(database, taxonomy=policy.taxonomy, actor="分析员", now=clock()).digest == batch.digest
    trained_on(database, batch.digest, "linear-7")
    trained_on(database, batch.digest, "linear-7")
    assert delete_ticket(database, "T1", actor="合规", now=clock()) == ("linear-7",)
    with database.read() as session:
        marked = session.scalars(select(DataVersionTicket)).one()
        assert marked.deleted_at == clock()
    assert export_labels(database, taxonomy=policy.taxonomy, actor="分析员", now=clock()).records == ()


def test_an_exported_ticket_says_who_decided_when_and_keeps_a_filing_that_hangs_on_no_flag(
    database: Database, take: Take, policy: Policy, clock: Any
) -> None:
    take("T1", "暴雪预警发布了,停电三小时了没人管")
    clock.goes_on(hours=1)
    review(database, "T1", verdict=Verdict(1, "other.outage"), policy=policy, reviewer="reviewer-1", now=clock())
    (record,) = export_labels(database, taxonomy=policy.taxonomy, actor="分析员", now=clock()).records
    assert record["filing"] == "R3_DISASTER"
    assert (record["labelled_by"], record["labelled_at"]) == ("reviewer-1", "2026-11-23T10:00:00+08:00")
