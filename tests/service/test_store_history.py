"""What became of stored tickets, and the commands that read it: shadow and drift from the store."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from model.policy import Policy
from serving.store.database import Database
from serving.store.history import handled
from serving.store.retention import delete_ticket
from serving.store.reviews import Verdict, review
from serving.store.undo import undo
from triage.cli.main import app

Take = Callable[..., dict]
CHARGE = "电费多扣了两百块,给我退"


@pytest.fixture
def three_tickets(database: Database, take: Take, policy: Policy, clock: Any) -> Database:
    """T1 reviewed twice, T2 never, T3 reviewed once and deleted."""
    for name, text in (("T1", CHARGE), ("T2", "停电三小时了没人管"), ("T3", "电表黑屏了不走字")):
        take(name, text)
        clock.goes_on(hours=1)
    for name, version, leaf in (("T1", 1, "other.misc"), ("T1", 2, "billing.charge"), ("T3", 1, "metering.device")):
        verdict = Verdict(version, leaf)
        review(database, name, verdict=verdict, policy=policy, reviewer="审核员甲", now=clock())
    delete_ticket(database, "T3", actor="test", now=clock())
    return database


def test_history_holds_masked_text_first_prediction_and_every_decision(three_tickets: Database, clock: Any) -> None:
    first, second = handled(three_tickets, clock() - timedelta(days=1), clock())
    assert (first.ticket_id, first.text) == ("T1", CHARGE)
    assert [leaf for leaf, _ in first.reviews] == ["other.misc", "billing.charge"]
    assert first.body["decision"] == "fallback"
    assert (second.ticket_id, second.reviews) == ("T2", ())


def test_a_decision_that_was_taken_back_was_none(three_tickets: Database, policy: Policy, clock: Any) -> None:
    verdict = Verdict(1, "other.outage")
    review(three_tickets, "T2", verdict=verdict, policy=policy, reviewer="审核员甲", now=clock())
    for ticket_id, version in (("T1", 3), ("T2", 2)):
        undo(three_tickets, ticket_id, version=version, by="审核员甲", now=clock())
    first, second = handled(three_tickets, clock() - timedelta(days=1), clock())
    assert [leaf for leaf, _ in first.reviews] == ["other.misc"]
    assert second.reviews == ()


def test_history_ends_where_it_is_told_to(three_tickets: Database, clock: Any) -> None:
    start = clock() - timedelta(hours=3)
    assert [one.ticket_id for one in handled(three_tickets, start, start + timedelta(hours=1))] == ["T1"]
    assert handled(three_tickets, start - timedelta(days=9), start) == ()


def test_shadow_from_the_store_counts_reviewed_tickets_and_tells_of_the_others(
    three_tickets: Database, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_DATABASE_URL", store_url)
    done = CliRunner().invoke(app, ["shadow", "--since", "2026-11-22", "--until", "2026-11-25"])
    assert done.exit_code == 0, done.output
    assert "1 条工单" in done.output
    assert "人工首派错 1 条" in done.output
    assert "1 条没有人审核过" in done.output


def test_drift_from_the_store_says_how_few_tickets_there_are(
    three_tickets: Database, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_DATABASE_URL", store_url)
    done = CliRunner().invoke(app, ["drift", "--since", "2026-11-22", "--until", "2026-11-25"])
    assert done.exit_code == 0, done.output
    assert "样本不足:本期 2 条、对照期 0 条" in done.output
