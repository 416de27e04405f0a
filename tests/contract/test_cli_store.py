"""`triage db`: the store is made, one ticket is deleted, what is over is purged."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from model.pipeline import Pipeline
from serving.intake import Intake, incoming_from
from serving.store.reading import load
from serving.store.writer import TicketWriter
from triage.compose import build_store
from triage.settings import Settings

Command = Callable[..., tuple[int, str, str]]


def _take(pipeline: Pipeline, ticket_id: str, when: datetime) -> None:
    database = build_store(Settings())
    intake = Intake(TicketWriter(database), pipeline, b"s" * 32, Settings().retention_days, lambda: when)
    intake.take_in(incoming_from({"ticket_id": ticket_id, "content": "停电三小时了没人管"}), "test")
    database.close()


def _text(ticket_id: str) -> str | None:
    database = build_store(Settings())
    with database.read() as session:
        text: str | None = load(session, ticket_id)["text"]
    database.close()
    return text


def test_the_store_is_made_on_first_use_and_upgrading_again_changes_nothing(triage: Command, tmp_path: Path) -> None:
    for _ in range(2):
        code, out, err = triage("db", "upgrade")
        assert (code, err) == (0, "")
        assert "存储已就绪" in out
    assert (tmp_path / "artifacts" / "store" / "triage.db").is_file()


def test_one_ticket_is_deleted_by_its_id(triage: Command, rules_pipeline: Pipeline) -> None:
    _take(rules_pipeline, "T1", datetime.now(UTC))
    code, out, _ = triage("db", "delete", "T1")
    assert (code, _text("T1")) == (0, None)
    assert "已删除" in out
    code, _, err = triage("db", "delete", "T2")
    assert (code, err.strip()) == (2, "错误:没有这张工单;请检查工单编号")


def test_a_purge_deletes_what_the_retention_no_longer_allows(
    triage: Command, rules_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_RETENTION_DAYS", "30")
    _take(rules_pipeline, "old", datetime(2026, 1, 5, 9, tzinfo=UTC))
    _take(rules_pipeline, "young", datetime.now(UTC))
    code, out, _ = triage("db", "purge")
    assert code == 0
    assert "到期工单 1 张" in out
    assert (_text("old"), _text("young")) == (None, "停电三小时了没人管")


def test_a_store_that_cannot_be_reached_is_an_error_in_words(triage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_DATABASE_URL", "nonsense")
    code, _, err = triage("db", "upgrade")
    assert code == 2
    assert "TRIAGE_DATABASE_URL" in err
    assert "Traceback" not in err
