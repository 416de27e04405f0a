"""What the console asks for beside the contract, on both databases: lists of cues, papers, tickets of events, use of the model."""

from collections.abc import Iterator
from typing import Any

import pytest

from model.pipeline import Pipeline
from serving.api.roles import Role
from serving.store.database import Database
from tests.office import Served, served

THEFT = "举报:隔壁老王家偷电,半夜绕表接线,你们来查"
MALICE = "我要投诉抄表的李建国,他借我钱不还,你们单位扣他奖金,不然我天天打电话"
ORG = {"county": "兴隆县", "station": "城东供电所"}


@pytest.fixture
def desk(database: Database, rules_pipeline: Pipeline) -> Iterator[Served]:
    with served(database, rules_pipeline) as running:
        yield running


def _take(desk: Served, ticket_id: str, content: str, **more: Any) -> None:
    body = {"ticket_id": ticket_id, "content": content, "org": ORG, **more}
    assert desk.client.post("/v1/tickets", json=body, headers=desk.by(Role.INTAKE)).status_code == 201


def _get(desk: Served, path: str, role: Role = Role.REVIEWER, **query: Any) -> Any:
    answer = desk.client.get(path, headers=desk.by(role), params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _post(desk: Served, path: str, body: Any, role: Role = Role.REVIEWER) -> Any:
    return desk.client.post(path, json=body, headers=desk.by(role))


def _flag(desk: Served, ticket_id: str, *flags: str) -> None:
    """A reviewer sees the flags, whatever the rules say."""
    ticket = _get(desk, f"/v1/tickets/{ticket_id}")
    body = {"version": ticket["version"], "category": ticket["category"], "flags": list(flags)}
    assert _post(desk, f"/v1/tickets/{ticket_id}/review", body).status_code == 200


def test_cues_are_listed_by_state_and_flag_page_by_page_with_the_number_of_each(desk: Served) -> None:
    for number in range(5):
        _take(desk, f"T{number}", THEFT)
        _flag(desk, f"T{number}", "theft", "arrears")
    _post(desk, "/v1/tickets/T0/cues/arrears/reject", {"version": 1, "reason": "not_enough_evidence"})
    shown = _get(desk, "/v1/cues", state="candidate", flag="theft", limit=3)
    assert shown["counts"]["candidate"] == {"theft": 5, "arrears": 4}
    assert shown["counts"]["rejected"] == {"arrears": 1}
    rest = _get(desk, "/v1/cues", state="candidate", flag="theft", limit=3, cursor=shown["cursor"])
    ids = [cue["ticket_id"] for cue in shown["cues"] + rest["cues"]]
    assert ids == ["T4", "T3", "T2", "T1", "T0"]
    assert rest["cursor"] is None
    assert {cue["flag"] for cue in shown["cues"]} == {"theft"}


def test_a_cue_says_what_its_reader_may_do_and_why_not(desk: Served) -> None:
    _take(desk, "a/1", MALICE)
    ticket_path, path = "/v1/tickets/a%2F1", "/v1/cues/malicious/a%2F1"
    body = {"version": 1, "category": "other.misc", "flags": ["malicious"]}
    assert _post(desk, f"{ticket_path}/review", body).status_code == 200
    steps = {one["step"]: one["refusal"] for one in _get(desk, path)["steps"]}
    assert steps == {"evidence": None, "reject": None}
    evidence = [
        {"item": "earlier_dispute", "reference": "用检〔2026〕31号", "date": "2026-01-08"},
        {"item": "fault_disproved", "reference": "录像 12"},
    ]
    assert (
        _post(desk, f"{ticket_path}/cues/malicious/evidence", {"version": 1, "evidence": evidence}).status_code == 200
    )
    assert _post(desk, f"{ticket_path}/cues/malicious/confirm", {"version": 2}).status_code == 200
    first, second = _get(desk, path), _get(desk, path, Role.ADMIN)
    assert "您已经确认过" in next(one["refusal"] for one in first["steps"] if one["step"] == "confirm")
    assert next(one["refusal"] for one in second["steps"] if one["step"] == "confirm") is None
    assert [one["action"] for one in first["history"]] == ["cue.evidence", "cue.confirm"]
    assert first["version"] == 3  # looking at it is no step


def test_a_paper_names_the_item_marks_its_gaps_and_that_it_came_after_the_complaint(desk: Served) -> None:
    _take(desk, "T1", MALICE, accepted_at="2026-11-23T08:30:00+08:00")
    _flag(desk, "T1", "malicious", "unreasonable", "theft")
    malice = _get(desk, "/v1/cues/malicious/T1")["draft"]
    assert malice["item"] == "员工私人问题或不满处罚引发(R5_MALICIOUS)"
    assert any("投诉受理之后提出" in mark for mark in malice["marks"])
    assert any("不得报送" in mark for mark in malice["marks"])
    lines = [line for section in malice["sections"] for line in section["lines"]]
    assert malice["gaps"] == sum(line["text"].startswith("【待补:") for line in lines) >= 5
    assert "李建国" not in str(malice)
    answer = _get(desk, "/v1/cues/unreasonable/T1")["draft"]
    assert (answer["title"], answer["item"]) == ("最终答复(草稿)", "已按规定答复仍超规定(R4_UNREASONABLE)")
    assert _get(desk, "/v1/cues/theft/T1")["draft"] is None


def test_a_cue_that_is_not_there_is_a_404(desk: Served) -> None:
    answer = desk.client.get("/v1/cues/theft/T9", headers=desk.by(Role.REVIEWER))
    assert (answer.status_code, answer.json()["code"]) == (404, "cue_not_found")


def test_events_say_how_many_tickets_they_have_and_the_tickets_are_listed_by_event(desk: Served) -> None:
    event = {"kind": "planned_outage", "starts_at": "2026-11-23T08:00:00+08:00", "ends_at": "2026-11-24T08:00:00+08:00",
             "county": "兴隆县", "text": "计划检修停电"}  # fmt: skip
    number = _post(desk, "/v1/events", event).json()["id"]
    for ticket_id in ("T1", "T2"):
        _take(desk, ticket_id, "停电三小时了没人管", accepted_at="2026-11-23T09:00:00+08:00")
    _take(desk, "T3", "停电三小时了没人管", accepted_at="2026-11-20T09:00:00+08:00")
    shown = _get(desk, "/v1/events")
    assert [(one["id"], one["tickets"]) for one in shown["events"]] == [(number, 2)]
    assert {"code": "system_upgrade", "name": "系统升级", "filing": "R2_SYSTEM", "everywhere": True} in shown["kinds"]
    listed = _get(desk, "/v1/tickets", event_id=number)["tickets"]
    assert sorted(one["ticket_id"] for one in listed) == ["T1", "T2"]


def test_the_use_of_the_model_counts_leaves_decisions_and_what_people_kept(desk: Served) -> None:
    for number in range(6):
        _take(desk, f"T{number}", "停电三小时了没人管")
    for number in range(5):
        decided = "other.outage" if number else "other.power_quality"
        _post(desk, f"/v1/tickets/T{number}/review", {"version": 1, "category": decided})
    shown = _get(desk, "/v1/model/use", Role.ANALYST, days=7)
    assert shown["tickets"]["n"] == 6
    assert shown["tickets"]["leaves"] == {"other.outage": 5, "other.power_quality": 1}
    assert shown["before"]["n"] == 0
    assert shown["reviews"] == [{"category": "other.outage", "n": 5, "kept": 4, "share": 0.8}]
    (one,) = shown["reliability"]
    assert (one["n"], one["accuracy"]) == (5, 0.8)
    assert one["low"] <= one["confidence"] <= one["high"]


def test_a_small_cell_of_the_use_shows_counts_only(desk: Served) -> None:
    _take(desk, "T1", "停电三小时了没人管")
    _post(desk, "/v1/tickets/T1/review", {"version": 1, "category": "other.outage"})
    shown = _get(desk, "/v1/model/use", Role.ANALYST)
    assert shown["reviews"][0]["share"] is None
    assert shown["reliability"][0]["accuracy"] is None
