"""Stored tickets over HTTP, on both databases: taken in once, read, listed, decided, exported; events; outages."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import func, select

from model.errors import StoreUnavailable
from model.pipeline import Pipeline
from serving.api.context import HEADERS
from serving.api.roles import Role
from serving.store.database import Database
from serving.store.tables import AuditEntry, StoredTicket
from tests.office import Served, served

TEXT = "我叫张伟,电话13812345678,停电三小时了没人管"
EVENT = {"kind": "planned_outage", "starts_at": "2026-11-23T08:00:00+08:00", "ends_at": "2026-11-24T08:00:00+08:00",
         "county": "兴隆县", "text": "计划检修停电"}  # fmt: skip


@pytest.fixture
def desk(database: Database, rules_pipeline: Pipeline) -> Iterator[Served]:
    with served(database, rules_pipeline) as running:
        yield running


def _post(desk: Served, ticket_id: str, content: str = TEXT, **more: Any) -> Any:
    body = {"ticket_id": ticket_id, "content": content, **more}
    return desk.client.post("/v1/tickets", json=body, headers=desk.by(Role.INTAKE))


def _get(running: Served, path: str, role: Role = Role.REVIEWER, **query: Any) -> Any:
    return running.client.get(path, headers=running.by(role), params=query)


def _review(desk: Served, ticket_id: str, **body: Any) -> Any:
    path = f"/v1/tickets/{quote(ticket_id, safe='')}/review"
    return desk.client.post(path, json=body, headers=desk.by(Role.REVIEWER))


def test_a_ticket_is_new_once_and_a_retry_gets_the_first_answer(desk: Served) -> None:
    first = _post(desk, "T1", cust_no="5501234567", contact="13812345678", whatever=[1])
    again = _post(desk, "T1", cust_no="5501234567", contact="13812345678", whatever=[2])
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (first.json()["status"], first.json()["version"]) == ("open", 1)
    other = _post(desk, "T1", "另一件事")
    assert (other.status_code, other.json()["code"]) == (409, "conflict")


def test_retries_at_the_same_time_make_one_ticket(desk: Served, database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: _post(desk, "T1"), range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.text for answer in answers}) == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(StoredTicket)) == 1


def test_a_stored_ticket_shows_masked_text_route_cues_and_history(desk: Served) -> None:
    _post(desk, "T1", org={"county": "兴隆县", "station": "城东供电所"})
    shown = _get(desk, "/v1/tickets/T1").json()
    assert "13812345678" not in json.dumps(shown)
    assert "停电三小时" in shown["text"]
    assert shown["prediction"]["category"]["code"] == shown["category"] == "other.outage"
    assert shown["route"]["desk"] == shown["desk"]
    assert [entry["action"] for entry in shown["history"]] == ["ticket.taken_in"]
    assert shown["known_event"] is None
    missing = _get(desk, "/v1/tickets/none")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("ticket_id", ["2026/11/23-1", "工单 1?a=b#c", "a/review", "a/cues/theft/reject"])
def test_a_ticket_id_may_hold_any_character(desk: Served, ticket_id: str) -> None:
    assert _post(desk, ticket_id).status_code == 201
    path = f"/v1/tickets/{quote(ticket_id, safe='')}"
    assert _get(desk, path).json()["ticket_id"] == ticket_id
    assert _review(desk, ticket_id, version=1, category="other.outage").status_code == 200


def test_lists_are_filtered_and_paged(desk: Served) -> None:
    for number in range(5):
        _post(desk, f"T{number}")
    _post(desk, "F", "电表冒烟起火了,快来人")
    page = _get(desk, "/v1/tickets", limit=4).json()
    rest = _get(desk, "/v1/tickets", limit=4, cursor=page["cursor"]).json()
    ids = [ticket["ticket_id"] for ticket in page["tickets"] + rest["tickets"]]
    assert ids[0] == "F"
    assert sorted(ids) == ["F", "T0", "T1", "T2", "T3", "T4"]
    assert rest["cursor"] is None
    assert len(_get(desk, "/v1/tickets", category="other.outage").json()["tickets"]) == 5
    assert _get(desk, "/v1/tickets", status="reviewed").json() == {"tickets": [], "cursor": None}


def _cursor(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


ZERO = "2026-01-01T00:00:00+00:00"
WRONG: list[dict[str, Any]] = [
    {"cursor": "no cursor"}, {"cursor": _cursor(1, "0001-01-01T00:00:00+14:00", 1, 0.5, ZERO, "a")},
    {"cursor": _cursor(10**30, ZERO, 1, 0.5, ZERO, "a")}, {"cursor": _cursor(1, ZERO, 1, float("nan"), ZERO, "a")},
    {"limit": 0}, {"limit": 10**30}, {"status": "x" * 21},
]  # fmt: skip


def test_an_odd_query_is_refused_and_an_unknown_value_finds_nothing(desk: Served) -> None:
    _post(desk, "T1")
    for query in WRONG:
        answer = _get(desk, "/v1/tickets", **query)
        assert (answer.status_code, answer.json().get("code")) == (422, "invalid_field"), query
    assert _get(desk, "/v1/tickets", status="nonsense").json()["tickets"] == []
    assert _get(desk, "/v1/tickets", queue="\x00").status_code in (200, 422)
    assert _get(desk, "/v1/tickets/%00").status_code in (404, 422)


def test_a_review_moves_the_ticket_and_a_stale_one_does_not(desk: Served) -> None:
    _post(desk, "T1")
    done = _review(desk, "T1", version=1, category="billing.charge", flags=["arrears"], note="张伟 13812345678 欠费")
    assert done.status_code == 200
    body = done.json()
    assert (body["version"], body["status"], body["desk"]) == (2, "reviewed", "电费核算班")
    assert [cue["flag"] for cue in body["cues"]] == ["arrears"]
    assert body["reviews"][0]["reviewer"] == "reviewer"
    assert "13812345678" not in done.text
    assert _review(desk, "T1", version=1, category="other.misc").status_code == 409
    wrong = _review(desk, "T1", version=2, category="no.leaf")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "unknown_leaf")
    misspelt = _review(desk, "T1", version=2, category="other.misc", flag=["theft"])
    assert (misspelt.status_code, "拼写" in misspelt.json()["errors"][0]["message"]) == (422, True)


def test_a_cue_walks_through_its_life_and_one_key_cannot_confirm_twice(desk: Served) -> None:
    _post(desk, "T1", org={"station": "城东供电所"})
    _review(desk, "T1", version=1, category="other.misc", flags=["theft"])
    cue = _get(desk, "/v1/tickets/T1").json()["cues"][0]
    evidence = [{"item": one["item"], "reference": "卷 7", "date": "2026-01-05"} for one in cue["evidence"]]

    def step(name: str, role: Role, **body: Any) -> Any:
        path = f"/v1/tickets/T1/cues/theft/{name}"
        return desk.client.post(path, json={"version": cue["version"], **body}, headers=desk.by(role))

    assert step("confirm", Role.REVIEWER).status_code == 409  # no evidence yet
    cue = step("evidence", Role.REVIEWER, evidence=evidence).json()
    assert cue["state"] == "evidence_complete"
    cue = step("confirm", Role.REVIEWER).json()
    same = step("confirm", Role.REVIEWER)
    assert (same.status_code, same.json()["code"]) == (403, "same_reviewer")
    cue = step("confirm", Role.ADMIN).json()
    assert (cue["state"], len(cue["confirmed_by"])) == ("active", 2)
    assert step("melt", Role.ADMIN).status_code == 422
    other = desk.client.post("/v1/tickets/T1/cues/arrears/reject", json={"version": 1}, headers=desk.by(Role.ADMIN))
    assert other.status_code == 404


def test_reviewed_tickets_are_exported_as_labels(desk: Served, database: Database) -> None:
    assert _get(desk, "/v1/labels/export", Role.ANALYST).text == ""
    _post(desk, "T1")
    _review(desk, "T1", version=1, category="billing.charge", secondary=["other.outage"])
    answer = _get(desk, "/v1/labels/export", Role.ANALYST)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert len(answer.headers["x-data-version"]) == 64
    (record,) = [json.loads(line) for line in answer.text.splitlines()]
    assert (record["id"], record["category"], record["secondary"]) == ("T1", "billing.charge", ["other.outage"])
    with database.read() as session:
        assert "labels.exported" in set(session.scalars(select(AuditEntry.action)))


def test_known_events_are_entered_listed_imported_and_removed(desk: Served) -> None:
    reviewer = desk.by(Role.REVIEWER)
    entered = desk.client.post("/v1/events", json=EVENT, headers=reviewer)
    assert (entered.status_code, desk.client.post("/v1/events", json=EVENT, headers=reviewer).status_code) == (201, 200)
    assert _get(desk, "/v1/events").json()["events"] == [{**entered.json(), "tickets": 0}]
    assert _get(desk, "/v1/events", since="2027-01-01T00:00:00Z").json()["events"] == []
    assert _get(desk, "/v1/events", since="0001-01-01T00:00:00+14:00").status_code == 422
    path = f"/v1/events/{entered.json()['id']}"
    assert desk.client.delete(path, headers=reviewer).status_code == 204
    assert desk.client.delete(path, headers=reviewer).status_code == 404
    bad = desk.client.post("/v1/events", json={**EVENT, "ends_at": "never", "kind": "x"}, headers=reviewer)
    assert (bad.status_code, "2026-03-02" in bad.json()["errors"][0]["message"]) == (422, True)
    table = "类型,开始时间,结束时间,内容,区县\n计划停电,2026-11-23 08:00,{},检修,兴隆县\n"
    csv = {**reviewer, "content-type": "text/csv"}
    done = desk.client.post(
        "/v1/events/import", content=table.format("2026-11-24 08:00").encode("gb18030"), headers=csv
    )
    assert (done.status_code, len(done.json()["events"])) == (200, 1)
    wrong = desk.client.post("/v1/events/import", content=table.format("never").encode(), headers=csv)
    assert (wrong.status_code, wrong.json()["errors"][0]["row"]) == (422, 1)


def test_while_the_store_is_away_predictions_go_on_and_the_rest_says_when_to_come_again(
    desk: Served, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _post(desk, "T1").status_code == 201
    assert _get(desk, "/v1/tickets").status_code == 200
    monkeypatch.setattr("serving.api.access.FRESH_SECONDS", 0.0)

    def away(*_: object) -> Any:
        raise StoreUnavailable("存储暂时不可用")

    monkeypatch.setattr(Database, "write", away)
    monkeypatch.setattr(Database, "read", away)
    for answer in (_post(desk, "T2"), _get(desk, "/v1/tickets"), _get(desk, "/v1/tickets", Role.ADMIN)):
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
        assert int(answer.headers["retry-after"]) > 0
    predicted = desk.client.post("/v1/predict", json={"text": TEXT}, headers=desk.by(Role.INTAKE))
    assert predicted.status_code == 200
    assert desk.client.get("/livez").status_code == 200
    assert "triage_store_up 0.0" in desk.client.get("/metrics").text


def test_a_disk_that_is_full_is_a_503_and_nothing_acknowledged_is_lost(rules_pipeline: Pipeline, tmp_path: Any) -> None:
    from serving.store.upgrade import upgrade

    database = Database(f"sqlite:///{tmp_path / 'small.db'}", pool=1)
    upgrade(database)
    with served(database, rules_pipeline) as desk:
        with database.read() as session:
            pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
            session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages + 8}")
        statuses = {f"T{n}": _post(desk, f"T{n}", TEXT * 20).status_code for n in range(30)}
        assert set(statuses.values()) == {201, 503}
        for ticket_id, status in statuses.items():
            assert _get(desk, f"/v1/tickets/{ticket_id}").status_code == (200 if status == 201 else 404)


def test_the_metrics_tell_of_the_outbox(desk: Served) -> None:
    _post(desk, "T1")
    page = desk.client.get("/metrics").text
    assert "triage_store_up 1.0" in page
    assert "triage_outbox_waiting 1.0" in page
    assert "triage_outbox_parked 0.0" in page
    assert 'triage_predictions_total{category="other.outage",decision="fallback"} 1.0' in page
    assert 'route="/v1/tickets",status="201"' in page


@pytest.mark.parametrize(
    "path", ["/v1/tickets", "/docs", "/nowhere", "/metrics", "/static-offline-docs/swagger-ui.css"]
)
def test_every_answer_carries_the_safe_headers(desk: Served, path: str) -> None:
    answer = desk.client.get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value or (path == "/docs" and name == "Content-Security-Policy")
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    ("given", "kept"),
    [("order-4711-a", True), ("13812345678", False), ("110101199003071234", False), ("a b c d e f", False),
     ("short1", False), ("x" * 65, False), ("abc\x7fdefgh", False)],
)  # fmt: skip
def test_a_request_id_is_kept_where_it_is_harmless(desk: Served, given: str, kept: bool) -> None:
    answer = desk.client.get("/livez", headers={"X-Request-Id": given})
    assert (answer.headers["x-request-id"] == given) == kept
    assert len(answer.headers["x-request-id"]) >= 8
