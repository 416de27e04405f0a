"""Hotspots of the store: the frame, the daily counts, and the call that shows an analysis."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from model.pipeline import Pipeline
from model.policy import load_policy
from model.ticket import CHINA
from serving.api.roles import Role
from serving.hotspots.analyse import Background
from serving.hotspots.daily import daily_from_store, daily_of
from serving.hotspots.frame import COLUMNS, from_store
from serving.hotspots.options import Options
from serving.hotspots.stored import analyse_store
from serving.store.database import Database
from serving.store.retention import delete_ticket
from serving.store.tables import StoredTicket
from tests.office import Served, served

Take = Callable[..., dict[str, Any]]
FIRST, LAST = datetime(2026, 11, 16, tzinfo=CHINA), datetime(2026, 11, 23, tzinfo=CHINA)
ORG = {"city": "青山市", "county": "城东县", "station": "河湾供电所"}


@pytest.fixture
def filled(take: Take, database: Database) -> Database:
    """Three tickets on two days, told apart by China's midnight, one of them deleted, and one of another week."""
    take(
        "T1",
        "停电三小时了没人管,12398 我也要打",
        org=ORG,
        accepted_at="2026-11-17T00:30:00+08:00",
        contact="13512345678",
    )
    take("T2", "说我窃电,我根本没有窃电,罚我三千块凭什么", org=ORG, accepted_at="2026-11-17T23:30:00+08:00", contact="13512345678")
    take("T3", "这个月电费翻倍", accepted_at="2026-11-18T09:00:00+08:00")
    take("T4", "这个月电费翻倍", org=ORG, accepted_at="2026-11-23T00:00:00+08:00")
    delete_ticket(database, "T3", actor="test", now=datetime(2026, 11, 23, 2, tzinfo=UTC))
    return database


def test_the_frame_holds_every_ticket_of_the_time_in_order_with_masked_text_only(filled: Database) -> None:
    with filled.read() as session:
        frame = from_store(session, FIRST, LAST, load_policy().taxonomy)
    assert list(frame.columns) == list(COLUMNS)
    assert list(frame["ticket_id"]) == ["T1", "T2", "T3"]
    assert list(frame["unit"]) == ["城东县 · 河湾供电所", "城东县 · 河湾供电所", None]
    assert list(frame["theft"]) == [False, True, False]
    assert frame["text"].iloc[2] is None
    assert frame["caller"].iloc[0] == frame["caller"].iloc[1] != "13512345678"
    assert str(frame["accepted_at"].dt.tz) == "Asia/Shanghai"


def test_the_database_counts_the_days_of_china_as_the_frame_does(filled: Database) -> None:
    with filled.read() as session:
        counted = daily_from_store(session, FIRST, LAST)
        frame = from_store(session, FIRST, LAST, load_policy().taxonomy, texts=False)
    keys = ["day", "leaf", "unit"]
    mine, theirs = (one.sort_values(keys, na_position="first", ignore_index=True) for one in (counted, daily_of(frame)))
    assert mine.astype(str).to_dict("records") == theirs.astype(str).to_dict("records")
    assert sorted(mine["day"].dt.day) == [17, 17, 18]


def test_an_analysis_of_the_store_counts_deleted_tickets_and_late_clocks(filled: Database) -> None:
    with filled.write() as session:
        session.execute(update(StoredTicket).values(due_at=datetime(2026, 11, 20, tzinfo=UTC)))
    background = Background(as_of=LAST)
    found = analyse_store(filled, FIRST, LAST, policy=load_policy(), options=Options(), background=background)
    assert found.totals.all.tickets == 3
    assert found.totals.without_text == 1
    assert next(one for one in found.breaches if one.clock == "due" and one.unit is None).late == 2


@pytest.fixture
def desk(filled: Database, rules_pipeline: Pipeline) -> Iterator[Served]:
    with served(filled, rules_pipeline, clock=lambda: LAST + timedelta(hours=9)) as running:
        yield running


def test_an_analyst_sees_the_figures_and_an_intake_system_does_not(desk: Served) -> None:
    answer = desk.client.get("/v1/hotspots?since=2026-11-16&until=2026-11-23&by=week", headers=desk.by(Role.ANALYST))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["totals"]["all"]["tickets"] == 3
    assert [one["label"] for one in found["periods"]] == ["2026-W47"]
    assert found["notes"]
    assert desk.client.get("/v1/hotspots", headers=desk.by(Role.INTAKE)).status_code == 403


def test_without_a_time_the_last_four_whole_weeks_are_shown(desk: Served) -> None:
    found = desk.client.get("/v1/hotspots", headers=desk.by(Role.ANALYST)).json()
    assert (found["since"], found["until"]) == ("2026-10-26T00:00:00+08:00", "2026-11-23T00:00:00+08:00")
    assert [one["complete"] for one in found["periods"]] == [True] * 4


@pytest.mark.parametrize("query", ["since=2026-11-23&until=2026-11-23", "since=2020-01-01&until=2026-01-01", "by=day"])
def test_a_time_that_cannot_be_analysed_is_refused_in_words(desk: Served, query: str) -> None:
    answer = desk.client.get(f"/v1/hotspots?{query}", headers=desk.by(Role.ANALYST))
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_the_same_question_gets_the_same_answer_for_a_minute(desk: Served, take: Take) -> None:
    first = desk.client.get("/v1/hotspots", headers=desk.by(Role.ANALYST)).json()
    take("T9", "停电了", accepted_at="2026-11-18T10:00:00+08:00")
    assert desk.client.get("/v1/hotspots", headers=desk.by(Role.ANALYST)).json() == first
