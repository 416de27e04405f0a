"""Waiting tickets about one thing stand in the queue as one line: found again and again, danger never folded away."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from model.pipeline import Pipeline
from model.policy import load_policy
from serving.api.roles import Role
from serving.hotspots.open_incidents import DAYS, mark_incidents
from serving.store.database import Database
from serving.store.handling import Closing, close
from serving.store.queue import Filters, Slice, page
from serving.store.retention import delete_ticket
from tests.office import Served, served
from tests.service.conftest import Clock

Take = Callable[..., dict[str, Any]]
HERE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ORG = {"city": "青山市", "county": "城东县", "station": "河湾供电所"}
AT = "2026-11-23T08:30:00+08:00"
BLAMED = "河湾村三组从昨晚八点开始停电到现在,打供电所电话没人接,冰箱里东西全坏了"
SAME = "河湾村三组从昨晚八点开始停电到现在了,打供电所的电话没人接,冰箱里的东西全坏了"
OTHER = "上个月电费比平时多了一倍,我家就两口人,请查一下电表"


def _lines(database: Database, **filters: Any) -> dict[str, int]:
    with database.read() as session:
        found = page(session, Filters(**filters), Slice(fold=True), HERE)
    return {ticket["ticket_id"]: ticket["folded"] for ticket in found.tickets}


@pytest.fixture
def filled(database: Database, take: Take) -> Database:
    take("T1", BLAMED, org=ORG, accepted_at=AT)
    take("T2", SAME, org=ORG, accepted_at="2026-11-23T08:40:00+08:00")
    take("T3", OTHER, org=ORG, accepted_at=AT)
    take("T4", SAME + ",电线断了掉在地上冒火花", org=ORG, accepted_at=AT)
    take("T5", SAME, org={**ORG, "county": "城西县", "station": "桥头供电所"}, accepted_at=AT)
    return database


def test_alike_tickets_of_one_county_become_one_line_and_danger_its_own(filled: Database) -> None:
    assert set(_lines(filled).values()) == {1}
    assert mark_incidents(filled, load_policy(), HERE) == 2
    lines = _lines(filled)
    assert {name: lines[name] for name in ("T3", "T4", "T5")} == {"T3": 1, "T4": 1, "T5": 1}
    assert len({"T1", "T2"} & set(lines)) == 1
    assert lines[next(iter({"T1", "T2"} & set(lines)))] == 2
    with filled.read() as session:
        inner = page(session, Filters(incident="incident:T1"), Slice(fold=True), HERE).tickets
    assert {ticket["ticket_id"]: ticket["incident"] for ticket in inner} == {"T1": "incident:T1", "T2": "incident:T1"}


def test_a_second_look_changes_nothing_and_a_closed_ticket_leaves_its_incident(filled: Database, take: Take) -> None:
    mark_incidents(filled, load_policy(), HERE)
    assert mark_incidents(filled, load_policy(), HERE) == 0
    take("T6", BLAMED, org=ORG, accepted_at="2026-11-23T08:50:00+08:00")
    assert mark_incidents(filled, load_policy(), HERE) == 1
    close(filled, "T1", closing=Closing(1), by="test", now=HERE)
    assert mark_incidents(filled, load_policy(), HERE) == 3
    with filled.read() as session:
        kept = page(session, Filters(), Slice(), HERE).tickets
    assert {one["ticket_id"]: one["incident"] for one in kept if one["incident"]} == {
        "T2": "incident:T2", "T6": "incident:T2",
    }  # fmt: skip
    delete_ticket(filled, "T2", actor="test", now=HERE)
    assert mark_incidents(filled, load_policy(), HERE) == 2
    assert set(_lines(filled).values()) == {1}


def test_what_came_long_ago_is_no_incident_any_more(filled: Database) -> None:
    mark_incidents(filled, load_policy(), HERE)
    assert mark_incidents(filled, load_policy(), HERE + timedelta(days=DAYS + 1)) == 2
    assert set(_lines(filled).values()) == {1}


@pytest.fixture
def desk(filled: Database, rules_pipeline: Pipeline, clock: Clock) -> Iterator[Served]:
    with served(filled, rules_pipeline, clock=clock) as running:
        yield running


def test_reading_the_queue_over_http_folds_it_for_the_next_reader(desk: Served) -> None:
    def listed(**query: Any) -> dict[str, int]:
        answer = desk.client.get("/v1/tickets", params={"fold": True, **query}, headers=desk.by(Role.REVIEWER))
        assert answer.status_code == 200
        return {ticket["ticket_id"]: ticket["folded"] for ticket in answer.json()["tickets"]}

    end = time.monotonic() + 30
    while 2 not in listed().values():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert set(listed(incident="incident:T1")) == {"T1", "T2"}
