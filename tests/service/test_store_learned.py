"""What left the store as labels: a deletion names the bundles that learned from it, and nothing learns from it again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.labels import text_hash
from model.pipeline import Pipeline
from model.policy import Policy
from serving.store.database import Database
from serving.store.labels import export_labels
from serving.store.learned import deleted_tickets, note_learned
from serving.store.retention import delete_ticket
from serving.store.reviews import Verdict, review
from training.gate import Tolerances
from training.places import Places
from training.retrain import Plan, take_in

Take = Callable[..., dict]


@pytest.fixture
def exported(take: Take, database: Database, policy: Policy, clock: Any, tmp_path: Path) -> Path:
    """Two reviewed tickets, exported to a file."""
    for name, words in (("T1", "停电三小时了没人管"), ("T2", "电费比上月多扣了两百块")):
        take(name, words)
        review(database, name, verdict=Verdict(1, "other.outage"), policy=policy, reviewer="reviewer-1", now=clock())
    return _export(database, policy, clock, tmp_path / "labels.jsonl")


def _export(database: Database, policy: Policy, clock: Any, path: Path) -> Path:
    records = export_labels(database, taxonomy=policy.taxonomy, actor="分析员", now=clock()).records
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    return path


def _hashes(path: Path) -> dict[str, str]:
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {row["id"]: text_hash(row["text"]) for row in rows}


def test_every_export_that_holds_a_learned_ticket_notes_the_bundle_once(
    exported: Path, database: Database, policy: Policy, clock: Any, take: Take, tmp_path: Path
) -> None:
    take("T3", "换表没有通知我")
    review(
        database, "T3", verdict=Verdict(1, "metering.replacement"), policy=policy, reviewer="reviewer-1", now=clock()
    )
    _export(database, policy, clock, tmp_path / "later.jsonl")
    learned = {"T1": _hashes(exported)["T1"], "a02-001": "f" * 64}
    assert note_learned(database, learned, "linear-7") == 2
    assert note_learned(database, learned, "linear-7") == 0
    assert delete_ticket(database, "T1", actor="合规", now=clock()) == ("linear-7",)


def test_the_number_alone_does_not_make_it_the_same_ticket(exported: Path, database: Database) -> None:
    assert note_learned(database, {"T1": "0" * 64}, "linear-7") == 0
    assert note_learned(database, {}, "linear-7") == 0


def test_a_deleted_ticket_is_not_learned_from_though_the_file_still_holds_it(
    exported: Path, database: Database, policy: Policy, clock: Any, tmp_path: Path
) -> None:
    assert deleted_tickets(database) == frozenset()
    hashes = _hashes(exported)
    delete_ticket(database, "T1", actor="合规", now=clock())
    assert deleted_tickets(database) == {("T1", hashes["T1"])}
    base = tmp_path / "base.jsonl"
    base.write_text(json.dumps({"id": "b", "text": "电表烧坏了", "category": "metering.device"}), encoding="utf-8")
    places = Places(tmp_path / "artifacts" / "champion")
    kept = take_in(Plan(policy, Tolerances.read(), [base], [exported]), places, Pipeline(policy))
    assert {row.ticket.id for row in kept.batch.rows} == {"T1", "T2"}
    plan = Plan(policy, Tolerances.read(), [base], [exported], deleted=deleted_tickets(database))
    intake = take_in(plan, places, Pipeline(policy))
    assert {ticket.id for ticket in intake.version.learned} == {"b", "T2"}
    assert intake.deleted == 1
