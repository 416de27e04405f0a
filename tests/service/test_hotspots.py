"""Hotspots of the store: the frame, the daily counts, and the call that shows an analysis."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
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
from tests.changed_policy import write_changed_policy
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
        counted = daily_from_store(session, FIRST, LAST, load_policy().taxonomy)
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


def test_findings_and_arrivals_of_the_store_are_in_the_figures(filled: Database) -> None:
    with filled.write() as session:
        for name, upheld, minutes in (("T1", True, 40), ("T2", False, 50), ("T3", None, None)):
            row = session.get_one(StoredTicket, name)
            received = row.accepted_at or row.received_at
            row.arrive_by, row.upheld = received + timedelta(minutes=45), upheld
            row.arrived_at = received + timedelta(minutes=minutes) if minutes else None
            row.contacted_at = received + timedelta(minutes=1)  # on the telephone
    with filled.read() as session:
        frame = from_store(session, FIRST, LAST, load_policy().taxonomy)
    assert list(frame["upheld"]) == [True, False, None]
    assert str(frame["arrived_at"].dt.tz) == "Asia/Shanghai"
    known = Background(as_of=LAST)
    found = analyse_store(filled, FIRST, LAST, policy=load_policy(), options=Options(smallest=2), background=known)
    assert (found.upheld[0].judged, found.upheld[0].upheld, found.upheld[0].share) == (2, 1, 0.5)
    crews = next(one for one in found.breaches if one.clock == "arrive" and one.unit is None)
    assert crews.ticket_ids == ("T2",)  # T3 was deleted


def test_tickets_under_a_former_code_count_for_what_became_of_it(filled: Database, tmp_path: Path) -> None:
    was = {"T1": "metering.device", "T2": "metering.verification", "T3": "other.grid_facility", "T4": "billing.charge"}
    with filled.write() as session:
        for name, code in was.items():
            session.get_one(StoredTicket, name).category = code
    later, end = load_policy(write_changed_policy(tmp_path / "policy")), LAST + timedelta(days=1)
    with filled.read() as session:
        frame = from_store(session, FIRST, end, later.taxonomy)
        counted = daily_from_store(session, FIRST, end, later.taxonomy)
        former = from_store(session, FIRST, end, load_policy().taxonomy)
    now = ["metering.meter", "metering.meter", "other.grid_facility", "billing.bill"]  # a split one waits for a person
    assert list(frame["category"]) == now
    assert list(former["category"]) == list(was.values())
    assert counted.groupby("leaf")["tickets"].sum().to_dict() == Counter(now)
    known, options = Background(as_of=end), Options(smallest=2)
    found = analyse_store(filled, FIRST, end, policy=later, options=options, background=known)
    assert {one.leaf: one.tickets for one in found.leaves} == Counter(now)


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


@pytest.mark.parametrize("customers", [{"城东县 · 河湾供电所": 10_000}, {}])
def test_the_rate_by_ten_thousand_stands_in_the_figures_and_the_report(
    filled: Database, take: Take, rules_pipeline: Pipeline, customers: dict[str, int]
) -> None:
    for number in range(4):
        take(f"U{number}", "停电了", org=ORG, accepted_at="2026-11-19T10:00:00+08:00")
    week = "since=2026-11-16&until=2026-11-23&by=week"
    with served(filled, rules_pipeline, clock=lambda: LAST + timedelta(hours=9), customers=customers) as desk:
        found = desk.client.get(f"/v1/hotspots?{week}", headers=desk.by(Role.ANALYST)).json()
        report = desk.client.get(f"/v1/hotspots/report?{week}&format=html", headers=desk.by(Role.ANALYST))
    rates = {one["unit"]: one["per_10k"] for one in found["units"]}
    assert rates == {"城东县 · 河湾供电所": 6.0 if customers else None}
    assert ("万户投诉率=件数÷户数×10000" in report.text) is bool(customers)


def test_a_finding_reported_over_http_is_counted(desk: Served) -> None:
    desk.client.post("/v1/tickets/T1/close", json={"version": 1, "upheld": True}, headers=desk.by(Role.REVIEWER))
    week = "since=2026-11-16&until=2026-11-23"
    found = desk.client.get(f"/v1/hotspots?{week}", headers=desk.by(Role.ANALYST)).json()
    assert found["upheld"][0] == {"leaf": None, "unit": None, "judged": 1, "upheld": 1, "share": None}
    report = desk.client.get(f"/v1/hotspots/report?{week}&format=html", headers=desk.by(Role.ANALYST))
    assert "属实情况" in report.text


@pytest.mark.parametrize("query", ["since=2026-11-23&until=2026-11-23", "since=2020-01-01&until=2026-01-01", "by=day"])
def test_a_time_that_cannot_be_analysed_is_refused_in_words(desk: Served, query: str) -> None:
    answer = desk.client.get(f"/v1/hotspots?{query}", headers=desk.by(Role.ANALYST))
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_the_same_question_gets_the_same_answer_for_a_minute(desk: Served, take: Take) -> None:
    first = desk.client.get("/v1/hotspots", headers=desk.by(Role.ANALYST)).json()
    take("T9", "停电了", accepted_at="2026-11-18T10:00:00+08:00")
    assert desk.client.get("/v1/hotspots", headers=desk.by(Role.ANALYST)).json() == first
