"""What a console asks for: figures, one line an event, categories, similar tickets, and a decision taken back."""

from collections.abc import Callable, Iterator

import pytest

from model.pipeline import Pipeline
from serving.api.roles import Role
from serving.store.database import Database
from tests.office import Served, served

ACCEPTED = "2026-11-23T08:30:00+08:00"


@pytest.fixture
def office(database: Database, rules_pipeline: Pipeline, clock: Callable[[], object]) -> Iterator[Served]:
    with served(database, rules_pipeline, clock=clock) as one:  # type: ignore[arg-type]
        yield one


def _send(office: Served, ticket_id: str, content: str, **fields: object) -> None:
    body = {"ticket_id": ticket_id, "content": content, "accepted_at": ACCEPTED, **fields}
    assert office.client.post("/v1/tickets", json=body, headers=office.by(Role.INTAKE)).status_code == 201


def _get(office: Served, path: str, **params: object) -> dict:
    answer = office.client.get(path, params=params, headers=office.by(Role.REVIEWER))
    assert answer.status_code == 200, answer.text
    return answer.json()


def _post(office: Served, path: str, body: dict, role: Role = Role.REVIEWER, status: int = 200) -> dict:
    answer = office.client.post(path, json=body, headers=office.by(role))
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_key_tells_whose_it_is(office: Served) -> None:
    assert _get(office, "/v1/me") == {
        "name": "reviewer",
        "role": "reviewer",
        "role_name": "服务专责",
        "unit": "客户服务中心",
    }


def test_the_figures_are_the_sizes_of_the_lists_that_they_stand_for(office: Served, clock) -> None:
    _send(office, "danger", "电线断了掉在地上冒火花,快来人")
    _send(office, "loud", "电费多扣了两百块,再不退我就打12398")
    _send(office, "old", "换表没通知我,底数也没让看", accepted_at="2026-11-10T08:30:00+08:00")
    _send(office, "calm", "换表没通知我,底数也没让看")
    found = _get(office, "/v1/counts")
    assert found["status"] == {"open": 4, "reviewed": 0, "closed": 0}
    for urgency in ("safety", "overdue", "due_soon", "escalation", "low_confidence"):
        listed = _get(office, "/v1/tickets", status="open", urgency=urgency)["tickets"]
        assert found["open"][urgency] == len(listed), urgency
    assert found["open"]["safety"] == found["open"]["escalation"] == 1
    late = {one["ticket_id"] for one in _get(office, "/v1/tickets", urgency="overdue")["tickets"]}
    assert "old" in late
    assert "calm" not in late
    clock.goes_on(hours=20)
    soon = {one["ticket_id"] for one in _get(office, "/v1/tickets", urgency="due_soon")["tickets"]}
    assert "calm" in soon  # 24 hours to the first contact, four of them left
    assert not soon & {one["ticket_id"] for one in _get(office, "/v1/tickets", urgency="overdue")["tickets"]}


def test_tickets_of_one_event_are_one_line_that_unfolds_and_danger_is_never_folded(office: Served) -> None:
    event = {
        "kind": "planned_outage", "county": "城关县", "station": "城东供电所", "text": "城东10千伏线路检修停电",
        "starts_at": "2026-11-23T06:00:00+08:00", "ends_at": "2026-11-23T20:00:00+08:00",
    }  # fmt: skip
    entered = _post(office, "/v1/events", event, status=201)
    org = {"city": "某市", "county": "城关县", "station": "城东供电所"}
    for number in range(4):
        _send(office, f"out-{number}", f"停电{number + 1}个小时了没人管,什么时候来电", org=org)
    _send(office, "out-danger", "停电了,电线断了掉在地上冒火花,快来人", org=org)
    _send(office, "alone", "换表没通知我,底数也没让看", org=org)
    listed = _get(office, "/v1/tickets", fold=True)["tickets"]
    linked = [one for one in _get(office, "/v1/tickets")["tickets"] if one["event_id"] == entered["id"]]
    calm = [one for one in linked if not one["safety"]]
    assert len(calm) >= 4
    lines = [one for one in listed if one["event_id"] == entered["id"] and not one["safety"]]
    assert [(one["ticket_id"], one["folded"]) for one in lines] == [(calm[0]["ticket_id"], len(calm))]
    assert lines[0]["event"]["text"] == event["text"]
    assert {"out-danger", "alone"} <= {one["ticket_id"] for one in listed}
    unfolded = _get(office, "/v1/tickets", fold=True, event_id=entered["id"])["tickets"]
    assert {one["ticket_id"] for one in unfolded} == {one["ticket_id"] for one in linked}


def test_categories_bring_desk_measures_and_the_first_contact_card_with_its_section(office: Served) -> None:
    found = _get(office, "/v1/categories")
    assert len(found["categories"]) == 13
    for one in found["categories"]:
        assert one["name"]
        assert one["desk"] in found["desks"]
        assert one["measures"]
        assert len(one["card"]["ask"]) == 3
        assert one["card"]["section"]
    assert set(found["flags"]) == {"malicious", "unreasonable", "theft", "arrears"}


def test_similar_tickets_are_those_that_people_reviewed(office: Served) -> None:
    _send(office, "a", "换表没有通知我,旧表底数也没让我看就拆走了")
    _send(office, "b", "换表没有通知我们家,旧表底数没让看就拆走了")
    _send(office, "c", "营业厅的人态度恶劣,推来推去不给办")
    assert _get(office, "/v1/tickets/a/similar") == {"tickets": []}
    for name in ("b", "c"):
        ticket = _get(office, f"/v1/tickets/{name}")
        _post(office, f"/v1/tickets/{name}/review", {"version": ticket["version"], "category": ticket["category"]})
    found = _get(office, "/v1/tickets/a/similar")["tickets"]
    assert [one["ticket_id"] for one in found] == ["b"]
    assert found[0]["likeness"] > 0.5


def test_a_decision_taken_back_restores_category_desk_and_queue_and_is_on_record(office: Served) -> None:
    _send(office, "t", "换表没通知我,底数也没让看")
    before = _get(office, "/v1/tickets/t")
    done = _post(office, "/v1/tickets/t/review", {"version": 1, "category": "billing.tariff"})
    assert done["desk"] != before["desk"]
    back = _post(office, "/v1/tickets/t/undo", {"version": done["version"]})
    for name in ("category", "desk", "queues", "status", "arrive_by"):
        assert back[name] == before[name], name
    assert back["version"] == done["version"] + 1
    assert [one["action"] for one in back["history"]] == ["ticket.taken_in", "ticket.reviewed", "ticket.review_undone"]
    assert back["history"][-1]["detail"]["undone"] == done["version"]
    assert [one.get("undo", False) for one in back["reviews"]] == [False, True]


def test_what_was_taken_back_is_no_label_but_the_review_before_it_is(office: Served) -> None:
    for name in ("once", "twice"):
        _send(office, name, "换表没通知我,底数也没让看")
    _post(office, "/v1/tickets/twice/review", {"version": 1, "category": "metering.device"})
    for name, version in (("once", 1), ("twice", 2)):
        done = _post(office, f"/v1/tickets/{name}/review", {"version": version, "category": "billing.tariff"})
        _post(office, f"/v1/tickets/{name}/undo", {"version": done["version"]})
    exported = office.client.get("/v1/labels/export", headers=office.by(Role.ANALYST)).text
    assert '"twice"' in exported
    assert "metering.device" in exported
    assert '"once"' not in exported
    assert _get(office, "/v1/tickets/twice")["status"] == "reviewed"
    closed = _get(office, "/v1/tickets/once")["version"]
    _post(office, "/v1/tickets/once/close", {"version": closed})
    assert '"once"' not in office.client.get("/v1/labels/export", headers=office.by(Role.ANALYST)).text


@pytest.mark.parametrize("case", ["nothing", "another person's", "something came after", "twice", "reopened"])
def test_only_ones_own_last_decision_can_be_taken_back(office: Served, case: str) -> None:
    _send(office, "t", "换表没通知我,底数也没让看")
    version, decision = 1, {"version": 1, "category": "billing.tariff"}
    if case == "reopened":
        version = decision["version"] = _post(office, "/v1/tickets/t/close", {"version": 1})["version"]
    if case != "nothing":
        who = Role.ADMIN if case == "another person's" else Role.REVIEWER
        version = _post(office, "/v1/tickets/t/review", decision, who)["version"]
    if case == "something came after":
        version = _post(office, "/v1/tickets/t/close", {"version": version})["version"]
    if case == "twice":
        version = _post(office, "/v1/tickets/t/undo", {"version": version})["version"]
    problem = _post(office, "/v1/tickets/t/undo", {"version": version}, status=409)
    assert "撤销" in problem["detail"]
